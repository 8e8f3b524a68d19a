package networktest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestRetry_NonIdempotentIsDeliveredOnceWhenResponseIsLost_HTTP1(t *testing.T) {
	t.Parallel()
	for _, f := range lostResponses {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, f.respond) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				assertOutcomeUnknown(t, r, f.status)
				assert.Equal(t, f.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a timeout: %v", r.err)
			}, f.timeout())
		})
	}
}

// On a reused connection net/http takes a failure for the close of an idle connection, and retries the requests that it
// considers idempotent.
func TestRetry_NonIdempotentIsDeliveredOnceOnReusedConnection_HTTP1(t *testing.T) {
	t.Parallel()
	warm := doRequest(http.MethodGet, warmUpPath, nil)
	for _, f := range lostResponses {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			ops := callAfter(t, warm, nonIdempotentOperations)
			newServer := func() *http1Server { return newHTTP1Server(t, f.respond) }
			callEach(t, ops, newServer, func(t *testing.T, s *http1Server, r result) {
				assertOutcomeUnknown(t, r, f.status)
				assert.Equal(t, 1, s.connections(), "the connection should be reused")
			}, f.timeout())
		})
	}
}

func TestRetry_NonIdempotentIsDeliveredOnceWhateverTheResponse_HTTP1(t *testing.T) {
	t.Parallel()
	for _, test := range completeResponses {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, test.respond) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, test.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertFailedWithStatus(t, r, test.status, test.decode)
			})
		})
	}
}

// What keeps net/http from retrying a GET is a body of which nothing is sent.
func TestRetry_NonIdempotentGETIsSentWithoutABody(t *testing.T) {
	t.Parallel()
	for name, newServer := range map[string]func(testing.TB, responder) *http1Server{"http": newHTTP1Server, "https": newHTTPSServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, respondOK)
			_, err := s.client(t).Numbers.Lookup(context.Background(), agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550100"}})
			require.NoError(t, err)
			require.Len(t, s.requests(), 1)
			got := s.requests()[0]
			assert.Equal(t, "/v1/numbers/lookup?phoneNumbers=%2B14155550100", got.RequestURI)
			assert.Empty(t, got.body)
			assert.NotContains(t, got.Header, "Content-Type")
			assert.NotContains(t, got.Header, "Content-Length")
		})
	}
}
