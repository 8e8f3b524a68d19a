package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// call is the state of one call of Client.Do. It is the innermost RoundTripper (attempt.go), so it sees every request
// that leaves, and after each attempt it decides whether another follows. Calls share none of it.
type call struct {
	*Client
	req     *Request
	next    http.RoundTripper // the user's transport, or nil
	timeout time.Duration
	http    http.Client // the user's, with its Transport replaced by the call
	loop    loop

	attempt // the current one, or the last
	first   roundTrip

	// Set by decideRetry after each attempt.
	outcomeUnknown bool
	temporary      bool
	waiting        bool
	wait           time.Duration
	cause          error     // why the attempt failed, if it got no response
	received       *Response // the last that was received whole, in whichever attempt
	mayHaveActed   bool      // an attempt so far may have taken effect, whether idempotent or not
	repeats        bool      // one before the last attempt may have

	refused bool // the next attempt was not admitted
}

// deadlineMargin is left for the attempt itself.
const deadlineMargin = 50 * time.Millisecond

// decideRetry decides, once after each attempt, whether another follows and after which wait.
func (c *call) decideRetry(ctx context.Context, resp *http.Response, err error) {
	after, o := noRetryAfter, outcome{}
	if err != nil {
		c.response, c.cause = nil, err
		o = outcome{failed: true, notSent: c.notSent(err), permanent: Permanent(err)}
	} else {
		c.received = c.response
		after = retryAfter(resp.Header, time.Now())
		o = outcome{status: resp.StatusCode, retryAfter: after != noRetryAfter}
		o.permanent = o.status == http.StatusTooManyRequests && c.req.Operation.NoRetry(c.response)
	}
	verdict := decide(o, c.req.Idempotent)
	// Of an idempotent request the outcome is never unknown. Whether this attempt may have taken effect, so that a
	// DELETE whose retry gets 404 has succeeded, is what would be decided if the request were not idempotent.
	c.repeats = c.mayHaveActed
	if c.response != nil {
		c.response.Repeats = c.repeats
	}
	c.mayHaveActed = c.mayHaveActed || decide(o, false).outcomeUnknown
	c.outcomeUnknown, c.temporary = verdict.outcomeUnknown, o.notSent && !o.permanent && !c.repeats
	c.waiting = verdict.retry && ctx.Err() == nil && c.attempts <= c.req.MaxRetries
	if after != noRetryAfter && after <= c.MaxRetryAfter && o.status == http.StatusTooManyRequests && !o.permanent && !c.req.Alone {
		c.Pauses.add(c.req.Operation, after)
	}
	if c.waiting && after != noRetryAfter {
		// The caller decides at once about a wait that is too long for us.
		c.waiting = after <= c.MaxRetryAfter && outlasts(ctx, after)
	}
	if c.waiting {
		c.wait = c.backoff(after)
		if after != noRetryAfter {
			c.wait = withinDeadline(ctx, after, c.wait) // the jitter must not overrun it
		}
	}
	c.log(ctx, resp, err)
	if c.observed != nil {
		c.observe(ctx, resp, err, !o.notSent)
	}
}

// observe calls the hook at the end of the attempt.
func (c *call) observe(ctx context.Context, resp *http.Response, err error, sent bool) {
	result := AttemptResult{Sent: sent, Retry: c.waiting, Duration: time.Since(c.began)}
	if c.waiting {
		result.Wait = c.wait
	}
	if err == nil {
		result.Status = resp.StatusCode
	} else {
		result.Failure = Failure(ctx, err)
		if c.unread != nil {
			result.Status = c.unread.Status
		}
	}
	c.observed(result)
}

// fail describes a call that ends without a response.
func (c *call) fail(ctx context.Context, err error) *Error {
	if err = withoutURL(err); !c.refused { // else it is the limiter's
		err = withoutResponse(err, c.req.Key)
	}
	e := &Error{
		Err: contextEnded(ctx, err), Attempts: c.attempts, OutcomeUnknown: c.outcomeUnknown, Temporary: c.temporary,
		Key: c.req.Key, Received: c.received,
	}
	if !c.waiting {
		e.Cut = c.unread
	} else { // the context ended, or no further attempt was admitted
		e.Last, e.LastErr = c.response, c.cause
		if e.LastErr != nil {
			e.LastErr = withoutResponse(withoutURL(e.LastErr), c.req.Key)
		}
	}
	if c.refused {
		e.Temporary = !c.mayHaveActed
	}
	var paused *pausedError
	if errors.As(err, &paused) {
		e.Last, e.LastErr = paused.response(c.req.Key, c.attempts), nil
		e.Last.Repeats = c.mayHaveActed
	}
	return e
}

var errNoReason = errors.New("the request failed for no stated reason")

func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		if u.Err == nil {
			return errNoReason
		}
		err = u.Err
	}
	return err
}

// log writes a record for each attempt and one for each retry. They hold no address, header or error text: each of
// those can contain a phone number or a key.
func (c *call) log(ctx context.Context, resp *http.Response, err error) {
	if c.Logger == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", c.req.Operation.String()),
		slog.Int("attempt", c.attempts),
		slog.Duration("duration", time.Since(c.began)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("failure", Failure(ctx, err)))
	} else {
		attrs = append(attrs, slog.Int("status", resp.StatusCode))
		if id := resp.Header.Get("X-Request-Id"); id != "" {
			attrs = append(attrs, slog.String("request_id", redact.Text(id, c.req.Key)))
		}
	}
	c.Logger.LogAttrs(ctx, slog.LevelDebug, "agentphone: attempt", attrs...)
	if c.waiting {
		attrs = append(attrs, slog.Duration("wait", c.wait))
		c.Logger.LogAttrs(ctx, slog.LevelWarn, "agentphone: retrying", attrs...)
	}
}

// Failure names the kind of the error of a request, or of an attempt, that got no whole response. The names are those of the
// package's type Failure and of its log records.
func Failure(ctx context.Context, err error) string {
	var timeout interface{ Timeout() bool }
	var refused *limiterError
	var paused *pausedError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "deadline"
	case ctx.Err() != nil:
		return "canceled"
	case errors.As(err, &refused), errors.As(err, &paused):
		return "rate_limit"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case Permanent(err):
		return "permanent"
	}
	return "connection"
}
