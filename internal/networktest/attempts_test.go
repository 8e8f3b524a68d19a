package networktest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// weatherDials is a server that cannot be reached now and then: up tells of each dial, in
// turn, whether there is a connection.
type weatherDials struct {
	*weatherHTTP1
	up []bool
}

func (s weatherDials) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	var n atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if i := int(n.Add(1)); i <= len(s.up) && !s.up[i-1] {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return weatherClient(t, s.url, append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
}

// What happened to one attempt says nothing of the next.
func TestWeatherEachAttemptIsJudgedByItself(t *testing.T) {
	t.Parallel()
	putOff := weatherBreaksOff("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	for name, test := range map[string]struct {
		up         []bool
		answer     weatherAnswer
		attempts   int
		deliveries int
		lands      bool
	}{
		"put off, no connection, no connection, taken": {[]bool{true, false, false}, weatherInTurn(putOff, weatherFine), 4, 2, true},
		"no connection, put off, no connection, taken": {[]bool{false, true, false}, weatherInTurn(putOff, weatherFine), 4, 2, true},
		"no connection, put off, lost":                 {[]bool{false, true, true}, weatherInTurn(putOff, weatherResets, weatherFine), 3, 2, false},
		"put off, no connection, cut short":            {[]bool{true, false, true}, weatherInTurn(putOff, weatherBreaksOff("HTTP/1.1 200 OK\r\n"), weatherFine), 3, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() weatherDials { return weatherDials{newWeatherHTTP1(t, test.answer), test.up} }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ weatherDials, r weatherResult) {
				assert.Equal(t, test.deliveries, r.deliveries, "deliveries")
				if test.lands {
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
		newServer := func() *weatherHTTP2 {
			return newWeatherHTTP2(t, false, weatherH2InTurn(weatherRST(h2Refused), weatherRST(h2InternalError), weatherH2Fine))
		}
		weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP2, r weatherResult) {
			require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
			assert.Equal(t, 2, r.deliveries, "deliveries, of which one was refused")
		})
	})
}

// A phone that never could have rung leaves nothing open.
func TestWeatherARequestThatNeverHadAConnectionHasAKnownOutcome(t *testing.T) {
	t.Parallel()
	newServer := func() weatherDials { return weatherDials{newWeatherHTTP1(t, weatherFine), make([]bool, 100)} }
	weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ weatherDials, r weatherResult) {
		require.ErrorIs(t, r.err, syscall.ECONNREFUSED)
		assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
		assert.Contains(t, r.err.Error(), "attempts=4")
		assert.Zero(t, r.response)
		assert.Zero(t, r.deliveries)
	})
}

func TestWeatherWithResponseIsTheLastAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		failed bool
	}{
		{200, weatherOK, false}, {201, weatherOK, false}, {404, `{"detail":"none"}`, true}, {200, "<html>", true},
	} {
		t.Run(http.StatusText(test.status)+test.body, func(t *testing.T) {
			t.Parallel()
			s := newWeatherHTTP1(t, weatherInTurn(
				weatherSays(503, "later", "Retry-After: 0", "X-Request-Id: req_1", "X-First: yes"),
				weatherSays(test.status, test.body, "X-Request-Id: req_2", "X-Many: a", "X-Many: b")))
			var got agentphone.Response
			err := weatherSend("hello")(context.Background(), s.client(t), agentphone.WithResponse(&got))
			assert.Equal(t, test.failed, err != nil, "%v", err)
			assert.Equal(t, test.status, got.Status)
			assert.Equal(t, test.body, string(got.Body))
			assert.Equal(t, 2, got.Attempts)
			assert.Equal(t, "req_2", got.RequestID)
			assert.Equal(t, []string{"a", "b"}, got.Header.Values("X-Many"))
			assert.Empty(t, got.Header.Get("X-First"))
		})
	}
}

// weatherProxied is an HTTPS server behind a proxy that refuses its first CONNECTs.
type weatherProxied struct{ api, proxy *weatherHTTP1 }

func newWeatherProxied(t testing.TB, refusals int, refusal weatherAnswer) weatherProxied {
	api := newWeatherTLS(t, weatherFine)
	return weatherProxied{api, newWeatherHTTP1(t, func(c net.Conn, r *weatherRequest) bool {
		if r.n <= refusals {
			return refusal(c, r)
		}
		to, err := net.Dial("tcp", api.listener.Addr().String())
		if err != nil {
			return false
		}
		defer func() { _ = to.Close() }()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(c, bufio.NewReader(to)) }()
		_, _ = io.Copy(to, c)
		return false
	})}
}

func (p weatherProxied) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	hc := weatherHTTPClient(t, p.api.roots)
	weatherTransport(hc).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(p.proxy.url) }
	return weatherClient(t, p.api.url, append([]agentphone.Option{agentphone.WithHTTPClient(hc)}, opts...)...)
}

func (p weatherProxied) settle() int {
	n := p.api.settle()
	p.proxy.settle()
	return n
}

func TestWeatherARequestThatAProxyRefusesToCarryLandsOnce(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]weatherAnswer{
		"503":   weatherSays(503, "no route"),
		"502":   weatherSays(502, "no route"),
		"reset": weatherResets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() weatherProxied { return newWeatherProxied(t, 2, refusal) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, p weatherProxied, r weatherResult) {
				assertLanded(t, r, 0)
				assert.Equal(t, 3, r.response.Attempts)
				for _, got := range p.proxy.requests() {
					assert.Equal(t, http.MethodConnect, got.Method)
					assert.Empty(t, got.Header["Authorization"], "the key is not the proxy's")
				}
			})
		})
	}
}
