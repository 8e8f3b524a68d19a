package agentphonetest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"time"
)

// signUp is a sign-up that waits for its code.
type signUp struct {
	email, agentName string
	otp              string
	expires          time.Time
}

const codeLifetime = 10 * time.Minute

var signUpOperations = []*operation{
	post("/v0/agent/sign-up", (*Server).startSignUp, fields{
		text("human_email").required().like(email),
		text("agent_name").orNull().atLeast(1),
	}).withoutKey(),
	post("/v0/agent/verify", (*Server).verify, fields{
		text("verification_id").required(),
		text("otp_code").required(),
		text("source").orNull(),
	}).withoutKey(),
}

var errAccountExists = refuse(http.StatusConflict, "An account with this email already exists")

func (s *Server) startSignUp(in *input) (any, error) {
	address := in.body.text("human_email")
	if s.emailTaken(address) {
		return nil, errAccountExists
	}
	id := s.id("ver")
	var code uint32
	for _, b := range []byte(s.digest("otp")[:6]) {
		code = code*31 + uint32(b)
	}
	su := &signUp{
		email: address, agentName: in.body.text("agent_name"),
		otp: fmt.Sprintf("%06d", code%1e6), expires: now().Add(codeLifetime),
	}
	s.signUps[id] = su
	return object{
		"verification_id": id, "human_email": address, "expires_at": stamp(su.expires),
		"message": "A verification code was sent by email.",
	}, nil
}

func (s *Server) verify(in *input) (any, error) {
	id := in.body.text("verification_id")
	su := s.signUps[id]
	switch {
	case su == nil || now().After(su.expires):
		return nil, refuse(http.StatusNotFound, "Verification not found or expired")
	case subtle.ConstantTimeCompare([]byte(su.otp), []byte(in.body.text("otp_code"))) == 0:
		return nil, badRequest("Invalid verification code")
	case s.emailTaken(su.email): // two sign-ups were begun with one email
		return nil, errAccountExists
	}
	delete(s.signUps, id)
	a := s.openAccount(su.email, su.agentName)
	n := a.numbers.list[0]
	return object{
		"account_id": a.id, "agent_id": a.agents.list[0].id,
		"number_id": n.id, "phone_number": n.phone, "api_key": a.key,
	}, nil
}
