package record

import (
	"slices"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// happening is something that a person did, or a text of the agent.
type happening struct {
	at     time.Time
	person string

	text *agentphone.ConversationMessage // that the agent has sent, or that the person has sent or reacted to
	act  scenario.Action                 // what the person did; [scenario.ActionNone] is a text of the agent
	kind agentphone.ReactionType         // of a reaction
	call *call                           // in which something was said, or which was hung up
	turn *turn

	deliveryID string      // of what the person did; "" if there was no webhook
	again      *redelivery // the delivery was sent again, as a duplicate or as something else
}

// happenings are those that are selected, in the order of time. leftOut counts others that no scenario has.
func (h *history) happenings(which Selection, leftOut map[string]int) []happening {
	f := &finder{h: h, which: which, leftOut: leftOut, calls: map[string]*call{}, deliveries: map[deliveryKey]string{}}
	for i := range h.calls {
		f.calls[h.calls[i].ID] = &h.calls[i]
	}
	for _, d := range h.deliveries {
		f.index(&d)
	}
	if which.Call == "" {
		for i := range h.messages {
			f.message(&h.messages[i])
		}
	}
	f.spoken()
	f.again()
	slices.SortStableFunc(f.found, func(a, b happening) int { return a.at.Compare(b.at) })
	return f.found
}

type finder struct {
	h          *history
	which      Selection
	leftOut    map[string]int
	calls      map[string]*call
	deliveries map[deliveryKey]string
	found      []happening
}

// deliveryKey says what the event of a delivery was about.
type deliveryKey struct {
	event agentphone.EventType
	id    string    // of the message or the call
	at    time.Time // of a reaction
}

func (f *finder) index(d *delivery) {
	key := deliveryKey{event: d.Event, id: d.MessageID}
	switch d.Event {
	case agentphone.EventReaction:
		key.at = d.Payload.Data.CreatedAt.Time
	case agentphone.EventCallEnded:
		key.id = d.Payload.Data.CallID
	case agentphone.EventContactShared:
		if f.selected(d.Payload.Data.From, d.Payload.Data.To) {
			f.leftOut["contact card"]++
		}
	}
	f.deliveries[key] = d.ID
}

func (f *finder) selected(person, number string) bool {
	return f.which.Call == "" && (f.which.Person == "" || f.which.Person == person) && (f.which.Number == "" || f.which.Number == number)
}

func (f *finder) selectedCall(c *call) bool {
	if f.which.Call != "" {
		return f.which.Call == c.ID
	}
	return f.selected(c.Person, c.PhoneNumber)
}

func (f *finder) message(m *agentphone.ConversationMessage) {
	person, number, act := m.FromNumber, m.ToNumber, scenario.ActionText
	if m.Direction == agentphone.DirectionOutbound {
		person, number, act = m.ToNumber, m.FromNumber, scenario.ActionNone
	}
	if !f.selected(person, number) {
		return
	}
	if m.SenderIdentifier != "" {
		f.leftOut["text in a group"]++
		return
	}
	f.found = append(f.found, happening{
		at: m.ReceivedAt.Time, person: person, text: m, act: act,
		deliveryID: f.deliveries[deliveryKey{event: agentphone.EventMessage, id: m.ID}],
	})
	for _, r := range m.Reactions {
		if r.Direction == agentphone.DirectionOutbound {
			f.leftOut["reaction of the agent"]++
			continue
		}
		f.found = append(f.found, happening{
			at: r.CreatedAt.Time, person: r.FromNumber, text: m, act: scenario.ActionReact, kind: r.ReactionType,
			deliveryID: f.deliveries[deliveryKey{agentphone.EventReaction, m.ID, r.CreatedAt.Time}],
		})
	}
}

// spoken finds what was said in calls, and those that the person has ended.
func (f *finder) spoken() {
	for i := range f.h.turns {
		t := &f.h.turns[i]
		c := f.calls[t.CallID]
		if c != nil && c.Person != "" && f.selectedCall(c) {
			f.found = append(f.found, happening{at: t.At.Time, person: c.Person, act: scenario.ActionSay, call: c, turn: t, deliveryID: t.DeliveryID})
		}
	}
	for _, c := range f.calls {
		switch {
		case !f.selectedCall(c):
		case !c.Driven:
			f.leftOut["call that follows a script or a system prompt"]++
		case c.DisconnectionReason == byPerson:
			f.found = append(f.found, happening{
				at: c.EndedAt.Time, person: c.Person, act: scenario.ActionHangup, call: c,
				deliveryID: f.deliveries[deliveryKey{event: agentphone.EventCallEnded, id: c.ID}],
			})
		}
	}
}

// byPerson is the DisconnectionReason of a call that the person has ended.
const byPerson = "user_hangup"

// again finds the deliveries of what was found that were sent again.
func (f *finder) again() {
	of := map[string]happening{}
	for _, what := range f.found {
		if what.deliveryID != "" && what.act != scenario.ActionNone {
			of[what.deliveryID] = what
		}
	}
	for i := range f.h.redeliveries {
		r := &f.h.redeliveries[i]
		if what, ok := of[r.DeliveryID]; ok {
			what.at, what.again = r.At.Time, r
			f.found = append(f.found, what)
		}
	}
}

// hasIMessage reports whether a person has iMessage in the API in memory.
func hasIMessage(person string) bool {
	return strings.Contains(person, "@") || strings.ContainsAny(person[max(0, len(person)-1):], "02468")
}
