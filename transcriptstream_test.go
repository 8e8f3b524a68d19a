package agentphone_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const sseConnected = "event: connected\ndata: {\"callId\":\"call_1\",\"status\":\"in-progress\",\"agentName\":\"A\",\"startedAt\":\"2026-04-19T17:20:11Z\"}\n\n"
const sseEnded = "event: ended\ndata: {\"callId\":\"call_1\",\"status\":\"completed\",\"endedAt\":\"2026-04-19T17:21:11Z\",\"durationSeconds\":60}\n\n"

func sseTurn(i int) string {
	role := [2]string{"agent", "user"}[i%2]
	return fmt.Sprintf(": heartbeat\n\nevent: turn\ndata: {\"role\":%q,\"content\":\"turn %d\",\"createdAt\":\"2026-04-19T17:20:12Z\"}\n\n", role, i)
}

func eventStream(body io.Reader) *http.Response {
	r := apitest.Response(200, "", "Content-Type", "text/event-stream; charset=utf-8")
	r.Body = io.NopCloser(body)
	return r
}

// collectTranscript ranges over a stream and returns the content of its turns, the types of its other events and its
// error.
func collectTranscript(ctx context.Context, t *testing.T, c *agentphone.Client) (turns, others []string, err error) {
	t.Helper()
	for ev, e := range c.Calls.StreamTranscript(ctx, "call_1") {
		require.NoError(t, err, "an error is the last that a stream yields")
		switch {
		case e != nil:
			assert.Equal(t, agentphone.TranscriptEvent{}, ev)
			err = e
		case ev.Type == agentphone.TranscriptEventTurn:
			turns = append(turns, ev.Turn.Content)
		default:
			assert.Equal(t, ev.Type == agentphone.TranscriptEventConnected, ev.Connected != nil)
			assert.Equal(t, ev.Type == agentphone.TranscriptEventEnded, ev.Ended != nil)
			others = append(others, string(ev.Type))
		}
	}
	return turns, others, err
}

// The connection is cut ten times, at any byte, by an error or a mere end.
func TestCallsStreamTranscript_CutConnectionsLoseAndRepeatNothing(t *testing.T) {
	var whole strings.Builder
	whole.WriteString(sseConnected)
	var want []string
	for i := range 50 {
		whole.WriteString(sseTurn(i))
		want = append(want, fmt.Sprintf("turn %d", i))
	}
	whole.WriteString(sseEnded)
	text := whole.String()

	var connections atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(connections.Add(1))
		assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
		assert.Equal(t, "Bearer "+apitest.Key, r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "text/event-stream")
		if n > 10 {
			_, _ = io.WriteString(w, text)
			return
		}
		_, _ = io.WriteString(w, text[:len(text)*n/11+n]) // each connection begins at the first turn
		if n%2 == 0 {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler) // the connection breaks; otherwise the body just ends
		}
	}))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(srv.URL), apitest.NoWait)
	require.NoError(t, err)
	turns, others, err := collectTranscript(t.Context(), t, c)
	require.NoError(t, err)
	assert.Equal(t, want, turns)
	assert.Equal(t, []string{"connected", "ended"}, others)
	assert.EqualValues(t, 11, connections.Load())
}

func TestCallsStreamTranscript_ReconnectsAfterThreeSilentHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		n := 0
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			n++
			if n == 2 {
				return eventStream(strings.NewReader(sseConnected + sseTurn(0) + sseTurn(1) + sseEnded)), nil
			}
			pr, pw := io.Pipe()
			go func() { // heartbeats for three minutes, then silence
				_, _ = io.WriteString(pw, sseConnected+sseTurn(0))
				for range 12 {
					time.Sleep(15 * time.Second)
					_, _ = io.WriteString(pw, ": heartbeat\n\n")
				}
				<-r.Context().Done()
				pw.CloseWithError(r.Context().Err())
			}()
			return eventStream(pr), nil
		}))
		turns, _, err := collectTranscript(t.Context(), t, c)
		require.NoError(t, err)
		assert.Equal(t, []string{"turn 0", "turn 1"}, turns)
		assert.GreaterOrEqual(t, time.Since(start), 225*time.Second)
		assert.Less(t, time.Since(start), 230*time.Second)
	})
}

func TestCallsStreamTranscript_EndsAtOnceWithItsContextOrABreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		var closed atomic.Int32
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			pr, pw := io.Pipe()
			go func() {
				_, _ = io.WriteString(pw, sseConnected+sseTurn(0))
				<-r.Context().Done()
				closed.Add(1)
				pw.CloseWithError(r.Context().Err())
			}()
			return eventStream(pr), nil
		}))
		start := time.Now()
		turns, _, err := collectTranscript(ctx, t, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 7*time.Second, time.Since(start))
		assert.Len(t, turns, 1)
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)

		for range c.Calls.StreamTranscript(t.Context(), "call_1") {
			break
		}
		synctest.Wait()
		assert.EqualValues(t, 2, closed.Load(), "a break closes the connection")
	})
}

func TestCallsStreamTranscript_BacksOffBetweenConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		c, s := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			return eventStream(strings.NewReader(sseConnected)), nil
		})
		_, others, err := collectTranscript(ctx, t, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []string{"connected"}, others)
		assert.Less(t, len(s.Requests()), 300)
		assert.Greater(t, len(s.Requests()), 60)
	})
}

func TestCallsStreamTranscript_WaitsForTheServersRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			if n == 1 {
				return eventStream(strings.NewReader("retry: 20000\n\n" + sseConnected)), nil
			}
			return eventStream(strings.NewReader(sseEnded)), nil
		})
		_, _, err := collectTranscript(t.Context(), t, c)
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second, time.Since(start))
	})
}

func TestCallsStreamTranscript_EndsOnPermanentErrors(t *testing.T) {
	stream := func(body io.Reader) apitest.Responder {
		return func(int, apitest.Request) (*http.Response, error) { return eventStream(body), nil }
	}
	for name, tc := range map[string]struct {
		respond apitest.Responder
		want    string // after the operation
	}{
		"not found":               {apitest.Always(404, `{"detail":"no such call"}`), "404 Not Found: no such call (attempts=1)"},
		"HTML":                    {apitest.Always(200, `<html>`, "Content-Type", "text/html"), "decode 200 response: the content type is text/html, want text/event-stream (attempts=1)"},
		"XHTML":                   {apitest.Always(200, `<html/>`, "Content-Type", "application/xhtml+xml"), "decode 200 response: the content type is application/xhtml+xml, want text/event-stream (attempts=1)"},
		"HTML of no content type": {apitest.Always(200, `<html>`, "Content-Type", ""), "decode 200 response: the content type is missing, want text/event-stream (attempts=1)"},
		"no content":              {apitest.Always(204, ``), "decode 204 response: want status 200 (attempts=1)"},
		"Retry-After of a day":    {apitest.Always(429, ``, "Retry-After", "86400"), "429 Too Many Requests (attempts=1)"},
		"event of no JSON":        {stream(strings.NewReader("event: turn\ndata: hi\n\n")), `decode 200 response: event turn: invalid character 'h' looking for beginning of value (attempts=1)`},
		"event of null":           {stream(strings.NewReader("event: turn\ndata: null\n\n")), `decode 200 response: event turn: the body is empty (attempts=1)`},
		"endless event":           {stream(zeros{}), "decode 200 response: an event of the stream is larger than 1 MiB (attempts=1)"},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, tc.respond, apitest.NoWait)
			_, _, err := collectTranscript(t.Context(), t, c)
			require.EqualError(t, err, "agentphone: GET /v1/calls/{call_id}/transcript/stream: "+tc.want)
			assert.Len(t, s.Requests(), 1)
		})
	}
}

func TestCallsStreamTranscript_AttemptsAreThoseOfAllConnections(t *testing.T) {
	for name, last := range map[string]apitest.Responder{
		"APIError":                apitest.Always(404, ``),
		"APIError, later":         apitest.Always(429, ``, "Retry-After", "86400"),
		"not a stream":            apitest.Always(200, `<html>`, "Content-Type", "text/html"),
		"event of no JSON":        apitest.Always(200, "event: turn\ndata: hi\n\n", "Content-Type", "text/event-stream"),
		"endless event":           func(int, apitest.Request) (*http.Response, error) { return eventStream(zeros{}), nil },
		"certificate":             func(int, apitest.Request) (*http.Response, error) { return nil, &tls.CertificateVerificationError{} },
		"context, in a request":   func(int, apitest.Request) (*http.Response, error) { return nil, context.Canceled },
		"context, in the stream":  func(int, apitest.Request) (*http.Response, error) { return eventStream(brokenReader{}), nil },
		"context, in a 503":       apitest.Always(503, ``),
		"context, between others": func(int, apitest.Request) (*http.Response, error) { return eventStream(strings.NewReader("")), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c, s := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
					switch n {
					case 1, 3, 4, 6: // retried within a connection
						return apitest.Response(503, ``), nil
					case 2, 5:
						return eventStream(strings.NewReader(sseConnected + sseTurn(0))), nil
					}
					if strings.HasPrefix(name, "context") {
						cancel()
					}
					return last(n, r)
				})
				_, _, err := collectTranscript(ctx, t, c)
				attempts := 0
				var apiErr *agentphone.APIError
				var transportErr *agentphone.TransportError
				var decodeErr *agentphone.DecodeError
				switch {
				case errors.As(err, &transportErr):
					attempts = transportErr.Attempts
				case errors.As(err, &apiErr):
					attempts = apiErr.Attempts
				case errors.As(err, &decodeErr):
					attempts = decodeErr.Attempts
				}
				assert.Equal(t, 7, attempts, "%v", err)
				assert.Len(t, s.Requests(), 7)
				if strings.HasPrefix(name, "context") {
					assert.ErrorIs(t, err, context.Canceled)
				}
			})
		})
	}
}

func TestCallsStreamTranscript_RefusesAnEmptyID(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(500, ``), apitest.NoWait)
	for _, err := range c.Calls.StreamTranscript(t.Context(), "") {
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
	assert.Empty(t, s.Requests())
}

func TestCallsStreamTranscript_RidesOutTransientErrorsAndSkipsUnknownEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			switch {
			case n < 7: // more than the retries of one connection
				return apitest.Response(503, ``), nil
			case n == 7:
				return nil, errors.New("connection broken")
			}
			return eventStream(strings.NewReader("event: whisper\ndata: x\n\ndata: y\n\n" + sseTurn(0) + sseEnded + sseTurn(1))), nil
		})
		turns, others, err := collectTranscript(t.Context(), t, c)
		require.NoError(t, err)
		assert.Equal(t, []string{"turn 0"}, turns, "the stream ends with the ended event")
		assert.Equal(t, []string{"ended"}, others)
		assert.Len(t, s.Requests(), 8)
	})
}

// turnSource is a body of many turns and the ended event, made as it is read.
type turnSource struct {
	n, total int
	rest     []byte
}

func (s *turnSource) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		switch {
		case s.n < s.total:
			s.rest = []byte(sseTurn(s.n))
		case s.n == s.total:
			s.rest = []byte(sseEnded)
		default:
			return 0, io.EOF
		}
		s.n++
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func TestCallsStreamTranscript_MemoryDoesNotGrowWithTheCall(t *testing.T) {
	const total = 200_000
	c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return eventStream(&turnSource{total: total}), nil })
	n := 0
	var early, late int
	for ev, err := range c.Calls.StreamTranscript(t.Context(), "call_1") {
		require.NoError(t, err)
		if ev.Type != agentphone.TranscriptEventTurn {
			continue
		}
		switch n++; n {
		case 1000:
			early = apitest.HeapInUse()
		case total - 1000:
			late = apitest.HeapInUse()
		}
	}
	assert.Equal(t, total, n)
	assert.Less(t, late, early+1<<20)
}

func TestCallsStreamTranscript_KeepsTheServersRetryOverConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			switch n {
			case 1:
				return eventStream(strings.NewReader("retry: 30000\n\n" + sseTurn(0))), nil
			case 4:
				return eventStream(strings.NewReader(sseTurn(0) + "event: ended\ndata: at some time\n\n")), nil
			}
			return eventStream(strings.NewReader("")), nil
		}, apitest.NoWait)
		turns, others, err := collectTranscript(t.Context(), t, c)
		require.NoError(t, err)
		assert.Equal(t, []string{"turn 0"}, turns)
		assert.Equal(t, []string{"ended"}, others, "the ended event ends the stream, whatever its data")
		assert.Len(t, s.Requests(), 4)
		assert.Equal(t, 90*time.Second, time.Since(start))
	})
}

func TestCallsStreamTranscript_DoesNotHammerAServerThatClosesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, s := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			return eventStream(strings.NewReader(sseConnected)), nil
		}, agentphone.WithRetryWait(0, 0))
		_, _, err := collectTranscript(ctx, t, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		// The deadline and the last wait end together.
		assert.InDelta(t, 601, len(s.Requests()), 1, "ten a second, after one immediate reconnect")
		assert.Regexp(t, `attempts=60[0-2]`, err.Error())
	})
}
