package networktest

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestRetry_IdempotentIsRetriedWhenResponseIsLost_HTTP1(t *testing.T) {
	t.Parallel()
	for _, f := range lostResponses {
		for _, warm := range []bool{false, true} {
			name := f.name
			ops := idempotentOperations
			if warm {
				name += "/on a reused connection"
				ops = callAfter(t, doRequest("GET", warmUpPath, nil), ops)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				newServer := func() *http1Server { return newHTTP1Server(t, inTurn(f.respond, respondOK)) }
				callEach(t, ops, newServer, func(t *testing.T, _ *http1Server, r result) {
					assertSucceeded(t, r, 1)
					if !warm { // on a reused connection net/http may have retried by itself
						assert.Equal(t, 2, r.response.Attempts)
					}
				}, f.timeout())
			})
		}
	}
}

func TestRetry_IdempotentIsRetriedOnServerErrors_HTTP1(t *testing.T) {
	t.Parallel()
	for _, test := range completeResponses {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server {
				return newHTTP1Server(t, inTurn(test.respond, test.respond, test.respond, respondOK))
			}
			callEach(t, idempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				if test.unknown && !test.decode {
					assertSucceeded(t, r, 3)
					assert.Equal(t, 4, r.response.Attempts)
					return
				}
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				assertFailedWithStatus(t, r, test.status, test.decode)
			})
		})
	}
}

func TestRetry_IdempotentIsRetriedWhenResponseIsLost_HTTP2(t *testing.T) {
	t.Parallel()
	failures := slices.Concat(lostResponsesHTTP2, []failure[http2Responder]{
		{name: "RST_STREAM REFUSED_STREAM", respond: resetStream(h2RefusedStream)},
		{name: "GOAWAY that excludes the stream, then closed", respond: excludeStream},
		{name: "408", respond: respondWithHTTP2("408")},
		{name: "502", respond: respondWithHTTP2("502")},
	})
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			ops := callAfter(t, listAgents, idempotentOperations)
			newServer := func() *http2Server { return newHTTP2Server(t, true, inTurnHTTP2(f.respond, respondOKHTTP2)) }
			callEach(t, ops, newServer, func(t *testing.T, _ *http2Server, r result) { assertSucceeded(t, r, 1) }, f.timeout())
		})
	}
}

func TestRetry_IdempotentGivesUpAfterMaxRetriesWithoutErrOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]responder{
		"reset":   resetConn,
		"cut":     writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
		"502":     respondWith(502, "<html>"),
		"503":     respondWith(503, "", "Retry-After: 0"),
		"429":     respondWith(429, ""),
		"timeout": writeAndHang(""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, respond) }
			callEach(t, idempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				require.Error(t, r.err)
				assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				assert.Equal(t, 3, r.deliveries, "one, and two retries")
				assert.Contains(t, r.err.Error(), "attempts=3")
			}, agentphone.WithMaxRetries(2), (&failure[responder]{hangs: name == "timeout"}).timeout())
		})
	}
}

// A certificate that is invalid will be invalid at the next attempt too, and nothing was sent.
func TestRetry_InvalidCertificateIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, cert := range map[string]struct{ server, trusted *certificate }{
		"unknown authority": {newCertificate("127.0.0.1"), serverCertificate()},
		"other host":        {newCertificate("127.0.0.2"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server {
				s := serveHTTP1(t, listen(t), cert.server, respondOK)
				if cert.trusted != nil {
					s.roots = cert.trusted.roots
				}
				return s
			}
			callEach(t, allOperations(), newServer, func(t *testing.T, s *http1Server, r result) {
				assert.Zero(t, r.deliveries, "deliveries")
				assert.Equal(t, 1, s.connections(), "connections")
				assertNotRetried(t, r)
			})
		})
	}
}

func TestRetry_UnknownHostIsNotRetried(t *testing.T) {
	t.Parallel()
	for _, op := range allOperations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			dns := newDNSServer(t)
			hc := newHTTPClient(t, serverCertificate().roots)
			transportOf(hc).DialContext = (&net.Dialer{Resolver: dns.resolver()}).DialContext
			client := newClient(t, "https://api.example.com.", agentphone.WithHTTPClient(hc))
			began := time.Now()
			r := result{err: op.call(context.Background(), client)}
			r.took = time.Since(began)
			assertNotRetried(t, r)
			var unknown *net.DNSError
			require.ErrorAs(t, r.err, &unknown)
			assert.True(t, unknown.IsNotFound)
			assert.Equal(t, int32(2), dns.queries.Load(), "one lookup: A and AAAA")
		})
	}
}
