package agentphone

import "github.com/agentphone/agentphone-go/internal/redact"

// WaitError reports a wait that ended before the call did. The call continues, unless it has been Ended; [CallsService.End] ends it.
//
// Its Err and Last may be of a kind such as [ErrRateLimited] or [ErrNotFound], but it is not: a poll that was refused says nothing of the
// request that placed the call. Ask Last, as in errors.Is(waitErr.Last, ErrNotFound).
type WaitError struct {
	CallID string
	Status CallStatus // as of the last successful poll; "" if there was none
	Err    error      // the context's error or, of CreateAndWait only, that of a poll which is not transient
	Last   error      // why the last poll failed, or nil

	// With [WaitParams].EndOnCancel: the call was ended, or why it may still be going on.
	Ended  bool
	EndErr error
}

// Error returns a text of Err, the last status and the error of the last poll.
func (e *WaitError) Error() string {
	text := "agentphone: waiting for the call to end: " + textOf(e.Err)
	if e.Status != "" {
		text += " (last seen status: " + redact.Line(string(e.Status), maxName) + ")"
	}
	if last := textOf(e.Last); e.Last != nil && last != textOf(e.Err) {
		text += "; the last poll failed: " + last
	}
	switch {
	case e.Ended:
		text += "; the call was ended"
	case e.EndErr != nil:
		text += "; ending it failed: " + e.EndErr.Error()
	}
	return redact.Line(text, maxErrorText)
}

// MarshalText returns the text of the error, as that of [TransportError].
func (e *WaitError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns Err and Last, of which [errors.Is] and [errors.As] see everything but this package's kinds and types of errors.
func (e *WaitError) Unwrap() (errs []error) {
	for _, err := range []error{e.Err, e.Last} {
		if err != nil {
			errs = append(errs, &cause{err})
		}
	}
	return errs
}
