package agentphone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"

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
	// ([WebhookIDHeader]), so [ParseEvent] leaves it empty, and a handler sets it; it is "" if a gateway dropped the header.
	DeliveryID string

	// ConversationState is the Metadata of the conversation; nil if it has none.
	ConversationState map[string]any

	// RecentHistory holds the messages or utterances before the event, at most as many as the ContextLimit of the
	// [Webhook].
	RecentHistory []HistoryItem

	// Data is a *[MessageData], *[VoiceTurnData], *[CallEndedData], *[ReactionData] or *[ContactSharedData], or an
	// *[UnknownData] if the kind of the event is unknown to this package.
	Data EventData

	// Raw is the whole body as it was received. Of one that is no JSON, for Python's NaN or a byte order mark, it is what was read.
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
// in Raw. So is one that would take sixteen times the memory of the whole payload, and more than 16 MiB. Numbers in strings
// are read all the same, "None" as null, as is Python's NaN, and phone numbers in other forms as E.164 if that is certain.
// Only a body that is not an event at all is an error, [ErrWebhookMalformed].
func ParseEvent(payload []byte) (*Event, error) {
	event, _, err := parseEvent(bytes.Clone(payload))
	return event, err
}

// wireEvent is the body of a webhook request. Data is a pointer to the data, or all that there is in its place.
type wireEvent[Data any] struct {
	Event             EventType      `json:"event"`
	Channel           Channel        `json:"channel"`
	Timestamp         Timestamp      `json:"timestamp"`
	AgentID           string         `json:"agentId"`
	Data              Data           `json:"data"`
	ConversationState map[string]any `json:"conversationState"`
	RecentHistory     []HistoryItem  `json:"recentHistory"`
}

// event returns the event. It keeps payload.
func (w *wireEvent[Data]) event(payload []byte, data EventData) *Event {
	return &Event{
		Type: w.Event, Channel: w.Channel, Timestamp: w.Timestamp, AgentID: w.AgentID,
		ConversationState: w.ConversationState, RecentHistory: w.RecentHistory,
		Data: data,
		Raw:  payload,
	}
}

// parseEvent is [ParseEvent], and also reports a mismatch: an event of a known kind whose data is not an object, so
// that it is parsed as *[UnknownData]. The event keeps payload.
//
// A well-formed event is decoded in one pass, as what its first members say that it is. Only of one that cannot be decoded so, the fields
// are decoded one by one.
func parseEvent(payload []byte) (event *Event, mismatch bool, err error) {
	kind := kindOf(EventType(lenientjson.PeekString(payload, "event")), Channel(lenientjson.PeekString(payload, "channel")))
	if event := kind.decode(payload); event != nil && kindOf(event.Type, event.Channel) == kind {
		return event, false, nil
	}
	return parseFields(payload)
}

// parseFields is parseEvent for an event some of whose fields may be of unexpected types.
func parseFields(payload []byte) (event *Event, mismatch bool, err error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(payload, &body); err != nil {
		payload = lenientjson.FromPython(payload)
		if json.Unmarshal(payload, &body) != nil {
			return nil, false, fmt.Errorf("%w: %w", ErrWebhookMalformed, err)
		}
	}
	var envelope wireEvent[json.RawMessage]
	lenientjson.ReadFieldsRepaired(body, &envelope, maxWeight(payload))
	if envelope.Event == "" {
		return nil, false, fmt.Errorf("%w: it has no event type", ErrWebhookMalformed)
	}
	data := kindOf(envelope.Event, envelope.Channel).newData()
	mismatch = !readEventData(envelope.Data, data, maxWeight(payload))
	if mismatch {
		data = &UnknownData{Raw: envelope.Data}
	}
	return envelope.event(payload, data), mismatch, nil
}

// maxWeight is how many bytes of memory a field of an event may take: what the API sends takes a few times the length of its JSON, and a list
// of a million items can take a thousand times that.
func maxWeight(payload []byte) int { return 16 * min(max(len(payload), 1<<20), math.MaxInt/16) }

// isHeavy reports whether an event may take more than that, all in all.
func isHeavy[Data any](payload []byte, wire *wireEvent[Data]) bool {
	return lenientjson.IsHeavy(payload, reflect.TypeOf(wire).Elem(), maxWeight(payload))
}

// readEventData reads raw into data, without the fields that take more than limit bytes of memory, and reports whether it could: data that
// has fields takes an object.
func readEventData(raw json.RawMessage, data EventData, limit int) bool {
	switch data := data.(type) {
	case *ContactSharedData:
		data.Raw = raw
		return true
	case *UnknownData:
		data.Raw = raw
		return true
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return false
	}
	lenientjson.ReadFieldsRepaired(object, data, limit)
	return true
}

// eventKind is what the type and the channel of an event say of its data.
type eventKind struct {
	newData func() EventData
	// decode decodes an event of this kind in one pass. It returns nil if the event is not one, or is not as the API publishes it.
	decode func(payload []byte) *Event
}

var (
	messageKind       = kindWithFields[MessageData]()
	voiceTurnKind     = kindWithFields[VoiceTurnData]()
	callEndedKind     = kindWithFields[CallEndedData]()
	reactionKind      = kindWithFields[ReactionData]()
	contactSharedKind = kindOfAnyShape(func(raw json.RawMessage) EventData { return &ContactSharedData{Raw: raw} })
	unknownKind       = kindOfAnyShape(func(raw json.RawMessage) EventData { return &UnknownData{Raw: raw} })
)

func kindWithFields[Fields any, Data interface {
	*Fields
	EventData
}]() *eventKind {
	return &eventKind{
		newData: func() EventData { return Data(new(Fields)) },
		decode: func(payload []byte) *Event {
			var wire wireEvent[Data]
			if isHeavy(payload, &wire) || lenientjson.UnmarshalNew(payload, &wire) != nil || wire.Data == nil {
				return nil
			}
			return wire.event(payload, wire.Data)
		},
	}
}

func kindOfAnyShape(data func(raw json.RawMessage) EventData) *eventKind {
	return &eventKind{
		newData: func() EventData { return data(nil) },
		decode: func(payload []byte) *Event {
			var wire wireEvent[json.RawMessage]
			if isHeavy(payload, &wire) || lenientjson.UnmarshalNew(payload, &wire) != nil || wire.Event == "" {
				return nil
			}
			return wire.event(payload, data(wire.Data))
		},
	}
}

func kindOf(event EventType, channel Channel) *eventKind {
	switch event {
	case EventCallEnded:
		return callEndedKind
	case EventReaction:
		return reactionKind
	case EventContactShared:
		return contactSharedKind
	case EventMessage:
		switch channel {
		case ChannelVoice:
			return voiceTurnKind
		case ChannelSMS, ChannelMMS, ChannelIMessage, ChannelWhatsApp:
			return messageKind
		}
	}
	return unknownKind
}

// EventType is the type of an [Event].
type EventType string

const (
	EventMessage       EventType = "agent.message"        // a message was received or, on [ChannelVoice], a caller spoke
	EventCallEnded     EventType = "agent.call_ended"     // a call is over
	EventReaction      EventType = "agent.reaction"       // a reaction to a message, such as an iMessage tapback
	EventContactShared EventType = "agent.contact_shared" // somebody shared a contact
)
