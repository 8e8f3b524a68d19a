package agentphone

import (
	"errors"
	"io"
	"math"
	"net/http"
	"sync/atomic"
)

// The body of a request gets a buffer of the length that the request says it has, within these bounds.
const minBodyBuffer, maxBodyBuffer = 511, 16 << 10

// minUnverified is how many bytes the longer bodies of requests whose signature is not verified yet may take together, at least: whoever
// knows what the headers of a request look like can send those. There is room for four of MaxBodyBytes.
const minUnverified = 64 << 20

var errTooManyBodies = errors.New("too many long bodies are being received")

// share is what one body takes of that. A short one takes nothing, so that a flood of long ones does not keep it out.
type share struct {
	of    *atomic.Int64
	bytes int64
}

// grow makes it a share of so many bytes, and reports whether all shares are within the limit for bodies of at most maxBody bytes.
func (s *share) grow(bytes, maxBody int64) bool {
	more := bytes - s.bytes
	if s.of.Add(more) > max(minUnverified, 4*min(maxBody, math.MaxInt64/4)) {
		s.of.Add(-more)
		return false
	}
	s.bytes = bytes
	return true
}

func (s *share) giveBack() { s.of.Add(-s.bytes) }

// readBody reads the body of a request up to MaxBodyBytes. If it breaks off, or comes too slowly, or there are too many, the request may be
// genuine all the same: it gets a status after which it comes again.
func (h *WebhookHandler) readBody(w http.ResponseWriter, r *http.Request, s *share) (body []byte, refused int) {
	if r.Body == nil { // in a request that a test made
		return nil, 0
	}
	body, err := h.readAll(http.MaxBytesReader(w, r.Body, h.config.MaxBodyBytes), r.ContentLength, s)
	if err == nil {
		return body, 0
	}
	if _, tooLarge := errorAs[*http.MaxBytesError](err); tooLarge {
		return nil, refuse(w, http.StatusRequestEntityTooLarge)
	}
	if err == errTooManyBodies {
		h.logRefusal(r.Context(), err)
	}
	return nil, refuseForNow(w, 0)
}

// readAll is [io.ReadAll] with a buffer of the right size, if it is known: -1 is not. A longer one grows with what has come, so that
// nobody takes memory by saying how much will.
func (h *WebhookHandler) readAll(r io.Reader, size int64, s *share) ([]byte, error) {
	body := make([]byte, 0, min(max(size, minBodyBuffer), maxBodyBuffer)+1) // one more, to see the end without growing
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) < cap(body) {
			continue
		}
		longer := 2 * int64(len(body))
		if longer > h.config.MaxBodyBytes {
			longer = h.config.MaxBodyBytes + 1
		}
		if longer > maxBodyBuffer+1 && !s.grow(longer, h.config.MaxBodyBytes) {
			return nil, errTooManyBodies
		}
		body = append(make([]byte, 0, longer), body...)
	}
}
