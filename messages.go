package agentphone

import (
	"context"
	"slices"
	"strings"
)

// MessagesService sends SMS, MMS and iMessages.
type MessagesService service

var (
	opSendMessage = operation{method: "POST", path: "/v1/messages"}
	opReact       = operation{method: "POST", path: "/v1/messages/{message_id}/reactions"}
)

// Channel is how a message travels.
type Channel string

const (
	ChannelSMS      Channel = "sms"
	ChannelMMS      Channel = "mms"
	ChannelIMessage Channel = "imessage"
	ChannelVoice    Channel = "voice"
)

// Direction is inbound, to the account's number, or outbound, from it.
type Direction string

const (
	DirectionInbound  Direction = "inbound"
	DirectionOutbound Direction = "outbound"
)

// SendStyle is an iMessage effect.
type SendStyle string

const (
	SendStyleCelebration SendStyle = "celebration"
	SendStyleFireworks   SendStyle = "fireworks"
	SendStyleLasers      SendStyle = "lasers"
	SendStyleLove        SendStyle = "love"
	SendStyleConfetti    SendStyle = "confetti"
	SendStyleBalloons    SendStyle = "balloons"
	SendStyleSpotlight   SendStyle = "spotlight"
	SendStyleEcho        SendStyle = "echo"
	SendStyleInvisible   SendStyle = "invisible"
	SendStyleGentle      SendStyle = "gentle"
	SendStyleLoud        SendStyle = "loud"
	SendStyleSlam        SendStyle = "slam"
)

// SendMessageParams are the parameters of [MessagesService.Send]. Exactly one of ToNumber
// and Recipients must be set.
type SendMessageParams struct {
	AgentID          string    `json:"agent_id,omitzero"`   // the sender, who must have a number; may be left out for a group
	ToNumber         string    `json:"to_number,omitzero"`  // E.164, a short code, an email address (iMessage) or a group (grp_...)
	Recipients       []string  `json:"recipients,omitzero"` // two or more: starts a new iMessage group
	Body             string    `json:"body"`                // required, unless media is sent
	MediaURL         string    `json:"media_url,omitzero"`
	MediaURLs        []string  `json:"media_urls,omitzero"`  // 20 at most
	NumberID         string    `json:"number_id,omitzero"`   // which of the agent's numbers to send from
	FromNumber       string    `json:"from_number,omitzero"` // the same, as E.164
	SendStyle        SendStyle `json:"send_style,omitzero"`  // iMessage only
	ReplyToMessageID string    `json:"reply_to_message_id,omitzero"`
}

func (p SendMessageParams) validate() error {
	switch {
	case p.ToNumber == "" && len(p.Recipients) == 0:
		return &ValidationError{"to_number", "is required, or recipients"}
	case p.ToNumber != "" && len(p.Recipients) > 0:
		return &ValidationError{"recipients", "cannot be given together with to_number"}
	case len(p.Recipients) == 1:
		return &ValidationError{"recipients", "a group has two or more; for one use to_number"}
	case slices.Contains(p.Recipients, ""):
		return &ValidationError{"recipients", "one is empty"}
	case p.Body == "" && p.MediaURL == "" && len(p.MediaURLs) == 0:
		return &ValidationError{"body", "is required"}
	case p.AgentID == "" && p.NumberID == "" && p.FromNumber == "" && !strings.HasPrefix(p.ToNumber, "grp_"):
		return &ValidationError{"agent_id", "is required, or number_id or from_number"}
	}
	for _, recipient := range p.Recipients {
		if err := checkRecipient("recipients", recipient); err != nil {
			return err
		}
	}
	return checkRecipient("to_number", p.ToNumber)
}

// SentMessage is a message that was accepted for sending.
type SentMessage struct {
	ID                    string   `json:"id"`
	Status                string   `json:"status"` // such as queued or sent
	Channel               Channel  `json:"channel"`
	FromNumber            string   `json:"from_number"`
	ToNumber              string   `json:"to_number"`
	ConversationID        string   `json:"conversation_id"` // "" if unknown
	MediaURLs             []string `json:"media_urls"`
	ReplyToMessageID      string   `json:"reply_to_message_id"`
	ReplyParentUnresolved *bool    `json:"reply_parent_unresolved"` // true if the message replied to was not found
}

// Send sends a message. (POST /v1/messages)
//
// Acts once: after [ErrOutcomeUnknown] look for the text with
// [NumbersService.ListMessages] before sending it again.
func (s *MessagesService) Send(ctx context.Context, params SendMessageParams, opts ...RequestOption) (*SentMessage, error) {
	return do[SentMessage](ctx, (*service)(s), &opSendMessage, nil, params, opts)
}

// ReactParams are the parameters of [MessagesService.React].
type ReactParams struct {
	Reaction ReactionType `json:"reaction"` // required: a tapback or an emoji
}

func (p ReactParams) validate() error { return required("reaction", string(p.Reaction)) }

// SentReaction is a reaction that was sent.
type SentReaction struct {
	ID           string       `json:"id"`
	ReactionType ReactionType `json:"reaction_type"`
	MessageID    string       `json:"message_id"`
	Channel      Channel      `json:"channel"`
}

// React puts a tapback on an iMessage. (POST /v1/messages/{message_id}/reactions)
//
// Acts once: after [ErrOutcomeUnknown] look at the message's Reactions with
// [ConversationsService.ListMessages].
func (s *MessagesService) React(ctx context.Context, messageID string, params ReactParams, opts ...RequestOption) (*SentReaction, error) {
	return do[SentReaction](ctx, (*service)(s), &opReact, []string{messageID}, params, opts)
}

// maxMessagesPage is the API's largest page of messages.
const maxMessagesPage = 200

// ListMessagesParams are the parameters of the lists of messages, which are newest first.
type ListMessagesParams struct {
	Limit  int       `url:"limit,omitempty"`  // 1 to 200; the API's default is 50, that of the All methods 200
	Before Timestamp `url:"before,omitempty"` // only messages received earlier
	After  Timestamp `url:"after,omitempty"`  // only messages received later
}

func (p ListMessagesParams) validate() error { return inRange("limit", p.Limit, maxMessagesPage) }
