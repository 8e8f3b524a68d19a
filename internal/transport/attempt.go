package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

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
	unread            *Response           // a 2xx whose body could not be read, without it
	observed          func(AttemptResult) // nil without an Attempt hook
	ctx               context.Context     // that of the hook
}

// begin is called by the loop before the nth attempt.
func (c *call) begin(ctx context.Context, n int) {
	c.attempts, c.began = n, time.Now()
	c.passedToTransport, c.waiting = false, false
	c.response, c.unread, c.cause = nil, nil, nil
	c.getConn.Store(false)
	c.gotConn.Store(false)
	c.watched = nil
	if c.Attempt != nil {
		ctx, c.observed = c.Attempt(ctx, &c.req.Subject, n)
		c.ctx = PlainContext(ctx)
	}
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
	ctx := req.Context()
	if c.ctx != nil {
		ctx = c.ctx
	}
	t := c.newRoundTrip(ctx)
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
	c.unread, c.response = c.response, nil
	return &bodyError{err}
}

// roundTrip is one round trip of an attempt, with its timer and trace.
type roundTrip struct {
	*call
	ownContext
	values detachedContext
	timer  *time.Timer // nil without a timeout
	trace  connTrace
	body   watchedBody
	url    url.URL
}

// plainContext is a context whose Err is one of the two that a context may have. One that a program makes itself may
// return the error of another request, which must not be taken for evidence about this one.
type plainContext struct{ context.Context }

// PlainContext returns ctx, which comes from the user of the package or a hook, with an Err that is one of the two that a
// context may have.
func PlainContext(ctx context.Context) context.Context {
	if plain, ok := ctx.(plainContext); ok {
		return plain
	}
	return plainContext{ctx}
}

func (c plainContext) Err() error { return ContextErr(c.Context) }

// ContextErr returns context.Canceled or context.DeadlineExceeded if the context has ended, else nil.
func ContextErr(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// ownContext is a context that ends with the request's, but without the cause of that end. net/http returns the cause of a
// context as its error, and the cause of the user's may be the error of another request, which must not be taken for
// evidence about this one.
type ownContext struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	parent context.Context // of the request
	unlink func() bool     // from parent; nil if that never ends
}

// newOwnContext returns a context with values, and a function that ends it as the parent has ended or, if that has not, with an
// error about the timeout.
func newOwnContext(parent, values context.Context, timeout time.Duration) (o ownContext, expire func()) {
	o.parent = parent
	o.ctx, o.cancel = context.WithCancelCause(values)
	cancel := o.cancel
	expire = func() {
		if err := parent.Err(); err != nil {
			cancel(err)
		} else {
			cancel(&timeoutError{after: timeout})
		}
	}
	if parent.Done() != nil {
		o.unlink = context.AfterFunc(parent, expire)
	}
	return o, expire
}

// release ends the context, whose work is done.
func (o *ownContext) release() {
	if o.unlink != nil {
		o.unlink()
	}
	o.cancel(nil)
}

func (c *call) newRoundTrip(ctx context.Context) *roundTrip {
	t := &c.first
	if t.call != nil {
		t = new(roundTrip) // the first may still be in use
	}
	t.call = c
	var expire func()
	t.values.requestContext = requestContext{ctx, &c.req.Subject}
	if c.RoundTripper != nil {
		t.values.traced = t.traced
	}
	t.ownContext, expire = newOwnContext(ctx, &t.values, c.timeout)
	if c.timeout > 0 {
		t.timer = time.AfterFunc(c.timeout-time.Since(c.began), expire)
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
	header := t.newHeader(req)
	var ours bool
	t.roundTripper, ours = chooseRoundTripper(t.next)
	ctx := t.ctx
	if t.RoundTripper == nil { // else see unwrapped
		if !ours {
			t.trace.direct, t.trace.header, t.trace.body = directAddress(t.roundTripper, req.URL), header, &t.body
		}
		ctx = t.trace.start(ctx, t, t.roundTripper, req.URL)
	}
	t.url = *req.URL
	req = req.WithContext(ctx)
	req.Header, req.URL = header, &t.url // a RoundTripper may write to them, and the next attempt is not to see it
	if !ours && req.Body != nil {
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
		return nil, ownCause(t.ctx, err)
	case resp == nil:
		return nil, errors.New("the RoundTripper returned neither a response nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	switch {
	case context.Cause(t.ctx) == errPlainProxy:
		err = errPlainProxy
	case !ours && headerSize(resp.Header) > maxHeader:
		err = errHeaderTooLarge
	case resp.StatusCode < 100 || resp.StatusCode > 999: // HTTP/2 takes any number
		err = errMalformed
	}
	if err != nil {
		go func(body io.Closer) { _ = body.Close() }(resp.Body) // see await
		return nil, err
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
	if !t.heedsContext(resp.Body) {
		resp.Body = &awaitedBody{ReadCloser: resp.Body, ctx: t.ctx}
	}
	resp.Body = &stream{
		ReadCloser: resp.Body, ownContext: t.ownContext, key: t.req.Key,
		silence: t.req.Silence, steady: t.req.Steady, timeout: t.timeout,
	}
	t.response.Stream = resp.Body
	t.response.EndsByClose = resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
	return resp, nil
}

// readWhole reads the body to its end.
func (t *roundTrip) readWhole(resp *http.Response) (*http.Response, error) {
	body, err := t.readBody(resp)
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

// withoutResponse returns err without what it quotes of a response that cannot be read, which may hold anything. Package
// net/http puts it in quotation marks: HTTP/1.1 lines, names of HTTP/2 fields, the debug data of a GOAWAY frame.
// Only net/textproto did not before Go 1.26.
func withoutResponse(err error, key string) error {
	var line textproto.ProtocolError
	if errors.As(err, &line) {
		return errMalformed
	}
	return redact.Unquoted(err, key)
}

// ownCause returns why this package canceled ctx, where it did: net/http says only "context canceled".
func ownCause(ctx context.Context, err error) error {
	var t *timeoutError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &t):
		return t
	case cause == errReplayed, cause == errPlainProxy:
		return cause
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
