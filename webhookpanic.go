package agentphone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// A handler runs methods of errors and loggers that are not its own, and some of it in goroutines where a panic ends the process. That of
// an error is a common mistake: a nil pointer that was returned as an error panics in Error, Is and Unwrap.

// errorIs is [errors.Is], and false if a method of err panics.
func errorIs(err, target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(err, target)
}

// errorAs is [errors.As], and false if a method of err panics.
func errorAs[T error](err error) (as T, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	ok = errors.As(err, &as)
	return as, ok
}

// isOnly reports whether err is target, or wraps it and no other error. It is false if a method of err panics.
func isOnly(err, target error) (only bool) {
	defer func() {
		if recover() != nil {
			only = false
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return isOnly(err.Unwrap(), target)
	case interface{ Unwrap() []error }:
		errs := err.Unwrap()
		return len(errs) > 0 && !slices.ContainsFunc(errs, func(err error) bool { return !isOnly(err, target) })
	}
	return err == target
}

// loggedText returns what is logged of an error: its text. Given the error itself, a [slog.Handler] would log what the Format or
// MarshalJSON method makes of it. The struct has no method but Error.
func loggedText(err error) (text string) {
	defer func() {
		if recover() != nil { // of a panic whose value cannot be printed either; fmt recovers from others
			text = fmt.Sprintf("%T, whose Error method panicked", err)
		}
	}()
	return redact.Text(fmt.Sprint(struct{ error }{err}), "")
}

// logAttrs logs. If the logger panics, what is being done goes on without it.
func logAttrs(ctx context.Context, logger *slog.Logger, level slog.Level, message string, attrs ...slog.Attr) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintln(os.Stderr, "agentphone: the logger panicked:", panicText(p))
		}
	}()
	logger.LogAttrs(ctx, level, message, attrs...)
}
