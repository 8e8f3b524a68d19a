// Package transport sends the requests of the client, each in one attempt or more: it sends the key to the API's origin
// only, retries what may be retried, waits between attempts, and reports of a failure whether the request may have
// taken effect.
//
// In the order in which things happen: [Client.Do] (transport.go) makes a call, which is the state of one request, and
// hands it to the loop (loop.go, all that there is of go-retryablehttp). The loop makes attempts (attempt.go), each when
// it is admitted (admit.go): headers and redirects are the work of origin.go, bodies that of body.go, connections that of
// pool.go and conntrace.go. After each attempt decideRetry (call.go) asks the retry table (decide.go), which depends on whether the request
// was sent (evidence.go), and for how long to wait (backoff.go).
package transport

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Client holds what all requests of an agentphone.Client share. It is not changed after it is made.
type Client struct {
	// HTTPClient is the user's, or nil for http.DefaultClient. It is read for each request and never written: a
	// Transport that is replaced later (httpmock does so) is used, and the user's client stays as it was.
	HTTPClient *http.Client
	// Base is the API's address. The key goes to its scheme, host and port only.
	Base          *url.URL
	RetryWaitBase time.Duration // upper bound of the first wait
	RetryWaitMax  time.Duration // upper bound of all
	MaxRetryAfter time.Duration // longest Retry-After that is waited for
	Logger        *slog.Logger  // nil for none
	Limiter       Limiter       // asked before each attempt; nil for none
	Pauses        *Pauses       // of the operations that got 429 with Retry-After
	// RoundTripper carries the requests, unless it is nil, instead of the HTTPClient's Transport or the pool: it wraps them
	// (Unwrapped).
	RoundTripper http.RoundTripper
	// Attempt is called when an attempt begins, unless it is nil. It returns the context for the attempt and what is to be
	// called when it has ended.
	Attempt func(ctx context.Context, subject *Subject, number int) (context.Context, func(AttemptResult))
}

// AttemptResult is the result of an attempt.
type AttemptResult struct {
	Status         int    // 0 if there was no response
	Failure        string // why there was no whole response; "" if there was one
	Sent           bool   // the server may have received the request
	Retry          bool   // another attempt is to follow
	Wait, Duration time.Duration
}

// Operation is what the package has to know of an operation of the API, beyond the request.
type Operation interface {
	// String returns method and path template: all that logs and errors say of the address.
	String() string
	// NoRetry reports whether a 429 is not to be retried: it would be the same again.
	NoRetry(*Response) bool
}

// Subject is what a context tells of the request that it is for. It is a part of the Request, of which nothing that is sent,
// such as the key or a text, is to be found by whoever prints the context.
type Subject struct {
	Operation Operation
	Server    string // host and port
	Keyed     bool   // the request has an idempotency key, of which the package knows nothing
}

// Request is what Do sends, in one attempt or more.
type Request struct {
	Subject
	Method        string
	URL           *url.URL
	UserAgent     string
	Accept        string
	Header        http.Header // beyond these and Content-Type, or instead of them
	Body          []byte      // JSON; a POST that is not idempotent must have one
	Idempotent    bool        // a second delivery changes nothing that the first did not
	Authorization string      // header with the key; "" for public operations
	Key           string      // to be redacted wherever it is quoted
	Alone         bool        // no other request is of its Operation
	Stream        bool        // hand a 2xx body over unread
	MaxRetries    int
	Timeout       time.Duration // of one attempt; for a stream, until its header. 0 is none.
	Silence       time.Duration // of a stream: how long a read may wait for a byte. 0 is forever.
	MaySend       func() error  // asked before anything is sent, each time; nil for none. An error has to end the context, too.
	Steady        int           // of a stream: bytes that must come within each further Timeout of reading; 0 is none
}

// Response is the server's last response. It holds no *http.Request: that would carry the key to wherever the response
// is kept or printed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.ReadCloser // instead of Body, for a 2xx of a streamed request
	Key    string        // of the request, to be redacted
	// EndsByClose reports whether only the end of the connection tells where the body ends, so that one that is cut
	// short looks whole.
	EndsByClose bool
	Attempts    int
	// Deadline is when the attempt's timeout is over; zero if there is none.
	Deadline time.Time
	// OutcomeUnknown is set on an error response to a request that is not idempotent and may have taken effect.
	OutcomeUnknown bool
	// Repeats reports whether an earlier attempt may have taken effect, because its response was lost or does not tell.
	Repeats bool
}

// Expired returns an error if the context has ended or the attempt's timeout is over, else nil.
func (r *Response) Expired(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.Deadline.IsZero() && time.Now().After(r.Deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Error reports a request that got no whole response.
type Error struct {
	Key      string // of the request, to be redacted
	Err      error  // never a *url.Error, whose text has the address
	Attempts int
	// OutcomeUnknown reports whether a request that is not idempotent may have taken effect.
	OutcomeUnknown bool
	// Temporary reports whether the request certainly had no effect and may succeed later: no connection was made.
	Temporary bool
	// Cut is the 2xx response whose body could not be read, without it; else nil.
	Cut *Response
	// Received is the last response that was received whole, in an earlier attempt; nil if there was none.
	Received *Response
	// If the call ended in a wait, Last or LastErr is what was waited for: a response or an error.
	Last    *Response
	LastErr error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Do sends the request, with retries, and returns the last response whatever its status is. Every error is an *Error.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	ctx = PlainContext(ctx)
	if err := ctx.Err(); err != nil {
		return nil, &Error{Err: err}
	}
	user := c.HTTPClient
	if user == nil {
		user = http.DefaultClient
	}
	call := &call{Client: c, req: req, next: user.Transport, timeout: req.Timeout, http: *user}
	if c.RoundTripper != nil {
		call.next = c.RoundTripper
	}
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
	response.OutcomeUnknown = call.outcomeUnknown
	if response.Stream != nil {
		response.Stream = resp.Body
	}
	return response, nil
}
