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
	"github.com/agentphone/agentphone-go/internal/transport"
)

// The kinds of failure, for [errors.Is]. One error may be of several kinds: a 409 at sign-up is both ErrAccountExists and
// ErrConflict.
var (
	// ErrOutcomeUnknown reports that a request which is not idempotent (it places a call, sends a message, buys a number,
	// ...) failed in a way that leaves open whether it took effect: a timeout or a reset after it was sent, a 408, a 302 or
	// 303, a 5xx (except 501, and 503 with Retry-After), or a 2xx whose body cannot be read. It was not retried. Before you
	// send it again, find out whether it took effect: the method's documentation says how.
	ErrOutcomeUnknown = errors.New("agentphone: outcome unknown: the request may have taken effect")
	// ErrTemporary reports that a request failed, certainly had no effect, and may succeed later: a 429 that waiting clears, a
	// 503 with Retry-After, or no connection. It is what remains after the retries of the call itself. An error is never both
	// ErrTemporary and ErrOutcomeUnknown, so a batch can sort its failures: ErrOutcomeUnknown (find out), ErrTemporary (again
	// later), ErrUnauthorized and ErrPaymentRequired (stop), else refused for good.
	ErrTemporary = errors.New("agentphone: temporary failure: nothing happened")
	// ErrNoAPIKey reports that the operation needs a key and the client has none. Nothing was sent.
	ErrNoAPIKey = errors.New("agentphone: no API key")

	ErrBadRequest      = errors.New("agentphone: bad request")                     // 400
	ErrUnauthorized    = errors.New("agentphone: unauthorized")                    // 401: the key is wrong or revoked
	ErrPaymentRequired = errors.New("agentphone: payment required")                // 402, or code INSUFFICIENT_BALANCE
	ErrForbidden       = errors.New("agentphone: forbidden")                       // 403
	ErrNotFound        = errors.New("agentphone: not found")                       // 404
	ErrConflict        = errors.New("agentphone: conflict")                        // 409
	ErrAccountExists   = errors.New("agentphone: the account exists already")      // 409 at sign-up
	ErrValidation      = errors.New("agentphone: invalid input")                   // 422, 400 with a code VALIDATION_ERROR..., or a *ValidationError
	ErrNumberLimit     = errors.New("agentphone: the limit of numbers is reached") // code VALIDATION_ERROR_NUMBER_LIMIT
	ErrRateLimited     = errors.New("agentphone: rate limited")                    // 429: nothing was done; see ErrTemporary
	ErrServer          = errors.New("agentphone: server error")                    // 5xx
)

// Values of [APIError].Code that the API is known to send. It may send others.
const (
	CodeValidation          = "VALIDATION_ERROR"
	CodeNumberLimit         = "VALIDATION_ERROR_NUMBER_LIMIT"
	CodeInsufficientBalance = "INSUFFICIENT_BALANCE"
	CodeRateLimitExceeded   = "RATE_LIMIT_EXCEEDED"
	CodeRateLimited         = "RATE_LIMITED" // the same
	CodePhoneNumberNotFound = "PHONE_NUMBER_NOT_FOUND"
	CodeCarrier             = "CARRIER_ERROR"
	CodeTwilio              = "TWILIO_ERROR" // the old name of CodeCarrier
	CodeInvalidURL          = "VALIDATION_ERROR_URL"
	CodeWhatsAppNotEnabled  = "WHATSAPP_NOT_ENABLED" // 403
	CodeInboundOnly         = "INBOUND_ONLY"         // the number cannot send
)

// Codes of a 429 that waiting does not clear: only a reply of the human, or the next day, does. They are not retried, and are
// [ErrRateLimited] but not [ErrTemporary].
const (
	CodeConversationStreakLimit     = "CONVERSATION_STREAK_LIMIT"      // too many texts in a row without a reply
	CodeConversationAwaitingReply   = "CONVERSATION_AWAITING_REPLY"    // the human has not replied yet
	CodeConversationInactive        = "CONVERSATION_INACTIVE"          // the human has not written for too long
	CodeOutboundLimitReached        = "OUTBOUND_LIMIT_REACHED"         // the day's texts are used up
	CodeNewConversationLimitReached = "NEW_CONVERSATION_LIMIT_REACHED" // the day's new conversations are used up
)

func isLastingResponse(res *transport.Response) bool {
	return isLasting(newAPIError(&operation{}, res).Code)
}

// isLasting reports whether waiting does not clear a 429 with a code.
func isLasting(code string) bool {
	switch code {
	case CodeConversationStreakLimit, CodeConversationAwaitingReply, CodeConversationInactive,
		CodeOutboundLimitReached, CodeNewConversationLimitReached:
		return true
	}
	return false
}

// APIError reports a response with a status other than 2xx, whether its body is one of the API's error objects or a proxy's
// HTML. Test for its kind with [errors.Is] and the sentinel errors above.
//
// Printed with any verb, or logged, it is its one-line text.
type APIError struct {
	StatusCode int
	Code       string        // the API's code, such as INSUFFICIENT_BALANCE; "" if it gave none. A list of invalid fields is VALIDATION_ERROR.
	Type       string        // the API's type of error, if it gave one
	Message    string        // the API's message; for invalid fields a summary of Details
	Details    []FieldError  // the invalid fields of a 422
	RequestID  string        // header X-Request-Id, to quote to support
	RetryAfter time.Duration // how long the server asks to wait (header Retry-After); 0 if it does not say
	Attempts   int           // requests made in all
	Operation  string        // method and path template: POST /v1/calls
	Body       []byte        `json:"-"` // as received, at most 64 KiB, with the client's key redacted

	outcomeUnknown bool
	hasRetryAfter  bool // also if RetryAfter is 0
}

// FieldError describes one invalid field of a request.
type FieldError struct {
	Field   string // its path in the request, such as toNumber or customTools.0.url
	Message string
	Type    string // the API's name of the rule, such as missing
}

// Error returns a single line: operation, status, code, message, attempts.
func (e *APIError) Error() string {
	tail := attemptsText(e.Attempts)
	if e.RequestID != "" {
		tail = " (request_id=" + redact.Line(e.RequestID, maxName) + ", attempts=" + strconv.Itoa(e.Attempts) + ")"
	}
	return errorText(e.Operation, e.summary(), tail, e.outcomeUnknown)
}

// summary returns status, code and message: 422 VALIDATION_ERROR: toNumber: field required.
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

// Is reports whether the error is of the kind that target, one of the package's sentinel errors, stands for.
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
		return !e.outcomeUnknown && (s == http.StatusTooManyRequests && !isLasting(e.Code) ||
			s == http.StatusServiceUnavailable && (e.hasRetryAfter || e.RetryAfter > 0))
	case ErrRateLimited:
		return s == http.StatusTooManyRequests
	case ErrServer:
		return s >= 500
	}
	return false
}

// Format prints the error's text whatever the verb: %#v would print the body.
func (e *APIError) Format(f fmt.State, verb rune) { formatText(f, verb, e.Error()) }

// LogValue returns the error's text.
func (e *APIError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// TransportError reports a request that got no response: the connection failed, an attempt took longer than [WithTimeout]
// (then it is also [context.DeadlineExceeded]), or the context ended. It unwraps to its cause, and if the context ended while
// the call waited to retry, also to the failure before that, such as an *[APIError] with status 429.
type TransportError struct {
	Operation string
	Attempts  int   // requests made in all; 0 if nothing was sent
	Err       error // the cause
	Last      error // the failure before the wait in which the context ended, or nil

	outcomeUnknown bool
	temporary      bool
}

// Error returns a single line: operation, cause, the failure that was to be retried, attempts.
func (e *TransportError) Error() string {
	text := redact.Line(fmt.Sprint(e.Err), redact.MaxText)
	var response *APIError
	switch {
	case errors.As(e.Last, &response):
		text += " while waiting to retry after " + response.summary()
	case e.Last != nil:
		text += " while waiting to retry after " + e.Last.Error()
	}
	return errorText(e.Operation, text, attemptsText(e.Attempts), e.outcomeUnknown)
}

// Unwrap returns the cause and, if there is one, the failure that was to be retried.
func (e *TransportError) Unwrap() []error {
	if e.Last != nil {
		return []error{e.Err, e.Last}
	}
	return []error{e.Err}
}

// Is reports whether target is [ErrOutcomeUnknown] and the request may have taken effect, or [ErrTemporary] and it was not sent.
func (e *TransportError) Is(target error) bool {
	return target == ErrOutcomeUnknown && e.outcomeUnknown || target == ErrTemporary && e.temporary
}

// DecodeError reports a 2xx response that cannot be read: it is empty, not JSON, of another shape, cut short, larger than
// 32 MiB, or has over 10,000 items. The request took effect; if it is not idempotent, the error is also [ErrOutcomeUnknown].
type DecodeError struct {
	Operation  string
	StatusCode int
	RequestID  string
	Attempts   int
	Body       []byte `json:"-"` // as received, at most 64 KiB, with the client's key redacted; nil if it was cut short
	Err        error

	outcomeUnknown bool
	cut            bool // the connection broke within the body
}

// Error returns a single line: operation, status, what is wrong with the response, attempts.
func (e *DecodeError) Error() string {
	return errorText(e.Operation, fmt.Sprintf("decode %d response: %v", e.StatusCode, e.Err), attemptsText(e.Attempts), e.outcomeUnknown)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrOutcomeUnknown] and the request may have taken effect.
func (e *DecodeError) Is(target error) bool { return target == ErrOutcomeUnknown && e.outcomeUnknown }

// Format prints the error's text whatever the verb: %#v would print the body.
func (e *DecodeError) Format(f fmt.State, verb rune) { formatText(f, verb, e.Error()) }

// LogValue returns the error's text.
func (e *DecodeError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// ValidationError reports invalid input; nothing was sent. It is also [ErrValidation].
type ValidationError struct {
	Field  string // as the API names it, such as toNumber or agent_id
	Reason string // never holds the value
}

// Error returns the field and what is wrong with it.
func (e *ValidationError) Error() string { return "agentphone: " + e.Field + ": " + e.Reason }

// Is reports whether target is ErrValidation.
func (e *ValidationError) Is(target error) bool { return target == ErrValidation }

func attemptsText(n int) string { return " (attempts=" + strconv.Itoa(n) + ")" }

const (
	maxErrorText = 1024 // bytes of the text of an error
	maxName      = 100  // of a code or an id in it
)

// errorText returns a line of at most maxErrorText bytes, whatever a server put into text. What stands at the end is kept.
func errorText(operation, text, tail string, outcomeUnknown bool) string {
	if outcomeUnknown {
		tail += "; it may have taken effect: look before trying again"
	}
	return redact.Line("agentphone: "+operation+": "+text, maxErrorText-len(tail)) + tail
}

func formatText(f fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = f.Write([]byte(text))
}
