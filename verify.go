package agentphone

import "context"

// VerifyService verifies that people have the phone numbers that they say are theirs: [VerifyService.Send] texts a code to a
// number, and [VerifyService.Check] compares it with what the person typed. Each success costs $0.05.
//
// To sign up for an account of your own see [SignupService.Verify].
type VerifyService service

var (
	opSendVerification  = operation{name: "Verify.Send", method: "POST", path: "/v1/verify/send"}
	opCheckVerification = operation{name: "Verify.Check", method: "POST", path: "/v1/verify/check", result: "result"}
)

// VerificationParams are the parameters of [VerifyService.Send].
type VerificationParams struct {
	PhoneNumber string `json:"phone_number"` // required: E.164
}

func (p VerificationParams) validate() error { return requiredE164("phone_number", p.PhoneNumber) }

// Verification is a code that has been sent to a phone number.
type Verification struct {
	VerificationID string `json:"verification_id"` // for [VerifyService.Check]
	Status         string `json:"status"`
}

// Send texts a code of six digits to a phone number. The code is valid for 10 minutes and may be checked 3 times. The API accepts
// 60 requests a minute. (POST /v1/verify/send)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] a code may have been texted whose
// VerificationID is lost, for no list shows it: send again, which texts another code, and let the person type the last one.
func (s *VerifyService) Send(ctx context.Context, params VerificationParams, opts ...RequestOption) (*Verification, error) {
	return do[Verification](ctx, (*service)(s), &opSendVerification, nil, params, opts)
}

// CheckVerificationParams are the parameters of [VerifyService.Check].
type CheckVerificationParams struct {
	VerificationID string `json:"verification_id"` // required: that of [Verification]
	Code           string `json:"code"`            // required: the six digits that the person typed
}

func (p CheckVerificationParams) validate() error {
	if err := firstOf(required("verification_id", p.VerificationID), required("code", p.Code)); err != nil {
		return err
	}
	if len(p.Code) != 6 || !isDigits(p.Code) {
		return &ValidationError{"code", "is not six digits"}
	}
	return nil
}

// VerificationResult is the result of a check. The API may return others than those named here: only [VerificationOK] verifies.
type VerificationResult string

const (
	VerificationOK              VerificationResult = "ok"               // the code is right: the person has the number
	VerificationIncorrect       VerificationResult = "incorrect"        // the code is wrong
	VerificationExhausted       VerificationResult = "exhausted"        // the checks are used up: send another code
	VerificationExpired         VerificationResult = "expired"          // the code is older than 10 minutes: send another
	VerificationAlreadyVerified VerificationResult = "already_verified" // an earlier check of this code was a success
)

// VerificationCheck is the result of [VerifyService.Check].
type VerificationCheck struct {
	Result            VerificationResult `json:"result"`
	AttemptsRemaining *int               `json:"attempts_remaining"` // nil if unknown
}

// Check checks the code that a person typed. Any Result is returned without an error, also one that comes with a status of 4xx
// ([WithResponse] tells the status); a code that is not six digits is a *[ValidationError] and costs no attempt. A success
// ([VerificationOK]) costs $0.05. The API accepts 120 requests a minute. (POST /v1/verify/check)
//
// Not idempotent, for a check spends one of the 3 attempts: it is not retried once it may have been sent. On [ErrOutcomeUnknown]
// check again: if the first check was a success the Result is [VerificationAlreadyVerified], else an attempt may be lost.
func (s *VerifyService) Check(ctx context.Context, params CheckVerificationParams, opts ...RequestOption) (*VerificationCheck, error) {
	return do[VerificationCheck](ctx, (*service)(s), &opCheckVerification, nil, params, opts)
}
