package agentphone_test

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// A recording is as private as the file that it replaces, or else as the umask makes a new file, also while it is downloaded. The
// umask is that of a process, so each is tried in one of its own.
func TestCallsSaveRecording_FileIsAsPrivateAsOneOfOSCreate(t *testing.T) {
	const child = "AGENTPHONE_TEST_UMASK"
	if os.Getenv(child) == "" {
		sh, err := exec.LookPath("sh")
		if err != nil || runtime.GOOS == "windows" {
			t.Skip("no umask here")
		}
		for _, umask := range []string{"022", "002", "027", "077"} {
			cmd := exec.CommandContext(t.Context(), sh, "-c", "umask "+umask+`; exec "$0" -test.run "$1" -test.v`, os.Args[0], "^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), child+"="+umask)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "umask %s: %s", umask, out)
			assert.Contains(t, string(out), "--- PASS: "+t.Name())
		}
		return
	}
	folder := t.TempDir()
	mode := func(name string) fs.FileMode {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		return info.Mode()
	}
	for _, existing := range []fs.FileMode{0, 0o600, 0o640, 0o644, 0o660, 0o755} {
		for _, name := range []string{"created.wav", "saved.wav"} {
			path := filepath.Join(folder, name)
			require.NoError(t, os.RemoveAll(path))
			if existing != 0 {
				require.NoError(t, os.WriteFile(path, []byte("old"), existing))
				require.NoError(t, os.Chmod(path, existing))
			}
		}
		created, err := os.Create(filepath.Join(folder, "created.wav"))
		require.NoError(t, err)
		require.NoError(t, created.Close())
		want := mode("created.wav")

		c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
			parts, err := filepath.Glob(filepath.Join(folder, "*.part"))
			require.NoError(t, err)
			require.Len(t, parts, 1)
			assert.Zero(t, mode(filepath.Base(parts[0]))&^want, "meanwhile it is no less private")
			return recordingAfter(0, wav)(n, r)
		})
		_, err = c.Calls.SaveRecording(t.Context(), "call_1", filepath.Join(folder, "saved.wav"))
		require.NoError(t, err)
		assert.Equal(t, want, mode("saved.wav"), "there was one of %v", existing)
	}
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
