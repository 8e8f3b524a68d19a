package networktest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// proxiedServer is an HTTPS server behind a proxy that refuses the first CONNECT requests.
type proxiedServer struct{ api, proxy *http1Server }

func newProxiedServer(t testing.TB, refusals int, refusal responder) proxiedServer {
	api := newHTTPSServer(t, respondOK)
	return proxiedServer{api, newHTTP1Server(t, func(c net.Conn, r *request) bool {
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

func (p proxiedServer) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	hc := newHTTPClient(t, p.api.roots)
	transportOf(hc).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(p.proxy.url) }
	return newClient(t, p.api.url, append([]agentphone.Option{agentphone.WithHTTPClient(hc)}, opts...)...)
}

func (p proxiedServer) closeAndCount() int {
	n := p.api.closeAndCount()
	p.proxy.closeAndCount()
	return n
}

func TestRetry_NonIdempotentIsDeliveredOnceAfterProxyRefusals(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]responder{
		"503":   respondWith(503, "no route"),
		"502":   respondWith(502, "no route"),
		"reset": resetConn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() proxiedServer { return newProxiedServer(t, 2, refusal) }
			callEach(t, nonIdempotentOperations, newServer, func(t *testing.T, p proxiedServer, r result) {
				assertSucceeded(t, r, 0)
				assert.Equal(t, 3, r.response.Attempts)
				for _, got := range p.proxy.requests() {
					assert.Equal(t, http.MethodConnect, got.Method)
					assert.Empty(t, got.Header["Authorization"], "the key is not for the proxy")
				}
			})
		})
	}
}
