package networktest

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// If it is certain that the server did not process a request, it is retried even if it is not idempotent.

func TestRetry_RefusedRequestTakesEffectOnce_HTTP1(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]responder{
		"429":                              respondWith(429, `{"detail":"slow down"}`),
		"429 with Retry-After":             respondWith(429, "", "Retry-After: 0"),
		"429 that closes":                  writeAndClose("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		"429 cut short":                    writeAndClose("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 100\r\n\r\n{"),
		"503 with Retry-After":             respondWith(503, "<html>", "Retry-After: 0"),
		"503 with Retry-After in the past": respondWith(503, "", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server {
				return newHTTP1Server(t, inTurn(refusal, refusal, refusal, respondOK))
			}
			callEach(t, allOperations(), newServer, func(t *testing.T, s *http1Server, r result) {
				assertSucceeded(t, r, 3)
				assert.Equal(t, 4, r.response.Attempts)
				for _, got := range s.requests() {
					assert.Equal(t, s.requests()[0].body, got.body, "each attempt has the whole body")
				}
			})
		})
	}
}

func TestRetry_RefusedRequestTakesEffectOnce_HTTP2(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]http2Responder{
		"REFUSED_STREAM": resetStream(h2RefusedStream),
		"GOAWAY that excludes the stream, then closed": excludeStream,
		"GOAWAY that excludes the stream":              func(r *http2Stream) { r.goAway(r.id-1, h2NoError) },
		"429":                                          respondWithHTTP2("429"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http2Server {
				return newHTTP2Server(t, false, inTurnHTTP2(refusal, refusal, respondOKHTTP2))
			}
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http2Server, r result) {
				assertSucceeded(t, r, 2)
				assert.Equal(t, 3, r.response.Attempts)
				assert.Equal(t, "r1", r.response.RequestID)
			})
		})
	}
}

// Not parallel: no other test may listen on the port meanwhile.
func TestRetry_NonIdempotentIsDeliveredOnceWhenPortOpensLater(t *testing.T) {
	closed := listen(t)
	address := closed.Addr().String()
	require.NoError(t, closed.Close())

	var dials atomic.Int32
	open := make(chan struct{})
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if int(dials.Add(1)) > 2*len(nonIdempotentOperations) {
			<-open
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	client := newClient(t, "http://"+address, agentphone.WithHTTPClient(&http.Client{Transport: transport}),
		agentphone.WithMaxRetries(3*len(nonIdempotentOperations)))

	errs := make([]error, len(nonIdempotentOperations))
	var calls sync.WaitGroup
	for i, op := range nonIdempotentOperations {
		calls.Go(func() { errs[i] = op.call(context.Background(), client) })
	}
	require.Eventually(t, func() bool { return int(dials.Load()) > 2*len(nonIdempotentOperations) }, 5*time.Second, time.Millisecond)
	var listener net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		listener, err = net.Listen("tcp", address)
		return err == nil
	}, 5*time.Second, time.Millisecond)
	s := serveHTTP1(t, listener, nil, respondOK)
	close(open)
	calls.Wait()
	s.closeAndCount()
	delivered := map[string]int{}
	for _, r := range s.requests() {
		delivered[r.Method+" "+r.URL.Path]++
	}
	for i, op := range nonIdempotentOperations {
		t.Run(op.name, func(t *testing.T) {
			assert.NoError(t, errs[i])
			assert.Equal(t, 1, delivered[op.name])
		})
	}
}

func TestRetry_NonIdempotentIsDeliveredOnceAfterFailedConnections(t *testing.T) {
	t.Parallel()
	plain := func(failures int, dial func(context.Context) error) func(testing.TB) failedDials {
		return func(t testing.TB) failedDials {
			return failedDials{http1Server: newHTTP1Server(t, respondOK), failures: failures, dial: dial}
		}
	}
	for name, test := range map[string]struct {
		server func(testing.TB) failedDials
		opts   []agentphone.Option
	}{
		"DNS lookup that takes too long": {server: plain(3, func(ctx context.Context) error {
			// A resolver whose server does not respond in time.
			dialer := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, os.ErrDeadlineExceeded
			}}}
			_, err := dialer.DialContext(ctx, "tcp", "api.example.com.:443")
			var dns *net.DNSError
			if !assert.ErrorAs(t, err, &dns) || !assert.True(t, dns.IsTimeout) {
				return nil
			}
			return err
		})},
		"DNS lookup that fails temporarily": {server: plain(3, func(context.Context) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: "api.example.com", IsTemporary: true}}
		})},
		"connection that takes too long": {
			server: plain(2, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }),
			opts:   []agentphone.Option{agentphone.WithTimeout(250 * time.Millisecond)},
		},
		"TLS handshake cut": {server: func(t testing.TB) failedDials {
			return failedDials{failures: 3, http1Server: newFailingHandshakeServer(t, 3, func(c net.Conn) { _ = c.Close() })}
		}},
		"TLS handshake reset": {server: func(t testing.TB) failedDials {
			return failedDials{failures: 3, http1Server: newFailingHandshakeServer(t, 3, func(c net.Conn) { resetConn(c, nil) })}
		}},
		"TLS handshake that takes too long": {server: func(t testing.TB) failedDials {
			return failedDials{failures: 1, tlsTimeout: 400 * time.Millisecond, http1Server: newFailingHandshakeServer(t, 1, func(net.Conn) {})}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callEach(t, nonIdempotentOperations, func() failedDials { return test.server(t) }, func(t *testing.T, s failedDials, r result) {
				assertSucceeded(t, r, 0)
				assert.Equal(t, s.failures+1, r.response.Attempts)
			}, test.opts...)
		})
	}
}
