package agentphonetest

import (
	"crypto/subtle"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// verification is a code that was texted to a phone, to find out whether somebody has it.
type verification struct {
	id, phone, code string
	sent            time.Time
	checks          int // how often a code was compared
	verified        bool
}

func (v *verification) ident() string { return v.id }

const maxChecks = 3

var verifyOperations = []*operation{
	post("/v1/verify/send", (*Server).sendVerification, schema.Fields{
		schema.Text("phone_number").Required().Format(e164Format),
	}),
	post("/v1/verify/check", (*Server).checkVerification, schema.Fields{
		schema.Text("verification_id").Required(),
		schema.Text("code").Required().Format(codeFormat),
	}),
}

func codeFormat(s string) string {
	if len(s) != 6 || !isDigits(s) {
		return "code must be 6 digits"
	}
	return ""
}

// sendVerification texts a new code. One that was sent before to the same phone stays good.
func (s *Server) sendVerification(in *input) (any, error) {
	v := &verification{id: s.id("vrf"), phone: in.body.Text("phone_number"), code: s.sixDigits("vrf"), sent: now()}
	in.account.verifications.add(v)
	s.verifications.add(v)
	s.publishVerification(v)
	return object{"verification_id": v.id, "status": "pending"}, nil
}

// checkVerification compares a code. The result is in the body of a 200, whatever it is.
func (s *Server) checkVerification(in *input) (any, error) {
	v, ok := in.account.verifications.get(in.body.Text("verification_id"))
	switch {
	case !ok:
		return nil, notFound("Verification")
	case v.verified:
		return object{"result": "already_verified", "attempts_remaining": nil}, nil
	case v.checks == maxChecks:
		return object{"result": "exhausted", "attempts_remaining": 0}, nil
	case now().After(v.sent.Add(codeLifetime)):
		return object{"result": "expired", "attempts_remaining": nil}, nil
	}
	v.checks++
	if subtle.ConstantTimeCompare([]byte(v.code), []byte(in.body.Text("code"))) == 0 {
		s.publishVerification(v)
		return object{"result": "incorrect", "attempts_remaining": maxChecks - v.checks}, nil
	}
	v.verified = true
	s.publishVerification(v)
	s.charge("POST /v1/verify/check", 1, verificationPrice)
	return object{"result": "ok", "attempts_remaining": nil}, nil
}
