package transport

import (
	"cmp"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// stdTransport is http.DefaultTransport as the program started with it, or nil if that is not net/http's.
var stdTransport, _ = http.DefaultTransport.(*http.Transport)

// chooseRoundTripper returns the user's own transport, or if that is nil the package's pool, and reports whether it is
// the pool and speaks no protocol but net/http's own. http.DefaultTransport is read each time: others, such as
// httpmock.Activate, may replace it, and then theirs is used.
func chooseRoundTripper(own http.RoundTripper) (rt http.RoundTripper, ours bool) {
	if own != nil {
		return own, false
	}
	// Others' types need not be comparable.
	if std, ok := http.DefaultTransport.(*http.Transport); !ok || std != stdTransport || std == nil {
		return http.DefaultTransport, false
	}
	p := pool()
	return p.transport, p.plain
}

type pooled struct {
	transport *http.Transport
	plain     bool // it speaks no protocol but net/http's own
}

// pool returns http.DefaultTransport, with its settings at the first request, but with room for many idle connections
// to one host: with the 2 of net/http, 256 goroutines open a connection for nearly every request.
var pool = sync.OnceValue(func() pooled {
	std := stdTransport
	t := std.Clone()
	if proxy := t.Proxy; proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return nil, nil // see viaPlainProxy
			}
			return proxy(r)
		}
	}
	if dial := t.DialContext; dial != nil { // with GOOS=js there is none, and one would be used instead of fetch
		t.DialContext = boundWrites(dial)
	}
	t.MaxIdleConns = 512
	t.MaxIdleConnsPerHost = 256
	t.MaxResponseHeaderBytes = maxHeader
	// Servers close idle connections, and the outcome of a POST that is sent on one at that moment is unknown. The
	// shorter a connection has been idle, the rarer that is.
	t.IdleConnTimeout = 30 * time.Second
	// An HTTP/2 connection that has gone silent, because a NAT or a load balancer has forgotten it, would be used for all requests
	// until the kernel gives it up. With these it is given up before the first of them has timed out.
	http2 := http.HTTP2Config{}
	if t.HTTP2 != nil {
		http2 = *t.HTTP2
	}
	http2.SendPingTimeout = cmp.Or(http2.SendPingTimeout, 10*time.Second)
	http2.PingTimeout = cmp.Or(http2.PingTimeout, 10*time.Second)
	http2.WriteByteTimeout = cmp.Or(http2.WriteByteTimeout, 20*time.Second)
	t.HTTP2 = &http2
	return pooled{t, isPlain(std)}
})

// unwrapped is the RoundTripper that carries requests if nothing wraps it: the Transport of the user's client, or the pool.
// It finds out at each request, as chooseRoundTripper does.
type unwrapped struct{ client *http.Client }

func (u unwrapped) RoundTrip(req *http.Request) (*http.Response, error) {
	client := u.client
	if client == nil {
		client = http.DefaultClient
	}
	rt, ours := chooseRoundTripper(client.Transport)
	if viaPlainProxy(rt, req) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errPlainProxy
	}
	if traced, _ := req.Context().Value(tracedKey{}).(func(*http.Request, http.RoundTripper, bool) *http.Request); traced != nil {
		req = traced(req, rt, ours)
	}
	return rt.RoundTrip(req)
}

// Unwrapped returns the RoundTripper that carries the requests of an http.Client, nil for http.DefaultClient.
func Unwrapped(client *http.Client) http.RoundTripper { return unwrapped{client} }
