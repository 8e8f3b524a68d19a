package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxBody      = 32 << 20 // of a 2xx answer
	maxErrorBody = 64 << 10 // of any other: it is only quoted
	maxRedirects = 5
	maxReplays   = 3 // of a request without a body by net/http itself, on new connections
)

// ErrTooLarge is a 2xx answer over 32 MiB.
var ErrTooLarge = errors.New("the answer is larger than 32 MiB")

// exchange is the state of one SDK call. As the innermost RoundTripper it sees
// every request that leaves; as the loop's policy (policy.go) it judges every
// answer. Nothing of it is shared with another call.
type exchange struct {
	*Config
	req     *Request
	next    http.RoundTripper
	timeout time.Duration
	client  http.Client // the user's, with its Transport replaced by the exchange
	loop    retryablehttp.Client
	hreq    retryablehttp.Request

	// Of the attempt under way.
	attempts int
	began    time.Time
	handed   bool        // the request was given to next
	getConn  atomic.Bool // next fires net/http's trace hooks
	gotConn  atomic.Bool // a connection was given to the request
	answer   *Response

	// Set by the policy after each attempt.
	mayHaveActed bool
	waiting      bool
	wait         time.Duration
	cause        error // why the attempt failed, if it got no answer
}

// beginAttempt is called by the loop before each attempt (an attempt may be
// several round trips: redirects).
func (x *exchange) beginAttempt(_ retryablehttp.Logger, _ *http.Request, n int) {
	x.attempts = n + 1
	x.began = time.Now()
	x.handed, x.waiting = false, false
	x.answer, x.cause = nil, nil
	x.getConn.Store(false)
	x.gotConn.Store(false)
}

// RoundTrip sends one request and reads its answer to the end, so that an
// answer cut short fails the attempt and is retried as such, the connection is
// kept, and the attempt's timer covers the body too.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := func() bool { return true }
	if x.timeout > 0 {
		stop = time.AfterFunc(x.timeout-time.Since(x.began), func() { cancel(&timeoutError{x.timeout}) }).Stop
	}
	done := func() { stop(); cancel(nil) }
	var conns struct { // in one piece of memory
		trace httptrace.ClientTrace
		made  atomic.Int32
	}
	conns.trace.GetConn = func(string) { x.getConn.Store(true) }
	conns.trace.GotConn = func(conn httptrace.GotConnInfo) {
		x.gotConn.Store(true)
		if !conn.Reused && conns.made.Add(1) > maxReplays { // idle ones that turn out dead are no replay
			cancel(errReplayed)
		}
	}
	req = req.WithContext(httptrace.WithClientTrace(ctx, &conns.trace))
	req.Header = x.header(req)
	x.handed = true
	resp, err := roundTripper(x.next).RoundTrip(req)
	if err != nil {
		err = withoutAnswer(ownCause(ctx, err))
		done()
		return nil, err
	}
	if resp == nil {
		done()
		return nil, errors.New("the RoundTripper returned neither an answer nor an error")
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// The body is the connection itself, which neither a context nor a timer ends.
		_ = resp.Body.Close()
		done()
		return nil, &bodyError{&Response{Status: resp.StatusCode, Header: resp.Header, Attempts: x.attempts}, errSwitched}
	}
	x.answer = &Response{Status: resp.StatusCode, Header: resp.Header, Attempts: x.attempts}
	ok := resp.StatusCode/100 == 2
	if x.req.Stream && ok {
		if !stop() && x.timeout > 0 {
			err = ownCause(ctx, context.Canceled)
			_ = resp.Body.Close()
			done()
			return nil, err
		}
		resp.Body = &stream{resp.Body, ctx, cancel, x.req.Silence}
		x.answer.Stream = resp.Body
		x.answer.EndsByClose = resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
		return resp, nil
	}
	defer done()
	limit := int64(maxErrorBody)
	if ok {
		limit = maxBody
	}
	x.answer.Body, err = readAll(resp, limit)
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	if ok && err != nil {
		cut := x.answer
		x.answer, cut.Body = nil, nil
		return nil, &bodyError{cut, ownCause(ctx, err)}
	}
	if location := resp.Header.Get("Location"); location != "" && !x.mayFollow(location) {
		// http.Client would try it, and quote an address that it cannot parse.
		resp.Header = resp.Header.Clone()
		resp.Header.Del("Location")
	}
	return resp, nil
}

// header is what a request is sent with, made anew for each: a RoundTripper may write to it. http.Client holds
// none of it, so it can forward none, the key least of all; what it adds itself is the cookies of a jar.
func (x *exchange) header(req *http.Request) http.Header {
	h := make(http.Header, 4)
	var values [4]string // in one piece of memory
	set := func(i int, name, value string) {
		values[i] = value
		h[name] = values[i : i+1 : i+1]
	}
	set(0, "User-Agent", x.req.UserAgent)
	set(1, "Accept", x.req.Accept)
	if x.req.Body != nil {
		set(2, "Content-Type", "application/json")
	}
	if sameOrigin(req.URL, x.Base) {
		for name, given := range x.req.Header {
			h[name] = slices.Clone(given)
		}
		if !x.req.NoKey {
			set(3, "Authorization", x.Authorization())
		}
	}
	if cookies := req.Header["Cookie"]; len(cookies) > 0 {
		h["Cookie"] = []string{strings.Join(append(h["Cookie"], cookies...), "; ")}
	}
	return h
}

// mayFollow: a redirect is followed only for GET and HEAD and only within the API's origin.
func (x *exchange) mayFollow(location string) bool {
	if x.req.Method != http.MethodGet && x.req.Method != http.MethodHead {
		return false
	}
	to, err := x.req.URL.Parse(location)
	return err == nil && sameOrigin(to, x.Base) && to.User == nil
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

// readAll reads a body to its end, or to the limit. A body beyond the limit is
// an error in a 2xx and merely cut otherwise.
func readAll(resp *http.Response, limit int64) (body []byte, err error) {
	size := int64(minChunk)
	if n := resp.ContentLength; n > 0 && n <= limit {
		size = n + 1 // one more, for the read that finds the end
	}
	// A body whose length is not known, or not true, comes in pieces: one that grew would be there twice
	// whenever it did.
	var chunks [][]byte
	total := int64(0)
	for err == nil && total <= limit {
		chunk := make([]byte, 0, min(size, limit+1-total))
		for err == nil && len(chunk) < cap(chunk) {
			var n int
			n, err = resp.Body.Read(chunk[len(chunk):cap(chunk)])
			chunk = chunk[:len(chunk)+n]
		}
		chunks, total = append(chunks, chunk), total+int64(len(chunk))
		size = min(max(2*size, minChunk), maxChunk)
	}
	switch {
	case total > limit && limit > maxErrorBody:
		return nil, ErrTooLarge
	case len(chunks) == 1:
		body = chunks[0]
	default:
		body = bytes.Join(chunks, nil)
	}
	if total > limit {
		return body[:limit], ErrTooLarge
	}
	if err == io.EOF {
		err = nil
	}
	return body, err
}

const minChunk, maxChunk = 512, 1 << 20

// bodyError is a 2xx whose body could not be read: the server has acted.
type bodyError struct {
	answer *Response // without its body
	err    error
}

func (e *bodyError) Error() string { return "reading the answer: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// timeoutError is an attempt that took longer than it may.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string        { return fmt.Sprintf("no answer within %v", e.after) }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// errReplayed ends a round trip in which net/http sends a request again and again, without a
// pause, after a stream error of HTTP/2.
var errReplayed = errors.New("the server breaks off every HTTP/2 stream")

var errSwitched = errors.New("the server switches protocols")

var errMalformed = errors.New("the answer is malformed HTTP")

// withoutAnswer: net/http quotes what it cannot read, which may be anything.
func withoutAnswer(err error) error {
	if text := err.Error(); strings.Contains(text, "malformed HTTP") || strings.Contains(text, "malformed MIME header") {
		return errMalformed
	}
	return err
}

// ownCause replaces the "context canceled" that net/http makes of a cancellation of ours.
func ownCause(ctx context.Context, err error) error {
	var t *timeoutError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &t):
		return t
	case errors.Is(cause, errReplayed):
		return errReplayed
	}
	return err
}

// stream is a body that its reader closes, and that is given up when it is silent for too long.
type stream struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silence time.Duration
}

func (s *stream) Read(p []byte) (int, error) {
	if s.silence > 0 {
		defer time.AfterFunc(s.silence, func() { s.cancel(&timeoutError{s.silence}) }).Stop()
	}
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = ownCause(s.ctx, err)
	}
	return n, err
}

func (s *stream) Close() error {
	err := s.ReadCloser.Close()
	s.cancel(nil)
	return err
}
