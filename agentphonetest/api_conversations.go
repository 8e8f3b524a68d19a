package agentphonetest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

const groupPrefix = "grp_"

type conversation struct {
	id          string
	number      *phone
	agentID     string // "" if the number has no agent
	participant string // the group's id, for a group
	groupID     string // "" for one participant
	groupName   string
	members     []string
	messages    []*message // never empty
	metadata    object     // nil is null
	created     time.Time
	background  background
}

func (c *conversation) ident() string { return c.id }

func (c *conversation) last() *message { return c.messages[len(c.messages)-1] }

// inboundChannel is that of a message that comes in: iMessage where that was used before.
func (c *conversation) inboundChannel() agentphone.Channel {
	if c.groupID != "" || strings.Contains(c.participant, "@") || c.isIMessage() {
		return agentphone.ChannelIMessage
	}
	return agentphone.ChannelSMS
}

func (c *conversation) isIMessage() bool {
	return len(c.messages) > 0 && c.last().channel == agentphone.ChannelIMessage
}

func (s *Server) addConversation(a *account, n *phone, participant string) *conversation {
	c := &conversation{id: s.id("conv"), number: n, agentID: n.agentID, participant: participant, created: now()}
	a.conversations.add(c)
	return c
}

// conversationWith finds the conversation of a number with somebody, or begins it.
func (s *Server) conversationWith(a *account, n *phone, participant string) *conversation {
	for _, c := range a.conversations.list {
		if c.number == n && c.participant == participant {
			return c
		}
	}
	return s.addConversation(a, n, participant)
}

// group finds a group conversation, or nil.
func (a *account) group(id string) *conversation {
	for _, c := range a.conversations.list {
		if c.groupID == id && id != "" {
			return c
		}
	}
	return nil
}

func (s *Server) addGroup(a *account, n *phone, members []string) *conversation {
	id := s.id("grp")
	c := s.addConversation(a, n, id)
	c.groupID, c.members = id, members
	return c
}

func (c *conversation) preview() string {
	text := []rune(c.last().body)
	return string(text[:min(len(text), 100)])
}

// common is what every view of a conversation has.
func (c *conversation) common() object {
	return object{
		"id": c.id, "agentId": orNull(c.agentID), "phoneNumberId": c.number.id, "phoneNumber": c.number.phone,
		"participant": c.participant, "lastMessageAt": stamp(c.last().at),
		"messageCount": len(c.messages), "createdAt": stamp(c.created),
	}
}

func (c *conversation) full() object {
	v := c.common()
	v["isGroup"], v["groupId"], v["groupName"], v["groupIconUrl"] = c.groupID != "", orNull(c.groupID), orNull(c.groupName), nil
	v["metadata"], v["participants"] = nil, nil
	if c.metadata != nil {
		v["metadata"] = c.metadata
	}
	if c.groupID != "" {
		v["participants"] = views(c.members, func(m string) object { return object{"identifier": m, "name": nil} })
	}
	return v
}

func (c *conversation) summary() object {
	v := c.full()
	v["lastMessagePreview"] = c.preview()
	return v
}

func (c *conversation) asAgentConversation() object {
	v := c.common()
	v["lastMessagePreview"] = c.preview()
	return v
}

func (c *conversation) detail(messages int) object {
	v := c.full()
	shown := newestFirst(c.messages)
	v["messages"] = views(shown[:min(messages, len(shown))], (*message).view)
	return v
}

const defaultDetail = 50

var conversationOperations = []*operation{
	get("/v1/conversations", (*Server).listConversations, page(100)...),
	get("/v1/conversations/{conversation_id}", (*Server).getConversation, integer("message_limit").atLeast(1)),
}

// byLastMessage is the order of the lists: the latest message first.
func byLastMessage(list []*conversation) []*conversation {
	return slices.SortedStableFunc(slices.Values(list), func(a, b *conversation) int {
		return b.last().at.Compare(a.last().at)
	})
}

func (s *Server) listConversations(in *input) (any, error) {
	return pageOf(byLastMessage(in.account.conversations.list), in.query, defaultPage, (*conversation).summary), nil
}

func (s *Server) listAgentConversations(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	its := in.account.conversations.where(func(c *conversation) bool { return c.agentID == a.id })
	return pageOf(byLastMessage(its), in.query, defaultPage, (*conversation).asAgentConversation), nil
}

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
	return c.detail(in.query.integer("message_limit", defaultDetail)), nil
}

// background is the picture behind an iMessage chat.
type background struct {
	id      string // "" if there is none
	url     string
	version int
}

var conversationActionOperations = []*operation{
	patch("/v1/conversations/{conversation_id}", (*Server).updateConversation, fields{
		group("metadata").orNull(), text("group_name").orNull(),
	}),
	get("/v1/conversations/{conversation_id}/messages", (*Server).listConversationMessages, messagePage...),
	post("/v1/conversations/{conversation_id}/typing", (*Server).sendTyping, nil),
	post("/v1/conversations/{conversation_id}/background", (*Server).setBackground, fields{
		text("image_url").required().like(webAddress),
	}),
	remove("/v1/conversations/{conversation_id}/background", (*Server).removeBackground).answers(http.StatusNoContent),
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
		c.groupName = in.body.text("group_name")
	}
	return c.detail(defaultDetail), nil
}

func (s *Server) listConversationMessages(in *input) (any, error) {
	c, err := in.conversation()
	if err != nil {
		return nil, err
	}
	return pageByTime(c.messages, in.query, (*message).view), nil
}

// iMessageOnly finds the conversation of an operation that iMessage alone has.
func (in *input) iMessageOnly() (*conversation, error) {
	c, err := in.conversation()
	if err == nil && !c.isIMessage() {
		return nil, badRequest("This conversation is not on iMessage")
	}
	return c, err
}

func (s *Server) sendTyping(in *input) (any, error) {
	c, err := in.iMessageOnly()
	if err != nil {
		return nil, err
	}
	return object{"conversationId": c.id, "channel": agentphone.ChannelIMessage, "status": "sent"}, nil
}

func (s *Server) setBackground(in *input) (any, error) {
	c, err := in.iMessageOnly()
	if err != nil {
		return nil, err
	}
	url := in.body.text("image_url")
	changed := url != c.background.url
	if changed {
		c.background = background{id: s.id("bg"), url: url, version: c.background.version + 1}
	}
	return object{
		"conversationId": c.id, "channel": agentphone.ChannelIMessage, "hasBackground": true,
		"backgroundId": c.background.id, "backgroundVersion": c.background.version, "changed": changed,
	}, nil
}

// removeBackground may be repeated: without a background there is nothing to do.
func (s *Server) removeBackground(in *input) (any, error) {
	c, err := in.iMessageOnly()
	if err != nil {
		return nil, err
	}
	c.background = background{version: c.background.version}
	return nil, nil
}
