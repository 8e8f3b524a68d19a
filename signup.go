package agentphone

import (
	"context"
	"fmt"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// SignupService creates an account in two steps, [SignupService.Start] and [SignupService.Verify]. Neither sends an API
// key, so a client made with NewClient("") has all that they need.
type SignupService service

var (
	opSignup       = operation{name: "Signup.Start", method: "POST", path: "/v0/agent/sign-up", noKey: true}
	opVerifySignup = operation{name: "Signup.Verify", method: "POST", path: "/v0/agent/verify", noKey: true}
)

// SignupParams are the parameters of [SignupService.Start].
type SignupParams struct {
	HumanEmail string `json:"human_email"`         // required: the email address that the code is sent to
	AgentName  string `json:"agent_name,omitzero"` // name of the first agent; the API makes one up if it is empty
}

func (p SignupParams) validate() error { return required("human_email", p.HumanEmail) }

// Signup is a sign-up that has begun and waits for [SignupService.Verify].
type Signup struct {
	VerificationID string    `json:"verification_id"` // for [SignupService.Verify]
	HumanEmail     string    `json:"human_email"`     // the address that the code was sent to
	ExpiresAt      Timestamp `json:"expires_at"`      // when the code expires
	Message        string    `json:"message"`         // from the API, for the human
}

// Start begins a sign-up: it sends a code of six digits to the human by email. Nothing is created until
// [SignupService.Verify]. The API accepts 10 requests a minute. (POST /v0/agent/sign-up)
//
// It fails with [ErrAccountExists] if the address has an account: its owner can generate an API key in the dashboard.
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] the code may have been sent, but
// its VerificationID is lost: call Start again, which sends another code with a VerificationID of its own.
func (s *SignupService) Start(ctx context.Context, params SignupParams, opts ...RequestOption) (*Signup, error) {
	return do[Signup](ctx, (*service)(s), &opSignup, nil, params, opts)
}

// VerifySignupParams are the parameters of [SignupService.Verify].
type VerifySignupParams struct {
	VerificationID string `json:"verification_id"` // required: that of [Signup]
	OTPCode        string `json:"otp_code"`        // required: the six digits from the email
	Source         string `json:"source,omitzero"` // where the sign-up comes from; may be empty
}

func (p VerifySignupParams) validate() error {
	return firstOf(required("verification_id", p.VerificationID), required("otp_code", p.OTPCode))
}

// Account is a new account with its first agent and phone number.
//
// Its APIKey is not shown if it is printed with any verb or logged with log/slog, but is if it is encoded as JSON or
// printed as an unexported field of another struct.
type Account struct {
	AccountID   string `json:"account_id"`
	AgentID     string `json:"agent_id"`     // the first agent
	NumberID    string `json:"number_id"`    // its number
	PhoneNumber string `json:"phone_number"` // that number, in E.164
	APIKey      string `json:"api_key"`      // returned only once: store it
}

// Verify completes a sign-up: it creates the account with a phone number, an agent and an API key. The account has a
// credit of $5.00, which covers the number's first month. The API accepts 20 requests a minute. (POST /v0/agent/verify)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] the account may exist, but its
// API key was lost with the response. Verifying again does no harm; if the code is refused, the human can generate an
// API key in the dashboard.
func (s *SignupService) Verify(ctx context.Context, params VerifySignupParams, opts ...RequestOption) (*Account, error) {
	return do[Account](ctx, (*service)(s), &opVerifySignup, nil, params, opts)
}

// String returns a text of the account without its API key.
func (a Account) String() string {
	return fmt.Sprintf("Account{AccountID:%s AgentID:%s NumberID:%s PhoneNumber:%s APIKey:%s}",
		a.AccountID, a.AgentID, a.NumberID, a.PhoneNumber, redact.Mark)
}

// Format writes what String returns, whatever the verb.
func (a Account) Format(f fmt.State, verb rune) { redact.Print(f, verb, a.String()) }
