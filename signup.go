package agentphone

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// SignupService makes an account, for an agent that has none. Its two methods need
// no key and send none, so a client made with NewClient("") will do.
type SignupService service

var (
	opSignup       = operation{method: "POST", path: "/v0/agent/sign-up", noKey: true}
	opVerifySignup = operation{method: "POST", path: "/v0/agent/verify", noKey: true}
)

// SignupParams are the parameters of [SignupService.Start].
type SignupParams struct {
	HumanEmail string `json:"human_email"`         // required: where the code is sent
	AgentName  string `json:"agent_name,omitzero"` // of the starter agent; made up if empty
}

func (p SignupParams) validate() error { return required("human_email", p.HumanEmail) }

// Signup is a sign-up that waits for its code.
type Signup struct {
	VerificationID string    `json:"verification_id"`
	HumanEmail     string    `json:"human_email"`
	ExpiresAt      Timestamp `json:"expires_at"`
	Message        string    `json:"message"`
}

// Start begins a sign-up: a six-digit code goes to the human's email. Nothing is made
// before [SignupService.Verify]. (POST /v0/agent/sign-up)
//
// [ErrAccountExists]: the email has an account; ask its owner for a key rather than try
// another email. Acts once: after [ErrOutcomeUnknown] look whether the code arrived; starting
// again sends another email and makes another VerificationID.
func (s *SignupService) Start(ctx context.Context, params SignupParams, opts ...RequestOption) (*Signup, error) {
	return do[Signup](ctx, (*service)(s), &opSignup, nil, params, opts)
}

// VerifySignupParams are the parameters of [SignupService.Verify].
type VerifySignupParams struct {
	VerificationID string `json:"verification_id"` // required: from Start
	OTPCode        string `json:"otp_code"`        // required: the six digits from the email
	Source         string `json:"source,omitzero"` // what the sign-up came from
}

func (p VerifySignupParams) validate() error {
	return firstOf(required("verification_id", p.VerificationID), required("otp_code", p.OTPCode))
}

// Account is a new account with its starter agent and number. Printed or logged, it does
// not show its key; encoded as JSON, or within an unexported field of a struct that is printed, it does.
type Account struct {
	AccountID   string `json:"account_id"`
	AgentID     string `json:"agent_id"`
	NumberID    string `json:"number_id"`
	PhoneNumber string `json:"phone_number"`
	APIKey      string `json:"api_key"` // given this once: store it
}

// Verify ends a sign-up: it makes the account, a phone number, a starter agent and the
// key. (POST /v0/agent/verify)
//
// Acts once: after [ErrOutcomeUnknown] the account may exist, but its key was lost with the
// answer. Trying the code again is harmless; if it is refused, the human makes a new key
// in the dashboard.
func (s *SignupService) Verify(ctx context.Context, params VerifySignupParams, opts ...RequestOption) (*Account, error) {
	return do[Account](ctx, (*service)(s), &opVerifySignup, nil, params, opts)
}

// String is the account without its key.
func (a Account) String() string {
	return fmt.Sprintf("Account{AccountID:%s AgentID:%s NumberID:%s PhoneNumber:%s APIKey:%s}",
		a.AccountID, a.AgentID, a.NumberID, a.PhoneNumber, redact.Mark)
}

// Format prints String whatever the verb.
func (a Account) Format(f fmt.State, verb rune) { formatText(f, verb, a.String()) }

// LogValue is String.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.String()) }
