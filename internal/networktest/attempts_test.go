package networktest

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestRetry_EachAttemptIsDecidedByItself(t *testing.T) {
	t.Parallel()
	refuse := writeAndClose("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	for name, test := range map[string]struct {
		connects   []bool
		respond    responder
		attempts   int
		deliveries int
		succeeds   bool
	}{
		"refused, no connection, no connection, accepted": {[]bool{true, false, false}, inTurn(refuse, respondOK), 4, 2, true},
		"no connection, refused, no connection, accepted": {[]bool{false, true, false}, inTurn(refuse, respondOK), 4, 2, true},
		"no connection, refused, lost":                    {[]bool{false, true, true}, inTurn(refuse, resetConn, respondOK), 3, 2, false},
		"refused, no connection, cut short":               {[]bool{true, false, true}, inTurn(refuse, writeAndClose("HTTP/1.1 200 OK\r\n"), respondOK), 3, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() refusedDials { return refusedDials{newHTTP1Server(t, test.respond), test.connects} }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ refusedDials, r result) {
				assert.Equal(t, test.deliveries, r.deliveries, "deliveries")
				if test.succeeds {
					require.NoError(t, r.err)
					assert.Equal(t, test.attempts, r.response.Attempts)
					return
				}
				require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				var failed *agentphone.TransportError
				require.ErrorAs(t, r.err, &failed)
				assert.Equal(t, test.attempts, failed.Attempts)
			})
		})
	}
	t.Run("HTTP/2: refused, lost", func(t *testing.T) {
		t.Parallel()
		newServer := func() *http2Server {
			return newHTTP2Server(t, false, inTurnHTTP2(resetStream(h2RefusedStream), resetStream(h2InternalError), respondOKHTTP2))
		}
		callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http2Server, r result) {
			require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
			assert.Equal(t, 2, r.deliveries, "deliveries, of which one was refused")
		})
	})
}

func TestRetry_OutcomeIsKnownWhenNoConnectionWasMade(t *testing.T) {
	t.Parallel()
	newServer := func() refusedDials { return refusedDials{newHTTP1Server(t, respondOK), make([]bool, 100)} }
	callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ refusedDials, r result) {
		require.ErrorIs(t, r.err, syscall.ECONNREFUSED)
		assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
		assert.Contains(t, r.err.Error(), "attempts=4")
		assert.Equal(t, agentphone.Response{Attempts: 4}, r.response, "no response, after all attempts")
		assert.Zero(t, r.deliveries)
	})
}

// Signing up needs no key, so that a client which has one does not send it.
func TestRetry_KeyIsSentOnEachAttemptButNotToSignup(t *testing.T) {
	t.Parallel()
	refusal := respondWith(429, "")
	newServer := func() *http1Server { return newHTTP1Server(t, inTurn(refusal, refusal, respondOK)) }
	callEach(t, allOperations(), newServer, func(t *testing.T, s *http1Server, r result) {
		assertSucceeded(t, r, 2)
		for _, got := range s.requests() {
			if strings.HasPrefix(got.URL.Path, "/v0/agent/") {
				assert.NotContains(t, got.body, apiKey)
				for name, values := range got.Header {
					assert.NotContains(t, strings.Join(values, " "), apiKey, name)
				}
				continue
			}
			assert.Equal(t, []string{"Bearer " + apiKey}, got.Header["Authorization"])
		}
	})
}

func TestRetry_CookieIsSentOncePerAttempt(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"retries":              "",
		"retries and redirect": "/v2/agents",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			responders := []responder{}
			for range 3 {
				responders = append(responders, respondWith(503, "", "Retry-After: 0", "Set-Cookie: session=1; Path=/"))
			}
			if target != "" {
				responders = append(responders, respondWith(307, "", "Location: "+target))
			}
			s := newHTTP1Server(t, inTurn(append(responders, respondOK)...))
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			client := s.client(t, agentphone.WithHTTPClient(&http.Client{Jar: jar}))
			require.NoError(t, listAgents(context.Background(), client))
			require.NoError(t, sendMessage("hello")(context.Background(), client))
			s.closeAndCount()
			require.Len(t, s.requests(), len(responders)+2)
			for i, got := range s.requests() {
				if i == 0 {
					assert.Empty(t, got.Header["Cookie"])
					continue
				}
				assert.Equal(t, []string{"session=1"}, got.Header["Cookie"], "request %d", i+1)
			}
		})
	}
}
