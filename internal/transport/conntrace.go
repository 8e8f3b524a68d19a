package transport

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// Package net/http tells by trace hooks in the context what it does with a request. But whoever else is given the context,
// such as a RoundTripper that is wrapped around net/http's, may make requests of its own with it. So of the hooks nothing is
// taken for evidence about a request but where the *http.Transport is given it by this package (evidence.go).

const maxReplays = 3 // of a request without a body by net/http itself, on new connections

// connTrace has the trace hooks of one request that is given to a RoundTripper.
type connTrace struct {
	httptrace.ClientTrace
	trip      *roundTrip
	direct    string       // the address that is connected to if no proxy is used; "" if a proxy is none of ours
	header    http.Header  // is cleared
	body      *watchedBody // and is sealed, if a proxy is used nevertheless; nil for none
	opened    atomic.Int32 // connections
	elsewhere atomic.Bool  // some of them may be of other requests
}

// start returns a context with the hooks, for a request to an address that is given to a RoundTripper.
func (c *connTrace) start(ctx context.Context, t *roundTrip, rt http.RoundTripper, to *url.URL) context.Context {
	c.trip = t
	_, std := rt.(*http.Transport)
	address := ""
	if !std {
		address = hostPort(to)
	}
	c.GetConn = func(to string) {
		t.getConn.Store(true)
		if address != "" && to != address {
			c.elsewhere.Store(true)
		}
		if c.direct != "" && to != c.direct {
			c.refuseProxy()
		}
	}
	c.GotConn = func(conn httptrace.GotConnInfo) {
		t.gotConn.Store(true)
		// Idle connections that turn out dead do not count.
		if !conn.Reused && !c.elsewhere.Load() && c.opened.Add(1) > maxReplays {
			t.cancel(errReplayed)
		}
	}
	return httptrace.WithClientTrace(ctx, &c.ClientTrace)
}

// refuseProxy ends a round trip that is about to use a proxy. net/http may have a connection to it at hand, and take it
// although the context has ended: then there is no key and no body to send.
func (c *connTrace) refuseProxy() {
	clear(c.header)
	c.body.seal()
	c.trip.cancel(errPlainProxy)
}

// traced returns the request as the innermost RoundTripper gets it, where RoundTrippers of the user's are wrapped around that
// and may have made of it what they like.
func (t *roundTrip) traced(req *http.Request, rt http.RoundTripper, ours bool) *http.Request {
	trace := &connTrace{}
	if !ours {
		trace.direct = directAddress(rt, req.URL)
	}
	req = req.WithContext(trace.start(req.Context(), t, rt, req.URL))
	if trace.direct != "" {
		req.Header = req.Header.Clone()
		trace.header = req.Header
		if req.Body != nil {
			trace.body = &watchedBody{ReadCloser: req.Body}
			req.Body = trace.body
		}
	}
	return req
}

// directAddress returns the address that a plain http request is sent to if no proxy is used; "" if the request has TLS, or
// the RoundTripper knows of no proxy. The Proxy of an *http.Transport may say at one time that there is none, and at another that
// there is one, and any other RoundTripper may have an *http.Transport within it.
func directAddress(rt http.RoundTripper, u *url.URL) string {
	if t, std := rt.(*http.Transport); u.Scheme != "http" || std && t.Proxy == nil {
		return ""
	}
	return hostPort(u)
}

func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), port(u)) }
