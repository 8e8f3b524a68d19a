package agentphone

import (
	"errors"
	"fmt"
	"slices"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// causedBy returns the cause of an error, as it may be shown. The cause can be the error of another request: of a look for the effect of
// this one, or of one that a RoundTripper, a Limiter, a KeySource or a Store made with this package. What that error is, this one is
// not: the 429 of a list does not say that nothing was sent.
func causedBy(err error, key string) error {
	if err = redact.Error(err, key); err == nil {
		return nil
	}
	return &cause{err}
}

// cause is an error that is none of this package's kinds.
type cause struct{ error }

// Is reports whether the error is target, unless that is one of the kinds.
func (c *cause) Is(target error) bool {
	return !slices.Contains(kinds, target) && errors.Is(c.error, target)
}

// As finds an error in the chain, unless it is one of this package's types.
func (c *cause) As(target any) bool {
	switch target.(type) {
	case **APIError, **TransportError, **DecodeError, **ValidationError, **PendingError, **WaitError:
		return false
	}
	return errors.As(c.error, target)
}

// Format writes the text, whatever the verb: %#v would print what else the error holds.
func (c *cause) Format(f fmt.State, verb rune) { redact.Print(f, verb, c.Error()) }

// temporaryError is [ErrTemporary]: nothing was sent, because of something that says nothing of the request, such as a vault or a store that
// cannot be reached.
type temporaryError struct{ error }

func (e temporaryError) Unwrap() error        { return e.error }
func (e temporaryError) Is(target error) bool { return target == ErrTemporary }

// kinds are the errors that say what became of a request.
var kinds = []error{
	ErrOutcomeUnknown, ErrTemporary, ErrNoAPIKey,
	ErrBadRequest, ErrUnauthorized, ErrPaymentRequired, ErrForbidden, ErrNotFound, ErrConflict, ErrAccountExists, ErrRateLimited, ErrServer,
	ErrValidation, ErrNumberLimit,
	ErrIdempotencyKeyReused, ErrIdempotencyKeyInUse,
}
