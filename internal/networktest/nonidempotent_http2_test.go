package networktest

import (
	"context"
	"errors"
	"io"
	"log"
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

func TestWeatherARequestThatActsOnceIsDeliveredOnceOverHTTP2(t *testing.T) {
	t.Parallel()
	for _, b := range weatherH2Breaks {
		for name, warm := range map[string]bool{"first request of the connection": false, "second request of the connection": true} {
			if b.hangs && !warm {
				continue // the time-out is for the answer, not for a handshake on a busy machine
			}
			t.Run(b.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				ops := weatherFew
				if warm {
					ops = weatherAfter(t, weatherListAgents, weatherOnce)
				}
				newServer := func() *weatherHTTP2 { return newWeatherHTTP2(t, warm, b.answer) }
				weatherEach(t, ops, newServer, func(t *testing.T, s *weatherHTTP2, r weatherResult) {
					assertOutcomeUnknown(t, r, b.status)
					assert.Equal(t, b.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a time-out: %v", r.err)
					assert.Equal(t, 1, s.connections(), "connections")
				}, b.timeout())
			})
		}
	}
}

func TestWeatherARequestThatActsOnceIsDeliveredOnceWhateverTheHTTP2Answer(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]weatherVerdict{
		"303": {status: 303, unknown: true},
		"307": {status: 307},
		"408": {status: 408, unknown: true},
		"422": {status: 422},
		"500": {status: 500, unknown: true},
		"502": {status: 502, unknown: true},
		"503": {status: 503, unknown: true},
		"504": {status: 504, unknown: true},
		"200": {status: 200, unknown: true, decode: true}, // a page, no JSON
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP2 { return newWeatherHTTP2(t, false, weatherH2Status(status)) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP2, r weatherResult) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, want.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertStatus(t, r, want.status, want.decode)
			})
		})
	}
}

// Go's own HTTP/2 server, whose handler fails after it has acted.
func TestWeatherAnAbortedHandlerIsNotCalledAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	handled := map[string]int{}
	var http1 atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http1.Add(1)
		}
		mu.Lock()
		handled["POST "+r.URL.Path]++
		mu.Unlock()
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that were not needed
	s.StartTLS()
	t.Cleanup(s.Close)
	client := weatherClient(t, s.URL, agentphone.WithHTTPClient(s.Client()))
	var calls sync.WaitGroup
	for _, op := range weatherOnce {
		calls.Go(func() {
			assert.ErrorIs(t, op.call(context.Background(), client), agentphone.ErrOutcomeUnknown, op.name)
		})
	}
	calls.Wait()
	time.Sleep(weatherLate)
	for _, op := range weatherOnce {
		assert.Equal(t, 1, handled[op.name], op.name)
	}
	assert.Zero(t, http1.Load(), "requests over HTTP/1.1")
}

// net/http sends a request that has no body again by itself after some HTTP/2 errors: without
// end, and without a pause.
func TestWeatherASafeRequestIsNotSentWithoutEndOverHTTP2(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]weatherH2Answer{
		"RST_STREAM PROTOCOL_ERROR":            weatherRST(h2ProtocolError),
		"GOAWAY that excludes it, then closed": weatherExcludes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP2 { return newWeatherHTTP2(t, false, answer) }
			bodiless := []weatherOperation{weatherSafe[0], weatherSafe[2]}
			weatherEach(t, bodiless, newServer, func(t *testing.T, _ *weatherHTTP2, r weatherResult) {
				require.Error(t, r.err)
				assert.LessOrEqual(t, r.deliveries, 8, "requests, of a call that is not to be retried")
			}, agentphone.WithMaxRetries(0), agentphone.WithTimeout(time.Second/2))
		})
	}
}
