package agentphone

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// startHook calls a hook at the beginning of something. It returns the context for that, and a func to be called at its end.
func startHook[I, R any](
	ctx context.Context, logger *slog.Logger, name string, hook func(context.Context, I) (context.Context, func(R)), info I,
) (derived context.Context, end func(R)) {
	derived, end = ctx, func(R) {}
	defer logHookPanic(ctx, logger, name)
	returned, ended := hook(ctx, info)
	if returned != nil {
		derived = transport.PlainContext(returned)
	}
	if ended != nil {
		end = func(result R) {
			defer logHookPanic(ctx, logger, name)
			ended(result)
		}
	}
	return derived, end
}

// logHookPanic is deferred: it logs a panic instead of passing it on.
func logHookPanic(ctx context.Context, logger *slog.Logger, name string) {
	p := recover()
	if p == nil {
		return
	}
	if logger == nil {
		logger = slog.Default() // a mistake in the program must not go unseen
	}
	logAttrs(ctx, logger, slog.LevelError, "agentphone: a hook panicked",
		slog.String("hook", name), slog.String("panic", panicText(p)), slog.String("stack", string(debug.Stack())))
}

// observed is an operation that has a hook. All of its methods may be called on nil, for one that has none.
type observed struct {
	ctx    context.Context
	op     *operation
	began  time.Time
	end    func(OperationResult)
	result OperationResult
}

// observe begins an operation. It returns the context for it, and nil if it has no hook.
func (c *Client) observe(ctx context.Context, op *operation, req *transport.Request, rc *requestConfig) (context.Context, *observed) {
	if c.cfg.hooks.Operation == nil || rc.unobserved {
		return ctx, nil
	}
	o := &observed{op: op, began: time.Now()}
	o.ctx, o.end = startHook(ctx, c.cfg.transport.Logger, "Operation", c.cfg.hooks.Operation, op.info(&req.Subject))
	return o.ctx, o
}

// received notes what the transport returned.
func (o *observed) received(res *transport.Response, err error) {
	if o == nil {
		return
	}
	if err == nil {
		o.result.Status, o.result.Attempts = res.Status, res.Attempts
		return
	}
	var failed *transport.Error
	if !errors.As(err, &failed) {
		return
	}
	o.result.Attempts = failed.Attempts
	switch {
	case failed.Cut != nil:
		o.result.Status = failed.Cut.Status
	case failed.Last != nil && failed.Last == failed.Received:
		o.result.Status = failed.Last.Status
	}
}

// mark notes that the result of an operation with an idempotency key was recorded by an earlier call, or else was found in a
// list.
func (o *observed) mark(status int, replayed bool) {
	if o != nil {
		o.result.Status, o.result.Replayed, o.result.Reconciled = status, replayed, !replayed
	}
}

// finish ends the operation with what its method returns.
func (o *observed) finish(err error) {
	if o == nil {
		return
	}
	o.result.Outcome = OutcomeOK
	if err != nil {
		o.result.Outcome, o.result.Failure = outcomeOf(o.ctx, o.op, err), failureOf(o.ctx, err)
	}
	o.result.Duration = time.Since(o.began)
	o.end(o.result)
}

func outcomeOf(ctx context.Context, op *operation, err error) Outcome {
	switch {
	case errors.Is(err, ErrOutcomeUnknown):
		return OutcomeUnknown
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return OutcomeCanceled
	case errors.Is(err, ErrTemporary), op.idempotent && isTransient(err):
		return OutcomeTemporary
	}
	return OutcomeRefused
}

func failureOf(ctx context.Context, err error) Failure {
	var store *keyStoreError
	var failed *TransportError
	var response *APIError
	var undecodable *DecodeError
	switch {
	case errors.Is(err, ErrIdempotencyKeyInUse):
		return FailureKeyInUse
	case errors.Is(err, ErrIdempotencyKeyReused):
		return FailureKeyReused
	case errors.As(err, &store):
		return FailureStore
	case errors.As(err, &failed):
		return Failure(transport.Failure(ctx, failed.Err))
	case errors.As(err, &response):
		return FailureStatus
	case errors.As(err, &undecodable):
		return FailureResponse
	}
	return FailureOther
}

// observeAttempt is the Attempt hook as the transport calls it.
func (c *config) observeAttempt(ctx context.Context, subject *transport.Subject, number int) (context.Context, func(transport.AttemptResult)) {
	op, ok := subject.Operation.(*operation)
	if !ok {
		return ctx, func(transport.AttemptResult) {}
	}
	ctx, end := startHook(ctx, c.transport.Logger, "Attempt", c.hooks.Attempt, AttemptInfo{op.info(subject), number})
	return ctx, func(r transport.AttemptResult) {
		end(AttemptResult{
			Status: r.Status, Failure: Failure(r.Failure), Sent: r.Sent, Retry: r.Retry, Wait: r.Wait, Duration: r.Duration,
		})
	}
}
