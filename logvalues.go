package agentphone

import (
	"log/slog"
	"strconv"
	"strings"
)

// What is logged with log/slog of the types whose fields have phone numbers, secrets, or what people said and wrote: ids, states,
// the names of agents, and redacted numbers. Only slog is kept from the rest: fmt and encoding/json print whole values, and so do slog's
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

// LogValue returns id, name, voice_mode and model_tier.
func (a Agent) LogValue() slog.Value {
	return logGroup("id", a.ID, "name", a.Name, "voice_mode", string(a.VoiceMode), "model_tier", string(a.ModelTier))
}

// LogValue returns id, status and number, which is redacted.
func (n AgentNumber) LogValue() slog.Value {
	return logGroup("id", n.ID, "status", string(n.Status), "number", logAddress(n.PhoneNumber))
}

// LogValue returns agent_id, number_id and number, which is redacted.
func (n AttachedNumber) LogValue() slog.Value {
	return logGroup("agent_id", n.AgentID, "number_id", n.Number.ID, "number", logAddress(n.Number.PhoneNumber))
}

// LogValue returns name and method: neither the URL nor the headers, which may hold secrets.
func (t CustomTool) LogValue() slog.Value {
	return logGroup("name", t.Name, "method", t.Method)
}

// LogValue returns call_id.
func (c WebCall) LogValue() slog.Value { return logGroup("call_id", c.CallID) }

// LogValue returns call_id and entries, their number.
func (c CallTranscript) LogValue() slog.Value {
	return logGroup("call_id", c.CallID, "entries", strconv.Itoa(len(c.Transcript)))
}

// LogValue returns id.
func (t TranscriptTurn) LogValue() slog.Value { return logGroup("id", t.ID) }

// LogValue returns role.
func (e TranscriptEntry) LogValue() slog.Value { return logGroup("role", string(e.Role)) }

// LogValue returns type, and what LogValue of Connected, Turn or Ended returns.
func (e TranscriptEvent) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("type", string(e.Type))}
	if e.Connected != nil {
		attrs = append(attrs, slog.Any("connected", e.Connected))
	}
	if e.Turn != nil {
		attrs = append(attrs, slog.Any("turn", e.Turn))
	}
	if e.Ended != nil {
		attrs = append(attrs, slog.Any("ended", e.Ended))
	}
	return slog.GroupValue(attrs...)
}

// LogValue returns call_id, agent_id, direction, status, from and to, with redacted phone numbers.
func (d TranscriptConnectedData) LogValue() slog.Value {
	return logGroup("call_id", d.CallID, "agent_id", d.AgentID, "direction", string(d.Direction), "status", string(d.Status),
		"from", logAddress(d.FromNumber), "to", logAddress(d.ToNumber))
}

// LogValue returns number, which is redacted, imessage and sms.
func (c ContactCapabilities) LogValue() slog.Value {
	return logGroup("number", logAddress(c.PhoneNumber),
		"imessage", strconv.FormatBool(c.Capabilities.IMessage), "sms", strconv.FormatBool(c.Capabilities.SMS))
}

// LogValue returns has_avatar.
func (c ContactCard) LogValue() slog.Value {
	return logGroup("has_avatar", strconv.FormatBool(c.HasAvatar))
}

// LogValue returns identifier, which is redacted.
func (p GroupParticipant) LogValue() slog.Value {
	return logGroup("identifier", logAddress(p.Identifier))
}

// LogValue returns id, reaction, direction and from, with a redacted phone number.
func (r Reaction) LogValue() slog.Value {
	return logGroup("id", r.ID, "reaction", string(r.ReactionType), "direction", string(r.Direction), "from", logAddress(r.FromNumber))
}

// LogValue returns message_id.
func (r ReplyTo) LogValue() slog.Value { return logGroup("message_id", r.MessageID) }

// LogValue returns status and number, which is redacted.
func (n ReleasedNumber) LogValue() slog.Value {
	return logGroup("status", string(n.Status), "number", logAddress(n.PhoneNumber))
}

// LogValue returns line_type, country and number, which is redacted.
func (n NumberLookup) LogValue() slog.Value {
	return logGroup("line_type", string(n.LineType), "country", string(n.Country), "number", logAddress(n.PhoneNumber))
}

// LogValue returns status and number, which is redacted, and not where the phone is.
func (l Location) LogValue() slog.Value {
	return logGroup("status", l.Status, "number", logAddress(l.PhoneNumber))
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
