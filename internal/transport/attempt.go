package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

const maxReplays = 3 // of a request without a body by net/http itself, on new connections

// attempt is what is known of the current attempt, which after redirects is several round trips.
type attempt struct {
	attempts          int // so far, this one included
	began             time.Time
	passedToTransport bool // the request was given to the user's transport, or to ours
	roundTripper      http.RoundTripper
	getConn           atomic.Bool  // the RoundTripper fires net/http's trace hooks
	gotConn           atomic.Bool  // a connection was given to the request
	watched           *watchedBody // the body of the request, if whoever carries it is watched
	response          *Response
}

// begin is called by the loop before the nth attempt.
func (c *call) begin(n int) {
	c.attempts, c.began = n, time.Now()
	c.passedToTransport, c.waiting = false, false
	c.response, c.cause = nil, nil
	c.getConn.Store(false)
	c.gotConn.Store(false)
	c.watched = nil
}

// RoundTrip sends one request and reads its response to the end, so that a response that is cut short fails the
// attempt, the connection is kept, and the attempt's timeout covers the body too.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	err := req.Context().Err()
	if err == nil && c.req.MaySend != nil {
		err = c.req.MaySend()
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	t := c.newRoundTrip(req.Context())
	resp, err := t.send(req)
	if err != nil {
		t.end()
		return nil, err
	}
	c.response = &Response{Status: resp.StatusCode, Header: resp.Header, Attempts: c.attempts, Key: c.req.Key}
	if c.timeout > 0 {
		c.response.Deadline = c.began.Add(c.timeout)
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// The body is the connection itself, which neither a context nor a timer ends.
		_ = resp.Body.Close()
		t.end()
		return nil, c.cut(errSwitched)
	case c.req.Stream && resp.StatusCode/100 == 2:
		return t.openStream(resp)
	}
	defer t.end()
	return t.readWhole(resp)
}

// cut returns the error of the current response, a 2xx whose body could not be read.
func (c *call) cut(err error) error {
	response := c.response
	c.response = nil
	return &bodyError{response, err}
}

// roundTrip is one round trip of an attempt, with its timer and trace.
type roundTrip struct {
	*call
	ownContext
	timer  *time.Timer // nil without a timeout
	trace  httptrace.ClientTrace
	opened atomic.Int32 // connections
	body   watchedBody
}

// ownContext is a context with the values and the end of the request's, but without the cause of that end. net/http
// returns the cause of a context as its error, and the cause of the user's may be the error of another request, which
// must not be taken for evidence about this one.
type ownContext struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	parent context.Context // of the request
	unlink func() bool     // from parent
}

func newOwnContext(parent context.Context) ownContext {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	return ownContext{ctx, cancel, parent, context.AfterFunc(parent, func() { cancel(parent.Err()) })}
}

// release ends the context, whose work is done.
func (o *ownContext) release() {
	o.unlink()
	o.cancel(nil)
}

func (c *call) newRoundTrip(ctx context.Context) *roundTrip {
	t := &roundTrip{call: c, ownContext: newOwnContext(ctx)}
	if c.timeout > 0 {
		t.timer = time.AfterFunc(c.timeout-time.Since(c.began), func() { t.cancel(&timeoutError{after: c.timeout}) })
	}
	t.trace.GetConn = func(string) { c.getConn.Store(true) }
	t.trace.GotConn = func(conn httptrace.GotConnInfo) {
		c.gotConn.Store(true)
		if !conn.Reused && t.opened.Add(1) > maxReplays { // idle connections that turn out dead do not count
			t.cancel(errReplayed)
		}
	}
	return t
}

// stopTimer stops the timer and reports whether it had not run out.
func (t *roundTrip) stopTimer() bool { return t.timer == nil || t.timer.Stop() }

func (t *roundTrip) end() {
	t.stopTimer()
	t.release()
}

// send passes the request to the transport and returns a response with a body.
func (t *roundTrip) send(req *http.Request) (*http.Response, error) {
	req = req.WithContext(httptrace.WithClientTrace(t.ctx, &t.trace))
	req.Header = t.header(req)
	var ours bool
	t.roundTripper, ours = chooseRoundTripper(t.next)
	if !ours && !t.req.Idempotent {
		// Of our own pool the trace hooks tell enough, and net/http writes a body of an unknown type in a packet of its
		// own.
		t.body.ReadCloser = req.Body
		t.watched = &t.body
		req.Body = &t.body
	}
	if viaPlainProxy(t.roundTripper, req) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errPlainProxy
	}
	t.passedToTransport = true
	resp, err := roundTripOver(t.roundTripper, req)
	switch {
	case err != nil:
		return nil, withoutResponse(ownCause(t.ctx, err))
	case resp == nil:
		return nil, errors.New("the RoundTripper returned neither a response nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	return resp, nil
}

// openStream returns the response with its body unread. The timer, which was for the header, ends here.
func (t *roundTrip) openStream(resp *http.Response) (*http.Response, error) {
	if !t.stopTimer() {
		t.response = nil
		err := ownCause(t.ctx, context.Canceled)
		_ = resp.Body.Close()
		t.end()
		return nil, err
	}
	resp.Body = &stream{
		ReadCloser: resp.Body, ownContext: t.ownContext,
		silence: t.req.Silence, steady: t.req.Steady, timeout: t.timeout,
	}
	t.response.Stream = resp.Body
	t.response.EndsByClose = resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
	return resp, nil
}

// readWhole reads the body to its end.
func (t *roundTrip) readWhole(resp *http.Response) (*http.Response, error) {
	body, err := readBody(resp)
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	if err == nil && t.ctx.Err() != nil && resp.ContentLength < 0 && !json.Valid(body) {
		// The server saw that the connection closes, and ended the body before it was closed.
		err = io.ErrUnexpectedEOF
	}
	if err != nil && resp.StatusCode/100 == 2 {
		return nil, t.cut(ownCause(t.ctx, err))
	}
	t.response.Body = body
	t.hideRedirect(resp)
	return resp, nil
}

// timeoutError reports an attempt that exceeded its timeout.
type timeoutError struct {
	after time.Duration
	bytes int // that did not come within it; 0 if none came
}

func (e *timeoutError) Error() string {
	if e.bytes > 0 {
		return fmt.Sprintf("less than %d KiB of the response within %v", e.bytes>>10, e.after)
	}
	return fmt.Sprintf("no response within %v", e.after)
}

func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// errReplayed ends a round trip in which net/http sends a request again and again, without a pause, after a stream
// error of HTTP/2.
var errReplayed = errors.New("the server breaks off every HTTP/2 stream")

var errSwitched = errors.New("the server switches protocols")

// errRedirectHidden reports a redirect of which a browser tells no more than that it is one.
var errRedirectHidden = errors.New("the response is a redirect, which is not followed")

var errMalformed = errors.New("the response is malformed HTTP")

// withoutResponse replaces an error in which net/http quotes a response that it cannot parse, which may hold anything.
func withoutResponse(err error) error {
	if text := err.Error(); strings.Contains(text, "malformed HTTP") || strings.Contains(text, "malformed MIME header") ||
		strings.HasPrefix(text, "net/http: HTTP/1.x transport connection broken: ") {
		return errMalformed
	}
	return err
}

// ownCause returns why this package canceled ctx, where it did: net/http says only "context canceled".
func ownCause(ctx context.Context, err error) error {
	var t *timeoutError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &t):
		return t
	case errors.Is(cause, errReplayed):
		return errReplayed
	case cause == context.DeadlineExceeded && errors.Is(err, context.Canceled): // the deadline of the user's context
		return cause
	}
	return err
}

// contextError reports a request whose context ended, whatever the connection made of that: "use of closed network
// connection", or the context's cause alone.
type contextError struct {
	ended error // the context's Err
	cause error // the context's, if it has one of its own
	err   error
}

// contextEnded returns err as an error of the context, if that has ended.
func contextEnded(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil || errors.Is(err, ended) {
		return err
	}
	e := &contextError{ended: ended, err: err}
	if cause := context.Cause(ctx); cause != ended {
		e.cause = cause
	}
	return e
}

func (e *contextError) Error() string {
	if e.cause != nil {
		return e.ended.Error() + ": " + e.cause.Error()
	}
	return e.ended.Error()
}

func (e *contextError) Unwrap() []error { return []error{e.ended, e.err} }
