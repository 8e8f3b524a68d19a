package transport

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// stdTransport is http.DefaultTransport as the program started with it.
var stdTransport = http.DefaultTransport

// chooseRoundTripper returns the user's own transport, or if that is nil the package's pool, and reports whether it is
// the pool and speaks no protocol but net/http's own. http.DefaultTransport is read each time: others, such as
// httpmock.Activate, may replace it, and then theirs is used.
func chooseRoundTripper(own http.RoundTripper) (rt http.RoundTripper, ours bool) {
	if own != nil {
		return own, false
	}
	if http.DefaultTransport != stdTransport {
		return http.DefaultTransport, false
	}
	if p := pool(); p.transport != nil {
		return p.transport, p.plain
	}
	return http.DefaultTransport, false
}

type pooled struct {
	transport *http.Transport // nil if http.DefaultTransport was something else when the program started
	plain     bool            // it speaks no protocol but net/http's own
}

// pool returns http.DefaultTransport, with its settings at the first request, but with room for many idle connections
// to one host: with the 2 of net/http, 256 goroutines open a connection for nearly every request.
var pool = sync.OnceValue(func() (p pooled) {
	std, ok := stdTransport.(*http.Transport)
	if !ok {
		return p
	}
	t := std.Clone()
	if proxy := t.Proxy; proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return nil, nil // see viaPlainProxy
			}
			return proxy(r)
		}
	}
	t.MaxIdleConns = 512
	t.MaxIdleConnsPerHost = 256
	t.MaxResponseHeaderBytes = 1 << 20
	// Servers close idle connections, and the outcome of a POST that is sent on one at that moment is unknown. The
	// shorter a connection has been idle, the rarer that is.
	t.IdleConnTimeout = 30 * time.Second
	return pooled{t, isPlain(std)}
})
