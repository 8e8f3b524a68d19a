package agentphone

import (
	"context"
	"slices"
	"strings"
)

// MessagesService sends messages and reactions by SMS, MMS and iMessage. [NumbersService.ListMessages] and
// [ConversationsService.ListMessages] list messages.
type MessagesService service

var (
	opSendMessage = operation{method: "POST", path: "/v1/messages", find: findBy(findSent)}
	opReact       = operation{method: "POST", path: "/v1/messages/{message_id}/reactions"}
)

// Channel is the way by which a message, or what is said in a call, is transported.
type Channel string

const (
	ChannelSMS      Channel = "sms"
	ChannelMMS      Channel = "mms"
	ChannelIMessage Channel = "imessage"
	ChannelVoice    Channel = "voice"
)

// Direction is the direction of a call or a message as seen from the account.
type Direction string

const (
	DirectionInbound  Direction = "inbound"  // to the account's number
	DirectionOutbound Direction = "outbound" // from the account's number
)

// SendStyle is an effect with which an iMessage is shown.
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

// SendMessageParams are the parameters of [MessagesService.Send]. Exactly one of ToNumber and Recipients must be set,
// and at least one of AgentID, NumberID and FromNumber unless ToNumber is a group.
type SendMessageParams struct {
	AgentID          string    `json:"agent_id,omitzero"`            // the agent that sends; it must have a number
	ToNumber         string    `json:"to_number,omitzero"`           // E.164, a short code of 5 or 6 digits, an email address (iMessage) or a group ID ("grp_...")
	Recipients       []string  `json:"recipients,omitzero"`          // 2 to 32, each as ToNumber: starts a new iMessage group
	Body             string    `json:"body"`                         // required, unless there is media
	MediaURL         string    `json:"media_url,omitzero"`           // https URL of an image or file
	MediaURLs        []string  `json:"media_urls,omitzero"`          // instead of MediaURL: 20 https URLs at most
	NumberID         string    `json:"number_id,omitzero"`           // the number to send from, if the agent has several
	FromNumber       string    `json:"from_number,omitzero"`         // the same in E.164; takes precedence over NumberID
	SendStyle        SendStyle `json:"send_style,omitzero"`          // iMessage only
	ReplyToMessageID string    `json:"reply_to_message_id,omitzero"` // the message that this one replies to
}

func (p SendMessageParams) validate() error {
	switch {
	case p.ToNumber == "" && len(p.Recipients) == 0:
		return &ValidationError{"to_number", "is required, or recipients"}
	case p.ToNumber != "" && len(p.Recipients) > 0:
		return &ValidationError{"recipients", "cannot be given together with to_number"}
	case len(p.Recipients) == 1:
		return &ValidationError{"recipients", "must be two or more; for one use to_number"}
	case slices.Contains(p.Recipients, ""):
		return &ValidationError{"recipients", "contain an empty string"}
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

// SentMessage is a message that the API has accepted for sending.
type SentMessage struct {
	ID                    string   `json:"id"`
	Status                string   `json:"status"` // such as queued or sent
	Channel               Channel  `json:"channel"`
	FromNumber            string   `json:"from_number"`
	ToNumber              string   `json:"to_number"`
	ConversationID        string   `json:"conversation_id"` // "" if unknown
	MediaURLs             []string `json:"media_urls"`
	ReplyToMessageID      string   `json:"reply_to_message_id"`
	ReplyParentUnresolved *bool    `json:"reply_parent_unresolved"` // true if ReplyToMessageID was not found; nil if unknown
}

// Send sends a message. It returns when the API has accepted the message, not when it has been delivered.
// (POST /v1/messages)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the message with
// [NumbersService.ListMessages] before sending it again.
func (s *MessagesService) Send(ctx context.Context, params SendMessageParams, opts ...RequestOption) (*SentMessage, error) {
	return do[SentMessage](ctx, (*service)(s), &opSendMessage, nil, params, opts)
}

// ReactParams are the parameters of [MessagesService.React].
type ReactParams struct {
	Reaction ReactionType `json:"reaction"` // required: one of the constants, or an emoji
}

func (p ReactParams) validate() error { return required("reaction", string(p.Reaction)) }

// SentReaction is a reaction that the API has accepted for sending.
type SentReaction struct {
	ID           string       `json:"id"`
	ReactionType ReactionType `json:"reaction_type"`
	MessageID    string       `json:"message_id"`
	Channel      Channel      `json:"channel"`
}

// React adds a reaction (tapback) to an iMessage. (POST /v1/messages/{message_id}/reactions)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look at the Reactions of the
// message with [ConversationsService.ListMessages] before reacting again.
func (s *MessagesService) React(ctx context.Context, messageID string, params ReactParams, opts ...RequestOption) (*SentReaction, error) {
	return do[SentReaction](ctx, (*service)(s), &opReact, []string{messageID}, params, opts)
}

// maxMessagesPage is the largest page size of lists of messages.
const maxMessagesPage = 200

// ListMessagesParams are the parameters of the lists of messages.
type ListMessagesParams struct {
	Limit  int       `url:"limit,omitempty"`  // page size, 1 to 200; the default is 50, and 200 for the All methods
	Before Timestamp `url:"before,omitempty"` // if set, only messages received before it
	After  Timestamp `url:"after,omitempty"`  // if set, only messages received after it
}

func (p ListMessagesParams) validate() error { return inRange("limit", p.Limit, maxMessagesPage) }
