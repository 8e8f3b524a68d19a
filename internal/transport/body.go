package transport

import (
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

// bodyError reports a 2xx whose body could not be read.
type bodyError struct {
	response *Response // without its body
	err      error
}

func (e *bodyError) Error() string { return "reading the response: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// stream is a body that its reader closes. A read fails if no byte comes for as long as silence, or if the bytes come
// too slowly.
type stream struct {
	io.ReadCloser
	ownContext
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
		err = contextEnded(s.parent, ownCause(s.ctx, err))
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
