package agentphonetest

import (
	"fmt"

	agentphone "github.com/agentphone/agentphone-go"
)

// ReceiveMessage delivers a message to one of the server's numbers, of whichever account, and returns its
// id. from is a phone number or, for iMessage, an email address. to may also be the id of
// a group (grp_...). It panics if there is no such number or group.
//
// The agent's webhook, or else the account's, is sent an agent.message event: when ReceiveMessage
// returns, the first attempt is over ([Server.WaitDeliveries] for the others).
func (s *Server) ReceiveMessage(from, to, body string) string {
	id, d := s.receive(from, to, body)
	s.deliver(d)
	return id
}

func (s *Server) receive(from, to, body string) (string, *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		c := a.group(to)
		for _, n := range a.activeNumbers() {
			if n.phone == to {
				c = s.conversationWith(a, n, from)
			}
		}
		if c == nil {
			continue
		}
		m := &message{agentID: c.number.agentID, from: from, to: to, inbound: true, body: body, channel: c.inboundChannel()}
		s.addMessage(a, c, m)
		return m.id, s.newDelivery(a, m.received(a))
	}
	panic(fmt.Sprintf("agentphonetest: ReceiveMessage: the server has no number or group %q", to))
}

// ReceiveReaction puts a human's tapback on an iMessage, of whichever account. The webhook is sent an agent.reaction
// event, as with [Server.ReceiveMessage]. It panics if there is no such iMessage.
func (s *Server) ReceiveReaction(from, messageID string, kind agentphone.ReactionType) {
	s.deliver(s.react(from, messageID, kind))
}

func (s *Server) react(from, messageID string, kind agentphone.ReactionType) *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		m, ok := a.messages.get(messageID)
		if !ok || m.channel != agentphone.ChannelIMessage {
			continue
		}
		if problem := reaction(string(kind)); problem != "" {
			panic("agentphonetest: React: " + problem)
		}
		at := stamp(now())
		m.reactions = append(m.reactions, object{
			"id": s.id("rct"), "reactionType": kind, "fromNumber": from,
			"direction": agentphone.DirectionInbound, "createdAt": at,
		})
		c := m.conversation
		data := object{
			"conversationId": c.id, "numberId": c.number.id, "reactionType": kind, "fromNumber": from,
			"direction": agentphone.DirectionInbound, "messageId": m.id, "messageBody": m.body,
			"messageMediaUrl": nil, "createdAt": at,
		}
		if len(m.media) > 0 {
			data["messageMediaUrl"] = m.media[0]
		}
		return s.newDelivery(a, happening{
			event: agentphone.EventReaction, channel: m.channel, agentID: c.number.agentID, messageID: m.id,
			data: data, state: c.metadata,
			history: func(limit int) []object { return views(latest(c.messages, limit), (*message).asHistory) },
		})
	}
	panic(fmt.Sprintf("agentphonetest: React: the server has no iMessage %q", messageID))
}
