package agentphone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// ErrWebhookMalformed is returned by [ParseEvent] for a body that is not an event.
var ErrWebhookMalformed = errors.New("agentphone: the webhook request's body is not an event")

// Event is something that happened, as the body of a webhook request reports it.
type Event struct {
	Type      EventType
	Channel   Channel
	Timestamp Timestamp
	AgentID   string

	// DeliveryID is the id of the delivery; a redelivery has the same. It is in a header of the request
	// ([WebhookIDHeader]), so [ParseEvent] leaves it empty, and a handler sets it.
	DeliveryID string

	// ConversationState is the Metadata of the conversation; nil if it has none.
	ConversationState map[string]any

	// RecentHistory holds the messages or utterances before the event, at most as many as the ContextLimit of the
	// [Webhook].
	RecentHistory []HistoryItem

	// Data is a *[MessageData], *[VoiceTurnData], *[CallEndedData], *[ReactionData] or *[ContactSharedData], or an
	// *[UnknownData] if the kind of the event is unknown to this package.
	Data EventData

	// Raw is the whole body as it was received.
	Raw json.RawMessage
}

// EventData is the data of an [Event]. Use a type switch to tell which kind it is.
type EventData interface{ eventData() }

// HistoryItem is a message or an utterance before the event.
type HistoryItem struct {
	Content          string    `json:"content"`
	Direction        Direction `json:"direction"`
	Channel          Channel   `json:"channel"`
	At               Timestamp `json:"at"`
	MessageID        string    `json:"messageId"`        // "" if unknown
	SenderIdentifier string    `json:"senderIdentifier"` // of the member of a group who sent it; "" if unknown
}

// MessageData is a message that was received, or with [DirectionOutbound] one that was sent ([EventMessage] on [ChannelSMS],
// [ChannelMMS], [ChannelIMessage] or [ChannelWhatsApp]).
type MessageData struct {
	ConversationID   string         `json:"conversationId"` // "" if unknown
	NumberID         string         `json:"numberId"`       // "" if unknown
	From             string         `json:"from"`
	To               string         `json:"to"`
	Message          string         `json:"message"`
	MediaURL         string         `json:"mediaUrl"`
	MediaURLs        []string       `json:"mediaUrls"`
	Direction        Direction      `json:"direction"`
	ReceivedAt       Timestamp      `json:"receivedAt"`
	MessageID        string         `json:"messageId"`        // "" if unknown
	Contact          *EventContact  `json:"contact"`          // nil if the sender is not a contact
	ReplyTo          map[string]any `json:"replyTo"`          // nil if the message is not a reply
	Group            map[string]any `json:"group"`            // nil if the message is not from a group
	SenderIdentifier string         `json:"senderIdentifier"` // of the member of the group who sent it
}

// EventContact is the contact who sent a message or with whom a call was.
type EventContact struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	PhoneNumber string `json:"phoneNumber"`
}

// VoiceTurnData is something that a caller said ([EventMessage] on [ChannelVoice]). The answer in the response is what
// the agent says: see [VoiceResponse].
type VoiceTurnData struct {
	CallID     string     `json:"callId"`
	NumberID   string     `json:"numberId"` // "" if unknown
	From       string     `json:"from"`
	To         string     `json:"to"`
	Status     CallStatus `json:"status"`
	Transcript string     `json:"transcript"` // what the caller said
	Confidence *float64   `json:"confidence"` // of the speech recognition, 0 to 1; nil if unknown
	Direction  Direction  `json:"direction"`
}

// CallEndedData is a call that is over ([EventCallEnded]).
type CallEndedData struct {
	CallID              string            `json:"callId"`
	NumberID            string            `json:"numberId"` // "" if unknown
	From                string            `json:"from"`
	To                  string            `json:"to"`
	Direction           Direction         `json:"direction"`
	Status              CallStatus        `json:"status"`
	StartedAt           Timestamp         `json:"startedAt"`
	EndedAt             Timestamp         `json:"endedAt"`
	DurationSeconds     *float64          `json:"durationSeconds"`
	DisconnectionReason string            `json:"disconnectionReason"`
	Transcript          []TranscriptEntry `json:"transcript"`
	Summary             string            `json:"summary"`
	UserSentiment       string            `json:"userSentiment"`
	CallSuccessful      *bool             `json:"callSuccessful"` // nil if unknown
	Contact             *EventContact     `json:"contact"`        // nil if the other side is not a contact
}

// ReactionData is a reaction to a message, such as an iMessage tapback ([EventReaction]).
type ReactionData struct {
	ConversationID   string       `json:"conversationId"` // "" if unknown
	NumberID         string       `json:"numberId"`       // "" if unknown
	ReactionType     ReactionType `json:"reactionType"`
	FromNumber       string       `json:"fromNumber"`
	Direction        Direction    `json:"direction"`
	MessageID        string       `json:"messageId"` // the message reacted to
	MessageBody      string       `json:"messageBody"`
	MessageMediaURL  string       `json:"messageMediaUrl"`
	MessageMediaURLs []string     `json:"messageMediaUrls"`
	CreatedAt        Timestamp    `json:"createdAt"`
}

// ContactSharedData is a contact that somebody shared ([EventContactShared]). The API does not publish its shape.
type ContactSharedData struct {
	Raw json.RawMessage // the data as it was received; nil if there was none
}

// UnknownData is the data of an event whose type or channel is unknown to this package, or whose data is not a JSON
// object.
type UnknownData struct {
	Raw json.RawMessage // the data as it was received; nil if there was none
}

func (*MessageData) eventData()       {}
func (*VoiceTurnData) eventData()     {}
func (*CallEndedData) eventData()     {}
func (*ReactionData) eventData()      {}
func (*ContactSharedData) eventData() {}
func (*UnknownData) eventData()       {}

// ParseEvent parses the body of a webhook request. It does not verify the signature: call [VerifyWebhook] first.
//
// The Data of an event of an unknown kind is *[UnknownData]. A field of an unexpected type is left zero; its value is
// in Raw. Numbers in strings are read all the same, "None" as null, and phone numbers in other forms as E.164 if that is certain.
// Only a body that is not an event at all is an error, [ErrWebhookMalformed].
func ParseEvent(payload []byte) (*Event, error) {
	event, _, err := parseEvent(bytes.Clone(payload))
	return event, err
}

// parseEvent is [ParseEvent], and also reports a mismatch: an event of a known kind whose data is not an object, so
// that it is parsed as *[UnknownData]. The event keeps payload.
func parseEvent(payload []byte) (event *Event, mismatch bool, err error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(payload, &body); err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrWebhookMalformed, err)
	}
	var envelope struct {
		Event             EventType       `json:"event"`
		Channel           Channel         `json:"channel"`
		Timestamp         Timestamp       `json:"timestamp"`
		AgentID           string          `json:"agentId"`
		Data              json.RawMessage `json:"data"`
		ConversationState map[string]any  `json:"conversationState"`
		RecentHistory     []HistoryItem   `json:"recentHistory"`
	}
	lenientjson.ReadFieldsRepaired(body, &envelope)
	if envelope.Event == "" {
		return nil, false, fmt.Errorf("%w: it has no event type", ErrWebhookMalformed)
	}
	data := newEventData(envelope.Event, envelope.Channel)
	mismatch = data != nil && !readEventData(envelope.Data, data)
	if data == nil || mismatch {
		data = &UnknownData{Raw: envelope.Data}
	}
	return &Event{
		Type: envelope.Event, Channel: envelope.Channel, Timestamp: envelope.Timestamp, AgentID: envelope.AgentID,
		ConversationState: envelope.ConversationState, RecentHistory: envelope.RecentHistory,
		Data: data,
		Raw:  payload,
	}, mismatch, nil
}

// readEventData reads raw into data and reports whether raw is an object.
func readEventData(raw json.RawMessage, data EventData) bool {
	if shared, ok := data.(*ContactSharedData); ok {
		shared.Raw = raw
		return true
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return false
	}
	lenientjson.ReadFieldsRepaired(object, data)
	return true
}

// newEventData returns the data of an event, empty, or nil if the kind of the event is unknown.
func newEventData(event EventType, channel Channel) EventData {
	switch {
	case event == EventCallEnded:
		return &CallEndedData{}
	case event == EventReaction:
		return &ReactionData{}
	case event == EventContactShared:
		return &ContactSharedData{}
	case event == EventMessage && channel == ChannelVoice:
		return &VoiceTurnData{}
	case event != EventMessage:
		return nil
	}
	switch channel {
	case ChannelSMS, ChannelMMS, ChannelIMessage, ChannelWhatsApp:
		return &MessageData{}
	}
	return nil
}

// EventType is the type of an [Event].
type EventType string

const (
	EventMessage       EventType = "agent.message"        // a message was received or, on [ChannelVoice], a caller spoke
	EventCallEnded     EventType = "agent.call_ended"     // a call is over
	EventReaction      EventType = "agent.reaction"       // a reaction to a message, such as an iMessage tapback
	EventContactShared EventType = "agent.contact_shared" // somebody shared a contact
)
