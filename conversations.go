package agentphone

import (
	"cmp"
	"context"
	"iter"
	"strconv"
)

// ConversationsService manages conversations: the message threads between the account's numbers and other people.
type ConversationsService service

var (
	opListConversations        = operation{name: "Conversations.List", method: "GET", path: "/v1/conversations", idempotent: true}
	opGetConversation          = operation{name: "Conversations.Get", method: "GET", path: "/v1/conversations/{conversation_id}", idempotent: true}
	opUpdateConversation       = operation{name: "Conversations.Update", method: "PATCH", path: "/v1/conversations/{conversation_id}", idempotent: true}
	opListConversationMessages = operation{name: "Conversations.ListMessages", method: "GET", path: "/v1/conversations/{conversation_id}/messages", idempotent: true}
	opSendTyping               = operation{name: "Conversations.SendTyping", method: "POST", path: "/v1/conversations/{conversation_id}/typing", idempotent: true}
	opSetBackground            = operation{name: "Conversations.SetBackground", method: "POST", path: "/v1/conversations/{conversation_id}/background", idempotent: true}
	opRemoveBackground         = operation{name: "Conversations.RemoveBackground", method: "DELETE", path: "/v1/conversations/{conversation_id}/background", idempotent: true, emptyOK: true}
)

// Conversation is a message thread between one of the account's numbers and one other person, or an iMessage group.
type Conversation struct {
	ID                 string             `json:"id"`
	AgentID            string             `json:"agentId"`
	PhoneNumberID      string             `json:"phoneNumberId"` // the account's number
	PhoneNumber        string             `json:"phoneNumber"`   // the same, in E.164
	Participant        string             `json:"participant"`   // the other person: E.164 or an email address
	IsGroup            bool               `json:"isGroup"`
	GroupID            string             `json:"groupId"` // "grp_...", a ToNumber for [MessagesService.Send]
	GroupName          string             `json:"groupName"`
	GroupIconURL       string             `json:"groupIconUrl"`
	Participants       []GroupParticipant `json:"participants"` // of a group; empty otherwise
	LastMessageAt      Timestamp          `json:"lastMessageAt"`
	LastMessagePreview string             `json:"lastMessagePreview"` // in lists only
	MessageCount       int                `json:"messageCount"`
	Channel            Channel            `json:"channel"`  // "" if unknown
	Metadata           map[string]any     `json:"metadata"` // set by [ConversationsService.Update]
	CreatedAt          Timestamp          `json:"createdAt"`
}

// GroupParticipant is a member of an iMessage group.
type GroupParticipant struct {
	Identifier string `json:"identifier"` // E.164 or an email address
	Name       string `json:"name"`
}

// ConversationDetail is a conversation with its latest messages.
type ConversationDetail struct {
	Conversation
	Messages     []ConversationMessage `json:"messages"`     // the latest; for all see [ConversationsService.AllMessages]
	Capabilities map[string]any        `json:"capabilities"` // what the conversation can do; the API publishes no names. nil if unknown
}

// ConversationMessage is a message in a conversation.
type ConversationMessage struct {
	ID               string     `json:"id"`
	Body             string     `json:"body"`
	FromNumber       string     `json:"fromNumber"`
	ToNumber         string     `json:"toNumber"`
	Direction        Direction  `json:"direction"`
	SenderIdentifier string     `json:"senderIdentifier"` // in a group: who wrote it
	Channel          Channel    `json:"channel"`
	MediaURL         string     `json:"mediaUrl"`
	MediaURLs        []string   `json:"mediaUrls"`
	ReceivedAt       Timestamp  `json:"receivedAt"`
	Reactions        []Reaction `json:"reactions"`
	ReplyTo          *ReplyTo   `json:"replyTo"` // nil if it is not a reply
}

// Reaction is an iMessage reaction (tapback) to a message.
type Reaction struct {
	ID           string       `json:"id"`
	ReactionType ReactionType `json:"reactionType"`
	FromNumber   string       `json:"fromNumber"`
	Direction    Direction    `json:"direction"`
	CreatedAt    Timestamp    `json:"createdAt"`
}

// ReactionType is one of the tapbacks named here, or any emoji.
type ReactionType string

const (
	ReactionLove      ReactionType = "love"
	ReactionLike      ReactionType = "like"
	ReactionDislike   ReactionType = "dislike"
	ReactionLaugh     ReactionType = "laugh"
	ReactionEmphasize ReactionType = "emphasize"
	ReactionQuestion  ReactionType = "question"
)

// ReplyTo is the message that another message replies to.
type ReplyTo struct {
	MessageID string   `json:"messageId"`
	Message   string   `json:"message"` // its text
	MediaURLs []string `json:"mediaUrls"`
}

// ListConversationsParams are the parameters of the lists of conversations.
type ListConversationsParams struct {
	Limit  int `url:"limit,omitempty"`  // page size, 1 to 100; the default is 20, and 100 for the All methods
	Offset int `url:"offset,omitempty"` // number of conversations to skip
}

func (p ListConversationsParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// List returns one page of the account's conversations. Retried. (GET /v1/conversations)
func (s *ConversationsService) List(ctx context.Context, params ListConversationsParams, opts ...RequestOption) (*Page[Conversation], error) {
	return list[Conversation](ctx, (*service)(s), &opListConversations, nil, params, params.Offset, opts)
}

// All iterates over the account's conversations. Retried. (GET /v1/conversations)
func (s *ConversationsService) All(ctx context.Context, params ListConversationsParams, opts ...RequestOption) iter.Seq2[Conversation, error] {
	return allConversations(params, func(p ListConversationsParams) (*Page[Conversation], error) {
		return s.List(ctx, p, opts...)
	})
}

func allConversations(params ListConversationsParams, fetch func(ListConversationsParams) (*Page[Conversation], error)) iter.Seq2[Conversation, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxPage), func(c *Conversation) string { return c.ID },
		func(offset, limit int) (*Page[Conversation], error) {
			return fetch(ListConversationsParams{Limit: limit, Offset: offset})
		})
}

// GetConversationOptions are optional parameters of [ConversationsService.Get], given as a request option.
type GetConversationOptions struct {
	MessageLimit int // the number of latest messages to return; if 0 the API decides
}

func (p GetConversationOptions) apply(rc *requestConfig) error {
	if is, err := rc.isFor("GetConversationOptions", &opGetConversation); !is {
		return err
	}
	if p.MessageLimit != 0 {
		rc.query.Set("message_limit", strconv.Itoa(p.MessageLimit))
	}
	return inRange("message_limit", p.MessageLimit, 0)
}

// Get returns a conversation with its latest messages. [GetConversationOptions] may be given as an option. It fails
// with [ErrNotFound] if there is no conversation with that id. Retried. (GET /v1/conversations/{conversation_id})
func (s *ConversationsService) Get(ctx context.Context, conversationID string, opts ...RequestOption) (*ConversationDetail, error) {
	return do[ConversationDetail](ctx, (*service)(s), &opGetConversation, []string{conversationID}, nil, opts)
}

// UpdateConversationParams are the parameters of [ConversationsService.Update]. Absent fields are not changed.
type UpdateConversationParams struct {
	Metadata  Optional[map[string]any] `json:"metadata,omitzero"`   // replaces all of the metadata
	GroupName Optional[string]         `json:"group_name,omitzero"` // of an iMessage group
}

// Update sets the metadata of a conversation, which each of its webhook events carries as [Event].ConversationState, or
// the name of a group. Retried. (PATCH /v1/conversations/{conversation_id})
func (s *ConversationsService) Update(ctx context.Context, conversationID string, params UpdateConversationParams, opts ...RequestOption) (*ConversationDetail, error) {
	return do[ConversationDetail](ctx, (*service)(s), &opUpdateConversation, []string{conversationID}, params, opts)
}

// ListMessages returns one page of a conversation's messages, newest first. Retried.
// (GET /v1/conversations/{conversation_id}/messages)
func (s *ConversationsService) ListMessages(ctx context.Context, conversationID string, params ListMessagesParams, opts ...RequestOption) (*Page[ConversationMessage], error) {
	return list[ConversationMessage](ctx, (*service)(s), &opListConversationMessages, []string{conversationID}, params, 0, opts)
}

// AllMessages iterates over a conversation's messages, newest first. It yields each message once, even if several have
// the same time, and none that arrives after the iteration has begun. Retried.
// (GET /v1/conversations/{conversation_id}/messages)
func (s *ConversationsService) AllMessages(ctx context.Context, conversationID string, params ListMessagesParams, opts ...RequestOption) iter.Seq2[ConversationMessage, error] {
	return allByTime(params, func(m *ConversationMessage) (string, Timestamp) { return m.ID, m.ReceivedAt },
		func(p ListMessagesParams) (*Page[ConversationMessage], error) {
			return s.ListMessages(ctx, conversationID, p, opts...)
		})
}

// TypingStatus is the result of [ConversationsService.SendTyping].
type TypingStatus struct {
	ConversationID string  `json:"conversationId"`
	Channel        Channel `json:"channel"`
	Status         string  `json:"status"`
}

// SendTyping shows a typing indicator to the other side of an iMessage conversation. Retried.
// (POST /v1/conversations/{conversation_id}/typing)
func (s *ConversationsService) SendTyping(ctx context.Context, conversationID string, opts ...RequestOption) (*TypingStatus, error) {
	return do[TypingStatus](ctx, (*service)(s), &opSendTyping, []string{conversationID}, nil, opts)
}

// SetBackgroundParams are the parameters of [ConversationsService.SetBackground].
type SetBackgroundParams struct {
	ImageURL string `json:"image_url"` // required: URL of an image that the API can fetch
}

func (p SetBackgroundParams) validate() error { return required("image_url", p.ImageURL) }

// ConversationBackground is the background image of an iMessage conversation.
type ConversationBackground struct {
	ConversationID    string  `json:"conversationId"`
	Channel           Channel `json:"channel"`
	HasBackground     bool    `json:"hasBackground"`
	BackgroundID      string  `json:"backgroundId"`
	BackgroundVersion int     `json:"backgroundVersion"`
	Changed           bool    `json:"changed"`
}

// SetBackground sets the background image of an iMessage conversation. Retried.
// (POST /v1/conversations/{conversation_id}/background)
func (s *ConversationsService) SetBackground(ctx context.Context, conversationID string, params SetBackgroundParams, opts ...RequestOption) (*ConversationBackground, error) {
	return do[ConversationBackground](ctx, (*service)(s), &opSetBackground, []string{conversationID}, params, opts)
}

// RemoveBackground removes the background image of an iMessage conversation. Retried.
// (DELETE /v1/conversations/{conversation_id}/background)
func (s *ConversationsService) RemoveBackground(ctx context.Context, conversationID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opRemoveBackground, []string{conversationID}, nil, opts)
}
