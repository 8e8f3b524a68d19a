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
	c := s.group(to)
	if n := s.numberWith(to); n != nil {
		c = s.conversationWith(n.account, n, from)
	}
	if c == nil {
		panic(fmt.Sprintf("agentphonetest: ReceiveMessage: the server has no number or group %q", to))
	}
	a := c.number.account
	m := &message{agentID: c.number.agentID, from: from, to: to, inbound: true, body: body, channel: c.inboundChannel()}
	s.addMessage(a, c, m)
	return m.id, s.newDelivery(a, m.receivedEvent(a))
}

// ReceiveReaction has a person react to an iMessage, of whichever account. The webhook is sent an agent.reaction event,
// as with [Server.ReceiveMessage]. ReceiveReaction panics if there is no such iMessage or reaction.
func (s *Server) ReceiveReaction(from, messageID string, kind agentphone.ReactionType) {
	s.deliver(s.receiveReaction(from, messageID, kind))
}

func (s *Server) receiveReaction(from, messageID string, kind agentphone.ReactionType) *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.messages.get(messageID)
	if !ok || m.channel != agentphone.ChannelIMessage || !s.exists(m.conversation.number.account) {
		panic(fmt.Sprintf("agentphonetest: ReceiveReaction: the server has no iMessage %q", messageID))
	}
	if problem := reactionFormat(string(kind)); problem != "" {
		panic("agentphonetest: ReceiveReaction: " + problem)
	}
	r := s.addReaction(m, string(kind), from, agentphone.DirectionInbound)
	return s.newDelivery(m.conversation.number.account, m.reactionEvent(r))
}
