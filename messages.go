package agentphone

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// MessagesService sends messages and reactions by SMS, MMS, iMessage and WhatsApp. [NumbersService.ListMessages] and
// [ConversationsService.ListMessages] list messages.
type MessagesService service

var (
	opSendMessage = operation{name: "Messages.Send", method: "POST", path: "/v1/messages", find: findBy(findSent)}
	opReact       = operation{name: "Messages.React", method: "POST", path: "/v1/messages/{message_id}/reactions"}
)

// Channel is the way by which a message, or what is said in a call, is transported.
type Channel string

const (
	ChannelSMS      Channel = "sms"
	ChannelMMS      Channel = "mms"
	ChannelIMessage Channel = "imessage"
	ChannelWhatsApp Channel = "whatsapp"
	ChannelVoice    Channel = "voice"
)

// Direction is the direction of a call or a message as seen from the account.
type Direction string

const (
	DirectionInbound  Direction = "inbound"  // to the account's number
	DirectionOutbound Direction = "outbound" // from the account's number
	DirectionWeb      Direction = "web"      // a call from a browser: see [CallsService.CreateWeb]
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
// and at least one of FromNumber, NumberID and AgentID unless ToNumber is a group: the first of them that is set says which
// number sends.
type SendMessageParams struct {
	AgentID          string    `json:"agent_id,omitzero"`            // the agent that sends; it must have a number
	ToNumber         string    `json:"to_number,omitzero"`           // E.164, a short code of 5 or 6 digits, an email address (iMessage) or a group ID ("grp_...")
	Recipients       []string  `json:"recipients,omitempty"`         // 2 to 32, each as ToNumber: starts a new iMessage group
	Body             string    `json:"body"`                         // required, unless there is media or a Template
	MediaURL         string    `json:"media_url,omitzero"`           // https URL of an image or file
	MediaURLs        []string  `json:"media_urls,omitempty"`         // instead of MediaURL: 1 to 20 https URLs
	NumberID         string    `json:"number_id,omitzero"`           // the number to send from, if the agent has several
	FromNumber       string    `json:"from_number,omitzero"`         // the same in E.164
	SendStyle        SendStyle `json:"send_style,omitzero"`          // iMessage only
	ReplyToMessageID string    `json:"reply_to_message_id,omitzero"` // the message that this one replies to
	Channel          Channel   `json:"channel,omitzero"`             // ChannelWhatsApp sends by WhatsApp; if empty the API chooses

	// For WhatsApp, at most one of these four.
	Buttons  []string          `json:"buttons,omitempty"` // 1 to 3 replies to choose from, of 20 characters at most; media may go with them
	List     any               `json:"list,omitzero"`     // a JSON object: a menu of 10 rows at most. The API publishes no more of its shape.
	CTA      *WhatsAppCTA      `json:"cta,omitzero"`      // a button that opens a web page
	Template *WhatsAppTemplate `json:"template,omitzero"` // Body may then be empty
}

// WhatsAppCTA is a button of a WhatsApp message that opens a web page (call to action).
type WhatsAppCTA struct {
	DisplayText string `json:"display_text"` // required: 20 characters at most
	URL         string `json:"url"`          // required
}

// WhatsAppTemplate is a message template of the account's at WhatsApp.
type WhatsAppTemplate struct {
	Name      string `json:"name"`               // required
	Language  string `json:"language,omitzero"`  // default en_US
	Variables any    `json:"variables,omitzero"` // values for its placeholders, as JSON; the API publishes no shape
}

const (
	groupPrefix   = "grp_" // of the id of a group
	maxRecipients = 32
	maxMediaURLs  = 20
	maxButtons    = 3
	maxButtonText = 20 // characters, of a CTA too
)

func (p SendMessageParams) validate() error {
	switch {
	case p.ToNumber == "" && len(p.Recipients) == 0:
		return &ValidationError{"to_number", "is required, or recipients"}
	case p.ToNumber != "" && len(p.Recipients) > 0:
		return &ValidationError{"recipients", "cannot be given together with to_number"}
	case len(p.Recipients) == 1:
		return &ValidationError{"recipients", "must be two or more; for one use to_number"}
	case len(p.Recipients) > maxRecipients:
		return &ValidationError{"recipients", fmt.Sprintf("are over %d", maxRecipients)}
	case slices.Contains(p.Recipients, ""):
		return &ValidationError{"recipients", "contain an empty string"}
	case p.Body == "" && p.MediaURL == "" && len(p.MediaURLs) == 0 && p.Template == nil:
		return &ValidationError{"body", "is required, or media or a template"}
	case p.AgentID == "" && p.NumberID == "" && p.FromNumber == "" && !strings.HasPrefix(p.ToNumber, groupPrefix):
		return &ValidationError{"agent_id", "is required, or number_id or from_number"}
	}
	for _, recipient := range p.Recipients {
		if err := checkRecipient("recipients", recipient); err != nil {
			return err
		}
	}
	return firstOf(checkRecipient("to_number", p.ToNumber), p.validateMedia(), p.validateWhatsApp())
}

func (p SendMessageParams) validateMedia() error {
	switch {
	case len(p.MediaURLs) > 0 && p.MediaURL != "":
		return &ValidationError{"media_urls", "cannot be given together with media_url"}
	case len(p.MediaURLs) > maxMediaURLs:
		return &ValidationError{"media_urls", fmt.Sprintf("are over %d", maxMediaURLs)}
	}
	for _, address := range p.MediaURLs {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
			return &ValidationError{"media_urls", "contain one that is not an https URL"}
		}
	}
	return nil
}

func (p SendMessageParams) validateWhatsApp() error {
	var given []string
	for _, content := range []struct {
		field string
		given bool
	}{{"buttons", len(p.Buttons) > 0}, {"list", p.List != nil}, {"cta", p.CTA != nil}, {"template", p.Template != nil}} {
		if content.given {
			given = append(given, content.field)
		}
	}
	switch {
	case len(given) > 1:
		return &ValidationError{given[1], "cannot be given together with " + given[0]}
	case len(p.Buttons) > maxButtons:
		return &ValidationError{"buttons", fmt.Sprintf("are over %d", maxButtons)}
	case p.CTA != nil:
		return firstOf(required("cta.display_text", p.CTA.DisplayText), required("cta.url", p.CTA.URL),
			atMost("cta.display_text", p.CTA.DisplayText, maxButtonText))
	case p.Template != nil:
		return required("template.name", p.Template.Name)
	}
	for _, text := range p.Buttons {
		if err := firstOf(required("buttons", text), atMost("buttons", text, maxButtonText)); err != nil {
			return err
		}
	}
	return nil
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

// Send sends a message. It returns when the API has accepted the message, not when it has been delivered: carriers queue what is
// over the account's rate (A2P 10DLC: 2.25 to 225 segments a second, depending on the trust in its registration). The API has no
// published rate limit for messages. It fails with [ErrRateLimited] but not [ErrTemporary] if only a reply of the human, or the
// next day, lets more messages through (such as [CodeConversationAwaitingReply]); and with [ErrForbidden] if the account has
// no WhatsApp ([CodeWhatsAppNotEnabled]). (POST /v1/messages)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the message with
// [MessagesService.FindSent] before sending it again, or use [WithIdempotencyKey].
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

// React adds a reaction (tapback) to an iMessage or a WhatsApp message. (POST /v1/messages/{message_id}/reactions)
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
