package agentphone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

const (
	defaultWaitInterval    = 2 * time.Second
	defaultWaitMaxInterval = 5 * time.Second
)

// WaitParams are the parameters of [CallsService.Wait]. The zero value waits with the defaults.
type WaitParams struct {
	Interval    time.Duration // before the second look, 2 s by default; it grows by a quarter with each look
	MaxInterval time.Duration // what it grows to, 5 s by default
	// OnUpdate, if set, is called with the call when it is first seen and whenever anything
	// of it has changed, from the goroutine that waits.
	OnUpdate func(*Call)
	// TranscriptGrace is how long to go on looking after the call's end while its
	// transcript is still empty, which it is for some moments; 0 is not at all.
	TranscriptGrace time.Duration
}

func (p WaitParams) withDefaults() (WaitParams, error) {
	err := firstOf(notNegative("Interval", p.Interval), notNegative("MaxInterval", p.MaxInterval), notNegative("TranscriptGrace", p.TranscriptGrace))
	if p.MaxInterval != 0 && p.MaxInterval < p.Interval {
		err = &ValidationError{"MaxInterval", "is shorter than Interval"}
	}
	p.MaxInterval = cmp.Or(p.MaxInterval, max(p.Interval, defaultWaitMaxInterval))
	p.Interval = cmp.Or(p.Interval, min(p.MaxInterval, defaultWaitInterval))
	return p, err
}

// WaitError is returned when the context of a wait ended before the call did. The call goes on: see
// [CallsService.End].
type WaitError struct {
	CallID string
	Status CallStatus // last seen; "" if it was never seen
	Err    error      // the context's error
	Last   error      // why the last poll failed, or nil
}

// Error tells the last status that was seen, and why the last poll failed if it did.
func (e *WaitError) Error() string {
	text := fmt.Sprintf("agentphone: waiting for the call to end: %v", e.Err)
	if e.Status != "" {
		text += " (last seen status: " + redact.Line(string(e.Status), maxName) + ")"
	}
	if e.Last != nil {
		text += "; the last poll failed: " + e.Last.Error()
	}
	return text
}

// Unwrap gives [errors.Is] and [errors.As] both causes.
func (e *WaitError) Unwrap() []error {
	if e.Last != nil {
		return []error{e.Err, e.Last}
	}
	return []error{e.Err}
}

// Wait polls a call until it is over and returns it. Failures that may pass (429, 5xx, a
// broken connection) do not end the wait, unless the server asks for a pause of over 10
// minutes; only the context limits it, so give that a deadline. If the
// context ends first the error is a *[WaitError], and the call as last seen is
// returned with it, unless it never was. (GET /v1/calls/{call_id})
//
// A webhook gets the call's end sooner: its event is agent.call_ended.
func (s *CallsService) Wait(ctx context.Context, callID string, params WaitParams, opts ...RequestOption) (*Call, error) {
	params, err := params.withDefaults()
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, callID, nil, params, opts)
}

// CreateAndWait is Create and then Wait; opts go to all of their requests. If the wait fails, the call is returned
// with the error: it was placed. Acts once, as Create does: after [ErrOutcomeUnknown] look for the ToNumber with
// [CallsService.List] before calling again.
func (s *CallsService) CreateAndWait(ctx context.Context, params CreateCallParams, wait WaitParams, opts ...RequestOption) (*Call, error) {
	wait, err := wait.withDefaults()
	if err != nil {
		return nil, err
	}
	call, err := s.Create(ctx, params, opts...)
	if err != nil {
		return nil, err
	}
	if call.ID == "" { // it was placed, and cannot be followed
		return call, &DecodeError{
			Operation: opCreateCall.String(), StatusCode: http.StatusOK, Attempts: 1,
			Err: errors.New("it has no id"), outcomeUnknown: true,
		}
	}
	return s.wait(ctx, call.ID, call, wait, opts)
}

// wait polls. seen is the call as it is known already, or nil.
func (s *CallsService) wait(ctx context.Context, callID string, seen *Call, params WaitParams, opts []RequestOption) (*Call, error) {
	if seen != nil && params.OnUpdate != nil {
		params.OnUpdate(seen)
	}
	pause := params.Interval
	look := seen == nil
	var graceEnd time.Time
	var failed error
	for {
		if look {
			call, err := s.Get(ctx, callID, opts...)
			if err != nil && !mayPass(err) && (ctx == nil || ctx.Err() == nil) {
				return seen, err
			}
			if failed = err; err == nil {
				if params.OnUpdate != nil && (seen == nil || !reflect.DeepEqual(seen, call)) {
					params.OnUpdate(call)
				}
				seen = call
			}
		}
		next := max(jitter(pause), askedToWait(failed))
		if seen != nil && seen.Final() {
			if graceEnd.IsZero() {
				graceEnd = time.Now().Add(params.TranscriptGrace)
			}
			left := time.Until(graceEnd)
			if len(seen.Transcripts) > 0 || left <= 0 || seen.unanswered() {
				return seen, nil
			}
			next = min(next, left)
		}
		if err := sleep(ctx, next); err != nil {
			return seen, ended(callID, seen, err, failed)
		}
		if look {
			pause = min(pause+pause/4, params.MaxInterval)
		}
		look = true
	}
}

// ended is the result of a wait whose context ended. That the transcript of a call that is over
// was still awaited then is no failure.
func ended(callID string, seen *Call, ctxErr, failed error) error {
	e := &WaitError{CallID: callID, Err: ctxErr, Last: failed}
	if seen != nil {
		if seen.Final() {
			return nil
		}
		e.Status = seen.Status
	}
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// jitter is d give or take a tenth, so that many waits do not fall into step.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // spreading load needs no secrecy
}

// askedToWait is the Retry-After of an error.
func askedToWait(err error) time.Duration {
	var answer *APIError
	if errors.As(err, &answer) {
		return answer.RetryAfter
	}
	return 0
}

// maxPause is the longest Retry-After that is waited for where a program waits anyway. Beyond, it should know.
const maxPause = 10 * time.Minute

// mayPass: the same request may succeed within a time that can be waited for.
func mayPass(err error) bool { return transient(err) && askedToWait(err) <= maxPause }

func transient(err error) bool {
	var answer *APIError
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests:
			return true
		case http.StatusNotImplemented:
			return false
		}
		return answer.StatusCode >= 500
	}
	var failed *TransportError
	var unread *DecodeError
	switch {
	case errors.As(err, &failed):
		return !transport.Permanent(failed.Err)
	case errors.As(err, &unread):
		return unread.cut && !transport.Permanent(unread.Err)
	}
	return false
}
