package agentphonetest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// message is a message that was sent or received.
type message struct {
	id           string
	conversation *conversation
	agentID      string // of the agent that had the number then
	from, to     string
	inbound      bool
	channel      agentphone.Channel
	body         string
	media        []string
	replyTo      *message
	reactions    []object
	at           time.Time
	segments     int // of SMS that the account had sent by then, this one included
}

func (m *message) ident() string { return m.id }

func (m *message) sentAt() time.Time { return m.at }

func (m *message) takesReactions() bool {
	return m.channel == agentphone.ChannelIMessage || m.channel == agentphone.ChannelWhatsApp
}

func (m *message) direction() agentphone.Direction {
	if m.inbound {
		return agentphone.DirectionInbound
	}
	return agentphone.DirectionOutbound
}

// view is a message in the list of its conversation.
func (m *message) view() object {
	v := object{
		"id": m.id, "body": m.body, "fromNumber": m.from, "toNumber": m.to,
		"direction": m.direction(), "senderIdentifier": nil, "channel": m.channel,
		"mediaUrl": firstOrNull(m.media), "mediaUrls": m.media, "receivedAt": stamp(m.at),
		"reactions": m.reactions, "replyTo": m.replyToView(),
	}
	if m.conversation.groupID != "" {
		v["senderIdentifier"] = m.from
	}
	return v
}

// replyToView is what the message replies to, or null.
func (m *message) replyToView() any {
	if m.replyTo == nil {
		return nil
	}
	return object{"messageId": m.replyTo.id, "message": m.replyTo.body, "mediaUrls": m.replyTo.media}
}

// other is the person, or the group, at the other end.
func (m *message) other() string {
	if m.inbound {
		return m.from
	}
	return m.to
}

// asNumberMessage is a message in the list of its phone number.
func (m *message) asNumberMessage() object {
	return object{
		"id": m.id, "from_": m.from, "to": m.to, "body": m.body,
		"direction": m.direction(), "channel": m.channel, "receivedAt": stamp(m.at),
	}
}

var messageOperations = []*operation{
	post("/v1/messages", (*Server).sendMessage, schema.Fields{
		schema.Text("agent_id").Nullable(),
		schema.Text("to_number").Nullable().Format(recipientFormat),
		schema.List("recipients", schema.Text("").Format(personFormat)).Nullable().Min(2).Max(32),
		schema.Text("body").Required(),
		schema.Text("media_url").Nullable().Format(schema.URL),
		schema.List("media_urls", schema.Text("").Format(schema.HTTPS)).Nullable().Min(1).Max(20),
		schema.Text("number_id").Nullable(),
		schema.Text("from_number").Nullable().Format(e164Format),
		schema.Enum("send_style", "celebration", "fireworks", "lasers", "love", "confetti", "balloons",
			"spotlight", "echo", "invisible", "gentle", "loud", "slam"),
		schema.Text("reply_to_message_id").Nullable(),
		schema.Enum("channel", "whatsapp"),
		schema.List("buttons", schema.Text("").Max(20)).Nullable().Min(1).Max(3),
		schema.Object("list").Nullable(), // what is in it is not published, nor in the variables of a template
		schema.Object("cta",
			schema.Text("display_text").Required().Max(20), schema.Text("url").Required().Format(schema.URL)).Nullable(),
		schema.Object("template", schema.Text("name").Required(), schema.Text("language")).Nullable(),
	}),
	post("/v1/messages/{message_id}/reactions", (*Server).sendReaction, schema.Fields{
		schema.Text("reaction").Required().Format(reactionFormat),
	}),
	get("/v1/numbers/{number_id}/messages", (*Server).listNumberMessages, timeQuery...),
	get("/v1/conversations/{conversation_id}/messages", (*Server).listConversationMessages, timeQuery...),
}

// personFormat is the format of a member of a group: a phone number or an email address.
func personFormat(s string) string {
	if schema.Email(s) == "" {
		return ""
	}
	return e164Format(s)
}

// recipientFormat is the format of the recipient of a message: a person, a group or a short code.
func recipientFormat(s string) string {
	if isShortCode(s) || strings.HasPrefix(s, groupPrefix) {
		return ""
	}
	return personFormat(s)
}

func isShortCode(s string) bool { return (len(s) == 5 || len(s) == 6) && isDigits(s) }

// checkMessage checks which fields of a message must, or must not, be given together.
func checkMessage(body schema.Values) error {
	to, recipients := body.Text("to_number"), body.Texts("recipients")
	media := body.Text("media_url") != "" || len(body.Texts("media_urls")) > 0
	sender := body.Text("agent_id") != "" || body.Text("number_id") != "" || body.Text("from_number") != ""
	var interactive []string
	for _, name := range []string{"buttons", "list", "cta", "template"} {
		if body[name] != nil {
			interactive = append(interactive, name)
		}
	}
	switch {
	case to == "" && len(recipients) == 0:
		return invalidField("to_number", "to_number or recipients is required")
	case to != "" && len(recipients) > 0:
		return invalidField("recipients", "to_number and recipients cannot be used together")
	case body.Text("media_url") != "" && body["media_urls"] != nil:
		return invalidField("media_urls", "media_url and media_urls cannot be used together")
	case len(interactive) > 1:
		return invalidField(interactive[1], strings.Join(interactive, " and ")+" cannot be used together")
	case len(interactive) > 0 && body.Text("channel") == "":
		return invalidField(interactive[0], interactive[0]+" requires the channel 'whatsapp'")
	case len(recipients) > 0 && body.Text("channel") != "":
		return invalidField("recipients", "recipients start an iMessage group, which cannot be on WhatsApp")
	case body.Text("body") == "" && !media && body["template"] == nil:
		return invalidField("body", "body is required unless there is media or a template")
	case !sender && !strings.HasPrefix(to, groupPrefix):
		return invalidField("agent_id", "agent_id, number_id or from_number is required")
	}
	return nil
}

func (s *Server) sendMessage(in *input) (any, error) {
	if err := checkMessage(in.body); err != nil {
		return nil, err
	}
	c, from, err := s.conversationFor(in.account, in.body)
	if err != nil {
		return nil, err
	}
	m := &message{
		agentID: from.agentID, from: from.e164, to: c.participant, body: in.body.Text("body"),
		media: in.body.Texts("media_urls"),
	}
	if url := in.body.Text("media_url"); url != "" {
		m.media = []string{url}
	}
	m.channel = cmp.Or(agentphone.Channel(in.body.Text("channel")), c.bestChannel(m.media))
	var unresolved any
	parent := in.body.Text("reply_to_message_id")
	if parent != "" {
		m.replyTo, _ = in.account.messages.get(parent)
		unresolved = m.replyTo == nil
	}
	s.addMessage(in.account, c, m)
	s.echo(in.account, m.messageEvent(in.account))
	return object{
		"id": m.id, "status": "queued", "channel": m.channel, "from_number": m.from, "to_number": m.to,
		"conversation_id": c.id, "media_urls": m.media,
		"reply_to_message_id": orNull(parent), "reply_parent_unresolved": unresolved,
	}, nil
}

// conversationFor returns the conversation that a message belongs to, which it creates if there is none, and the number
// that the message is sent from. On an error it creates nothing.
func (s *Server) conversationFor(a *account, body schema.Values) (*conversation, *phoneNumber, error) {
	agentID, to := body.Text("agent_id"), body.Text("to_number")
	if agentID != "" {
		if _, err := a.agentByID(agentID); err != nil {
			return nil, nil, err
		}
	}
	var group *conversation
	if strings.HasPrefix(to, groupPrefix) {
		if group = s.group(to); group == nil || group.number.account != a {
			return nil, nil, notFound("Group")
		}
	}
	id, number := body.Text("number_id"), body.Text("from_number")
	switch { // a phone number precedes its id, which precedes the agent
	case number != "":
		agentID, id = "", ""
	case id != "":
		agentID = ""
	case group != nil:
		id = group.number.id
	}
	from, err := s.sender(a, agentID, id, number)
	switch {
	case err != nil:
		return nil, nil, err
	case group != nil && group.number != from:
		return nil, nil, badRequest("The group belongs to another phone number")
	case group != nil:
		return group, from, nil
	case to == "":
		return s.addGroup(a, from, body.Texts("recipients")), from, nil
	}
	return s.conversationWith(a, from, to), from, nil
}

// addMessage adds a message to its conversation. No two messages have the same time, so that lists that are paged by
// time lose nothing even in a bubble of testing/synctest, where the clock stands still.
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
	a.forget(c)
	c.agentID = c.number.agentID
	c.messages = append(c.messages, m)
	a.remember(c)
	if list := a.messages.list; len(list) > 0 {
		m.segments = list[len(list)-1].segments
	}
	if m.channel == agentphone.ChannelSMS && !m.inbound {
		m.segments += segments(m.body)
	}
	a.messages.add(m)
	c.number.messages = append(c.number.messages, m)
	if ag, ok := a.agents.get(m.agentID); ok {
		ag.messages = append(ag.messages, m)
	}
	s.messages.add(m)
	s.publishConversation(c)
	s.publishMessage(m)
}

func (s *Server) listNumberMessages(in *input) (any, error) {
	n, err := in.account.numberByID(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	return pageByTime(listed(s, n.messages, (*message).sentAt), in.query, (*message).asNumberMessage), nil
}

func (s *Server) listConversationMessages(in *input) (any, error) {
	c, err := in.conversation()
	if err != nil {
		return nil, err
	}
	return pageByTime(listed(s, c.messages, (*message).sentAt), in.query, (*message).view), nil
}

// timeQuery describes the query of a list that is paged by time.
var timeQuery = []schema.Field{schema.Integer("limit").Min(1).Max(200), schema.Time("before"), schema.Time("after")}

// pageByTime returns the newest messages between two times. all is oldest first.
func pageByTime(all []*message, query schema.Values, view func(*message) object) object {
	if before := query.Time("before"); !before.IsZero() {
		all = all[:len(all)-countSince(all, (*message).sentAt, before)]
	}
	if after := query.Time("after"); !after.IsZero() {
		all = since(all, (*message).sentAt, after.Add(1))
	}
	shown := newestFirst(latest(all, query.Int("limit", 50)))
	return object{"data": views(shown, view), "hasMore": len(shown) < len(all)}
}

// reactionFormat is the format of a reaction: one of six words, or an emoji.
func reactionFormat(s string) string {
	words := []string{"love", "like", "dislike", "laugh", "emphasize", "question"}
	first := []rune(s + "a")[0]
	if first > 0x7f || slices.Contains(words, s) {
		return ""
	}
	return "reaction must be " + schema.OneOf(words) + ", or an emoji"
}

// sendReaction adds a reaction to a message. One that is sent twice is there twice, so that a test notices.
func (s *Server) sendReaction(in *input) (any, error) {
	m, ok := in.account.messages.get(in.path("message_id"))
	switch {
	case !ok:
		return nil, notFound("Message")
	case !m.takesReactions():
		return nil, badRequest("Only an iMessage or a WhatsApp message can be reacted to")
	}
	r := s.addReaction(m, in.body.Text("reaction"), m.conversation.number.e164, agentphone.DirectionOutbound)
	s.echo(in.account, m.reactionEvent(r))
	return object{"id": r["id"], "reaction_type": r["reactionType"], "message_id": m.id, "channel": m.channel}, nil
}

func (s *Server) addReaction(m *message, kind, from string, direction agentphone.Direction) object {
	r := object{
		"id": s.id("rct"), "reactionType": kind, "fromNumber": from, "direction": direction, "createdAt": stamp(now()),
	}
	m.reactions = append(m.reactions, r)
	s.publishMessage(m)
	return r
}
