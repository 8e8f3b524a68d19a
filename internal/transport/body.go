package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	maxBody      = 16 << 20 // of a 2xx response
	maxErrorBody = 64 << 10 // of any other, which is only quoted
	minBuffer    = 512
	maxIdleReads = 100 // reads in a row that return neither a byte nor an error
)

// ErrTooLarge reports a 2xx response over 16 MiB.
var ErrTooLarge = errors.New("the response is larger than 16 MiB")

// readBody reads a body up to a limit. A longer body is ErrTooLarge in a 2xx; that of another response is cut.
func readBody(resp *http.Response) (body []byte, err error) {
	limit := int64(maxErrorBody)
	if resp.StatusCode/100 == 2 {
		limit = maxBody
	}
	size := int64(minBuffer)
	if n := resp.ContentLength; n > 0 && n <= limit {
		size = n + 1 // one more, for the read that finds the end
	}
	body = make([]byte, 0, size)
	for idle := 0; err == nil; idle++ {
		if idle > maxIdleReads {
			return body, io.ErrNoProgress
		}
		if len(body) == cap(body) {
			if int64(len(body)) > limit {
				return body[:limit], ErrTooLarge
			}
			// Not append, which does not know where it may end.
			body = append(make([]byte, 0, min(2*int64(cap(body)), limit+1)), body...)
		}
		var n int
		n, err = resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if n > 0 {
			idle = 0
		}
	}
	if int64(len(body)) > limit {
		return body[:limit], ErrTooLarge
	}
	if err == io.EOF {
		err = nil
	}
	return body, err
}

// await returns what read does, or false if the context ends first. read then goes on by itself: a body of a user's
// RoundTripper may wait whatever the context is, and even if it is closed.
func await[T any](ctx context.Context, read func() T) (result T, ok bool) {
	type outcome struct {
		result   T
		ended    bool // false if read panicked, or ended its goroutine as testing.T.FailNow does
		panicked any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if !o.ended {
				o.panicked = recover()
			}
			done <- o
		}()
		o.result = read()
		o.ended = true
	}()
	select {
	case o := <-done:
		if o.panicked != nil {
			panic(o.panicked)
		}
		return o.result, o.ended
	case <-ctx.Done():
		return result, false
	}
}

// readResult is what a read returns.
type readResult struct {
	body []byte
	err  error
}

// readBody reads the body of the response to its end and closes it.
func (t *roundTrip) readBody(resp *http.Response) ([]byte, error) {
	if t.heedsContext(resp.Body) {
		body, err := readBody(resp)
		_ = resp.Body.Close()
		return body, err
	}
	late := *resp // the read may outlast the response
	r, ok := await(t.ctx, func() (r readResult) {
		r.body, r.err = readBody(&late)
		_ = late.Body.Close()
		return r
	})
	if !ok {
		go func() { _ = late.Body.Close() }() // it may end the read
		return nil, cmp.Or(t.ctx.Err(), io.ErrUnexpectedEOF)
	}
	return r.body, r.err
}

// heedsContext reports whether a read of the body ends with the context: those of net/http's connections do, and those that are
// in memory. An *http.Transport may have protocols of others, whose connections fire no trace hooks.
func (t *roundTrip) heedsContext(body io.Reader) bool {
	_, std := t.roundTripper.(*http.Transport)
	_, inMemory := body.(interface{ Len() int })
	return std && t.gotConn.Load() || inMemory
}

// awaitedBody is a body of a stream whose reads end with the context, whatever those of the body do.
type awaitedBody struct {
	io.ReadCloser
	ctx       context.Context
	abandoned bool
}

func (b *awaitedBody) Read(p []byte) (int, error) {
	if b.abandoned {
		return 0, b.ctx.Err()
	}
	buffer := make([]byte, min(len(p), 32<<10))
	r, ok := await(b.ctx, func() readResult {
		n, err := b.ReadCloser.Read(buffer)
		return readResult{buffer[:n], err}
	})
	if !ok {
		b.abandoned = true
		return 0, cmp.Or(b.ctx.Err(), io.ErrUnexpectedEOF)
	}
	return copy(p, r.body), r.err
}

// Close closes the body. It does not wait for that if a read goes on.
func (b *awaitedBody) Close() error {
	if b.abandoned {
		go func() { _ = b.ReadCloser.Close() }()
		return nil
	}
	return b.ReadCloser.Close()
}

// bodyError reports a 2xx whose body could not be read. It does not hold the response: with that it would show the key.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "reading the response: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// stream is a body that its reader closes. A read fails if no byte comes for as long as silence, or if the bytes come
// too slowly.
type stream struct {
	io.ReadCloser
	ownContext
	key     string // to be redacted
	silence time.Duration
	steady  int // bytes that must come within each timeout
	timeout time.Duration

	received int           // of those bytes
	waited   time.Duration // in Read for them
}

func (s *stream) Read(p []byte) (int, error) {
	if limit, reason := s.limit(); reason != nil {
		defer time.AfterFunc(limit, func() { s.cancel(reason) }).Stop()
	}
	began := time.Now()
	n, err := s.ReadCloser.Read(p)
	s.waited += time.Since(began)
	if s.received += n; s.received >= s.steady {
		s.received, s.waited = 0, 0
	}
	if err == io.EOF && s.ctx.Err() != nil {
		err = io.ErrUnexpectedEOF // as in readWhole
	}
	if err != nil && err != io.EOF {
		err = contextEnded(s.parent, withoutResponse(ownCause(s.ctx, err), s.key))
	}
	return n, err
}

// limit returns how long the next read may take, and the error if it takes longer; nil if there is no limit.
func (s *stream) limit() (limit time.Duration, reason error) {
	if s.silence > 0 {
		limit, reason = s.silence, &timeoutError{after: s.silence}
	}
	if s.steady > 0 && s.timeout > 0 {
		if left := s.timeout - s.waited; reason == nil || left < limit {
			limit, reason = left, &timeoutError{s.timeout, s.steady}
		}
	}
	return limit, reason
}

func (s *stream) Close() error {
	err := s.ReadCloser.Close()
	s.release()
	return err
}
