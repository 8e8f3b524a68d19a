package networktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// wireTap is a recorder around the transport. Like many it reads the whole body of a request before it is sent.
type wireTap struct {
	mu   sync.Mutex
	seen []*http.Request
}

func (p *wireTap) option() agentphone.Option {
	return agentphone.WithRoundTripper(func(next http.RoundTripper) http.RoundTripper {
		return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			p.mu.Lock()
			p.seen = append(p.seen, r)
			p.mu.Unlock()
			if r.Body != nil {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				r = r.Clone(r.Context())
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			return next.RoundTrip(r)
		})
	})
}

// Not parallel: it needs the shared connection pool for itself. http.DefaultTransport, wrapped, opens about 1,250 connections.
func TestWithRoundTripper_KeepsTheConnectionPool(t *testing.T) {
	const requests, goroutines, limit = 1_600, 64, 128
	address, s := newFastServer(t, []string{fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(okBody), okBody)})
	tap := &wireTap{}
	client := newClient(t, address, tap.option())
	var left atomic.Int64
	left.Store(requests)
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				assert.NoError(t, listAgents(context.Background(), client))
			}
		})
	}
	all.Wait()
	assert.Len(t, tap.seen, requests)
	assert.LessOrEqual(t, s.connections(), limit)
	t.Logf("%d requests over %d connections", requests, s.connections())
}

// A recorder around the transport changes nothing of what is sent again.
func TestWithRoundTripper_NonIdempotentIsDeliveredOnceWhenResponseIsLost(t *testing.T) {
	t.Parallel()
	for _, f := range lostResponses {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *http1Server { return newHTTP1Server(t, f.respond) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, _ *http1Server, r result) {
				assertOutcomeUnknown(t, r, f.status)
			}, f.timeout(), (&wireTap{}).option())
		})
	}
}

// The API's server refuses every HTTP/2 stream. Without a RoundTripper that is proof that it did not act; with one it is not.
func TestWithRoundTripper_RefusedStreamIsNoProof(t *testing.T) {
	t.Parallel()
	s := newHTTP2Server(t, false, resetStream(h2RefusedStream))
	err := sendMessage("hello")(context.Background(), s.client(t, (&wireTap{}).option()))
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.NotErrorIs(t, err, agentphone.ErrTemporary)
}

func TestWithRoundTripper_KeyGoesToTheOriginOnly(t *testing.T) {
	t.Parallel()
	for _, status := range redirectStatuses {
		for _, location := range []string{"https://www.example.com/v1/agents", "http://api.example.com/v1/agents", "https://api.example.com:8443/v1/agents"} {
			t.Run(strconv.Itoa(status)+" "+location, func(t *testing.T) {
				t.Parallel()
				tap := &wireTap{}
				o := newManyOrigins(t, inTurn(respondWith(status, "", "Location: "+location), respondOK), tap.option())
				var r result
				r.err = listAgents(context.Background(), o.client, agentphone.WithResponse(&r.response))
				assertFailedWithStatus(t, r, status, false)
				assert.Len(t, tap.seen, 1)
				assert.Empty(t, append(o.other.requests(), o.plain.requests()...), "requests to another server")
			})
		}
	}
}

// A redirect within the origin is a second request, that the RoundTripper sees too, with the key and under the same operation.
func TestWithRoundTripper_SeesEachRequestOfARedirect(t *testing.T) {
	t.Parallel()
	p := newServerPair(t, 307, func(string) string { return "/v2/agents?page=1" })
	tap := &wireTap{}
	require.NoError(t, listAgents(context.Background(), p.client(t, tap.option())))
	require.Len(t, tap.seen, 2)
	for _, r := range tap.seen {
		info, ok := agentphone.OperationFromContext(r.Context())
		assert.True(t, ok)
		assert.Equal(t, "GET /v1/agents", info.String())
		assert.Equal(t, "Bearer "+apiKey, r.Header.Get("Authorization"))
	}
}

// What the RoundTripper wraps obeys the rule that a plain http request, with the key in it, passes no proxy.
func TestWithRoundTripper_PlainHTTPStillPassesNoProxy(t *testing.T) {
	t.Parallel()
	proxied := newHTTP1Server(t, respondOK)
	hc := newHTTPClient(t, nil)
	transportOf(hc).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxied.url) }
	c := newClient(t, "http://127.0.0.1:1", agentphone.WithHTTPClient(hc), (&wireTap{}).option(), agentphone.WithMaxRetries(0))
	err := listAgents(context.Background(), c)
	require.Error(t, err)
	assert.ErrorContains(t, err, "proxy")
	assert.False(t, errors.Is(err, agentphone.ErrOutcomeUnknown))
	assert.Empty(t, proxied.requests())
}

// ... nor if the transport that has the proxy is hidden within a RoundTripper, as otelhttp's is.
func TestProxy_PlainHTTPPassesNoneOfAWrappedTransport(t *testing.T) {
	t.Parallel()
	for _, body := range []bool{false, true} {
		for name, options := range map[string]func(wrapped http.RoundTripper) []agentphone.Option{
			"WithHTTPClient": func(wrapped http.RoundTripper) []agentphone.Option {
				return []agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: wrapped})}
			},
			"both": func(wrapped http.RoundTripper) []agentphone.Option {
				return []agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: wrapped}), (&wireTap{}).option()}
			},
		} {
			for _, warm := range []bool{false, true} {
				proxied := newHTTP1Server(t, respondOK)
				hc := newHTTPClient(t, nil)
				transportOf(hc).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxied.url) }
				hidden := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					if !warm { // what a copy has cannot be taken back, and SECURITY.md says so
						r = r.Clone(r.Context())
					}
					return hc.Transport.RoundTrip(r)
				})
				if warm { // there is a connection to the proxy, which net/http may take although the context has ended
					res, err := hc.Get("http://127.0.0.1:1/")
					require.NoError(t, err)
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
				c := newClient(t, "http://127.0.0.1:1", append(options(hidden), agentphone.WithMaxRetries(0))...)
				call := listAgents
				if body {
					call = sendMessage("secret")
				}
				for range 5 {
					err := call(context.Background(), c)
					require.ErrorContains(t, err, "proxy", name)
				}
				for _, r := range proxied.requests() {
					assert.Empty(t, r.Header.Get("Authorization"), name)
					assert.NotContains(t, r.body, "secret", name)
				}
			}
		}
	}
}

// A RoundTripper may make requests of its own, for a token or a record, with the context of the one that it carries. What
// becomes of them is not taken for what becomes of that one.
func TestWithRoundTripper_RequestsOfItsOwnAreNotOurs(t *testing.T) {
	t.Parallel()
	audit := newHTTP1Server(t, respondOK)
	private := &http.Transport{DisableKeepAlives: true} // each request opens a connection
	defer private.CloseIdleConnections()
	askAudit := func(ctx context.Context) {
		for range 6 {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, audit.url, nil)
			require.NoError(t, err)
			res, err := private.RoundTrip(req)
			if assert.NoError(t, err) {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		}
	}
	before := func(next http.RoundTripper) http.RoundTripper {
		return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			askAudit(r.Context())
			return next.RoundTrip(r)
		})
	}
	after := func(next http.RoundTripper) http.RoundTripper {
		return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			askAudit(r.Context())
			return res, err
		})
	}
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{"before": before, "after": after} {
		t.Run(name, func(t *testing.T) {
			api := newHTTPSServer(t, respondOK)
			plain := newHTTP1Server(t, respondOK)
			hc := newHTTPClient(t, api.roots)
			wrapped := &http.Client{Transport: wrap(hc.Transport)}
			for kind, c := range map[string]*agentphone.Client{
				"WithHTTPClient":               newClient(t, api.url, agentphone.WithHTTPClient(wrapped), agentphone.WithMaxRetries(0)),
				"WithRoundTripper":             newClient(t, api.url, agentphone.WithHTTPClient(hc), agentphone.WithRoundTripper(wrap), agentphone.WithMaxRetries(0)),
				"WithRoundTripper, plain http": newClient(t, plain.url, agentphone.WithRoundTripper(wrap), agentphone.WithMaxRetries(0)),
			} {
				assert.NoError(t, sendMessage("hello")(context.Background(), c), kind)
				assert.NoError(t, listAgents(context.Background(), c), kind)
			}

			// They were sent, and the request itself was not.
			dead := newHTTPClient(t, nil)
			transportOf(dead).DialContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
			for kind, c := range map[string]*agentphone.Client{
				"WithHTTPClient":   newClient(t, api.url, agentphone.WithHTTPClient(&http.Client{Transport: wrap(dead.Transport)}), agentphone.WithMaxRetries(0)),
				"WithRoundTripper": newClient(t, api.url, agentphone.WithHTTPClient(dead), agentphone.WithRoundTripper(wrap), agentphone.WithMaxRetries(0)),
			} {
				err := sendMessage("hello")(context.Background(), c)
				assert.ErrorIs(t, err, agentphone.ErrTemporary, kind)
				assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown, kind)
			}
		})
	}
}
