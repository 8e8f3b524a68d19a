package networktest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestRetry_NonIdempotentIsDeliveredOnceWhenResponseIsLost_HTTP2(t *testing.T) {
	t.Parallel()
	for _, f := range lostResponsesHTTP2 {
		for name, warm := range map[string]bool{"first request of the connection": false, "second request of the connection": true} {
			if f.hangs && !warm {
				continue // the timeout is for the response, not for a handshake on a busy machine
			}
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				ops := fewNonIdempotentOperations
				if warm {
					ops = callAfter(t, listAgents, nonIdempotentOperations)
				}
				newServer := func() *http2Server { return newHTTP2Server(t, warm, f.respond) }
				callEach(t, ops, newServer, func(t *testing.T, s *http2Server, r result) {
					assertOutcomeUnknown(t, r, f.status)
					assert.Equal(t, f.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a timeout: %v", r.err)
					assert.Equal(t, 1, s.connections(), "connections")
				}, f.timeout())
			})
		}
	}
}

func TestRetry_NonIdempotentIsDeliveredOnceWhateverTheResponse_HTTP2(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]completeResponse{
		"303": {status: 303, unknown: true},
		"307": {status: 307},
		"408": {status: 408, unknown: true},
		"422": {status: 422},
		"500": {status: 500, unknown: true},
		"502": {status: 502, unknown: true},
		"503": {status: 503, unknown: true},
		"504": {status: 504, unknown: true},
		"200": {status: 200, unknown: true, decode: true}, // HTML
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http2Server { return newHTTP2Server(t, false, respondWithHTTP2(status)) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http2Server, r result) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, want.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertFailedWithStatus(t, r, want.status, want.decode)
			})
		})
	}
}

// The server is Go's own; its handler fails after it has processed the request.
func TestRetry_NonIdempotentIsDeliveredOnceWhenHandlerAborts_HTTP2(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	handled := map[string]int{}
	var http1 atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http1.Add(1)
		}
		mu.Lock()
		handled[r.Method+" "+r.URL.Path]++
		mu.Unlock()
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = discardLog // about connections that were not needed
	s.StartTLS()
	t.Cleanup(s.Close)
	client := newClient(t, s.URL, agentphone.WithHTTPClient(s.Client()))
	var calls sync.WaitGroup
	errs := make([]error, len(nonIdempotentOperations))
	for i, op := range nonIdempotentOperations {
		calls.Go(func() { errs[i] = op.call(context.Background(), client) })
	}
	calls.Wait()
	time.Sleep(lateRequestWait)
	for i, op := range nonIdempotentOperations {
		t.Run(op.name, func(t *testing.T) {
			assert.ErrorIs(t, errs[i], agentphone.ErrOutcomeUnknown)
			assert.Equal(t, 1, handled[op.name])
		})
	}
	assert.Zero(t, http1.Load(), "requests over HTTP/1.1")
}

// After some HTTP/2 errors net/http retries a request that has no body by itself, endlessly and without a pause.
func TestRetry_IdempotentIsNotSentEndlessly_HTTP2(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]http2Responder{
		"RST_STREAM PROTOCOL_ERROR":            resetStream(h2ProtocolError),
		"GOAWAY that excludes it, then closed": excludeStream,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http2Server { return newHTTP2Server(t, false, respond) }
			bodiless := []operation{idempotentOperations[0], idempotentOperations[2]}
			callEach(t, bodiless, newServer, func(t *testing.T, _ *http2Server, r result) {
				require.Error(t, r.err)
				assert.LessOrEqual(t, r.deliveries, 8, "requests of a call without retries")
			}, agentphone.WithMaxRetries(0), agentphone.WithTimeout(time.Second/2))
		})
	}
}
