package networktest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

func TestRetry_NonIdempotentIsDeliveredOnceWhenResponseIsLost_HTTP1(t *testing.T) {
	t.Parallel()
	for _, b := range lostResponses {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, b.respond) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, b.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a time-out: %v", r.err)
			}, b.timeout())
		})
	}
}

// On a connection that was used before net/http takes a failure for the server's closing an
// idle connection, and sends again what it may.
func TestRetry_NonIdempotentIsDeliveredOnceOnReusedConnection_HTTP1(t *testing.T) {
	t.Parallel()
	warm := doRequest(http.MethodGet, warmUpPath, nil)
	for _, b := range lostResponses {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			ops := callAfter(t, warm, nonIdempotentOperations)
			newServer := func() *http1Server { return newHTTP1Server(t, b.respond) }
			callEach(t, ops, newServer, func(t *testing.T, s *http1Server, r result) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, 1, s.connections(), "the connection was to be used twice")
			}, b.timeout())
		})
	}
}

func TestRetry_NonIdempotentIsDeliveredOnceWhateverTheResponse_HTTP1(t *testing.T) {
	t.Parallel()
	for _, v := range completeResponses {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, v.respond) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, v.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertStatus(t, r, v.status, v.decode)
			})
		})
	}
}
