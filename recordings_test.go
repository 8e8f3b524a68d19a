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

var testWAV = bytes.Repeat([]byte("RIFF...."), 100_000)

// recordingServer serves recordings with respond, and fails the test if a request has a key or does not ask for a WAV
// file.
func recordingServer(t *testing.T, respond http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.Equal(t, "audio/wav", r.Header.Get("Accept"))
		w.Header().Set("Content-Type", "audio/wav")
		respond(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func serveWAV(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(testWAV) }

// serveRaw responds without a Content-Length, and ends the body by closing the connection.
func serveRaw(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n"+body)
		_ = conn.Close()
	}
}

func downloadRecording(t *testing.T, respond http.HandlerFunc) (int64, []byte, error) {
	t.Helper()
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(recordingServer(t, respond).URL), apitest.NoWait)
	require.NoError(t, err)
	var out bytes.Buffer
	n, err := c.Calls.DownloadRecording(t.Context(), "call_1", &out)
	return n, out.Bytes(), err
}

func TestCallsDownloadRecording_IsRetriedUntilTheDownloadBegins(t *testing.T) {
	var requests atomic.Int32
	n, got, err := downloadRecording(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.WriteHeader(503)
			return
		}
		serveWAV(w, r)
	})
	require.NoError(t, err)
	assert.EqualValues(t, len(testWAV), n)
	assert.Equal(t, testWAV, got)
	assert.EqualValues(t, 2, requests.Load())
}

func TestCallsDownloadRecording_SendsNoKey(t *testing.T) {
	srv := recordingServer(t, serveWAV) // it fails the test if it gets one
	for _, key := range []string{apitest.Key, ""} {
		t.Run("key "+key, func(t *testing.T) {
			c, err := agentphone.NewClient(key, agentphone.WithBaseURL(srv.URL))
			require.NoError(t, err)
			n, err := c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard)
			require.NoError(t, err)
			assert.EqualValues(t, len(testWAV), n)
		})
	}
}

func TestCallsDownloadRecording_CutDownloadIsAnErrorAndWritesItsPart(t *testing.T) {
	for name, respond := range map[string]http.HandlerFunc{
		"of known length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(testWAV)))
			_, _ = w.Write(testWAV[:5000])
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(testWAV[:5000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, got, err := downloadRecording(t, respond)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.EqualValues(t, 5000, n)
			assert.Equal(t, testWAV[:5000], got)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		})
	}
}

// Where only the end of the connection ends the body, the length in the WAV header tells whether it is whole.
func TestCallsDownloadRecording_LengthOfTheFileIsCheckedWithoutContentLength(t *testing.T) {
	t.Run("cut", func(t *testing.T) {
		n, _, err := downloadRecording(t, serveRaw("RIFF\x00\x20\x00\x00WAVE"))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.EqualValues(t, 12, n)
	})
	t.Run("whole", func(t *testing.T) {
		n, _, err := downloadRecording(t, serveRaw("RIFF\x04\x00\x00\x00WAVE"))
		require.NoError(t, err)
		assert.EqualValues(t, 12, n)
	})
}

func TestCallsDownloadRecording_ResponseThatIsNoRecordingIsADecodeError(t *testing.T) {
	for name, respond := range map[string]http.HandlerFunc{
		"202": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) },
		"206": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(206)
			_, _ = io.WriteString(w, "RIFF")
		},
		"empty": func(http.ResponseWriter, *http.Request) {},
		"text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "recording is being processed")
		},
		"problem": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			_, _ = io.WriteString(w, "{}")
		},
		"HTML without a content type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		},
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, _, err := downloadRecording(t, respond)
			var decodeErr *agentphone.DecodeError
			require.ErrorAs(t, err, &decodeErr)
			assert.Zero(t, n)
		})
	}
}

func TestCallsDownloadRecording_NoRecordingIsErrNotFound(t *testing.T) {
	_, _, err := downloadRecording(t, http.NotFound)
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestCallsDownloadRecording_ErrorsOfTheWriter(t *testing.T) {
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(recordingServer(t, serveWAV).URL), apitest.NoWait)
	require.NoError(t, err)
	_, err = c.Calls.DownloadRecording(t.Context(), "call_1", nil)
	require.ErrorIs(t, err, agentphone.ErrValidation)

	failing := errors.New("disk full")
	_, err = c.Calls.DownloadRecording(t.Context(), "call_1", writerFunc(func([]byte) (int, error) { return 0, failing }))
	require.ErrorIs(t, err, failing)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCallsDownloadRecording_StalledDownloadIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			pr, pw := io.Pipe()
			go func() {
				for range 10 { // slow, but not stalled
					_, _ = pw.Write([]byte("RIFF"))
					time.Sleep(29 * time.Second)
				}
				<-r.Context().Done()
				pw.CloseWithError(r.Context().Err())
			}()
			response := apitest.Response(200, "", "Content-Type", "audio/wav")
			response.Body = pr
			return response, nil
		}), agentphone.WithTimeout(0)) // so that 4 bytes in 29 seconds are fast enough
		n, err := c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard)
		assert.EqualValues(t, 40, n)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, "agentphone: GET /v1/calls/{call_id}/recording: no response within 30s (attempts=1)")
	})
}

// recordingAt responds with a recording that comes in pieces of a size, each after a pause.
func recordingAt(size int, pause time.Duration, total int) http.RoundTripper {
	return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		pr, pw := io.Pipe()
		go func() {
			for sent := 0; sent < total; sent += size {
				select {
				case <-r.Context().Done():
					pw.CloseWithError(r.Context().Err())
					return
				case <-time.After(pause):
					_, _ = pw.Write(bytes.Repeat([]byte("R"), size))
				}
			}
			_ = pw.Close()
		}()
		response := apitest.Response(200, "", "Content-Type", "audio/wav")
		response.Body = pr
		return response, nil
	})
}

func TestCallsDownloadRecording_DrippingDownloadIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		client http.Client
		opts   []agentphone.Option
		call   []agentphone.RequestOption
		size   int
		pause  time.Duration
		within time.Duration
	}{
		"by default":               {size: 1, pause: time.Second, within: 30 * time.Second},
		"a byte every 29 seconds":  {size: 1, pause: 29 * time.Second, within: 30 * time.Second},
		"half as fast as it must":  {size: 8 << 10, pause: 30*time.Second - 1, within: 30 * time.Second},
		"WithTimeout":              {opts: []agentphone.Option{agentphone.WithTimeout(time.Minute)}, size: 1, pause: time.Second, within: time.Minute},
		"WithRequestTimeout":       {call: []agentphone.RequestOption{agentphone.WithRequestTimeout(2 * time.Second)}, size: 1, pause: time.Millisecond, within: 2 * time.Second},
		"the http.Client's":        {client: http.Client{Timeout: time.Second}, size: 1, pause: time.Millisecond, within: time.Second},
		"the timeout is a day off": {opts: []agentphone.Option{agentphone.WithTimeout(24 * time.Hour)}, size: 1, pause: 20 * time.Second, within: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.client.Transport = recordingAt(tc.size, tc.pause, 100_000*tc.size)
				c, err := agentphone.NewClient(apitest.Key, append(tc.opts, agentphone.WithHTTPClient(&tc.client))...)
				require.NoError(t, err)
				began := time.Now()
				_, err = c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard, tc.call...)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.EqualError(t, err, fmt.Sprintf("agentphone: GET /v1/calls/{call_id}/recording: less than 16 KiB of the response within %v (attempts=1)", tc.within))
				assert.Equal(t, tc.within, time.Since(began))
			})
		})
	}
}

func TestCallsDownloadRecording_SlowButSteadyDownloadsAreWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		timeout     time.Duration
		size        int
		pause       time.Duration
		total       int
		slowOfWrite time.Duration
	}{
		"a KiB a second, for five hours":   {30 * time.Second, 1 << 10, time.Second, 18 << 20, 0},
		"just fast enough":                 {30 * time.Second, 16 << 10, 30*time.Second - time.Millisecond, 1 << 20, 0},
		"small":                            {30 * time.Second, 1, time.Second, 20, 0},
		"a short timeout":                  {time.Second, 16 << 10, 900 * time.Millisecond, 10 << 20, 0},
		"no timeout, a byte every second":  {0, 1, time.Second, 10_000, 0},
		"a writer that takes minutes each": {time.Second, 1 << 10, time.Millisecond, 1 << 20, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := apitest.NewClientOver(t, recordingAt(tc.size, tc.pause, tc.total), agentphone.WithTimeout(tc.timeout))
				n, err := c.Calls.DownloadRecording(t.Context(), "call_1", writerFunc(func(p []byte) (int, error) {
					time.Sleep(tc.slowOfWrite)
					return len(p), nil
				}))
				require.NoError(t, err)
				assert.EqualValues(t, tc.total, n)
			})
		})
	}
}

func TestCallsDownloadRecording_DrippingServerIsGivenUp(t *testing.T) {
	gone := make(chan struct{})
	srv := recordingServer(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		for i := 0; i < 1000 && r.Context().Err() == nil; i++ {
			_, _ = io.WriteString(w, "R")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(srv.URL), agentphone.WithTimeout(300*time.Millisecond))
	require.NoError(t, err)
	n, err := c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Positive(t, n)
	<-gone // the connection is closed
}
