// Package transport turns one SDK call into HTTP attempts: it sends the key to the API's origin only, retries what may be
// retried, waits between attempts, and says of a failure whether the server may have acted.
//
// In the order in which a call passes them: [Client.Do] (transport.go) makes a call and hands it to the loop (loop.go, all
// of go-retryablehttp). The loop makes attempts (attempt.go): headers and redirects by origin.go, bodies by body.go. After
// each attempt the call judges it (call.go) by decide (decide.go, the retry table) and by what is known of whether the
// request was sent (evidence.go).
package transport

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Client is what all calls of one SDK client share. It is not changed after it is made.
type Client struct {
	// HTTPClient is the caller's own pointer, or nil for http.DefaultClient. It is read for each call and never written: a
	// transport that is swapped later (httpmock does so) is seen, and the caller's client stays as it was.
	HTTPClient *http.Client
	// Base is the API's address. The key goes to its scheme, host and port only.
	Base          *url.URL
	RetryWaitMin  time.Duration
	RetryWaitMax  time.Duration
	MaxRetryAfter time.Duration
	Logger        *slog.Logger
}

// Request is one SDK call.
type Request struct {
	Operation     fmt.Stringer // method and path template: all that logs and errors say of the address
	Method        string
	URL           *url.URL
	UserAgent     string
	Accept        string
	Header        http.Header // beyond these and Content-Type, or instead of them
	Body          []byte      // JSON; a POST that is not idempotent must have one
	Idempotent    bool        // a second delivery changes nothing that the first did not
	Authorization string      // header with the key; "" for public operations
	Key           string      // to be redacted wherever it is quoted
	Stream        bool        // hand a 2xx body over unread
	// Lasting, unless nil, reports whether a 429 is not worth a retry.
	Lasting    func(*Response) bool
	MaxRetries int
	Timeout    time.Duration // of one attempt; for a stream, until its header. 0 is none.
	Silence    time.Duration // of a stream: how long a read may wait for a byte. 0 is forever.
	Steady     int           // of a stream: the bytes, each time, that must come within another Timeout of reading. 0 is none.
}

// Response is the server's last response. It holds no *http.Request: that would carry the key to wherever the response is
// kept or printed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.ReadCloser // instead of Body, for a 2xx of a streamed request
	Key    string        // of the request, to be redacted
	// EndsByClose reports whether only the end of the connection tells where the body ends, so that one that is cut short
	// looks whole.
	EndsByClose bool
	Attempts    int
	// Deadline is when the attempt's timeout is over; zero if there is none.
	Deadline time.Time
	// MayHaveActed is set on an error response after which a request that is not idempotent may have taken effect.
	MayHaveActed bool
	// Repeats reports whether an earlier attempt, whose response was lost or said nothing of it, may have taken effect already.
	Repeats bool
}

// Late returns an error if the context has ended or the attempt's timeout is over.
func (r *Response) Late(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.Deadline.IsZero() && time.Now().After(r.Deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Error reports a call that got no whole response.
type Error struct {
	Key      string // of the request, to be redacted
	Err      error  // never a *url.Error, whose text has the address
	Attempts int
	// MayHaveActed reports whether a request that is not idempotent may have taken effect.
	MayHaveActed bool
	// Temporary reports whether the request certainly had no effect and may succeed later: no connection was made.
	Temporary bool
	// Cut is the 2xx response whose body could not be read, without it; else nil.
	Cut *Response
	// Received is the last response that was received whole, in an earlier attempt; nil if there was none.
	Received *Response
	// Last or LastErr is set if the context ended while the call waited to retry: the response, or the error, after which
	// it was to retry.
	Last    *Response
	LastErr error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Do sends the request, with retries, and returns the last response whatever its status is. Every error is an *Error.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Err: err}
	}
	user := c.HTTPClient
	if user == nil {
		user = http.DefaultClient
	}
	call := &call{Client: c, req: req, next: user.Transport, timeout: req.Timeout, http: *user}
	if user.Timeout > 0 && (call.timeout == 0 || user.Timeout < call.timeout) {
		call.timeout = user.Timeout
	}
	call.http.Timeout = 0 // the attempt has its own timer, which lets a stream go on
	call.http.Transport = call
	call.http.CheckRedirect = checkRedirect
	resp, err := call.run(ctx)
	if err != nil {
		return nil, call.fail(ctx, err)
	}
	response := call.response
	response.MayHaveActed, response.Repeats = call.mayHaveActed, call.repeated
	if response.Stream != nil {
		response.Stream = resp.Body
	}
	return response, nil
}
