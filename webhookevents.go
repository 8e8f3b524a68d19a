package agentphone

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// ErrWebhookMalformed is a webhook request whose body is no event.
var ErrWebhookMalformed = errors.New("agentphone: the webhook request's body is no event")

// Event is what a webhook request tells.
type Event struct {
	Type      EventType
	Channel   Channel
	Timestamp Timestamp
	AgentID   string
	// DeliveryID is the same when the event is delivered again. It comes with the request's headers
	// ([WebhookIDHeader]), so [ParseEvent] leaves it empty and the handler fills it in.
	DeliveryID string
	// ConversationState is the conversation's Metadata; nil if it has none.
	ConversationState map[string]any
	// RecentHistory is what was said before, as many items as the webhook's ContextLimit.
	RecentHistory []HistoryItem
	// Data is a *[MessageData], *[VoiceTurnData], *[CallEndedData], *[ReactionData] or, for what
	// this package does not know, *[UnknownData].
	Data EventData
	// Raw is the whole body as it was received.
	Raw json.RawMessage
}

// EventData is what an [Event] is about. A type switch tells which it is.
type EventData interface{ eventData() }

// HistoryItem is a message or an utterance before the event.
type HistoryItem struct {
	Content   string    `json:"content"`
	Direction Direction `json:"direction"`
	Channel   Channel   `json:"channel"`
	At        Timestamp `json:"at"`
	MessageID string    `json:"messageId"` // "" if unknown
}

// MessageData is a message that came in ([EventMessage] on [ChannelSMS], [ChannelMMS] or
// [ChannelIMessage]).
type MessageData struct {
	ConversationID   string         `json:"conversationId"`
	NumberID         string         `json:"numberId"`
	From             string         `json:"from"`
	To               string         `json:"to"`
	Message          string         `json:"message"`
	MediaURL         string         `json:"mediaUrl"`
	MediaURLs        []string       `json:"mediaUrls"`
	Direction        Direction      `json:"direction"`
	ReceivedAt       Timestamp      `json:"receivedAt"`
	MessageID        string         `json:"messageId"`        // "" if unknown
	Contact          *EventContact  `json:"contact"`          // nil if the sender is no contact
	ReplyTo          map[string]any `json:"replyTo"`          // nil if it replies to none
	Group            map[string]any `json:"group"`            // nil outside of groups
	SenderIdentifier string         `json:"senderIdentifier"` // who wrote it, in a group
}

// EventContact is the contact that sent a message.
type EventContact struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	PhoneNumber string `json:"phoneNumber"`
}

// VoiceTurnData is something that a caller said ([EventMessage] on [ChannelVoice]). The answer to the
// request is what the agent says.
type VoiceTurnData struct {
	CallID     string     `json:"callId"`
	NumberID   string     `json:"numberId"`
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
	NumberID            string            `json:"numberId"`
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
}

// ReactionData is an iMessage tapback ([EventReaction]).
type ReactionData struct {
	ConversationID  string       `json:"conversationId"`
	NumberID        string       `json:"numberId"`
	ReactionType    ReactionType `json:"reactionType"`
	FromNumber      string       `json:"fromNumber"`
	Direction       Direction    `json:"direction"`
	MessageID       string       `json:"messageId"` // the message reacted to
	MessageBody     string       `json:"messageBody"`
	MessageMediaURL string       `json:"messageMediaUrl"`
	CreatedAt       Timestamp    `json:"createdAt"`
}

// UnknownData is the data of an event, or of a channel, that this package does not know.
type UnknownData struct {
	Raw json.RawMessage // the data as it was received; nil if there was none
}

func (*MessageData) eventData()   {}
func (*VoiceTurnData) eventData() {}
func (*CallEndedData) eventData() {}
func (*ReactionData) eventData()  {}
func (*UnknownData) eventData()   {}

// ParseEvent reads a webhook request's body. Verify it first ([VerifyWebhook]). An event that is not known
// is handed on as *[UnknownData], and a field of another type than is known is left zero (it is in Raw): only what
// is no event at all is an error, [ErrWebhookMalformed].
func ParseEvent(payload []byte) (*Event, error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(payload, &body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWebhookMalformed, err)
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
	lenientjson.ReadFields(body, &envelope)
	if envelope.Event == "" {
		return nil, fmt.Errorf("%w: it has no event type", ErrWebhookMalformed)
	}
	return &Event{
		Type: envelope.Event, Channel: envelope.Channel, Timestamp: envelope.Timestamp, AgentID: envelope.AgentID,
		ConversationState: envelope.ConversationState, RecentHistory: envelope.RecentHistory,
		Data: parseEventData(envelope.Event, envelope.Channel, envelope.Data),
		Raw:  append(json.RawMessage(nil), payload...),
	}, nil
}

func parseEventData(event EventType, channel Channel, raw json.RawMessage) EventData {
	data := newEventData(event, channel)
	var object map[string]json.RawMessage
	if data == nil || json.Unmarshal(raw, &object) != nil || object == nil {
		return &UnknownData{Raw: raw}
	}
	lenientjson.ReadFields(object, data)
	return data
}

// newEventData is an empty value of the kind of data that an event has, or nil if that is not known.
func newEventData(event EventType, channel Channel) EventData {
	switch {
	case event == EventCallEnded:
		return &CallEndedData{}
	case event == EventReaction:
		return &ReactionData{}
	case event == EventMessage && channel == ChannelVoice:
		return &VoiceTurnData{}
	case event == EventMessage && (channel == ChannelSMS || channel == ChannelMMS || channel == ChannelIMessage):
		return &MessageData{}
	}
	return nil
}

// EventType names what happened.
type EventType string

const (
	EventMessage   EventType = "agent.message"    // a message came in or, on [ChannelVoice], a caller spoke
	EventCallEnded EventType = "agent.call_ended" // with the whole transcript
	EventReaction  EventType = "agent.reaction"   // an iMessage tapback
)
