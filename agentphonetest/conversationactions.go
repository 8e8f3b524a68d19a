package agentphonetest

import (
	"net/http"

	agentphone "github.com/agentphone/agentphone-go"
)

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
