package agentphone

import "context"

// Limiter paces the requests of a client ([WithRateLimiter]). A *rate.Limiter of golang.org/x/time/rate is one.
type Limiter interface {
	// Wait returns nil when the next attempt may be made, or an error if none is to be made: that of ctx when ctx ends.
	// It is called concurrently.
	Wait(ctx context.Context) error
}

// WithRateLimiter sets a limiter that is asked before each attempt of every request, retries included; by default there is
// none. The time that it takes counts towards the context of the request, not towards the timeout of the attempt. If it
// returns an error, nothing is sent and the method fails with a *[TransportError] that wraps the error, and is also
// [ErrTemporary] unless an earlier attempt may have had an effect. [OperationFromContext] tells it the operation.
//
// With or without a limiter, a 429 with Retry-After pauses all requests of its operation, of this client and of those that
// [Client.ForSubAccount] derives from it: none is sent before the time that the server said. They wait as the request that
// got the 429 does, up to [WithMaxRetryAfter] and within their contexts; one that would have to wait longer fails at once
// with a *TransportError that is also [ErrRateLimited] and [ErrTemporary], and was not sent. Other operations go on, and so
// do the requests of [Client.Do], of which each is an operation of its own. A Retry-After longer than WithMaxRetryAfter, and
// a 429 that waiting does not clear, pause nothing.
func WithRateLimiter(limiter Limiter) Option {
	return func(c *config) error {
		if isNil(limiter) {
			return &ValidationError{"rate limiter", "is nil"}
		}
		c.transport.Limiter = limiter
		return nil
	}
}
