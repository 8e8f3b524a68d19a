package transport

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// stdTransport is http.DefaultTransport as the program started with it.
var stdTransport = http.DefaultTransport

// roundTripper returns the user's own transport, or if that is nil the package's pool. It reports whether that is net/http as Go
// made it. http.DefaultTransport is read each time: httpmock.Activate and others replace it at any moment, and then theirs is
// used.
func roundTripper(own http.RoundTripper) (rt http.RoundTripper, ours bool) {
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

// pool is http.DefaultTransport (its proxy, dialer and TLS settings as they are
// at the first call) with room for many idle connections to one host: with net/http's
// 2, 256 goroutines open a connection for nearly every request.
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
	// A server drops idle connections without a word; a POST sent on one that is just
	// being dropped ends with its outcome unknown. The younger, the rarer.
	t.IdleConnTimeout = 30 * time.Second
	return pooled{t, isPlain(std)}
})
