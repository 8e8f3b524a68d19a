package agentphonetest

import (
	"net/http"
	"slices"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

const groupPrefix = "grp_"

// conversation is what a phone number and a person, or a group, write to each other.
type conversation struct {
	id          string
	number      *phoneNumber
	agentID     string // "" if the number has no agent
	participant string // a phone number, an email address, or the id of a group
	groupID     string // "" if it is not a group
	groupName   string
	members     []string
	messages    []*message // never empty
	metadata    object     // nil is null
	created     time.Time
	background  background
}

// background is the picture behind an iMessage chat.
type background struct {
	id      string // "" if there is none
	url     string
	version int
}

func (c *conversation) ident() string { return c.id }

func (c *conversation) last() *message { return c.messages[len(c.messages)-1] }

// bestChannel is the channel of a message for which none is chosen: iMessage if the person has it, or else SMS or MMS.
func (c *conversation) bestChannel(media []string) agentphone.Channel {
	switch {
	case c.groupID != "" || hasIMessage(c.participant):
		return agentphone.ChannelIMessage
	case len(media) > 0:
		return agentphone.ChannelMMS
	}
	return agentphone.ChannelSMS
}

// inboundChannel is the channel of a message that comes in: iMessage or WhatsApp if that was used last.
func (c *conversation) inboundChannel(media []string) agentphone.Channel {
	if len(c.messages) > 0 && c.last().takesReactions() {
		return c.last().channel
	}
	return c.bestChannel(media)
}

func (c *conversation) isIMessage() bool {
	return len(c.messages) > 0 && c.last().channel == agentphone.ChannelIMessage
}

func (s *Server) addConversation(a *account, n *phoneNumber, participant string) *conversation {
	c := &conversation{id: s.id("conv"), number: n, agentID: n.agentID, participant: participant, created: now()}
	a.conversations.add(c)
	if a.between == nil {
		a.between = map[parties]*conversation{}
	}
	a.between[parties{n, participant}] = c
	n.conversations = append(n.conversations, c)
	return c
}

// conversationWith returns the conversation of a number with a person, which it creates if there is none.
func (s *Server) conversationWith(a *account, n *phoneNumber, participant string) *conversation {
	if c := a.findConversation(n, participant); c != nil {
		return c
	}
	return s.addConversation(a, n, participant)
}

// findConversation returns the conversation of a number with a person or a group, or nil.
func (a *account) findConversation(n *phoneNumber, participant string) *conversation {
	return a.between[parties{n, participant}]
}

// parties are between whom a conversation is.
type parties struct {
	number      *phoneNumber
	participant string
}

// group returns the conversation of a group of any account, or nil.
func (s *Server) group(id string) *conversation {
	if c := s.groups[id]; c != nil && s.exists(c.number.account) {
		return c
	}
	return nil
}

// chronology is conversations in the order of their last messages, the latest last.
type chronology []*conversation

// find returns where a conversation is, or is to be.
func (l chronology) find(c *conversation) int {
	i, _ := slices.BinarySearchFunc(l, c.last().at, func(c *conversation, at time.Time) int { return c.last().at.Compare(at) })
	return i
}

func (l *chronology) add(c *conversation) { *l = slices.Insert(*l, l.find(c), c) }

func (l *chronology) remove(c *conversation) { i := l.find(c); *l = slices.Delete(*l, i, i+1) }

// remember adds a conversation to the lists that are in the order of last messages: the account's and its agent's.
func (a *account) remember(c *conversation) {
	a.latest.add(c)
	if ag, ok := a.agents.get(c.agentID); ok {
		ag.conversations.add(c)
	}
}

// forget undoes remember, before the agent or the last message changes. Without a message a conversation is in no list.
func (a *account) forget(c *conversation) {
	if len(c.messages) == 0 {
		return
	}
	a.latest.remove(c)
	if ag, ok := a.agents.get(c.agentID); ok {
		ag.conversations.remove(c)
	}
}

func (s *Server) addGroup(a *account, n *phoneNumber, members []string) *conversation {
	id := s.id("grp")
	c := s.addConversation(a, n, id)
	c.groupID, c.members = id, members
	s.groups[id] = c
	return c
}

func (c *conversation) preview() string {
	text := []rune(c.last().body)
	return string(text[:min(len(text), 100)])
}

func (c *conversation) commonView() object {
	return object{
		"id": c.id, "agentId": orNull(c.agentID), "phoneNumberId": c.number.id, "phoneNumber": c.number.e164,
		"participant": c.participant, "lastMessageAt": stamp(c.last().at),
		"messageCount": len(c.messages), "createdAt": stamp(c.created),
	}
}

// fullView is what the views of a conversation have in common, but for that in the list of an agent.
func (c *conversation) fullView() object {
	v := c.commonView()
	v["isGroup"], v["groupId"], v["groupName"], v["groupIconUrl"] = c.groupID != "", orNull(c.groupID), orNull(c.groupName), nil
	v["metadata"], v["participants"], v["channel"] = c.metadata, nil, c.last().channel
	if c.groupID != "" {
		v["participants"] = views(c.members, func(m string) object { return object{"identifier": m, "name": nil} })
	}
	return v
}

func (c *conversation) summary() object {
	v := c.fullView()
	v["lastMessagePreview"] = c.preview()
	return v
}

func (c *conversation) asAgentConversation() object {
	v := c.commonView()
	v["lastMessagePreview"] = c.preview()
	return v
}

func (c *conversation) detail(messages int) object {
	v := c.fullView()
	v["capabilities"] = nil
	if c.groupID == "" {
		v["capabilities"] = capabilities(c.participant) // what is in it is not published
	}
	v["messages"] = views(newestFirst(latest(c.messages, messages)), (*message).view)
	return v
}

const defaultDetail = 50

var conversationOperations = []*operation{
	get("/v1/conversations", (*Server).listConversations, pageQuery(100)...),
	get("/v1/agents/{agent_id}/conversations", (*Server).listAgentConversations, pageQuery(100)...),
	get(conversationPath, (*Server).getConversation, schema.Integer("message_limit").Min(1)),
	patch(conversationPath, (*Server).updateConversation, schema.Fields{
		schema.Object("metadata").Nullable(), schema.Text("group_name").Nullable(),
	}),
	post(conversationPath+"/typing", (*Server).sendTyping, nil),
	post(conversationPath+"/background", (*Server).setBackground, schema.Fields{
		schema.Text("image_url").Required().Format(schema.URL),
	}),
	remove(conversationPath+"/background", (*Server).removeBackground).withStatus(http.StatusNoContent),
}

const conversationPath = "/v1/conversations/{conversation_id}"

func (s *Server) listConversations(in *input) (any, error) {
	return newestPageOf(in.account.latest, in.query, defaultPage, (*conversation).summary), nil
}

func (s *Server) listAgentConversations(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	return newestPageOf(a.conversations, in.query, defaultPage, (*conversation).asAgentConversation), nil
}

// conversation returns the conversation that the path names.
func (in *input) conversation() (*conversation, error) {
	c, ok := in.account.conversations.get(in.path("conversation_id"))
	if !ok {
		return nil, notFound("Conversation")
	}
	return c, nil
}

func (s *Server) getConversation(in *input) (any, error) {
	c, err := in.conversation()
	if err != nil {
		return nil, err
	}
	return c.detail(in.query.Int("message_limit", defaultDetail)), nil
}

func (s *Server) updateConversation(in *input) (any, error) {
	c, err := in.conversation()
	if err != nil {
		return nil, err
	}
	if metadata, given := in.body["metadata"]; given {
		c.metadata, _ = metadata.(map[string]any)
	}
	if _, named := in.body["group_name"]; named && c.groupID != "" {
		c.groupName = in.body.Text("group_name")
	}
	s.publishConversation(c)
	return c.detail(defaultDetail), nil
}

// iMessageConversation returns the conversation that the path names, which must be on iMessage.
func (in *input) iMessageConversation() (*conversation, error) {
	c, err := in.conversation()
	if err == nil && !c.isIMessage() {
		return nil, badRequest("This conversation is not on iMessage")
	}
	return c, err
}

func (s *Server) sendTyping(in *input) (any, error) {
	c, err := in.iMessageConversation()
	if err != nil {
		return nil, err
	}
	s.publish("typing", func() object { return object{"conversationId": c.id} })
	return object{"conversationId": c.id, "channel": agentphone.ChannelIMessage, "status": "sent"}, nil
}

func (s *Server) setBackground(in *input) (any, error) {
	c, err := in.iMessageConversation()
	if err != nil {
		return nil, err
	}
	url := in.body.Text("image_url")
	changed := url != c.background.url
	if changed {
		c.background = background{id: s.id("bg"), url: url, version: c.background.version + 1}
		s.publishConversation(c)
	}
	return object{
		"conversationId": c.id, "channel": agentphone.ChannelIMessage, "hasBackground": true,
		"backgroundId": c.background.id, "backgroundVersion": c.background.version, "changed": changed,
	}, nil
}

// removeBackground removes the background. Without one it succeeds, too.
func (s *Server) removeBackground(in *input) (any, error) {
	c, err := in.iMessageConversation()
	if err != nil {
		return nil, err
	}
	c.background = background{version: c.background.version}
	s.publishConversation(c)
	return nil, nil
}
