package agentphonetest

import (
	"crypto/subtle"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// signup is a sign-up that has not been verified yet.
type signup struct {
	email, agentName string
	otp              string
	expires          time.Time
	wrong            int // codes that were given so far
}

const (
	codeLifetime = 10 * time.Minute
	wrongCodes   = 5 // that end a sign-up
)

var signupOperations = []*operation{
	post("/v0/agent/sign-up", (*Server).startSignup, schema.Fields{
		schema.Text("human_email").Required().Format(schema.Email),
		schema.Text("agent_name").Nullable().Min(1),
	}).withoutKey(),
	post("/v0/agent/verify", (*Server).verifySignup, schema.Fields{
		schema.Text("verification_id").Required(),
		schema.Text("otp_code").Required(),
		schema.Text("source").Nullable(),
	}).withoutKey(),
}

var errAccountExists = refuse(http.StatusConflict, "An account with this email already exists")

func (s *Server) startSignup(in *input) (any, error) {
	address := in.body.Text("human_email")
	if s.emailTaken(address) {
		return nil, errAccountExists
	}
	id := s.id("ver")
	su := &signup{
		email: address, agentName: in.body.Text("agent_name"),
		otp: s.sixDigits("otp"), expires: now().Add(codeLifetime),
	}
	s.signups[id] = su
	return object{
		"verification_id": id, "human_email": address, "expires_at": stamp(su.expires),
		"message": "A verification code was sent by email.",
	}, nil
}

func (s *Server) verifySignup(in *input) (any, error) {
	id := in.body.Text("verification_id")
	su := s.signups[id]
	switch {
	case su == nil || now().After(su.expires):
		return nil, refuse(http.StatusNotFound, "Verification not found or expired")
	case subtle.ConstantTimeCompare([]byte(su.otp), []byte(in.body.Text("otp_code"))) == 0:
		if su.wrong++; su.wrong == wrongCodes {
			delete(s.signups, id)
		}
		return nil, badRequest("Invalid verification code")
	case s.emailTaken(su.email): // by another sign-up that was verified first
		return nil, errAccountExists
	}
	delete(s.signups, id)
	a := s.openAccount(su.email, su.agentName, "")
	n := a.numbers.list[0]
	return object{
		"account_id": a.id, "agent_id": a.agents.list[0].id,
		"number_id": n.id, "phone_number": n.e164, "api_key": a.key,
	}, nil
}
