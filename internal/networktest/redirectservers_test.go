package networktest

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/agentphone/agentphone-go"
)

var weatherRedirects = []int{301, 302, 303, 307, 308}

// weatherPair is a server and another to which it may send its clients.
type weatherPair struct {
	*weatherHTTP1
	other *weatherHTTP1
}

func (p weatherPair) settle() int {
	n := p.weatherHTTP1.settle()
	p.other.settle()
	return n
}

// newWeatherPair: the first server redirects once and then answers well. location gets the
// other server's URL.
func newWeatherPair(t testing.TB, status int, location func(other string) string) weatherPair {
	t.Helper()
	other := newWeatherHTTP1(t, weatherFine)
	redirect := weatherSays(status, "<a>moved</a>", "Location: "+location(other.url))
	return weatherPair{newWeatherHTTP1(t, weatherInTurn(redirect, weatherFine)), other}
}

// weatherCross is an API at https://api.example.com, and another server at every other address
// there is, which takes requests with and without TLS.
type weatherCross struct {
	api, other, plain *weatherHTTP1
	client            *agentphone.Client
}

func newWeatherCross(t *testing.T, answer weatherAnswer) *weatherCross {
	w := &weatherCross{api: newWeatherTLS(t, answer), other: newWeatherTLS(t, weatherFine), plain: newWeatherHTTP1(t, weatherFine)}
	hc := weatherHTTPClient(t, weatherCertificate().roots)
	weatherTransport(hc).DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		to := w.other
		switch {
		case strings.EqualFold(addr, "api.example.com:443"):
			to = w.api
		case strings.HasSuffix(addr, ":80"):
			to = w.plain
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.listener.Addr().String())
	}
	w.client = weatherClient(t, "https://api.example.com", agentphone.WithHTTPClient(hc))
	return w
}
