package agentphone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// Errors of calls with an idempotency key ([WithIdempotencyKey]). See docs/idempotency.md.
var (
	// ErrIdempotencyKeyReused reports that the key was used with other parameters. Nothing was sent.
	ErrIdempotencyKeyReused = errors.New("agentphone: the idempotency key was used with other parameters")
	// ErrIdempotencyKeyInUse reports that another call with the key is under way, in this process or another. Nothing was sent.
	// It is also [ErrTemporary], and comes as a [*PendingError] that says how long the other may hold the key.
	ErrIdempotencyKeyInUse = errors.New("agentphone: another call with the idempotency key is under way")
)

// WithIdempotencyKey makes a call that is not idempotent take effect at most once, however often, from however many processes
// that share a [Store] ([WithStore]), and after whatever crash it is repeated with the key; every repetition that gets a result
// gets the same one. docs/idempotency.md says under which assumptions. Derive the key from what the call is for (a row, a job, a
// webhook's DeliveryID), never at random: it must be the same when the call is repeated.
//
// A key is UTF-8, of 1 to 255 bytes and without control characters. It belongs to the operation, the base URL's host and the sub-account, so
// different operations may use the same. With other parameters it is [ErrIdempotencyKeyReused]; while another call with it is
// under way, [ErrIdempotencyKeyInUse]. If the outcome of an earlier attempt is unknown, the call looks for its effect before
// it sends anything, and where it cannot know yet returns a [*PendingError], which is [ErrOutcomeUnknown] and says when to ask
// again. On an idempotent operation a key is a *[ValidationError].
func WithIdempotencyKey(key string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		if err := checkIdempotencyKey(key); err != nil {
			return err
		}
		switch {
		case rc.op.idempotent && slices.ContainsFunc(rc.others, func(op *operation) bool { return !op.idempotent }):
			return nil // it is for another request of the method
		case rc.op.idempotent:
			return &ValidationError{"idempotency key", "is not for " + rc.op.String() + ", which is idempotent"}
		}
		rc.idempotencyKey = key
		return nil
	})
}

func checkIdempotencyKey(key string) error {
	const longest = 255
	switch {
	case key == "":
		return &ValidationError{"idempotency key", "is empty"}
	case len(key) > longest:
		return &ValidationError{"idempotency key", fmt.Sprintf("is over %d bytes", longest)}
	case strings.ContainsFunc(key, isControl):
		return &ValidationError{"idempotency key", "has a control character"}
	case !utf8.ValidString(key): // the note of its result could not name it
		return &ValidationError{"idempotency key", "is not UTF-8"}
	}
	return nil
}

// WithStore sets the [Store] of idempotency keys. By default a client has a [MemoryStore] of its own, which knows nothing of other
// processes and forgets everything when the process ends.
func WithStore(store Store) Option {
	return func(c *config) error {
		if isNil(store) {
			return &ValidationError{"store", "is nil"}
		}
		store := bounded(store)
		c.keyed.store = func() Store { return store }
		return nil
	}
}

// WithSettleTime sets how long after an attempt of unknown outcome the API's lists are believed when they do not show its effect, 10
// minutes by default. It must be longer than three things together: how long a process can be suspended between the check of its lease and
// the write of its request, how long a request that was given up on can stay on its way, and how much the lists lag.
func WithSettleTime(d time.Duration) Option {
	return func(c *config) error {
		c.keyed.settle = d
		if d <= 0 {
			return &ValidationError{"settle time", "is not positive"}
		}
		return nil
	}
}

// WithKeyRetention sets how long an idempotency key is remembered after its call was completed, 30 days by default. A call that is
// repeated later than that takes effect again. It must be at least twice the settle time ([WithSettleTime]).
func WithKeyRetention(d time.Duration) Option {
	return func(c *config) error {
		c.keyed.retention = d
		if d <= 0 {
			return &ValidationError{"key retention", "is not positive"}
		}
		return nil
	}
}

// PendingError reports that a call with an idempotency key has no result yet: its key is held by another call
// ([ErrIdempotencyKeyInUse]), or an earlier attempt may have taken effect and cannot be found yet ([ErrOutcomeUnknown]). Nothing
// needs to be undone; repeat the call with the same key.
type PendingError struct {
	Operation  string
	RetryAfter time.Duration // when repeating the call is worth it; 0 if it never is, for no list shows whether the operation had its effect
	Err        error         // what is pending
}

// Error returns a single line: operation, what is pending, when to ask again.
func (e *PendingError) Error() string {
	tail := ""
	if e.RetryAfter > 0 {
		tail = fmt.Sprintf("; ask again with the same key in %v", e.RetryAfter.Round(time.Second))
	}
	text := strings.TrimPrefix(fmt.Sprint(e.Err), "agentphone: "+e.Operation+": ")
	return redact.Line("agentphone: "+e.Operation+": "+strings.TrimPrefix(text, "agentphone: "), maxErrorText-len(tail)) + tail
}

// Unwrap returns what is pending.
func (e *PendingError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrTemporary] and the key is in use.
func (e *PendingError) Is(target error) bool {
	return target == ErrTemporary && errors.Is(e.Err, ErrIdempotencyKeyInUse)
}
