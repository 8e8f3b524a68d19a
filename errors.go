package agentphone

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// The kinds of errors, for [errors.Is]. An error may be of several kinds: a 409 at sign-up is both ErrAccountExists and
// ErrConflict.
var (
	// ErrOutcomeUnknown reports that a request that is not idempotent (it places a call, sends a message, buys a
	// number) failed, and may have taken effect: a timeout or a broken connection after it was sent, a 408, 460 or 499, a 302 or
	// 303, a 5xx (except 501, and 503 with Retry-After), or a 2xx whose body cannot be read. It was not retried. Check
	// whether it took effect before you send it again: the method's documentation says where. The methods that look for
	// an effect, such as [MessagesService.FindSent], return it if a list has what may be the effect, or not.
	ErrOutcomeUnknown = errors.New("agentphone: outcome unknown: the request may have taken effect")
	// ErrTemporary reports that a request failed, retries included, certainly had no effect, and may succeed later: a
	// 429 that waiting clears, a 503 with Retry-After, no connection, a refusal of the [Limiter], or a
	// failure of the key's source ([WithKeySource]). An error is never
	// both ErrTemporary and ErrOutcomeUnknown, so that a program that sends many requests can sort their errors: after
	// ErrOutcomeUnknown check, after ErrTemporary try again later, after ErrUnauthorized and ErrPaymentRequired stop;
	// anything else was refused for good, but for a *[WaitError]: the call was placed.
	ErrTemporary = errors.New("agentphone: temporary failure: nothing happened")
	// ErrNoAPIKey reports that the operation needs a key and the client has none. Nothing was sent.
	ErrNoAPIKey = errors.New("agentphone: no API key")

	ErrBadRequest      = errors.New("agentphone: bad request")                // 400
	ErrUnauthorized    = errors.New("agentphone: unauthorized")               // 401: the key is wrong or revoked
	ErrPaymentRequired = errors.New("agentphone: payment required")           // 402, or CodeInsufficientBalance
	ErrForbidden       = errors.New("agentphone: forbidden")                  // 403
	ErrNotFound        = errors.New("agentphone: not found")                  // 404
	ErrConflict        = errors.New("agentphone: conflict")                   // 409
	ErrAccountExists   = errors.New("agentphone: the account exists already") // 409 at sign-up
	ErrRateLimited     = errors.New("agentphone: rate limited")               // 429: it had no effect; see ErrTemporary
	ErrServer          = errors.New("agentphone: server error")               // 5xx

	// ErrValidation reports invalid input: a *[ValidationError], a 422, or a 400 whose code begins with
	// VALIDATION_ERROR.
	ErrValidation = errors.New("agentphone: invalid input")
	// ErrNumberLimit reports that the account cannot have more numbers (CodeNumberLimit).
	ErrNumberLimit = errors.New("agentphone: the limit of numbers is reached")
)

// Values of [APIError].Code that the API is known to send. It may send others.
const (
	CodeValidation          = "VALIDATION_ERROR"
	CodeNumberLimit         = "VALIDATION_ERROR_NUMBER_LIMIT"
	CodeInsufficientBalance = "INSUFFICIENT_BALANCE"
	CodeRateLimitExceeded   = "RATE_LIMIT_EXCEEDED"
	CodeRateLimited         = "RATE_LIMITED" // means the same
	CodePhoneNumberNotFound = "PHONE_NUMBER_NOT_FOUND"
	CodeCarrier             = "CARRIER_ERROR"
	CodeTwilio              = "TWILIO_ERROR" // the old name of CodeCarrier
	CodeInvalidURL          = "VALIDATION_ERROR_URL"
	CodeWhatsAppNotEnabled  = "WHATSAPP_NOT_ENABLED" // 403
	CodeInboundOnly         = "INBOUND_ONLY"         // the number cannot send
)

// Codes of a 429 that only a reply of the human or the next day clears. It is not retried, and is [ErrRateLimited] but
// not [ErrTemporary].
const (
	CodeConversationStreakLimit     = "CONVERSATION_STREAK_LIMIT"      // too many texts in a row without a reply
	CodeConversationAwaitingReply   = "CONVERSATION_AWAITING_REPLY"    // the human has not replied yet
	CodeConversationInactive        = "CONVERSATION_INACTIVE"          // the human has not written for too long
	CodeOutboundLimitReached        = "OUTBOUND_LIMIT_REACHED"         // the day's texts are used up
	CodeNewConversationLimitReached = "NEW_CONVERSATION_LIMIT_REACHED" // the day's new conversations are used up
)

// isPermanentLimit reports whether code is that of a limit which no retry clears.
func isPermanentLimit(code string) bool {
	switch code {
	case CodeConversationStreakLimit, CodeConversationAwaitingReply, CodeConversationInactive,
		CodeOutboundLimitReached, CodeNewConversationLimitReached:
		return true
	}
	return false
}

// APIError reports a response with a status other than 2xx, whether its body is one of the API's error objects or a
// proxy's HTML. Test for its kind with [errors.Is] and the variables above, such as [ErrNotFound].
//
// Printed with any verb, or logged, it is the one line that Error returns.
type APIError struct {
	StatusCode int           // HTTP status, such as 404
	Code       string        // the API's code, such as CodeInsufficientBalance; "" if it gave none
	Type       string        // the API's type of error; "" if it gave none
	Message    string        // the API's message; for invalid fields a summary of Details
	Details    []FieldError  // the invalid fields of a 422, whose Code is CodeValidation
	RequestID  string        // header X-Request-Id, to quote to support
	RetryAfter time.Duration // how long the server asks to wait (header Retry-After); 0 if it does not say
	Attempts   int           // attempts made in all
	Operation  string        // method and path template, such as POST /v1/calls
	Body       []byte        `json:"-"` // as received, at most 64 KiB, with the client's key redacted

	outcomeUnknown bool
	hasRetryAfter  bool // true also for a Retry-After of 0
	repeats        bool // an earlier attempt may have had an effect
	isAPIs         bool // the body is one of the API's error objects, not a proxy's
}

// FieldError describes one invalid field of a request.
type FieldError struct {
	Field   string // its path in the request, such as toNumber or customTools.0.url
	Message string // what is wrong with it, such as "field required"
	Type    string // the API's name of the rule that it breaks, such as missing
}

// Error returns a single line: operation, status, code, message, attempts.
func (e *APIError) Error() string {
	tail := attemptsText(e.Attempts)
	if e.RequestID != "" {
		tail = " (request_id=" + redact.Line(e.RequestID, maxName) + ", attempts=" + strconv.Itoa(e.Attempts) + ")"
	}
	return errorText(e.Operation, e.summary(), tail, e.outcomeUnknown)
}

// summary returns status, code and message, such as "422 VALIDATION_ERROR: toNumber: field required".
func (e *APIError) summary() string {
	text := strconv.Itoa(e.StatusCode)
	if name := cmp.Or(e.Code, http.StatusText(e.StatusCode)); name != "" {
		text += " " + redact.Line(name, maxName)
	}
	if e.Message != "" {
		text += ": " + redact.Line(e.Message, redact.MaxText)
	}
	return text
}

// Is reports whether the error is of the kind of target, such as [ErrNotFound].
func (e *APIError) Is(target error) bool {
	switch s := e.StatusCode; target {
	case ErrOutcomeUnknown:
		return e.outcomeUnknown
	case ErrBadRequest:
		return s == http.StatusBadRequest
	case ErrUnauthorized:
		return s == http.StatusUnauthorized
	case ErrPaymentRequired:
		return s == http.StatusPaymentRequired || e.Code == CodeInsufficientBalance
	case ErrForbidden:
		return s == http.StatusForbidden
	case ErrNotFound:
		return s == http.StatusNotFound
	case ErrConflict:
		return s == http.StatusConflict
	case ErrAccountExists:
		return s == http.StatusConflict && e.Operation == opSignup.String()
	case ErrValidation:
		return s == http.StatusUnprocessableEntity ||
			s == http.StatusBadRequest && strings.HasPrefix(e.Code, CodeValidation)
	case ErrNumberLimit:
		return e.Code == CodeNumberLimit
	case ErrTemporary:
		return !e.outcomeUnknown && !e.repeats && (s == http.StatusTooManyRequests && !isPermanentLimit(e.Code) ||
			s == http.StatusServiceUnavailable && (e.hasRetryAfter || e.RetryAfter > 0))
	case ErrRateLimited:
		return s == http.StatusTooManyRequests
	case ErrServer:
		return s >= 500
	}
	return false
}

// Format writes what Error returns, whatever the verb: %#v would print the body.
func (e *APIError) Format(f fmt.State, verb rune) { redact.Print(f, verb, e.Error()) }

// LogValue returns what Error returns.
func (e *APIError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// TransportError reports a request that got no response: the connection failed, an attempt exceeded [WithTimeout] (then
// the error is also [context.DeadlineExceeded]), the context ended, or the next attempt was not to be made
// ([WithRateLimiter]). It unwraps to its cause, and if the client waited to retry, also to the failure before the wait, such
// as an *[APIError] with status 429. Of the cause only the text is shown, however it is printed; errors.Is and errors.As
// find what it is.
type TransportError struct {
	Operation string // method and path template, such as POST /v1/calls
	Attempts  int    // attempts made in all; 0 if nothing was sent
	Err       error  // the cause
	Last      error  // the failure before the wait in which the request ended; nil if it did not end in a wait

	outcomeUnknown bool
	temporary      bool
}

// Error returns a single line: operation, cause, the failure before the wait, attempts.
func (e *TransportError) Error() string {
	text := redact.Line(textOf(e.Err), redact.MaxText)
	var response *APIError
	switch {
	case errors.As(e.Last, &response):
		text += " while waiting to retry after " + response.summary()
	case e.Last != nil:
		text += " while waiting to retry after " + e.Last.Error()
	}
	return errorText(e.Operation, text, attemptsText(e.Attempts), e.outcomeUnknown)
}

// Unwrap returns Err and, unless it is nil, Last.
func (e *TransportError) Unwrap() []error {
	if e.Last != nil {
		return []error{e.Err, e.Last}
	}
	return []error{e.Err}
}

// Is reports whether target is [ErrOutcomeUnknown] and the request may have taken effect, or [ErrTemporary] and it was
// not sent.
func (e *TransportError) Is(target error) bool {
	return target == ErrOutcomeUnknown && e.outcomeUnknown || target == ErrTemporary && e.temporary
}

// Format writes what Error returns, whatever the verb: %#v would print the fields of Err.
func (e *TransportError) Format(f fmt.State, verb rune) { redact.Print(f, verb, e.Error()) }

// MarshalText returns the text of the error: encoded as JSON, Err could hold more than is to be shown.
func (e *TransportError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// DecodeError reports a 2xx response that cannot be decoded: it is empty, not JSON, of another shape, an error object, without the id of
// what was created, cut short, larger than 16 MiB, or would take over 32 MiB when it is decoded. The server reported success. For an operation
// that is not idempotent the error is also [ErrOutcomeUnknown].
type DecodeError struct {
	Operation  string // method and path template, such as POST /v1/calls
	StatusCode int    // HTTP status, such as 200
	RequestID  string // header X-Request-Id, to quote to support
	Attempts   int    // attempts made in all
	Body       []byte `json:"-"` // as received, at most 64 KiB, with the client's key redacted; nil if it was cut short
	Err        error  // what is wrong with the response

	outcomeUnknown bool
	cut            bool // the connection broke within the body
}

// Error returns a single line: operation, status, what is wrong with the response, attempts.
func (e *DecodeError) Error() string {
	text := fmt.Sprintf("decode %d response: %s", e.StatusCode, textOf(e.Err))
	return errorText(e.Operation, text, attemptsText(e.Attempts), e.outcomeUnknown)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrOutcomeUnknown] and the request may have taken effect.
func (e *DecodeError) Is(target error) bool { return target == ErrOutcomeUnknown && e.outcomeUnknown }

// Format writes what Error returns, whatever the verb: %#v would print the body.
func (e *DecodeError) Format(f fmt.State, verb rune) { redact.Print(f, verb, e.Error()) }

// LogValue returns what Error returns.
func (e *DecodeError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// ValidationError reports invalid input; nothing was sent. It is also [ErrValidation].
type ValidationError struct {
	Field  string // the API's field name, such as toNumber, or the name of the Go argument, field or option
	Reason string // what is wrong with it; it never quotes the value
}

// Error returns a single line: the field and the reason.
func (e *ValidationError) Error() string { return "agentphone: " + e.Field + ": " + e.Reason }

// Is reports whether target is [ErrValidation].
func (e *ValidationError) Is(target error) bool { return target == ErrValidation }

func attemptsText(n int) string { return " (attempts=" + strconv.Itoa(n) + ")" }

const (
	maxErrorText = 1024 // bytes of the text of an error
	maxName      = 100  // of a code or an id in it
)

// errorText returns a line of at most maxErrorText bytes, whatever a server put into text. If it has to be cut, tail is
// kept.
func errorText(operation, text, tail string, outcomeUnknown bool) string {
	if outcomeUnknown {
		tail += "; it may have taken effect: check before retrying"
	}
	return redact.Line("agentphone: "+operation+": "+text, maxErrorText-len(tail)) + tail
}

// textOf returns the text of the cause of an error. Package fmt would let the cause format itself.
func textOf(err error) string {
	if err == nil {
		return "no cause"
	}
	return err.Error()
}
