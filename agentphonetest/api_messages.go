package agentphonetest

import (
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

type message struct {
	id           string
	conversation *conversation
	agentID      string // who had the number then
	from, to     string
	inbound      bool
	channel      agentphone.Channel
	body         string
	media        []string
	replyTo      *message
	reactions    []object
	at           time.Time
}

func (m *message) ident() string { return m.id }

func (m *message) direction() agentphone.Direction {
	if m.inbound {
		return agentphone.DirectionInbound
	}
	return agentphone.DirectionOutbound
}

// view is a message as its conversation shows it.
func (m *message) view() object {
	v := object{
		"id": m.id, "body": m.body, "fromNumber": m.from, "toNumber": m.to,
		"direction": m.direction(), "senderIdentifier": nil, "channel": m.channel,
		"mediaUrl": nil, "mediaUrls": m.media, "receivedAt": stamp(m.at),
		"reactions": m.reactions, "replyTo": nil,
	}
	if m.conversation.groupID != "" {
		v["senderIdentifier"] = m.from
	}
	if len(m.media) > 0 {
		v["mediaUrl"] = m.media[0]
	}
	if m.replyTo != nil {
		v["replyTo"] = object{
			"messageId": m.replyTo.id, "message": m.replyTo.body, "mediaUrls": m.replyTo.media,
		}
	}
	return v
}

// asNumberMessage is a message as the list of its number shows it.
func (m *message) asNumberMessage() object {
	return object{
		"id": m.id, "from_": m.from, "to": m.to, "body": m.body,
		"direction": m.direction(), "channel": m.channel, "receivedAt": stamp(m.at),
	}
}

var messageOperations = []*operation{
	post("/v1/messages", (*Server).sendMessage, fields{
		text("agent_id").orNull(),
		text("to_number").orNull().like(recipient),
		list("recipients", text("").like(person)).orNull().atLeast(2),
		text("body").required(),
		text("media_url").orNull().like(webAddress),
		list("media_urls", text("").like(webAddress)).orNull().atMost(20),
		text("number_id").orNull(),
		text("from_number").orNull().like(e164),
		oneOf("send_style", "celebration", "fireworks", "lasers", "love", "confetti", "balloons",
			"spotlight", "echo", "invisible", "gentle", "loud", "slam"),
		text("reply_to_message_id").orNull(),
	}),
}

// person is the form of whom a group is made of.
func person(s string) string {
	if e164(s) == "" || email(s) == "" {
		return ""
	}
	return "phone number must be in E.164 format"
}

// recipient is the form of whom one message can be sent to.
func recipient(s string) string {
	shortCode := (len(s) == 5 || len(s) == 6) && strings.Trim(s, "0123456789") == ""
	if shortCode || strings.HasPrefix(s, groupPrefix) {
		return ""
	}
	return person(s)
}

// together checks what fields of a message must not, or must, be there together.
func together(body object) error {
	to, several := body.text("to_number"), body.texts("recipients")
	media := body.text("media_url") != "" || len(body.texts("media_urls")) > 0
	switch {
	case to == "" && len(several) == 0:
		return badField("to_number", "to_number or recipients is required")
	case to != "" && len(several) > 0:
		return badField("recipients", "to_number and recipients cannot be used together")
	case body.text("body") == "" && !media:
		return badField("body", "body is required unless media is attached")
	case body.text("agent_id") == "" && body.text("number_id") == "" && body.text("from_number") == "" && !strings.HasPrefix(to, groupPrefix):
		return badField("agent_id", "agent_id, number_id or from_number is required")
	}
	return nil
}

func (s *Server) sendMessage(in *input) (any, error) {
	if err := together(in.body); err != nil {
		return nil, err
	}
	c, from, err := s.thread(in.account, in.body)
	if err != nil {
		return nil, err
	}
	m := &message{
		agentID: from.agentID, from: from.phone, to: c.participant, body: in.body.text("body"),
		media: in.body.texts("media_urls"), channel: agentphone.ChannelSMS,
	}
	if url := in.body.text("media_url"); url != "" {
		m.media = slices.Insert(m.media, 0, url)
	}
	switch {
	case c.groupID != "" || strings.Contains(c.participant, "@") || in.body.text("send_style") != "":
		m.channel = agentphone.ChannelIMessage
	case len(m.media) > 0:
		m.channel = agentphone.ChannelMMS
	}
	var unresolved any
	parent := in.body.text("reply_to_message_id")
	if parent != "" {
		m.replyTo, _ = in.account.messages.get(parent)
		unresolved = m.replyTo == nil
	}
	s.addMessage(in.account, c, m)
	return object{
		"id": m.id, "status": "queued", "channel": m.channel, "from_number": m.from, "to_number": m.to,
		"conversation_id": c.id, "media_urls": m.media,
		"reply_to_message_id": orNull(parent), "reply_parent_unresolved": unresolved,
	}, nil
}

// thread finds the conversation that a message belongs to, or makes it, and the number that it is
// sent from. Nothing is made on an error.
func (s *Server) thread(a *account, body object) (*conversation, *phone, error) {
	agentID, to := body.text("agent_id"), body.text("to_number")
	if agentID != "" {
		if _, err := a.agentNamed(agentID); err != nil {
			return nil, nil, err
		}
	}
	var existing *conversation
	if strings.HasPrefix(to, groupPrefix) {
		if existing = a.group(to); existing == nil {
			return nil, nil, notFound("Group")
		}
	}
	id, number := body.text("number_id"), body.text("from_number")
	var pick func(*phone) bool
	switch {
	case id != "" || number != "":
		pick = func(n *phone) bool { return (id == "" || n.id == id) && (number == "" || n.phone == number) }
	case existing != nil:
		pick = func(n *phone) bool { return n == existing.number }
	}
	from, err := a.sender(agentID, pick)
	switch {
	case err != nil:
		return nil, nil, err
	case existing != nil && existing.number != from:
		return nil, nil, badRequest("The group belongs to another phone number")
	case existing != nil:
		return existing, from, nil
	case to == "":
		return s.addGroup(a, from, body.texts("recipients")), from, nil
	}
	return s.conversationWith(a, from, to), from, nil
}

// addMessage stores a message. Times differ by a microsecond at least, so that lists that are paged by time
// lose nothing while the clock stands still.
func (s *Server) addMessage(a *account, c *conversation, m *message) {
	m.id, m.conversation, m.at = s.id("msg"), c, now()
	if !m.at.After(s.lastMessage) {
		m.at = s.lastMessage.Add(time.Microsecond)
	}
	if m.media == nil {
		m.media = []string{}
	}
	m.reactions = []object{}
	s.lastMessage = m.at
	c.agentID = c.number.agentID
	c.messages = append(c.messages, m)
	a.messages.add(m)
	s.messages = append(s.messages, m)
}

// messagePage is the query of a list of messages.
var messagePage = []field{integer("limit").atLeast(1).atMost(200), at("before"), at("after")}

// pageByTime answers with the newest messages of a time. all is oldest first.
func pageByTime(all []*message, query object, view func(*message) object) object {
	before, after := query.time("before"), query.time("after")
	var fit []*message
	for _, m := range slices.Backward(all) {
		if (before.IsZero() || m.at.Before(before)) && (after.IsZero() || m.at.After(after)) {
			fit = append(fit, m)
		}
	}
	shown := fit[:min(query.integer("limit", 50), len(fit))]
	return object{"data": views(shown, view), "hasMore": len(shown) < len(fit)}
}

var reactionOperations = []*operation{
	post("/v1/messages/{message_id}/reactions", (*Server).sendReaction, fields{
		text("reaction").required().like(reaction),
	}),
}

// reaction is the form of a tapback: one of six words, or an emoji.
func reaction(s string) string {
	words := []string{"love", "like", "dislike", "laugh", "emphasize", "question"}
	first := []rune(s + "a")[0]
	if first > 0x7f || slices.Contains(words, s) {
		return ""
	}
	return "reaction must be " + quoted(words) + ", or an emoji"
}

// sendReaction adds a reaction to a message. One sent twice is there twice, so that a test can see it.
func (s *Server) sendReaction(in *input) (any, error) {
	m, ok := in.account.messages.get(in.path("message_id"))
	switch {
	case !ok:
		return nil, notFound("Message")
	case m.channel != agentphone.ChannelIMessage:
		return nil, badRequest("Only an iMessage can be reacted to")
	}
	kind, id := in.body.text("reaction"), s.id("rct")
	m.reactions = append(m.reactions, object{
		"id": id, "reactionType": kind, "fromNumber": m.conversation.number.phone,
		"direction": agentphone.DirectionOutbound, "createdAt": stamp(now()),
	})
	return object{"id": id, "reaction_type": kind, "message_id": m.id, "channel": m.channel}, nil
}
