package transport

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const maxRedirects = 5

// newHeader returns the header that a request is sent with, a new one each time, because a RoundTripper may write to it.
// The http.Client never has it, so it cannot forward any of it, such as the key, to another host. It adds the cookies
// of a jar.
func (c *call) newHeader(req *http.Request) http.Header {
	h := make(http.Header, 4)
	var values [4]string // one allocation
	set := func(i int, name, value string) {
		values[i] = value
		h[name] = values[i : i+1 : i+1]
	}
	set(0, "User-Agent", c.req.UserAgent)
	set(1, "Accept", c.req.Accept)
	if c.req.Body != nil {
		set(2, "Content-Type", "application/json")
	}
	if sameOrigin(req.URL, c.Base) {
		for name, given := range c.req.Header {
			h[name] = slices.Clone(given)
		}
		if c.req.Authorization != "" {
			set(3, "Authorization", c.req.Authorization)
		}
	}
	if cookies := req.Header["Cookie"]; len(cookies) > 0 {
		h["Cookie"] = []string{strings.Join(append(h["Cookie"], cookies...), "; ")}
	}
	return h
}

// errPlainProxy reports a request with the key in it that the user's transport would send to a proxy without TLS.
var errPlainProxy = errors.New("a plain http request does not go through a proxy: it would show the key")

// viaPlainProxy reports whether an *http.Transport would send a request through a proxy without TLS to the API. A base
// URL of plain http is a loopback address, where no proxy belongs.
func viaPlainProxy(rt http.RoundTripper, req *http.Request) bool {
	t, ok := rt.(*http.Transport)
	if !ok || t.Proxy == nil || req.URL.Scheme != "http" {
		return false
	}
	proxy, err := t.Proxy(req)
	return proxy != nil || err != nil
}

// maxHeader is the size in bytes of the largest header of a response from a user's transport. The package's own pool
// reads no more.
const maxHeader = 256 << 10

var errHeaderTooLarge = errors.New("the header of the response is larger than 256 KiB")

func headerSize(h http.Header) (n int) {
	for name, values := range h {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

// mayFollow reports whether a redirect is followed: only for an idempotent GET or HEAD, and only within the API's
// origin.
func (c *call) mayFollow(location string) bool {
	if !c.req.isRead() {
		return false
	}
	to, err := c.req.URL.Parse(location)
	return err == nil && sameOrigin(to, c.Base) && to.User == nil
}

// hideRedirect removes the Location of a redirect that is not followed: http.Client would follow it, or quote one that
// it cannot parse.
func (c *call) hideRedirect(resp *http.Response) {
	if location := resp.Header.Get("Location"); location != "" && !c.mayFollow(location) {
		resp.Header = resp.Header.Clone()
		resp.Header.Del("Location")
	}
}

// checkRedirect sees only the redirects that mayFollow lets through.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return http.ErrUseLastResponse
	}
	req.Header.Del("Referer") // the previous address, with its query
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
