package transport

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// This file alone knows go-retryablehttp. What the library does: it rewinds the body, sends the request through the
// http.Client, asks CheckRetry after each attempt, waits in a way that the context can end, drains the body of a
// response that is not the last, asks PrepareRetry, and starts again. Its policies (what to retry, how long to wait, what to log) are all
// replaced.

// loop is the library's part of a call. It is a field of call, not two pointers, to save allocations.
type loop struct {
	client  retryablehttp.Client
	request retryablehttp.Request
}

// run makes the attempts of a call and returns the last response, its body unread only if it is a stream.
func (c *call) run(ctx context.Context) (*http.Response, error) {
	plain := http.Request{
		Method: c.req.Method, URL: c.req.URL, Host: c.req.URL.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	c.begin(1)
	request := &c.loop.request
	request.Request = plain.WithContext(ctx)
	body := c.req.Body
	if body == nil && !c.req.Idempotent {
		// A GET that is not idempotent has an empty body. Nothing of it is sent, but with none net/http takes the GET
		// for one that it may send again by itself.
		body = []byte{}
	}
	if body != nil {
		if err := request.SetBody(body); err != nil {
			return nil, err
		}
	}
	// With a GetBody net/http itself sends a request again: on HTTP/2 without limit after some stream errors, and to
	// another address after a 307 or 308.
	request.GetBody = nil
	c.loop.client = retryablehttp.Client{
		HTTPClient:   &c.http,
		RetryMax:     c.req.MaxRetries,
		CheckRetry:   c.checkRetry,
		Backoff:      decidedWait,
		PrepareRetry: c.prepareRetry,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := c.loop.client.Do(request)
	if err != nil && resp != nil {
		_ = resp.Body.Close()
		resp = nil
	}
	return resp, err
}

// prepareRetry is the loop's hook before each attempt but the first.
func (c *call) prepareRetry(r *http.Request) error {
	if err := c.admit(r.Context()); err != nil {
		return err
	}
	r.Header = http.Header{} // a cookie jar adds to it on each attempt; they would pile up
	c.begin(c.attempts + 1)
	return nil
}

// checkRetry is the loop's policy. The wait that the call decides on is handed to decidedWait in RetryWaitMin, which
// nothing else reads: a second method value would cost an allocation.
func (c *call) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	c.decideRetry(ctx, resp, err)
	c.loop.client.RetryWaitMin = c.wait
	return c.waiting, nil // an error here would replace the attempt's own
}

func decidedWait(wait, _ time.Duration, _ int, _ *http.Response) time.Duration { return wait }

// RetriesByItself reports whether a RoundTripper is go-retryablehttp's, which sends a request again whatever it does.
func RetriesByItself(rt http.RoundTripper) bool {
	_, ok := rt.(*retryablehttp.RoundTripper)
	return ok
}
