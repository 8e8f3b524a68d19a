package agentphonetest

import (
	agentphone "github.com/agentphone/agentphone-go"
)

var webCallOperations = []*operation{
	post("/v1/calls/web", (*Server).createWebCall, fields{
		text("agentId").required(),
		group("metadata").orNull(),
		group("variables").orNull().valuesLike(text("").orNull()),
	}),
}

// createWebCall begins a call from a browser. It follows a script like any other, from now on, as if the
// token were used at once.
func (s *Server) createWebCall(in *input) (any, error) {
	a, err := in.account.agentNamed(in.body.text("agentId"))
	if err != nil {
		return nil, err
	}
	c := s.addCall(in.account, &call{
		agentID: a.id, kind: webCall, direction: agentphone.DirectionInbound,
		script: s.takeScript(a.text("beginMessage")),
	})
	return object{"accessToken": s.secret("wct"), "callId": c.id}, nil
}
