package networktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
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
