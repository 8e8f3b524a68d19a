package agentphone

import (
	"log/slog"
	"strconv"
)

// What is logged with log/slog of events: see logvalues.go.

// LogValue returns event, channel, agent_id and delivery_id.
func (e Event) LogValue() slog.Value {
	return logGroup("event", string(e.Type), "channel", string(e.Channel), "agent_id", e.AgentID, "delivery_id", e.DeliveryID)
}

// LogValue returns id, conversation_id, number_id, direction, from and to, with redacted phone numbers.
func (d MessageData) LogValue() slog.Value {
	return logGroup("id", d.MessageID, "conversation_id", d.ConversationID, "number_id", d.NumberID,
		"direction", string(d.Direction), "from", logAddress(d.From), "to", logAddress(d.To))
}

// LogValue returns call_id, number_id, direction, status, from and to, with redacted phone numbers.
func (d VoiceTurnData) LogValue() slog.Value {
	return logGroup("call_id", d.CallID, "number_id", d.NumberID, "direction", string(d.Direction), "status", string(d.Status),
		"from", logAddress(d.From), "to", logAddress(d.To))
}

// LogValue returns call_id, number_id, direction, status, from and to, with redacted phone numbers.
func (d CallEndedData) LogValue() slog.Value {
	return logGroup("call_id", d.CallID, "number_id", d.NumberID, "direction", string(d.Direction), "status", string(d.Status),
		"from", logAddress(d.From), "to", logAddress(d.To))
}

// LogValue returns message_id, conversation_id, number_id, reaction, direction and from, with a redacted phone number.
func (d ReactionData) LogValue() slog.Value {
	return logGroup("message_id", d.MessageID, "conversation_id", d.ConversationID, "number_id", d.NumberID,
		"reaction", string(d.ReactionType), "direction", string(d.Direction), "from", logAddress(d.FromNumber))
}

// LogValue returns bytes, the length of Raw.
func (d ContactSharedData) LogValue() slog.Value { return logGroup("bytes", strconv.Itoa(len(d.Raw))) }

// LogValue returns bytes, the length of Raw.
func (d UnknownData) LogValue() slog.Value { return logGroup("bytes", strconv.Itoa(len(d.Raw))) }

// LogValue returns id and number, which is redacted.
func (c EventContact) LogValue() slog.Value {
	return logGroup("id", c.ID, "number", logAddress(c.PhoneNumber))
}

// LogValue returns message_id, direction and channel.
func (h HistoryItem) LogValue() slog.Value {
	return logGroup("message_id", h.MessageID, "direction", string(h.Direction), "channel", string(h.Channel))
}

// LogValue returns nothing of what is said.
func (*VoiceResponse) LogValue() slog.Value { return slog.StringValue("a VoiceResponse") }
