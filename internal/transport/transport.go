// Package transport turns one SDK call into HTTP attempts: it sends the key to
// the API's origin only, retries what is safe to retry, waits between attempts,
// and says of a failure whether the server may have acted.
package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Config is what all calls of one client share. It is not changed after it is made.
type Config struct {
	// HTTPClient is the caller's own pointer, or nil for http.DefaultClient. It is
	// read for each call and never written: a transport that is swapped later
	// (httpmock does so) is seen, and the caller's client stays as it was.
	HTTPClient *http.Client
	// Base is the API's address. The key goes to its scheme, host and port only.
	Base *url.URL
	// Key is a function so that no printer, however deep it looks, finds the key.
	Key           func() string
	Authorization func() string // the header with the key
	RetryWaitMin  time.Duration
	RetryWaitMax  time.Duration
	MaxRetryAfter time.Duration
	Logger        *slog.Logger
}

// Request is one SDK call.
type Request struct {
	Operation  fmt.Stringer // method and path template: all that logs and errors say of the address
	Method     string
	URL        *url.URL
	UserAgent  string
	Accept     string
	Header     http.Header // beyond these and Content-Type, or instead of them
	Body       []byte      // JSON
	Idempotent bool        // a second delivery changes nothing
	NoKey      bool
	Stream     bool // hand a 2xx body over unread
	MaxRetries int
	Timeout    time.Duration // of one attempt; for a stream, until its header. 0 is none.
	Silence    time.Duration // of a stream: how long a read may wait for a byte. 0 is for ever.
}

// Response is the server's last answer. It holds no *http.Request: that would
// carry the key to wherever the answer is kept or printed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.ReadCloser // instead of Body, for a 2xx of a streamed request
	// EndsByClose: nothing but the end of the connection tells where the body ends, so one that
	// breaks off looks whole.
	EndsByClose bool
	Attempts    int
	// MayHaveActed: this is an error, and a request that is not Idempotent may have taken effect.
	MayHaveActed bool
}

// Error is a call that got no whole answer.
type Error struct {
	Err      error // never a *url.Error, whose text has the address
	Attempts int
	// MayHaveActed: a request that is not Idempotent may have taken effect.
	MayHaveActed bool
	// Cut is the 2xx whose body could not be read, without it; else nil.
	Cut *Response
	// If the context ended while the call waited to try again: the answer, or the
	// error, that it was to try again after.
	Last    *Response
	LastErr error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Do sends the request, with retries, and returns the last answer whatever its
// status is. Every error is an *Error.
func (c *Config) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Err: err}
	}
	user := c.HTTPClient
	if user == nil {
		user = http.DefaultClient
	}
	x := &exchange{Config: c, req: req, timeout: req.Timeout, client: *user}
	client := &x.client
	x.next = client.Transport
	if client.Timeout > 0 && (x.timeout == 0 || client.Timeout < x.timeout) {
		x.timeout = client.Timeout
	}
	client.Timeout = 0 // the exchange has its own timer, which lets a stream go on
	client.Transport = x
	client.CheckRedirect = checkRedirect

	plain := http.Request{
		Method: req.Method, URL: req.URL, Host: req.URL.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	hreq := &x.hreq
	hreq.Request = plain.WithContext(ctx)
	if req.Body != nil {
		if err := hreq.SetBody(req.Body); err != nil {
			return nil, &Error{Err: err}
		}
	}
	// With a GetBody net/http itself sends a request again: on HTTP/2 without limit
	// after some stream errors, and to another address after a 307 or 308.
	hreq.GetBody = nil

	loop := &x.loop
	*loop = retryablehttp.Client{
		HTTPClient:     client,
		RetryMax:       req.MaxRetries,
		RequestLogHook: x.beginAttempt,
		CheckRetry:     x.checkRetry,
		Backoff:        asDecided,
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
		// A cookie jar adds to the header on each attempt; without this they pile up.
		PrepareRetry: func(r *http.Request) error { r.Header = http.Header{}; return nil },
	}
	resp, err := loop.Do(hreq)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, x.fail(ctx, err)
	}
	answer := x.answer
	answer.MayHaveActed = x.mayHaveActed
	if answer.Stream != nil {
		answer.Stream = resp.Body
	}
	return answer, nil
}

// asDecided is the wait that the policy has put into RetryWaitMin.
func asDecided(wait, _ time.Duration, _ int, _ *http.Response) time.Duration { return wait }

// fail describes a call that ends without an answer.
func (x *exchange) fail(ctx context.Context, err error) *Error {
	e := &Error{Err: withoutURL(err), Attempts: x.attempts, MayHaveActed: x.mayHaveActed}
	var cut *bodyError
	if errors.As(err, &cut) {
		e.Cut = cut.answer
	}
	if x.waiting && ctx.Err() != nil {
		e.Last, e.LastErr = x.answer, x.cause
		if e.LastErr != nil {
			e.LastErr = withoutURL(e.LastErr)
		}
	}
	return e
}

func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}
