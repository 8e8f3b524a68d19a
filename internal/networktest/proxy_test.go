package networktest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/assert"
)

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
