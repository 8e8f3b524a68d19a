package networktest

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/agentphone/agentphone-go"
)

var redirectStatuses = []int{301, 302, 303, 307, 308}

// serverPair is a server and another to which it may redirect.
type serverPair struct {
	*http1Server
	other *http1Server
}

func (p serverPair) closeAndCount() int {
	n := p.http1Server.closeAndCount()
	p.other.closeAndCount()
	return n
}

// newServerPair returns a pair whose first server redirects the first request and responds with okBody to the others.
// location gets the other server's URL and returns the Location header.
func newServerPair(t testing.TB, status int, location func(other string) string) serverPair {
	t.Helper()
	other := newHTTP1Server(t, respondOK)
	redirect := respondWith(status, "<a>moved</a>", "Location: "+location(other.url))
	return serverPair{newHTTP1Server(t, inTurn(redirect, respondOK)), other}
}

// manyOrigins is an API at https://api.example.com, and other servers, with and without TLS, at every other address. The
// client connects to them without DNS.
type manyOrigins struct {
	api          *http1Server
	other, plain *http1Server // with and without TLS
	client       *agentphone.Client
}

func newManyOrigins(t *testing.T, respond responder, opts ...agentphone.Option) *manyOrigins {
	o := &manyOrigins{api: newHTTPSServer(t, respond), other: newHTTPSServer(t, respondOK), plain: newHTTP1Server(t, respondOK)}
	hc := newHTTPClient(t, serverCertificate().roots)
	transportOf(hc).DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		to := o.other
		switch {
		case strings.EqualFold(addr, "api.example.com:443"):
			to = o.api
		case strings.HasSuffix(addr, ":80"):
			to = o.plain
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.listener.Addr().String())
	}
	o.client = newClient(t, "https://api.example.com", append(opts, agentphone.WithHTTPClient(hc))...)
	return o
}
