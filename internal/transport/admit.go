package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Before each attempt stand the pause of the operation, if a 429 has begun one, and the user's limiter. Both waits come
// before the attempt's timeout begins, and end with the context. What they refuse was not sent.

// Limiter paces attempts. Wait returns when the next may be made, or with an error if none is to be made.
type Limiter interface{ Wait(context.Context) error }

// Pauses knows until when the operations of a client are paused.
type Pauses struct {
	mu    sync.RWMutex
	until map[Operation]time.Time
}

// add pauses an operation for a time, unless it is paused for longer.
func (p *Pauses) add(op Operation, d time.Duration) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, until := range p.until {
		if !now.Before(until) {
			delete(p.until, other)
		}
	}
	if p.until == nil {
		p.until = map[Operation]time.Time{}
	}
	if until := now.Add(d); until.After(p.until[op]) {
		p.until[op] = until
	}
}

// left returns how much longer an operation is paused, or less than zero.
func (p *Pauses) left(op Operation) time.Duration {
	p.mu.RLock()
	until, paused := p.until[op]
	p.mu.RUnlock()
	if !paused {
		return 0
	}
	return time.Until(until)
}

// admit returns when the next attempt may be made, or with an error if none is to be made.
func (c *call) admit(ctx context.Context) error {
	err := c.waitForPause(ctx)
	if err == nil && c.Limiter != nil {
		if err = c.askLimiter(ctx); err == nil {
			err = c.waitForPause(ctx) // one that began meanwhile
		}
	}
	c.refused = err != nil
	return err
}

func (c *call) askLimiter(ctx context.Context) error {
	if err := c.Limiter.Wait(&requestContext{ctx, &c.req.Subject}); err != nil {
		return &limiterError{err}
	}
	return ctx.Err()
}

// waitForPause waits while the operation is paused. As with a Retry-After of its own, a call waits for MaxRetryAfter at
// most, however often the pause is extended, and not at all if its context does not last as long.
func (c *call) waitForPause(ctx context.Context) error {
	for waited := time.Duration(0); ; {
		left := c.Pauses.left(c.req.Operation)
		if left <= 0 {
			return nil
		}
		if waited+left > c.MaxRetryAfter || !outlasts(ctx, left) {
			return &pausedError{left}
		}
		wait := withinDeadline(ctx, left, c.backoff(left))
		if c.Logger != nil {
			c.Logger.LogAttrs(ctx, slog.LevelDebug, "agentphone: paused",
				slog.String("operation", c.req.Operation.String()), slog.Duration("wait", wait))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		waited += wait
	}
}

// outlasts reports whether a context lasts longer than a wait that the server has asked for.
func outlasts(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

// withinDeadline returns wait, or as much of it beyond the least that the server has asked for as leaves the context time for
// the attempt.
func withinDeadline(ctx context.Context, least, wait time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(wait, max(least, time.Until(deadline)-deadlineMargin))
	}
	return wait
}

// limiterError reports that the limiter refused an attempt.
type limiterError struct{ err error }

func (e *limiterError) Error() string { return "not sent: the rate limiter: " + e.err.Error() }
func (e *limiterError) Unwrap() error { return e.err }

// pausedError reports that an attempt was not made because its operation is paused.
type pausedError struct{ left time.Duration }

func (e *pausedError) Error() string {
	return fmt.Sprintf("not sent: the operation is paused for another %v", e.left.Round(time.Millisecond))
}

// response returns the response that the pause stands for.
func (e *pausedError) response(key string, attempts int) *Response {
	return &Response{
		Status: http.StatusTooManyRequests, Attempts: attempts, Key: key,
		Header: http.Header{"Retry-After": {strconv.FormatFloat(e.left.Seconds(), 'f', 3, 64)}},
	}
}

// requestContext is a context that knows what request it is for.
type requestContext struct {
	context.Context
	subject *Subject
}

type subjectKey struct{}

func (c *requestContext) Value(key any) any {
	if key == (subjectKey{}) {
		return c.subject
	}
	return c.Context.Value(key)
}

// detachedContext is a requestContext that does not end, as those of context.WithoutCancel: one allocation less.
type detachedContext struct {
	requestContext
	traced func(req *http.Request, rt http.RoundTripper, ours bool) *http.Request // nil unless the innermost RoundTripper is to call it
}

type tracedKey struct{}

func (c *detachedContext) Value(key any) any {
	if key == (tracedKey{}) {
		return c.traced
	}
	return c.requestContext.Value(key)
}

func (*detachedContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (*detachedContext) Done() <-chan struct{}                   { return nil }
func (*detachedContext) Err() error                              { return nil }

// SubjectOf returns what request a context is for, one that a Limiter or a RoundTripper was given; else nil.
func SubjectOf(ctx context.Context) *Subject {
	subject, _ := ctx.Value(subjectKey{}).(*Subject)
	return subject
}
