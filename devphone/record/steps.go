package record

import (
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// step is a step of the scenario that is being made.
type step struct {
	scenario.Step
	person  string
	leftOut bool  // with what the agent answered to it
	turn    *turn // what was said, and answered

	began     time.Time
	responded time.Time // when the agent's response was there; zero if it was not delivered, or is not over yet
	over      time.Time // when the next step began
	status    int       // of the last response; 0 if there was none
	delivered bool

	texts []agentphone.ConversationMessage // the agent's texts
	after time.Time                        // from when their time is counted
}

// steps plays what happened and notes the steps that it takes.
type steps struct {
	leftOut    map[string]int
	deliveries map[string]*delivery
	all        []*step
	texted     map[string][]*step            // by person, those that are not in a call
	of         map[string]*step              // by delivery
	channels   map[string]agentphone.Channel // of the last text with a person
	lastText   map[string]string             // the agent's last text to a person, its id
	inCall     map[string]string             // the call that a person is in, its id
	sought     map[string]bool               // persons whom the agent has texted or called first
}

func newSteps(h *history, leftOut map[string]int) *steps {
	s := &steps{
		leftOut: leftOut, deliveries: map[string]*delivery{}, texted: map[string][]*step{}, of: map[string]*step{},
		channels: map[string]agentphone.Channel{}, lastText: map[string]string{}, inCall: map[string]string{}, sought: map[string]bool{},
	}
	for i := range h.deliveries {
		s.deliveries[h.deliveries[i].ID] = &h.deliveries[i]
	}
	return s
}

func (s *steps) play(what *happening) {
	switch {
	case what.again != nil:
		s.again(what)
	case what.act == scenario.ActionNone:
		s.agentTexts(what)
	case what.act == scenario.ActionText:
		s.add(what, s.text(what))
		s.channels[what.person] = what.text.Channel
	case what.act == scenario.ActionReact:
		s.react(what)
	case what.act == scenario.ActionSay:
		s.say(what)
	case what.act == scenario.ActionHangup:
		if s.inCall[what.person] == what.call.ID { // else the call has no steps
			delete(s.inCall, what.person)
			s.add(what, scenario.Step{Action: scenario.ActionHangup})
		}
	}
}

// leaveOut notes that no scenario has something that a person did. What the agent texts then is left out with it.
func (s *steps) leaveOut(what *happening, because string) {
	s.leftOut[because]++
	s.append(&step{person: what.person, leftOut: true, began: what.at})
}

// add adds a step, unless no scenario can have it.
func (s *steps) add(what *happening, as scenario.Step) *step {
	if !canBe(nil, as) {
		s.leaveOut(what, "thing that a person did which a scenario cannot have, such as a text of white space only")
		return nil
	}
	added := &step{Step: as, person: what.person, turn: what.turn, began: what.at, after: what.at}
	if d := s.deliveries[what.deliveryID]; d != nil {
		added.delivered = true
		added.status = d.answered()
		if n := len(d.Attempts); n > 0 && d.Status != "pending" {
			added.responded = d.Attempts[n-1].At.Add(millis(d.Attempts[n-1].DurationMs))
		}
		if what.again == nil {
			s.of[what.deliveryID] = added
		}
	}
	s.append(added)
	return added
}

func (s *steps) append(added *step) {
	if n := len(s.all); n > 0 {
		s.all[n-1].over = added.began
	}
	s.all = append(s.all, added)
	if added.Action != scenario.ActionSay && !added.leftOut {
		s.texted[added.person] = append(s.texted[added.person], added)
	}
}

// text is the step of a text, with its channel if it would come by another one.
func (s *steps) text(what *happening) scenario.Step {
	m := what.text
	byDefault := agentphone.ChannelSMS
	switch last := s.channels[what.person]; {
	case last == agentphone.ChannelIMessage, last == agentphone.ChannelWhatsApp:
		byDefault = last
	case hasIMessage(what.person):
		byDefault = agentphone.ChannelIMessage
	case len(m.MediaURLs) > 0:
		byDefault = agentphone.ChannelMMS
	}
	as := scenario.Step{Action: scenario.ActionText, Words: m.Body, MediaURLs: m.MediaURLs}
	if m.Channel != byDefault {
		as.Channel = m.Channel
	}
	return as
}

func (s *steps) react(what *happening) {
	if what.text.ID != s.lastText[what.person] {
		s.leaveOut(what, "reaction to a text that was not the agent's last one")
		return
	}
	s.add(what, scenario.Step{Action: scenario.ActionReact, Words: string(what.kind)})
}

func (s *steps) say(what *happening) {
	if in := s.inCall[what.person]; in != "" && in != what.call.ID {
		s.leaveOut(what, "thing that was said in a call while there was another one, or after one that the agent has ended by the API")
		return
	}
	if what.call.Direction == agentphone.DirectionOutbound && !s.knows(what.person) {
		s.sought[what.person] = true
	}
	added := s.add(what, scenario.Step{Action: scenario.ActionSay, Words: what.turn.Text})
	if added == nil {
		return
	}
	added.status = wholeStatus(what.turn.Status, what.turn.Error)
	s.inCall[what.person] = what.call.ID
	if what.turn.Answer.Hangup || what.turn.Answer.Transfer {
		delete(s.inCall, what.person)
	}
}

// knows reports whether a person has a step already.
func (s *steps) knows(person string) bool {
	for _, other := range s.all {
		if other.person == person && !other.leftOut {
			return true
		}
	}
	return false
}

// maxDuplicates are the most that a scenario can have.
const maxDuplicates = 1000

// again is a delivery that was sent again: a fault of its step, or a step of its own.
func (s *steps) again(what *happening) {
	r, first := what.again, s.of[what.deliveryID]
	isForged, isStale := r.Secret != "", r.AgeMs > 0
	switch {
	case first == nil || r.Altered || r.NoSignature || r.AgeMs < 0 || isForged && isStale:
		s.leaveOut(what, "delivery that was sent again altered, without a signature or the like")
	case !isForged && !isStale && first.Fault.Duplicate == maxDuplicates:
	case !isForged && !isStale:
		first.Fault.Duplicate++
		first.status = wholeStatus(r.Status, r.Error)
	case what.act == scenario.ActionHangup, what.act == scenario.ActionSay && s.inCall[what.person] != what.call.ID:
		s.leaveOut(what, "forged or stale delivery of a call that was over")
	default:
		as := scenario.Step{Action: what.act, Words: first.Words, MediaURLs: first.MediaURLs, Fault: scenario.Fault{Forged: isForged, Stale: millis(r.AgeMs)}}
		if what.act == scenario.ActionText {
			as.Channel = s.text(what).Channel
		}
		what.turn = nil // the answer was to the first one
		if added := s.add(what, as); added != nil {
			added.status, added.responded = wholeStatus(r.Status, r.Error), what.at
		}
	}
}

// agentTexts finds the step that a text of the agent belongs to: one whose delivery was under way, or the last one. If that
// is somebody else's, or in a call, the text is waited for in a step of its own.
func (s *steps) agentTexts(what *happening) {
	person := what.person
	var last *step
	if n := len(s.all); n > 0 {
		last = s.all[n-1]
	}
	to := s.underWay(person, what.at)
	switch {
	case to != nil:
	case last != nil && last.leftOut:
		s.leftOut["text of the agent after something that was left out"]++
		return
	case last != nil && last.person == person && last.Action != scenario.ActionSay:
		to = last
	default:
		to = &step{person: person, began: what.at, after: what.at}
		if last != nil {
			to.after = last.began
		}
		s.sought[person] = s.sought[person] || !s.knows(person)
		s.append(to)
	}
	s.channels[person], s.lastText[person] = what.text.Channel, what.text.ID
	to.texts = append(to.texts, *what.text)
}

// keptOpen is how many steps of a person are looked at for one that is under way.
const keptOpen = 20

// underWay returns the first step of a person whose delivery was under way at a time, or nil.
func (s *steps) underWay(person string, at time.Time) *step {
	all := s.texted[person]
	for _, one := range all[max(0, len(all)-keptOpen):] {
		until := one.responded.Add(time.Millisecond) // durations are in whole ones
		if !one.over.IsZero() && one.over.After(one.responded) && one.over.Before(until) {
			until = one.over
		}
		if one.delivered && (one.responded.IsZero() || !at.After(until)) {
			return one
		}
	}
	return nil
}
