package agentphonetest

import (
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// sendTest sends a made-up message to a webhook, once, and says what came of it. owner is the agent whose
// own webhook it is, or "".
func (s *Server) sendTest(in *input, w *webhook, owner, agentID string) object {
	s.mu.Lock()
	var number *phone
	for _, n := range in.account.activeNumbers() {
		if number == nil || n.agentID == agentID {
			number = n
		}
	}
	data := object{
		"conversationId": s.id("conv"), "numberId": nil, "from": "+15555550100", "to": nil,
		"message": "This is a test.", "mediaUrl": nil, "mediaUrls": []string{},
		"direction": agentphone.DirectionInbound, "receivedAt": stamp(now()),
	}
	if number != nil {
		data["numberId"], data["to"] = number.id, number.phone
		if agentID == "" {
			agentID = number.agentID
		}
	}
	d := s.addDelivery(in.account, w, owner, happening{
		event: agentphone.EventMessage, channel: agentphone.ChannelSMS, agentID: agentID, data: data,
	})
	s.mu.Unlock()

	o := s.post(in.ctx, d)
	took := time.Since(o.began)
	s.mu.Lock()
	d.note(o)
	s.mu.Unlock()
	s.settle(d)
	result := object{
		"success": o.failure == "", "statusCode": nil,
		"responseMs": float64(took.Milliseconds()), "error": orNull(o.failure),
	}
	if o.code != 0 {
		result["statusCode"] = o.code
	}
	return result
}
