package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// deadlineMargin is left for the attempt itself.
const deadlineMargin = 50 * time.Millisecond

// checkRetry judges an attempt that has ended. The loop asks it once per attempt.
func (x *exchange) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	retry, after := false, noHint
	switch {
	case err != nil:
		x.answer, x.cause = nil, err
		unsent := x.unsent(err)
		x.mayHaveActed = !x.req.Idempotent && !unsent
		retry = !Permanent(err) && (x.req.Idempotent || unsent)
	default:
		after = retryAfter(resp.Header, time.Now())
		x.mayHaveActed = !x.req.Idempotent && mayHaveActed(resp.StatusCode, after)
		retry = retryable(resp.StatusCode, after, x.req.Idempotent)
	}
	retry = retry && ctx.Err() == nil && x.attempts <= x.req.MaxRetries
	if retry && after != noHint {
		// A wait that is too long is the caller's to decide on, and now.
		deadline, ok := ctx.Deadline()
		retry = after <= x.MaxRetryAfter && (!ok || time.Until(deadline) > after)
	}
	if retry {
		x.wait = x.backoff(after)
		if deadline, ok := ctx.Deadline(); ok && after != noHint {
			x.wait = min(x.wait, max(after, time.Until(deadline)-deadlineMargin)) // what was added must not overrun it
		}
		x.loop.RetryWaitMin = x.wait
	}
	x.waiting = retry
	x.log(ctx, resp, err)
	return retry, nil // an error here would replace the attempt's own
}

// retryable says whether an answer may be followed by another attempt. A Once
// request is sent again only if its answer says that nothing was done.
func retryable(status int, after time.Duration, idempotent bool) bool {
	switch {
	case status == http.StatusTooManyRequests:
		return true
	case status == http.StatusServiceUnavailable:
		return idempotent || after != noHint
	case status == http.StatusRequestTimeout, status >= 500 && status != http.StatusNotImplemented:
		return idempotent
	}
	return false
}

// mayHaveActed says whether an error answer leaves open that the request took
// effect: any that a proxy may have made up while the server worked.
func mayHaveActed(status int, after time.Duration) bool {
	switch status {
	case http.StatusNotImplemented:
		return false
	case http.StatusServiceUnavailable:
		return after == noHint
	case http.StatusRequestTimeout, http.StatusFound, http.StatusSeeOther: // "done; see there", for which many say 302
		return true
	}
	return status >= 500
}

// unsent: it is certain that the server did not get the request, or says that it
// did not process it. A missing sign is no proof: a RoundTripper that is not
// net/http's fires no trace hooks at all.
func (x *exchange) unsent(err error) bool {
	if !x.handed {
		return true
	}
	var cut *bodyError
	if errors.As(err, &cut) {
		return false
	}
	if !x.gotConn.Load() {
		// Of net/http's own transport the hooks tell all. Another may send the request in ways of which they do not.
		_, std := roundTripper(x.next).(*http.Transport)
		return std && x.getConn.Load() || dialFailed(err)
	}
	// HTTP/2 (RFC 9113, 8.7). net/http exports no type for these, and shows them only
	// because the request has no GetBody. Should the text change, the request counts as sent.
	text := err.Error()
	return strings.Contains(text, "http2: Transport: cannot retry err [") &&
		(strings.Contains(text, "; REFUSED_STREAM; received from peer") ||
			strings.Contains(text, "graceful shutdown GOAWAY"))
}

// dialFailed: the error is that of a dial and of nothing else. Of joined errors another may be that
// of a request which was sent.
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

// log writes a record per attempt and one per retry. They hold no address,
// header or error text: each of those can carry a phone number or a key.
func (x *exchange) log(ctx context.Context, resp *http.Response, err error) {
	if x.Logger == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", x.req.Operation.String()),
		slog.Int("attempt", x.attempts),
		slog.Duration("duration", time.Since(x.began)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("failure", failure(ctx, err)))
	} else {
		attrs = append(attrs, slog.Int("status", resp.StatusCode))
		if id := resp.Header.Get("X-Request-Id"); id != "" {
			attrs = append(attrs, slog.String("request_id", id))
		}
	}
	x.Logger.LogAttrs(ctx, slog.LevelDebug, "agentphone: attempt", attrs...)
	if x.waiting {
		attrs = append(attrs, slog.Duration("wait", x.wait))
		x.Logger.LogAttrs(ctx, slog.LevelWarn, "agentphone: retrying", attrs...)
	}
}

// failure names the kind of a transport error.
func failure(ctx context.Context, err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case ctx.Err() != nil:
		return ctx.Err().Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "time-out"
	case Permanent(err):
		return "permanent"
	}
	return "connection"
}
