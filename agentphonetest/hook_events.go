package agentphonetest

import (
	"slices"

	agentphone "github.com/agentphone/agentphone-go"
)

// received is the event of a message that came in.
func (m *message) received(a *account) happening {
	c := m.conversation
	data := object{
		"conversationId": c.id, "numberId": c.number.id, "from": m.from, "to": m.to, "message": m.body,
		"mediaUrl": nil, "mediaUrls": m.media, "direction": m.direction(), "receivedAt": stamp(m.at),
		"messageId": m.id, "contact": nil, "replyTo": nil, "group": nil, "senderIdentifier": nil,
	}
	for _, known := range a.contacts.list {
		if known.phone == m.from {
			data["contact"] = object{
				"id": known.id, "name": known.name, "email": orNull(known.email), "phoneNumber": known.phone,
			}
		}
	}
	if c.groupID != "" {
		data["group"] = object{"id": c.groupID, "name": orNull(c.groupName), "participants": c.members}
		data["senderIdentifier"] = m.from
	}
	return happening{
		event: agentphone.EventMessage, channel: m.channel, agentID: m.agentID, messageID: m.id,
		data: data, state: c.metadata, history: func(limit int) []object { return c.historyBefore(m, limit) },
	}
}

// historyBefore is what was written before a message, newest last.
func (c *conversation) historyBefore(m *message, limit int) []object {
	before := c.messages
	if i := slices.Index(before, m); i >= 0 {
		before = before[:i]
	}
	return views(latest(before, limit), (*message).asHistory)
}

func (m *message) asHistory() object {
	return object{
		"content": m.body, "direction": m.direction(), "channel": m.channel, "at": stamp(m.at), "messageId": m.id,
	}
}

// latest are the last items, as many as there may be.
func latest[T any](items []T, limit int) []T { return items[max(0, len(items)-limit):] }

// turn is the event of something that a caller said, after what was said before.
func (m moment) turn(text string, before []spoken) happening {
	data := m.asData()
	data["status"], data["transcript"], data["confidence"] = m.status(), text, 0.95
	return happening{
		event: agentphone.EventMessage, channel: agentphone.ChannelVoice, agentID: m.agentID, data: data,
		history: func(limit int) []object { return m.history(before, limit) },
	}
}

// over is the event of a call's end.
func (m moment) over() happening {
	data := m.asData()
	data["status"], data["startedAt"], data["endedAt"] = m.status(), stamp(m.after(0)), m.endedAt()
	data["durationSeconds"], data["disconnectionReason"] = m.seconds(), orNull(m.reason)
	data["transcript"] = views(m.said(), func(t spoken) object { return object{"role": t.Role, "content": t.Content} })
	data["summary"], data["userSentiment"], data["callSuccessful"] = nil, nil, nil
	return happening{
		event: agentphone.EventCallEnded, channel: agentphone.ChannelVoice, agentID: m.agentID, data: data,
		history: func(limit int) []object { return m.history(m.said(), limit) },
	}
}

// asData is what the events of a call have in common.
func (m moment) asData() object {
	data := object{
		"callId": m.id, "numberId": nil, "from": orNull(m.from), "to": orNull(m.to), "direction": m.direction,
	}
	if m.number != nil {
		data["numberId"] = m.number.id
	}
	return data
}

func (m moment) history(said []spoken, limit int) []object {
	return views(latest(said, limit), func(t spoken) object {
		direction := agentphone.DirectionOutbound
		if t.Role == agentphone.RoleUser {
			direction = agentphone.DirectionInbound
		}
		return object{
			"content": t.Content, "direction": direction, "channel": agentphone.ChannelVoice, "at": stamp(m.after(t.at)),
		}
	})
}

// happening is an event before it is addressed.
type happening struct {
	event     agentphone.EventType
	channel   agentphone.Channel
	agentID   string
	messageID string
	data      object
	state     object                   // nil is null
	history   func(limit int) []object // what was said before, the latest items
}
