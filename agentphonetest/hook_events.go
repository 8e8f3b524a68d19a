package agentphonetest

import (
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// event is a webhook event that has not been addressed to a webhook yet.
type event struct {
	kind      agentphone.EventType
	channel   agentphone.Channel
	agentID   string
	messageID string
	data      object
	state     object                   // nil is null
	history   func(limit int) []object // what was said before, newest last; nil is none
}

// payload returns the body of the event.
func (e *event) payload(at time.Time, contextLimit int) []byte {
	history := []object{}
	if e.history != nil {
		history = e.history(contextLimit)
	}
	return encode(object{
		"event": e.kind, "channel": e.channel, "timestamp": stamp(at), "agentId": orNull(e.agentID),
		"data": e.data, "conversationState": e.state, "recentHistory": history,
	})
}

// messageEvent is the agent.message event of a message that came in, or went out.
func (m *message) messageEvent(a *account) event {
	c := m.conversation
	data := object{
		"conversationId": c.id, "numberId": c.number.id, "from": m.from, "to": m.to, "message": m.body,
		"mediaUrl": firstOrNull(m.media), "mediaUrls": m.media, "direction": m.direction(), "receivedAt": stamp(m.at),
		"messageId": m.id, "contact": a.contactData(m.other()), "replyTo": m.replyToView(), "group": nil, "senderIdentifier": nil,
	}
	if c.groupID != "" {
		data["group"] = object{"id": c.groupID, "name": orNull(c.groupName), "participants": c.members}
		data["senderIdentifier"] = m.from
	}
	return event{
		kind: agentphone.EventMessage, channel: m.channel, agentID: m.agentID, messageID: m.id,
		data: data, state: c.metadata, history: func(limit int) []object { return c.historyBefore(m, limit) },
	}
}

// contactData is the contact with a phone number, or null.
func (a *account) contactData(number string) any {
	known := a.byPhone[number]
	if known == nil {
		return nil
	}
	return object{"id": known.id, "name": known.name, "email": orNull(known.email), "phoneNumber": known.phone}
}

// history is the last messages of a conversation.
func (c *conversation) history(limit int) []object {
	return views(latest(c.messages, limit), (*message).asHistory)
}

// historyBefore is the history of a conversation without a message and those after it: with the message in it a
// language model would read it twice.
func (c *conversation) historyBefore(m *message, limit int) []object {
	before := len(c.messages) - countSince(c.messages, (*message).sentAt, m.at)
	return views(latest(c.messages[:before], limit), (*message).asHistory)
}

func (m *message) asHistory() object {
	v := object{
		"content": m.body, "direction": m.direction(), "channel": m.channel, "at": stamp(m.at), "messageId": m.id,
	}
	if m.conversation.groupID != "" {
		v["senderIdentifier"] = m.from
	}
	return v
}

// reactionEvent is the agent.reaction event of a reaction to a message.
func (m *message) reactionEvent(reaction object) event {
	c := m.conversation
	data := object{
		"conversationId": c.id, "numberId": c.number.id, "messageId": m.id, "messageBody": m.body,
		"messageMediaUrl": firstOrNull(m.media), "messageMediaUrls": m.media,
	}
	for _, name := range []string{"reactionType", "fromNumber", "direction", "createdAt"} {
		data[name] = reaction[name]
	}
	return event{
		kind: agentphone.EventReaction, channel: m.channel, agentID: c.number.agentID, messageID: m.id,
		data: data, state: c.metadata, history: c.history,
	}
}

// contactSharedEvent is the agent.contact_shared event, of a contact card that somebody sends. Its payload is not
// published, so this one is made up. c is nil if the person has not written to the number before.
func (n *phoneNumber) contactSharedEvent(c *conversation, from string, card map[string]any) event {
	e := event{kind: agentphone.EventContactShared, channel: agentphone.ChannelIMessage, agentID: n.agentID, data: object{
		"conversationId": nil, "numberId": n.id, "from": from, "to": n.e164, "direction": agentphone.DirectionInbound,
		"contact": card, "receivedAt": stamp(now()),
	}}
	if c != nil {
		e.data["conversationId"], e.state, e.history = c.id, c.metadata, c.history
	}
	return e
}

// turnEvent is the agent.message event of a voice turn: the caller said text, after what was said before.
func (m moment) turnEvent(text string, before []spoken) event {
	data := m.eventData()
	data["status"], data["transcript"], data["confidence"] = m.status(), text, confidence
	return event{
		kind: agentphone.EventMessage, channel: agentphone.ChannelVoice, agentID: m.agentID, data: data,
		history: func(limit int) []object { return m.history(before, limit) },
	}
}

// endedEvent is the agent.call_ended event.
func (m moment) endedEvent() event {
	data := m.eventData()
	data["status"], data["startedAt"], data["endedAt"] = m.status(), stamp(m.timeAt(0)), m.endedAt()
	data["durationSeconds"], data["disconnectionReason"] = m.seconds(), orNull(m.reason)
	data["transcript"] = views(m.said(), func(t spoken) object { return object{"role": t.Role, "content": t.Content} })
	data["summary"], data["userSentiment"], data["callSuccessful"] = nil, nil, nil
	data["contact"] = m.account.contactData(m.other())
	return event{
		kind: agentphone.EventCallEnded, channel: agentphone.ChannelVoice, agentID: m.agentID, data: data,
		history: func(limit int) []object { return m.history(m.said(), limit) },
	}
}

// eventData is what the events of a call have in common.
func (m moment) eventData() object {
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
			"content": t.Content, "direction": direction, "channel": agentphone.ChannelVoice, "at": stamp(m.timeAt(t.at)),
		}
	})
}
