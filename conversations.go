package agentphone

import (
	"context"
	"iter"
	"strconv"
)

// ConversationsService manages the threads between a number and someone else, or a group.
type ConversationsService service

var (
	opListConversations        = operation{method: "GET", path: "/v1/conversations", idempotent: true}
	opGetConversation          = operation{method: "GET", path: "/v1/conversations/{conversation_id}", idempotent: true}
	opUpdateConversation       = operation{method: "PATCH", path: "/v1/conversations/{conversation_id}", idempotent: true}
	opListConversationMessages = operation{method: "GET", path: "/v1/conversations/{conversation_id}/messages", idempotent: true}
	opSendTyping               = operation{method: "POST", path: "/v1/conversations/{conversation_id}/typing", idempotent: true}
	opSetBackground            = operation{method: "POST", path: "/v1/conversations/{conversation_id}/background", idempotent: true}
	opRemoveBackground         = operation{method: "DELETE", path: "/v1/conversations/{conversation_id}/background", idempotent: true, emptyOK: true}
)

// Conversation is a thread between one of the account's numbers and one contact, or an iMessage
// group.
type Conversation struct {
	ID                 string             `json:"id"`
	AgentID            string             `json:"agentId"`
	PhoneNumberID      string             `json:"phoneNumberId"`
	PhoneNumber        string             `json:"phoneNumber"`
	Participant        string             `json:"participant"` // the other side
	IsGroup            bool               `json:"isGroup"`
	GroupID            string             `json:"groupId"`
	GroupName          string             `json:"groupName"`
	GroupIconURL       string             `json:"groupIconUrl"`
	Participants       []GroupParticipant `json:"participants"` // of a group
	LastMessageAt      Timestamp          `json:"lastMessageAt"`
	LastMessagePreview string             `json:"lastMessagePreview"` // in lists only
	MessageCount       int                `json:"messageCount"`
	Metadata           map[string]any     `json:"metadata"` // the account's own notes on it
	CreatedAt          Timestamp          `json:"createdAt"`
}

// GroupParticipant is a member of a group.
type GroupParticipant struct {
	Identifier string `json:"identifier"` // E.164 or an email address
	Name       string `json:"name"`
}

// ConversationDetail is a conversation with its latest messages.
type ConversationDetail struct {
	Conversation
	Messages []ConversationMessage `json:"messages"`
}

// ConversationMessage is a message of a conversation.
type ConversationMessage struct {
	ID               string     `json:"id"`
	Body             string     `json:"body"`
	FromNumber       string     `json:"fromNumber"`
	ToNumber         string     `json:"toNumber"`
	Direction        Direction  `json:"direction"`
	SenderIdentifier string     `json:"senderIdentifier"` // who wrote it, in a group
	Channel          Channel    `json:"channel"`
	MediaURL         string     `json:"mediaUrl"`
	MediaURLs        []string   `json:"mediaUrls"`
	ReceivedAt       Timestamp  `json:"receivedAt"`
	Reactions        []Reaction `json:"reactions"`
	ReplyTo          *ReplyTo   `json:"replyTo"` // nil if it replies to none
}

// Reaction is an iMessage tapback on a message.
type Reaction struct {
	ID           string       `json:"id"`
	ReactionType ReactionType `json:"reactionType"`
	FromNumber   string       `json:"fromNumber"`
	Direction    Direction    `json:"direction"`
	CreatedAt    Timestamp    `json:"createdAt"`
}

// ReactionType is a tapback, or any emoji.
type ReactionType string

const (
	ReactionLove      ReactionType = "love"
	ReactionLike      ReactionType = "like"
	ReactionDislike   ReactionType = "dislike"
	ReactionLaugh     ReactionType = "laugh"
	ReactionEmphasize ReactionType = "emphasize"
	ReactionQuestion  ReactionType = "question"
)

// ReplyTo is the message that another replies to.
type ReplyTo struct {
	MessageID string   `json:"messageId"`
	Message   string   `json:"message"`
	MediaURLs []string `json:"mediaUrls"`
}

// ListConversationsParams are the parameters of the lists of conversations.
type ListConversationsParams struct {
	Limit  int `url:"limit,omitempty"` // 1 to 100; the API's default is 20, that of the All methods 100
	Offset int `url:"offset,omitempty"`
}

func (p ListConversationsParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// List returns one page of the account's conversations. Retried. (GET /v1/conversations)
func (s *ConversationsService) List(ctx context.Context, params ListConversationsParams, opts ...RequestOption) (*Page[Conversation], error) {
	return list[Conversation](ctx, (*service)(s), &opListConversations, nil, params, params.Offset, opts)
}

// All iterates over all conversations. (GET /v1/conversations)
func (s *ConversationsService) All(ctx context.Context, params ListConversationsParams, opts ...RequestOption) iter.Seq2[Conversation, error] {
	return allConversations(params, func(p ListConversationsParams) (*Page[Conversation], error) {
		return s.List(ctx, p, opts...)
	})
}

func allConversations(params ListConversationsParams, fetch func(ListConversationsParams) (*Page[Conversation], error)) iter.Seq2[Conversation, error] {
	return allByOffset(params.Offset, pageSize(params.Limit), func(c *Conversation) string { return c.ID },
		func(offset, limit int) (*Page[Conversation], error) {
			return fetch(ListConversationsParams{Limit: limit, Offset: offset})
		})
}

// GetConversationOptions are optional parameters of [ConversationsService.Get], given as a
// request option.
type GetConversationOptions struct {
	MessageLimit int // how many of the latest messages to return
}

func (p GetConversationOptions) apply(rc *requestConfig) error {
	if err := rc.only("GetConversationOptions", &opGetConversation); err != nil {
		return err
	}
	if p.MessageLimit != 0 {
		rc.query.Set("message_limit", strconv.Itoa(p.MessageLimit))
	}
	return inRange("message_limit", p.MessageLimit, 0)
}

// Get returns a conversation with its latest messages; [GetConversationOptions] may be given
// as an option. Retried. (GET /v1/conversations/{conversation_id})
func (s *ConversationsService) Get(ctx context.Context, conversationID string, opts ...RequestOption) (*ConversationDetail, error) {
	return do[ConversationDetail](ctx, (*service)(s), &opGetConversation, []string{conversationID}, nil, opts)
}

// UpdateConversationParams are the parameters of [ConversationsService.Update].
type UpdateConversationParams struct {
	Metadata  Optional[map[string]any] `json:"metadata,omitzero"` // replaces the whole of it
	GroupName Optional[string]         `json:"group_name,omitzero"`
}

// Update sets the account's notes on a conversation, which come with each of its webhook events, or
// a group's name. Retried. (PATCH /v1/conversations/{conversation_id})
func (s *ConversationsService) Update(ctx context.Context, conversationID string, params UpdateConversationParams, opts ...RequestOption) (*ConversationDetail, error) {
	return do[ConversationDetail](ctx, (*service)(s), &opUpdateConversation, []string{conversationID}, params, opts)
}

// ListMessages returns one page of a conversation's messages, newest first. Retried.
// (GET /v1/conversations/{conversation_id}/messages)
func (s *ConversationsService) ListMessages(ctx context.Context, conversationID string, params ListMessagesParams, opts ...RequestOption) (*Page[ConversationMessage], error) {
	return list[ConversationMessage](ctx, (*service)(s), &opListConversationMessages, []string{conversationID}, params, 0, opts)
}

// AllMessages iterates over a conversation's messages, newest first. Each is given once, also
// where several bear the same time; those that arrive meanwhile are not given.
// (GET /v1/conversations/{conversation_id}/messages)
func (s *ConversationsService) AllMessages(ctx context.Context, conversationID string, params ListMessagesParams, opts ...RequestOption) iter.Seq2[ConversationMessage, error] {
	return allByTime(params, func(m *ConversationMessage) (string, Timestamp) { return m.ID, m.ReceivedAt },
		func(p ListMessagesParams) (*Page[ConversationMessage], error) {
			return s.ListMessages(ctx, conversationID, p, opts...)
		})
}

// TypingStatus is the answer to [ConversationsService.SendTyping].
type TypingStatus struct {
	ConversationID string  `json:"conversationId"`
	Channel        Channel `json:"channel"`
	Status         string  `json:"status"`
}

// SendTyping shows the other side that an answer is being written. iMessage only. Retried.
// (POST /v1/conversations/{conversation_id}/typing)
func (s *ConversationsService) SendTyping(ctx context.Context, conversationID string, opts ...RequestOption) (*TypingStatus, error) {
	return do[TypingStatus](ctx, (*service)(s), &opSendTyping, []string{conversationID}, nil, opts)
}

// SetBackgroundParams are the parameters of [ConversationsService.SetBackground].
type SetBackgroundParams struct {
	ImageURL string `json:"image_url"` // required: an image that the API can fetch
}

func (p SetBackgroundParams) validate() error { return required("image_url", p.ImageURL) }

// ConversationBackground is the picture behind an iMessage conversation.
type ConversationBackground struct {
	ConversationID    string  `json:"conversationId"`
	Channel           Channel `json:"channel"`
	HasBackground     bool    `json:"hasBackground"`
	BackgroundID      string  `json:"backgroundId"`
	BackgroundVersion int     `json:"backgroundVersion"`
	Changed           bool    `json:"changed"`
}

// SetBackground sets the picture behind an iMessage conversation. Retried.
// (POST /v1/conversations/{conversation_id}/background)
func (s *ConversationsService) SetBackground(ctx context.Context, conversationID string, params SetBackgroundParams, opts ...RequestOption) (*ConversationBackground, error) {
	return do[ConversationBackground](ctx, (*service)(s), &opSetBackground, []string{conversationID}, params, opts)
}

// RemoveBackground takes it away. Retried. (DELETE /v1/conversations/{conversation_id}/background)
func (s *ConversationsService) RemoveBackground(ctx context.Context, conversationID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opRemoveBackground, []string{conversationID}, nil, opts)
}
