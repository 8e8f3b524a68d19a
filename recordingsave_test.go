package agentphone_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const wav = "RIFF\x04\x00\x00\x00WAVE"

// recordingAfter responds with 404 to the first n requests and with a recording to later ones.
func recordingAfter(n int, body string, header ...string) apitest.Responder {
	return func(i int, _ apitest.Request) (*http.Response, error) {
		if i <= n {
			return apitest.Response(404, `{"detail":"No recording"}`), nil
		}
		return apitest.Response(200, body, append([]string{"Content-Type", "audio/wav"}, header...)...), nil
	}
}

func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestCallsSaveRecording_FileIsWholeOrNotThere(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "call.wav")
	c, _ := apitest.NewClient(t, recordingAfter(0, wav))
	n, err := c.Calls.SaveRecording(t.Context(), "call_1", path)
	require.NoError(t, err)
	assert.EqualValues(t, len(wav), n)
	saved, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, wav, string(saved))
	assert.Equal(t, []string{"call.wav"}, files(t, folder))

	for name, respond := range map[string]apitest.Responder{
		"none":   recordingAfter(9, wav),
		"a page": apitest.Always(200, "<html>", "Content-Type", "text/html"),
		"empty":  recordingAfter(0, ""),
		"cut": func(n int, r apitest.Request) (*http.Response, error) {
			res := apitest.Response(200, "", "Content-Type", "audio/wav")
			res.Body = cutBody{errReader{}}
			return res, nil
		},
	} {
		c, _ := apitest.NewClient(t, respond, apitest.NoWait)
		_, err := c.Calls.SaveRecording(t.Context(), "call_1", path)
		require.Error(t, err, name)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, wav, string(kept), "%s: the file stays as it was", name)
		assert.Equal(t, []string{"call.wav"}, files(t, folder), name)
	}
	_, err = c.Calls.SaveRecording(t.Context(), "call_1", filepath.Join(folder, "missing", "call.wav"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRecordingGrace_WaitsWhileThereIsNoneYet(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, recordingAfter(3, wav))
		_, err := c.Calls.SaveRecording(t.Context(), "call_1", filepath.Join(t.TempDir(), "call.wav"), agentphone.RecordingGrace(time.Minute))
		require.NoError(t, err)
		assert.Len(t, s.Requests(), 4)
	})
	assert.Equal(t, 6*time.Second, d)

	d = apitest.Took(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, recordingAfter(99, wav))
		_, err := c.Calls.SaveRecording(t.Context(), "call_1", filepath.Join(t.TempDir(), "call.wav"), agentphone.RecordingGrace(5*time.Second))
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
	assert.Equal(t, 5*time.Second, d)

	d = apitest.Took(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		c, _ := apitest.NewClient(t, recordingAfter(99, wav))
		_, err := c.Calls.SaveRecording(ctx, "call_1", filepath.Join(t.TempDir(), "call.wav"), agentphone.RecordingGrace(time.Hour))
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
	assert.Equal(t, 3*time.Second, d)

	c, s := apitest.NewClient(t, recordingAfter(0, wav))
	_, err := c.Calls.Get(t.Context(), "call_1", agentphone.RecordingGrace(time.Second))
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = c.Calls.SaveRecording(t.Context(), "call_1", filepath.Join(t.TempDir(), "call.wav"), agentphone.RecordingGrace(-1))
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
}
