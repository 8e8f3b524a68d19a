package agentphone

import (
	"context"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// Hooks observe what a client ([WithHooks]) and a webhook handler ([WebhookHandlerConfig]) do, for traces and metrics. A nil
// func costs nothing.
//
// Each func is called when something begins. It returns a context for it, derived from the one that it was given, or nil for
// that one; and a func that is called once, when it has ended, or nil. They are called concurrently, in the way of the
// request: they should return soon. A hook that panics is logged, and has no other effect; one that ends its goroutine
// ([runtime.Goexit], as testing.T.FailNow does) ends that of the request.
//
// No hook is given a phone number, a body, the text of an error or the API key: an address is a template.
type Hooks struct {
	// Operation is called for each operation: a request of a method of a service or of [Client.Do], with its retries.
	// Its context is that of the attempts, the key source, the limiter and the store. It begins when the arguments have been
	// checked, so a *[ValidationError] is none, and ends with the result. The operation of a recording, or of a connection of
	// [CallsService.StreamTranscript], ends when all of it has been read. A method that makes several requests has several
	// operations: an iterator has one for each page, [CallsService.Wait] one each time that it asks.
	//
	// A call with an idempotency key is one operation, whether it sends anything or not. What it asks of lists to find the
	// effect of an earlier attempt are attempts, not operations.
	Operation func(ctx context.Context, info OperationInfo) (context.Context, func(OperationResult))
	// Attempt is called for each attempt of a request. Its context is that which the RoundTripper gets. It begins after
	// the waits for the last retry, a pause and the limiter, and ends with the body of the response, or where that is read as
	// it is received, with its header.
	Attempt func(ctx context.Context, info AttemptInfo) (context.Context, func(AttemptResult))
	// Delivery is called by a webhook handler for each request, when that has been verified or refused. The callback and the log
	// records about it get the values of its context, and not its end.
	Delivery func(ctx context.Context, info DeliveryInfo) (context.Context, func(DeliveryResult))
}

// OperationInfo says which operation a request is for.
type OperationInfo struct {
	Service    string // the field of the Client, such as Calls; "" for [Client.Do]
	Method     string // the method of the service whose request it is, such as Create; that of All is List
	HTTPMethod string // such as POST
	Template   string // of the path, such as /v1/calls/{call_id}; {path} for [Client.Do]
	Server     string // host of the base URL, with its port if it has one
	Idempotent bool
	Keyed      bool // it has an idempotency key
}

// String returns HTTP method and template, such as POST /v1/calls: the name that errors and log records have.
func (i OperationInfo) String() string { return i.HTTPMethod + " " + i.Template }

// Outcome is how an operation ended.
type Outcome string

const (
	OutcomeOK Outcome = "ok"
	// OutcomeUnknown is [ErrOutcomeUnknown]: the operation is not idempotent and may have taken effect.
	OutcomeUnknown Outcome = "unknown"
	// OutcomeTemporary may be ok later: [ErrTemporary], or the failure of an idempotent operation that another retry may clear.
	OutcomeTemporary Outcome = "temporary"
	// OutcomeRefused is any other failure: the same request would fail again.
	OutcomeRefused Outcome = "refused"
	// OutcomeCanceled ended with its context, and is not OutcomeUnknown.
	OutcomeCanceled Outcome = "canceled"
)

// Failure is why an operation or an attempt failed. There may be others than those named here.
type Failure string

const (
	FailureStatus     Failure = "status"     // of an operation: the status is not 2xx
	FailureCanceled   Failure = "canceled"   // the context was canceled
	FailureDeadline   Failure = "deadline"   // the deadline of the context passed
	FailureTimeout    Failure = "timeout"    // the timeout of the attempt was over
	FailureConnection Failure = "connection" // no connection, or it broke
	FailurePermanent  Failure = "permanent"  // an invalid certificate, an unknown host, a response over 16 MiB
	FailureRateLimit  Failure = "rate_limit" // the limiter refused an attempt, or the operation is paused
	FailureResponse   Failure = "response"   // a 2xx that cannot be decoded
	FailureStore      Failure = "store"      // the store of idempotency keys failed
	FailureKeyInUse   Failure = "key_in_use" // ErrIdempotencyKeyInUse
	FailureKeyReused  Failure = "key_reused" // ErrIdempotencyKeyReused
	FailureOther      Failure = "other"      // such as a key source that failed
)

// OperationResult is the result of an operation.
type OperationResult struct {
	Outcome  Outcome
	Failure  Failure // why it failed; "" if the outcome is ok
	Status   int     // of the last response; 0 if the last attempt got none, or none was made
	Attempts int     // attempts made
	Duration time.Duration
	// Of an operation with an idempotency key: its result was recorded by an earlier call, or found in a list.
	Replayed   bool
	Reconciled bool
}

// AttemptInfo says which attempt of a request is made.
type AttemptInfo struct {
	Operation OperationInfo
	Number    int // from 1
}

// AttemptResult is the result of an attempt.
type AttemptResult struct {
	Status   int           // of the response; 0 if there was none
	Failure  Failure       // why there was no whole response; "" if there was one, whatever its status
	Sent     bool          // whether the server may have received the request
	Retry    bool          // whether another attempt follows, if it is admitted
	Wait     time.Duration // before that
	Duration time.Duration
}

// DeliveryInfo says what a webhook request delivers. It is zero if the request was refused before that was known.
type DeliveryInfo struct {
	Event      EventType
	Channel    Channel
	DeliveryID string
}

// DeliveryOutcome is what became of a webhook request.
type DeliveryOutcome string

const (
	DeliveryHandled   DeliveryOutcome = "handled"   // the callback succeeded, or there is none for the event
	DeliveryDuplicate DeliveryOutcome = "duplicate" // it was handled before
	DeliveryHeld      DeliveryOutcome = "held"      // another request for the same delivery is being handled
	DeliveryFailed    DeliveryOutcome = "failed"    // the callback returned an error, cannot be called with the event's data, or spoke to a broken connection
	DeliveryPanicked  DeliveryOutcome = "panicked"  // the callback panicked
	DeliveryRefused   DeliveryOutcome = "refused"   // no callback was called: see Status
)

// DeliveryResult is the result of a webhook request.
type DeliveryResult struct {
	Outcome  DeliveryOutcome
	Status   int           // of the response; 0 if the callback ended its goroutine
	Duration time.Duration // since the handler was called
	// FirstWords is how long after the handler was called the first words of the answer to a voice turn were written; 0 if there
	// were none.
	FirstWords time.Duration
}

// WithHooks sets the hooks of a client: their Operation and Attempt. By default there are none.
func WithHooks(hooks Hooks) Option {
	return func(c *config) error {
		c.hooks = hooks
		return nil
	}
}

// OperationFromContext returns which operation a request is for, and whether ctx is the context of one: that which a
// RoundTripper ([WithRoundTripper], [WithHTTPClient]) finds in the request, or that a [Limiter] is given.
func OperationFromContext(ctx context.Context) (OperationInfo, bool) {
	if subject := transport.SubjectOf(ctx); subject != nil {
		if op, ok := subject.Operation.(*operation); ok {
			return op.info(subject), true
		}
	}
	return OperationInfo{}, false
}

func (op *operation) info(subject *transport.Subject) OperationInfo {
	service, method, _ := strings.Cut(op.name, ".")
	return OperationInfo{
		Service: service, Method: method, HTTPMethod: op.method, Template: op.path, Server: subject.Server,
		Idempotent: op.idempotent, Keyed: subject.Keyed,
	}
}
