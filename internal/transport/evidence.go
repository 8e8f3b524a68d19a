package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
)

// notSent reports whether it is certain that the server did not get the request, or says that it did not process it. A
// missing sign is no proof: a RoundTripper that is not net/http's fires no trace hooks at all.
func (c *call) notSent(err error) bool {
	if !c.passedToTransport {
		return true
	}
	var cut *bodyError
	if errors.As(err, &cut) {
		return false
	}
	if !c.gotConn.Load() {
		// Of net/http's own transport the hooks tell all. Another may send the request in ways of which they do not.
		_, std := roundTripper(c.next).(*http.Transport)
		return std && c.getConn.Load() || dialFailed(err)
	}
	// HTTP/2 (RFC 9113, 8.7). net/http exports no type for these, and shows them only because the request has no GetBody.
	// Should the text change, the request counts as sent.
	text := err.Error()
	return strings.Contains(text, "http2: Transport: cannot retry err [") &&
		(strings.Contains(text, "; REFUSED_STREAM; received from peer") ||
			strings.Contains(text, "graceful shutdown GOAWAY"))
}

// dialFailed reports whether the error is that of a dial and of nothing else. Of joined errors another may be that of a request
// which was sent.
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
		errors.Is(err, ErrTooLarge)
}
