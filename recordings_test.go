package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestDownloadRecordingStreamsWithoutTheKey(t *testing.T) {
	wav := bytes.Repeat([]byte("RIFF...."), 100_000)
	var failures atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.Equal(t, "audio/wav", r.Header.Get("Accept"))
		w.Header().Set("Content-Type", "audio/wav")
		switch r.URL.Path {
		case "/v1/calls/whole/recording":
			if failures.Add(1) == 1 {
				w.WriteHeader(503)
				return
			}
			_, _ = w.Write(wav)
		case "/v1/calls/cut-of-known-length/recording":
			w.Header().Set("Content-Length", fmt.Sprint(len(wav)))
			_, _ = w.Write(wav[:5000])
		case "/v1/calls/cut/recording":
			_, _ = w.Write(wav[:5000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/v1/calls/cut-without-a-length/recording":
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\nRIFF\x00\x20\x00\x00WAVE")
			_ = conn.Close()
		case "/v1/calls/without-a-length/recording":
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\nRIFF\x04\x00\x00\x00WAVE")
			_ = conn.Close()
		case "/v1/calls/accepted/recording":
			w.WriteHeader(202)
		case "/v1/calls/a-part/recording":
			w.WriteHeader(206)
			_, _ = io.WriteString(w, "RIFF")
		case "/v1/calls/empty/recording":
		case "/v1/calls/text/recording":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "recording is being processed")
		case "/v1/calls/problem/recording":
			w.Header().Set("Content-Type", "application/problem+json")
			_, _ = io.WriteString(w, "{}")
		case "/v1/calls/page-of-no-kind/recording":
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		case "/v1/calls/page/recording":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(srv.URL), apitest.NoWait)
	require.NoError(t, err)
	download := func(id string) (int64, []byte, error) {
		var out bytes.Buffer
		n, err := c.Calls.DownloadRecording(t.Context(), id, &out)
		return n, out.Bytes(), err
	}
	n, got, err := download("whole")
	require.NoError(t, err)
	assert.EqualValues(t, len(wav), n)
	assert.Equal(t, wav, got)
	assert.EqualValues(t, 2, failures.Load(), "it is retried until it begins")

	for _, id := range []string{"cut", "cut-of-known-length"} {
		n, got, err = download(id)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, id)
		assert.EqualValues(t, 5000, n)
		assert.Equal(t, wav[:5000], got, "what came is written")
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	}
	n, _, err = download("cut-without-a-length")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the file says that it is longer")
	assert.EqualValues(t, 12, n)
	n, _, err = download("without-a-length")
	require.NoError(t, err)
	assert.EqualValues(t, 12, n)

	for _, id := range []string{"page", "page-of-no-kind", "accepted", "a-part", "empty", "text", "problem"} {
		n, _, err = download(id)
		var decodeErr *agentphone.DecodeError
		require.ErrorAs(t, err, &decodeErr, id)
		assert.Zero(t, n, id)
	}
	_, _, err = download("none")
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = c.Calls.DownloadRecording(t.Context(), "whole", nil)
	require.ErrorIs(t, err, agentphone.ErrValidation)

	failing := errors.New("disk full")
	_, err = c.Calls.DownloadRecording(t.Context(), "whole", writerFunc(func([]byte) (int, error) { return 0, failing }))
	require.ErrorIs(t, err, failing)

	// It needs no key at all.
	c, err = agentphone.NewClient("", agentphone.WithBaseURL(srv.URL))
	require.NoError(t, err)
	n, err = c.Calls.DownloadRecording(t.Context(), "whole", io.Discard)
	require.NoError(t, err)
	assert.EqualValues(t, len(wav), n)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestADownloadThatStandsStillIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc := &http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			pr, pw := io.Pipe()
			go func() {
				for range 10 { // slow, but alive
					_, _ = pw.Write([]byte("RIFF"))
					time.Sleep(29 * time.Second)
				}
				<-r.Context().Done()
				pw.CloseWithError(r.Context().Err())
			}()
			answer := apitest.Response(200, "", "Content-Type", "audio/wav")
			answer.Body = pr
			return answer, nil
		})}
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(hc))
		require.NoError(t, err)
		n, err := c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard)
		assert.EqualValues(t, 40, n)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, "agentphone: GET /v1/calls/{call_id}/recording: no answer within 30s (attempts=1)")
	})
}
