package agentphone

import (
	"log/slog"
	"strings"
)

// What is logged with log/slog of the types whose fields have phone numbers, or what people said and wrote: ids, states,
// and redacted numbers. Only slog is kept from the rest: fmt and encoding/json print whole values, and so do slog's
// handlers for a slice of them.

// LogValue returns what Redacted returns.
func (n E164) LogValue() slog.Value { return slog.StringValue(n.Redacted()) }

// LogValue returns id, agent_id, direction, status, from and to, with redacted phone numbers.
func (c Call) LogValue() slog.Value {
	return logGroup("id", c.ID, "agent_id", c.AgentID, "direction", string(c.Direction), "status", string(c.Status),
		"from", logAddress(c.FromNumber), "to", logAddress(c.ToNumber))
}

// LogValue returns id, status, channel, conversation_id, from and to, with redacted phone numbers.
func (m SentMessage) LogValue() slog.Value {
	return logGroup("id", m.ID, "status", m.Status, "channel", string(m.Channel), "conversation_id", m.ConversationID,
		"from", logAddress(m.FromNumber), "to", logAddress(m.ToNumber))
}

// LogValue returns id, direction, channel, from and to, with redacted phone numbers.
func (m NumberMessage) LogValue() slog.Value {
	return logGroup("id", m.ID, "direction", string(m.Direction), "channel", string(m.Channel),
		"from", logAddress(m.From), "to", logAddress(m.To))
}

// LogValue returns id, direction, channel, from and to, with redacted phone numbers.
func (m ConversationMessage) LogValue() slog.Value {
	return logGroup("id", m.ID, "direction", string(m.Direction), "channel", string(m.Channel),
		"from", logAddress(m.FromNumber), "to", logAddress(m.ToNumber))
}

// LogValue returns id, agent_id, channel and participant, which is redacted.
func (c Conversation) LogValue() slog.Value {
	return logGroup("id", c.ID, "agent_id", c.AgentID, "channel", string(c.Channel), "participant", logAddress(c.Participant))
}

// LogValue returns id, agent_id, status and number, which is redacted.
func (n PhoneNumber) LogValue() slog.Value {
	return logGroup("id", n.ID, "agent_id", n.AgentID, "status", string(n.Status), "number", logAddress(n.PhoneNumber))
}

// LogValue returns id and number, which is redacted.
func (c Contact) LogValue() slog.Value {
	return logGroup("id", c.ID, "number", logAddress(c.PhoneNumber))
}

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

// logGroup returns a group of pairs of a name and a value, without those whose value is "".
func logGroup(pairs ...string) slog.Value {
	attrs := make([]slog.Attr, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			attrs = append(attrs, slog.String(pairs[i], pairs[i+1]))
		}
	}
	return slog.GroupValue(attrs...)
}

// logAddress returns a redacted phone number, the id of a group, or *** for any other address.
func logAddress(s string) string {
	if s == "" || strings.HasPrefix(s, groupPrefix) {
		return s
	}
	if n, err := ParseE164(strings.TrimPrefix(s, "tel:")); err == nil {
		return n.Redacted()
	}
	return "***"
}
