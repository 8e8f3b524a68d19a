package agentphonetest

import (
	"cmp"
	"slices"

	agentphone "github.com/agentphone/agentphone-go"
)

// ReceiveMessage has a person text one of the server's phone numbers, of whichever account, and returns the id of the
// message. from is a phone number or, for iMessage, an email address. to is one of the server's numbers or the id of a
// group (grp_...). The message comes by iMessage or WhatsApp if the last one of the conversation did, or else by iMessage
// if the person has it, or else by SMS. ReceiveMessage panics if there is no such number or group.
//
// The webhook of the agent, or else of the account, is sent an agent.message event. The first attempt is over when
// ReceiveMessage returns; the others are made in the background ([Server.WaitDeliveries]).
func (s *Server) ReceiveMessage(from, to, body string) string {
	return s.Receive(IncomingMessage{From: from, To: to, Body: body})
}

// IncomingMessage is a message that a person sends.
type IncomingMessage struct {
	From string // a phone number or, for iMessage, an email address
	To   string // one of the server's numbers, or the id of a group
	Body string
	// MediaURLs are pictures and the like. Without iMessage and WhatsApp they make the message an MMS.
	MediaURLs []string
	// Channel is how the message comes. "" is as with ReceiveMessage.
	Channel agentphone.Channel
	// ReplyTo is the id of the message that this one replies to. If there is no such message, it replies to none.
	ReplyTo string
}

// Receive is [Server.ReceiveMessage] for a message that has more than a body.
func (s *Server) Receive(incoming IncomingMessage) string {
	id, err := s.receive(incoming)
	panicIfMisused("ReceiveMessage", err)
	return id
}

func (s *Server) receive(incoming IncomingMessage) (string, error) {
	id, d, err := s.addReceived(incoming)
	s.deliver(d)
	return id, err
}

// conversationOf returns the conversation that a message of a person belongs to, which it creates if there is none, and
// its account; or nil if no account has the number or group. The caller holds s.mu.
func (s *Server) conversationOf(from, to string) (*account, *conversation) {
	c := s.group(to)
	if n := s.numberWith(to); n != nil {
		c = s.conversationWith(n.account, n, from)
	}
	if c == nil {
		return nil, nil
	}
	return c.number.account, c
}

func (s *Server) addReceived(incoming IncomingMessage) (string, *delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, c := s.conversationOf(incoming.From, incoming.To)
	if c == nil {
		return "", nil, misuse("the server has no number or group %q", incoming.To)
	}
	m := &message{
		agentID: c.number.agentID, from: incoming.From, to: incoming.To, inbound: true, body: incoming.Body,
		media: slices.Clone(incoming.MediaURLs), channel: cmp.Or(incoming.Channel, c.inboundChannel(incoming.MediaURLs)),
	}
	m.replyTo, _ = a.messages.get(incoming.ReplyTo)
	s.addMessage(a, c, m)
	return m.id, s.newDelivery(a, m.messageEvent(a)), nil
}

// ReceiveReaction has a person react to an iMessage or a WhatsApp message, of whichever account. The webhook is sent an
// agent.reaction event, as with [Server.ReceiveMessage]. ReceiveReaction panics if there is no such message or reaction.
func (s *Server) ReceiveReaction(from, messageID string, kind agentphone.ReactionType) {
	panicIfMisused("ReceiveReaction", s.receiveReaction(from, messageID, kind))
}

func (s *Server) receiveReaction(from, messageID string, kind agentphone.ReactionType) error {
	d, err := s.addReceivedReaction(from, messageID, kind)
	s.deliver(d)
	return err
}

func (s *Server) addReceivedReaction(from, messageID string, kind agentphone.ReactionType) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.messages.get(messageID)
	if !ok || !m.takesReactions() || !s.exists(m.conversation.number.account) {
		return nil, misuse("the server has no message %q that can be reacted to", messageID)
	}
	if problem := reactionFormat(string(kind)); problem != "" {
		return nil, misuse("%s", problem)
	}
	r := s.addReaction(m, string(kind), from, agentphone.DirectionInbound)
	return s.newDelivery(m.conversation.number.account, m.reactionEvent(r)), nil
}

// ShareContact has a person send a contact card to one of the server's phone numbers, of whichever account. The webhook
// is sent an agent.contact_shared event, as with [Server.ReceiveMessage]. What the API sends with it is not published:
// here it is the data of a message without the message, and the card as "contact". ShareContact panics if there is no
// such number.
func (s *Server) ShareContact(from, to string, card map[string]any) {
	panicIfMisused("ShareContact", s.shareContact(from, to, card))
}

func (s *Server) shareContact(from, to string, card map[string]any) error {
	d, err := s.newContactShare(from, to, card)
	s.deliver(d)
	return err
}

func (s *Server) newContactShare(from, to string, card map[string]any) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numberWith(to)
	if n == nil {
		return nil, misuse("the server has no number %q", to)
	}
	return s.newDelivery(n.account, n.contactSharedEvent(n.account.findConversation(n, from), from, card)), nil
}
