package agentphone

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"reflect"
	"time"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// WaitParams are the parameters of [CallsService.Wait] and [CallsService.CreateAndWait]. The zero value has the defaults.
type WaitParams struct {
	// Interval is the time between the first two polls: by default 2 seconds, or MaxInterval if that is shorter. It
	// grows by 25 % with each poll, up to MaxInterval, and is randomized by up to 10 %. At least 100 ms pass between two
	// polls, and at most a day, whatever Interval and MaxInterval are.
	Interval time.Duration
	// MaxInterval is the longest time between two polls: by default 5 seconds, or Interval if that is longer. One of less
	// than 100 ms counts as 100 ms.
	MaxInterval time.Duration
	// OnUpdate, if not nil, is called with the call when it is first seen and after each poll that finds it changed. It
	// is called by the goroutine that waits, and delays the next poll until it returns.
	OnUpdate func(*Call)
	// TranscriptGrace is how long to continue polling after the call has ended while its transcript is still empty, as
	// it is for some moments. By default Wait does not.
	TranscriptGrace time.Duration
	// EndOnCancel hangs up if the context ends before the call does, in a request of its own that takes at most 10 seconds:
	// the call does not go on, and cost, when nobody waits for it any more.
	EndOnCancel bool
}

const (
	defaultWaitInterval    = 2 * time.Second
	defaultWaitMaxInterval = 5 * time.Second
	minWaitInterval        = 100 * time.Millisecond
	maxWaitInterval        = 24 * time.Hour
)

func (p WaitParams) withDefaults() (WaitParams, error) {
	err := firstOf(notNegative("Interval", p.Interval), notNegative("MaxInterval", p.MaxInterval), notNegative("TranscriptGrace", p.TranscriptGrace))
	if p.MaxInterval != 0 && p.MaxInterval < p.Interval {
		err = &ValidationError{"MaxInterval", "is shorter than Interval"}
	}
	p.MaxInterval = cmp.Or(p.MaxInterval, max(p.Interval, defaultWaitMaxInterval))
	p.Interval = cmp.Or(p.Interval, min(p.MaxInterval, defaultWaitInterval))
	within := func(d time.Duration) time.Duration { return min(max(d, minWaitInterval), maxWaitInterval) }
	p.MaxInterval, p.Interval = within(p.MaxInterval), within(p.Interval)
	return p, err
}

// Wait polls a call until it is over and returns it. (GET /v1/calls/{call_id})
//
// Only the context limits the wait, so give it a deadline. If it ends before the call does, the error is a
// *[WaitError], returned with the call as of the last successful poll, or nil if there was none. Transient failures of
// a poll (408, 429, 5xx but 501, a broken connection) do not end the wait, unless their Retry-After is longer than 10
// minutes; any other error does.
//
// A webhook learns of the end of a call sooner, by the event [EventCallEnded].
func (s *CallsService) Wait(ctx context.Context, callID string, params WaitParams, opts ...RequestOption) (*Call, error) {
	params, err := params.withDefaults()
	if err != nil {
		return nil, err
	}
	return s.waitOrEnd(ctx, callID, nil, params, forRequestsOf(opts, &opGetCall, &opEndCall))
}

// CreateAndWait places a call as [CallsService.Create] does, then waits for it as [CallsService.Wait] does. opts apply
// to all requests of both, but [GetCallOptions] to the polls only, and [WithIdempotencyKey] to Create only: with the same key it waits on
// for the call that was placed. (POST /v1/calls, GET /v1/calls/{call_id})
//
// An error after the call was placed is a *[WaitError], and the call is returned with it. Any other is that of Create.
//
// Not idempotent: the call is not placed again once it may have been. On [ErrOutcomeUnknown] look for a new call to
// ToNumber with [CallsService.List] before calling again.
func (s *CallsService) CreateAndWait(ctx context.Context, params CreateCallParams, wait WaitParams, opts ...RequestOption) (*Call, error) {
	wait, err := wait.withDefaults()
	if err != nil {
		return nil, err
	}
	opts = forRequestsOf(opts, &opCreateCall, &opGetCall, &opEndCall)
	if err := (*service)(s).checkOptions(&opGetCall, opts); err != nil { // once the call is placed it is too late
		return nil, err
	}
	call, err := s.Create(ctx, params, opts...)
	if err != nil {
		return nil, err
	}
	placed := call
	call, err = s.waitOrEnd(ctx, placed.ID, placed, wait, opts)
	if _, ok := err.(*WaitError); err != nil && !ok { // not errors.As: a cause may be that of another call
		err = &WaitError{CallID: placed.ID, Status: call.Status, Err: err, Last: err}
	}
	return call, err
}

const endOnCancelTimeout = 10 * time.Second

// waitOrEnd is wait, and ends the call for EndOnCancel.
func (s *CallsService) waitOrEnd(ctx context.Context, callID string, seen *Call, params WaitParams, opts []RequestOption) (*Call, error) {
	call, err := s.wait(ctx, callID, seen, params, opts)
	stopped, ok := err.(*WaitError)
	if !params.EndOnCancel || !ok {
		return call, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endOnCancelTimeout)
	defer cancel()
	_, stopped.EndErr = s.End(ctx, callID, opts...)
	if errors.Is(stopped.EndErr, ErrConflict) { // it is over
		stopped.EndErr = nil
	}
	stopped.Ended = stopped.EndErr == nil
	return call, err
}

// wait polls the call until it is over. last is the call as last seen, or nil.
func (s *CallsService) wait(ctx context.Context, callID string, last *Call, params WaitParams, opts []RequestOption) (*Call, error) {
	if last != nil && params.OnUpdate != nil {
		params.OnUpdate(last)
	}
	interval := params.Interval
	poll := last == nil
	var graceEnd time.Time
	var pollErr error
	for {
		if poll {
			call, err := s.Get(ctx, callID, opts...)
			if err != nil && !isTransient(err) && (ctx == nil || ctx.Err() == nil) {
				return last, err
			}
			if pollErr = err; err == nil {
				if params.OnUpdate != nil && (last == nil || !reflect.DeepEqual(last, call)) {
					params.OnUpdate(call)
				}
				last = call
			}
		}
		next := max(jitter(interval), minWaitInterval, retryAfter(pollErr))
		if last != nil && last.Final() {
			if graceEnd.IsZero() {
				graceEnd = time.Now().Add(params.TranscriptGrace)
			}
			left := time.Until(graceEnd)
			if len(last.Transcripts) > 0 || left <= 0 || last.unanswered() {
				return last, nil
			}
			next = max(min(next, left), minWaitInterval)
		}
		if err := sleep(ctx, next); err != nil {
			return last, contextEnded(callID, last, err, pollErr)
		}
		if poll {
			interval = min(interval+interval/4, params.MaxInterval)
		}
		poll = true
	}
}

// contextEnded returns the error of a wait whose context ended. It is nil if the call is over and only its transcript
// is missing.
func contextEnded(callID string, last *Call, ctxErr, pollErr error) error {
	e := &WaitError{CallID: callID, Err: ctxErr, Last: pollErr}
	if last != nil {
		if last.Final() {
			return nil
		}
		e.Status = last.Status
	}
	return e
}

// sleep returns after d, or with the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return transport.ContextErr(ctx)
}

// jitter returns a random duration within 10 % of d, so that many waits do not poll in step.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // spreading load needs no secrecy
}

// retryAfter returns the Retry-After of an error, or 0.
func retryAfter(err error) time.Duration {
	var apiErr *APIError
	if errors.As(err, &apiErr) {
		return apiErr.RetryAfter
	}
	return 0
}

// maxTransientRetryAfter is the longest Retry-After of an error that counts as transient.
const maxTransientRetryAfter = 10 * time.Minute

// isTransient reports whether err may go away by itself, in a time that a program that waits anyway can wait for.
func isTransient(err error) bool {
	var apiErr *APIError
	var transportErr *TransportError
	var decodeErr *DecodeError
	switch {
	case errors.As(err, &apiErr):
		return isTransientStatus(apiErr.StatusCode) && apiErr.RetryAfter <= maxTransientRetryAfter
	case errors.As(err, &transportErr):
		return !transport.Permanent(transportErr.Err)
	case errors.As(err, &decodeErr):
		return decodeErr.cut && !transport.Permanent(decodeErr.Err)
	}
	return false
}

func isTransientStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	}
	return status >= 500
}
