package networktest

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/agentphone/agentphone-go"
)

var redirectStatuses = []int{301, 302, 303, 307, 308}

// serverPair is a server and another to which it may send its clients.
type serverPair struct {
	*http1Server
	other *http1Server
}

func (p serverPair) settle() int {
	n := p.http1Server.settle()
	p.other.settle()
	return n
}

// newServerPair: the first server redirects once and then answers well. location gets the
// other server's URL.
func newServerPair(t testing.TB, status int, location func(other string) string) serverPair {
	t.Helper()
	other := newHTTP1Server(t, respondOK)
	redirect := respondWith(status, "<a>moved</a>", "Location: "+location(other.url))
	return serverPair{newHTTP1Server(t, inTurn(redirect, respondOK)), other}
}

// manyOrigins is an API at https://api.example.com, and another server at every other address
// there is, which takes requests with and without TLS.
type manyOrigins struct {
	api, other, plain *http1Server
	client            *agentphone.Client
}

func newManyOrigins(t *testing.T, respond responder) *manyOrigins {
	w := &manyOrigins{api: newHTTPSServer(t, respond), other: newHTTPSServer(t, respondOK), plain: newHTTP1Server(t, respondOK)}
	hc := newHTTPClient(t, serverCertificate().roots)
	transportOf(hc).DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		to := w.other
		switch {
		case strings.EqualFold(addr, "api.example.com:443"):
			to = w.api
		case strings.HasSuffix(addr, ":80"):
			to = w.plain
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.listener.Addr().String())
	}
	w.client = newClient(t, "https://api.example.com", agentphone.WithHTTPClient(hc))
	return w
}
