package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
)

// A request that is not idempotent is retried only on proof that the server did not act on it, and any that could have an effect
// is said to have had none only on the same proof. That a trace hook did
// not fire is no proof by itself: an *http.Transport may send the request by a protocol that is not net/http's own
// (TLSNextProto), and any other RoundTripper may do as it likes: send the request by one way, and return the error of
// another. But neither can send the request without reading its body, which every POST of this package has, and no server
// acts on half a request.

// notSent reports whether the server certainly did not get the request, or says that it did not process it.
func (c *call) notSent(err error) bool {
	if !c.passedToTransport {
		return true
	}
	if c.unread != nil {
		return false
	}
	t, std := c.roundTripper.(*http.Transport)
	// A deletion, or a GET that is not idempotent, can be sent without reading a body.
	bodyTells := len(c.req.Body) > 0 || c.req.isRead()
	switch {
	case std && notProcessed(err):
		return true
	case std && c.gotConn.Load(), c.watched.wasRead():
		return false
	case !bodyTells && !(std && isPlain(t)):
		return false
	}
	return std && c.getConn.Load() || bodyTells && dialFailed(err)
}

// isRead reports whether the request changes nothing, whether it is sent or not.
func (r *Request) isRead() bool {
	return r.Idempotent && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// isPlain reports whether a transport speaks net/http's own protocols only. A clone has those entries of TLSNextProto
// that the program put there, not the one of net/http itself.
func isPlain(t *http.Transport) bool { return len(t.Clone().TLSNextProto) == 0 }

// notProcessed reports whether the server said, by HTTP/2 (RFC 9113, 8.7), that it did not process the request: it
// refused the stream, or is going away and had not got to it. net/http exports no types for these errors, so they are
// recognized by their whole text, no part of which the server can choose. net/http returns them only because the
// request has no GetBody. Should the text change, the request counts as sent.
func notProcessed(err error) bool { return notProcessedText.MatchString(withoutURL(err).Error()) }

var notProcessedText = regexp.MustCompile(`^http2: Transport: cannot retry err \[(` +
	`stream error: stream ID [0-9]+; REFUSED_STREAM; received from peer|` +
	`http2: Transport received Server's graceful shutdown GOAWAY` +
	`)\] after Request\.Body was written; define Request\.GetBody to avoid this error$`)

// watchedBody notes that whoever carries the request has begun to read its body. Once it is sealed it cannot be read any more: a
// RoundTripper may return before it is done with the body.
type watchedBody struct {
	io.ReadCloser
	state atomic.Int32
}

const (
	bodyUntouched = iota
	bodyRead
	bodySealed
)

var errSealed = errors.New("the request counts as not sent")

func (b *watchedBody) Read(p []byte) (int, error) {
	b.state.CompareAndSwap(bodyUntouched, bodyRead)
	if b.state.Load() == bodySealed {
		return 0, errSealed
	}
	return b.ReadCloser.Read(p)
}

// wasRead reports whether the body was read, and seals it if not.
func (b *watchedBody) wasRead() bool {
	if b == nil {
		return false
	}
	b.seal()
	return b.state.Load() == bodyRead
}

// seal ends the reading of a body that was not begun to be read.
func (b *watchedBody) seal() {
	if b != nil {
		b.state.CompareAndSwap(bodyUntouched, bodySealed)
	}
}

// dialFailed reports whether err is the error of a dial and of nothing else: joined with it may be that of a request
// that was sent.
func dialFailed(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if op, ok := err.(*net.OpError); ok {
			return op.Op == "dial"
		}
	}
	return false
}

// Permanent reports whether the next attempt would fail in the same way.
func Permanent(err error) bool {
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	return errors.As(err, &cert) ||
		errors.As(err, &dns) && dns.IsNotFound ||
		errors.Is(err, ErrTooLarge) ||
		errors.Is(err, errRedirectHidden) ||
		errors.Is(err, errPlainProxy)
}
