package agentphonetest

import (
	"fmt"

	agentphone "github.com/agentphone/agentphone-go"
)

// ReceiveMessage has a person text one of the server's phone numbers, of whichever account, and returns the id of the
// message. from is a phone number or, for iMessage, an email address. to is one of the server's numbers or the id of a
// group (grp_...). The message comes by SMS unless the conversation is on iMessage. ReceiveMessage panics if there is no
// such number or group.
//
// The webhook of the agent, or else of the account, is sent an agent.message event. The first attempt is over when
// ReceiveMessage returns; the others are made in the background ([Server.WaitDeliveries]).
func (s *Server) ReceiveMessage(from, to, body string) string {
	id, d := s.receiveMessage(from, to, body)
	s.deliver(d)
	return id
}

func (s *Server) receiveMessage(from, to, body string) (string, *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		c := a.group(to)
		for _, n := range a.activeNumbers() {
			if n.e164 == to {
				c = s.conversationWith(a, n, from)
			}
		}
		if c == nil {
			continue
		}
		m := &message{agentID: c.number.agentID, from: from, to: to, inbound: true, body: body, channel: c.inboundChannel()}
		s.addMessage(a, c, m)
		return m.id, s.newDelivery(a, m.receivedEvent(a))
	}
	panic(fmt.Sprintf("agentphonetest: ReceiveMessage: the server has no number or group %q", to))
}

// ReceiveReaction has a person react to an iMessage, of whichever account. The webhook is sent an agent.reaction event,
// as with [Server.ReceiveMessage]. ReceiveReaction panics if there is no such iMessage or reaction.
func (s *Server) ReceiveReaction(from, messageID string, kind agentphone.ReactionType) {
	s.deliver(s.receiveReaction(from, messageID, kind))
}

func (s *Server) receiveReaction(from, messageID string, kind agentphone.ReactionType) *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		m, ok := a.messages.get(messageID)
		if !ok || m.channel != agentphone.ChannelIMessage {
			continue
		}
		if problem := reactionFormat(string(kind)); problem != "" {
			panic("agentphonetest: ReceiveReaction: " + problem)
		}
		r := s.addReaction(m, string(kind), from, agentphone.DirectionInbound)
		return s.newDelivery(a, m.reactionEvent(r))
	}
	panic(fmt.Sprintf("agentphonetest: ReceiveReaction: the server has no iMessage %q", messageID))
}
