package agentphone

import (
	"net/http"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// WithRoundTripper wraps what carries the requests of the client, for traces, a recorder, or a header of a proxy: wrap is
// called once, by [NewClient], and returns a RoundTripper that passes each request to the one that it was given, and must not
// be nil. That one is the connection pool of this package, or the Transport of [WithHTTPClient] if that has one. Given more
// than once, each wraps the one before.
//
// What was said of a Transport at WithHTTPClient holds for the RoundTripper too: it sees the key, and if it sends a request
// again by itself, it can make a phone ring twice. A request counts as not sent only if
// the RoundTripper returns the error of a dial and has not begun to read the request's body, and so one without a body
// never does, such as a deletion; after any other error of its own the outcome of a request that is not idempotent is
// unknown. Redirects are followed by the client, so it sees each request of one.
// [OperationFromContext] tells it the operation.
func WithRoundTripper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) error {
		if wrap == nil {
			return &ValidationError{"round tripper", "is nil"}
		}
		c.wrap = append(c.wrap, wrap)
		return nil
	}
}

// finish makes of the options what depends on several of them.
func (c *config) finish() error {
	if c.hooks.Attempt != nil {
		c.transport.Attempt = c.observeAttempt
	}
	for i, wrap := range c.wrap {
		if i == 0 {
			c.transport.RoundTripper = transport.Unwrapped(c.transport.HTTPClient)
		}
		rt := wrap(c.transport.RoundTripper)
		switch {
		case isNil(rt):
			return &ValidationError{"round tripper", "is nil"}
		case transport.RetriesByItself(rt):
			return &ValidationError{"round tripper", "retries by itself, so that a phone may ring twice"}
		}
		c.transport.RoundTripper = rt
	}
	return nil
}
