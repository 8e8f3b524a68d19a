package agentphonetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// call is a call. What it has come to is worked out from its script and the time, whenever
// somebody looks.
type call struct {
	id        string
	agentID   string
	number    *phone // nil for a web call
	from, to  string
	kind      string // as the filter of lists names it
	direction agentphone.Direction
	script    CallScript
	started   time.Time
	hungUp    time.Duration // after how long somebody ended it; 0: nobody did
	reason    string        // why it was ended, if somebody did
	live      []spoken      // what the test had them say, beside the script
	interrupt func()        // ends the voice turn under way; nil if there is none
	told      bool          // its end was looked at, and the webhook told of it
	account   *account
}

// spoken is a thing said, and how long after the call's begin.
type spoken struct {
	Utterance
	at time.Duration
}

const (
	phoneCall = "pstn"
	webCall   = "web"
)

func (c *call) ident() string { return c.id }

// moment is a call as it is at one time, so that all that is said of it agrees.
type moment struct {
	*call
	elapsed time.Duration // since the call began; of a call that is over, how long it was
	final   bool
}

func (c *call) now() moment {
	if c.hungUp > 0 {
		return moment{c, c.hungUp, true}
	}
	elapsed := min(time.Since(c.started), c.script.Duration)
	return moment{c, elapsed, elapsed == c.script.Duration}
}

func (m moment) untilEnd() time.Duration { return m.script.Duration - m.elapsed }

func (m moment) status() agentphone.CallStatus {
	switch {
	case m.hungUp > 0:
		return agentphone.CallStatusCompleted
	case m.final:
		return m.script.Status
	}
	return agentphone.CallStatusInProgress
}

// after is the time at some duration into the call.
func (c *call) after(d time.Duration) time.Time { return c.started.Add(d).Truncate(time.Microsecond) }

func (m moment) endedAt() any {
	if !m.final {
		return nil
	}
	return stamp(m.after(m.elapsed))
}

func (m moment) seconds() any {
	if !m.final {
		return nil
	}
	return math.Round(m.elapsed.Seconds()*1000) / 1000
}

// recorded: only a call that took place has a recording, and only after its end.
func (m moment) recorded() bool { return m.status() == agentphone.CallStatusCompleted }

// said is what was said so far, by the script and by the test. It only grows at its end.
func (m moment) said() []spoken {
	var out []spoken
	for i, turn := range m.script.Turns[:m.script.said(m.elapsed)] {
		out = append(out, spoken{turn, m.script.turnAt(i)})
	}
	out = append(out, m.live...)
	slices.SortStableFunc(out, func(a, b spoken) int { return cmp.Compare(a.at, b.at) })
	return out
}

func (m moment) snippet() any {
	if said := m.said(); len(said) > 0 {
		return said[len(said)-1].Content
	}
	return nil
}

// common is what all views of a call have.
func (m moment) common() object {
	v := object{
		"id": m.id, "agentId": orNull(m.agentID), "phoneNumberId": nil, "phoneNumber": nil,
		"fromNumber": orNull(m.from), "toNumber": orNull(m.to), "status": m.status(),
		"startedAt": stamp(m.after(0)), "endedAt": m.endedAt(), "durationSeconds": m.seconds(),
		"lastTranscriptSnippet": m.snippet(),
	}
	if m.number != nil {
		v["phoneNumberId"], v["phoneNumber"] = m.number.id, m.number.phone
	}
	return v
}

// view is a call with all that the API says of it. base begins the recording's URL.
func (m moment) view(base string) object {
	v := m.common()
	v["direction"] = m.direction
	v["recordingAvailable"], v["recordingUrl"] = m.recorded(), nil
	if m.recorded() {
		v["recordingUrl"] = base + "/v1/calls/" + m.id + "/recording"
	}
	v["transcripts"] = m.transcripts()
	return v
}

// summary is a call in the list of its agent: numbers are never null there, seconds are whole.
func (m moment) summary() object {
	v := m.common()
	v["fromNumber"], v["toNumber"] = m.from, m.to
	if seconds, ok := v["durationSeconds"].(float64); ok {
		v["durationSeconds"] = math.Round(seconds)
	}
	return v
}

// transcripts pairs what the human said with the answer that follows. What the agent says by
// itself stands alone.
func (m moment) transcripts() []object {
	turns := []object{}
	open := false // the last turn has no answer yet
	for i, turn := range m.said() {
		human := turn.Role == agentphone.RoleUser
		if !human && open {
			turns[len(turns)-1]["response"] = turn.Content
			open = false
			continue
		}
		t := object{
			"id": fmt.Sprintf("turn_%s_%d", strings.TrimPrefix(m.id, "call_"), i), "transcript": nil,
			"confidence": nil, "response": nil, "createdAt": stamp(m.after(turn.at)),
		}
		if human {
			t["transcript"], t["confidence"] = turn.Content, 0.95
		} else {
			t["response"] = turn.Content
		}
		open = human
		turns = append(turns, t)
	}
	return turns
}

// fits says whether a call passes the filters of a list.
func (m moment) fits(filters object) bool {
	is := func(name, value string) bool { return cmp.Or(filters.text(name), value) == value }
	if !is("status", string(m.status())) || !is("direction", string(m.direction)) || !is("type", m.kind) {
		return false
	}
	texts := []string{m.id, m.from, m.to}
	for _, turn := range m.said() {
		texts = append(texts, turn.Content)
	}
	return strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(filters.text("search")))
}
