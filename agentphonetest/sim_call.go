package agentphonetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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

const defaultCallDuration = 3 * time.Second

// takeScript is the script of a call that is placed now. The caller holds s.mu.
func (s *Server) takeScript(greeting string) CallScript {
	script := CallScript{Turns: []Utterance{
		{agentphone.RoleAgent, cmp.Or(greeting, "Hello! This is the assistant.")},
		{agentphone.RoleUser, "Hello, yes, that is fine."},
		{agentphone.RoleAgent, "Thank you. Goodbye."},
	}}
	if len(s.scripts) > 0 {
		script = s.scripts[0]
		s.scripts = s.scripts[1:]
	}
	if script.Duration <= 0 {
		script.Duration = defaultCallDuration
	}
	script.Status = cmp.Or(script.Status, agentphone.CallStatusCompleted)
	return script
}

// turnAt is when a turn comes: they divide the time of the call into equal parts.
func (c *CallScript) turnAt(i int) time.Duration {
	return c.Duration * time.Duration(i+1) / time.Duration(len(c.Turns)+1)
}

// said is how many turns have come after some time.
func (c *CallScript) said(elapsed time.Duration) int {
	n := 0
	for n < len(c.Turns) && c.turnAt(n) <= elapsed {
		n++
	}
	return n
}

// Why a call ended, in the words of the API.
const (
	callerHungUp = "user_hangup"
	agentHungUp  = "agent_hangup"
	transferred  = "call_transfer"
)

const drivenDuration = time.Hour

// driven makes a call one in which the test has things said, after a greeting if there is one.
func (c *call) driven(greeting string) {
	c.script = CallScript{Duration: drivenDuration, Status: agentphone.CallStatusCompleted}
	if greeting != "" {
		c.live = []spoken{{Utterance{agentphone.RoleAgent, greeting}, 0}}
	}
}

// say adds what is said now. The caller holds s.mu.
func (s *Server) say(m moment, role agentphone.TranscriptRole, text string) {
	m.live = append(m.live, spoken{Utterance{role, text}, m.elapsed})
	s.changed()
}

func (s *Server) endByCaller(callID string) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookForEnds()
	c, err := s.callOf(callID)
	if err != nil {
		return nil, err
	}
	if !s.hangUp(c, callerHungUp) {
		return nil, ErrCallOver
	}
	return s.ended(c), nil
}

func (s *Server) callOf(id string) (*call, error) {
	for _, c := range s.calls {
		if c.id == id {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrNoCall, id)
}

// hangUp ends a call where it is. It is false if the call was over. The caller holds s.mu.
func (s *Server) hangUp(c *call, reason string) bool {
	m := c.now()
	if m.final {
		return false
	}
	c.hungUp, c.reason = max(m.elapsed, 1), reason // 0 would be: not ended
	if c.interrupt != nil {
		c.interrupt()
	}
	s.changed()
	return true
}

// ended is the event of a call's end, once.
func (s *Server) ended(c *call) *delivery {
	if c.told {
		return nil
	}
	c.told = true
	return s.newDelivery(c.account, c.now().over())
}

// lookForEnds sends the events of calls that have ended since it last looked. The caller holds s.mu.
func (s *Server) lookForEnds() {
	for _, c := range s.calls {
		if !c.told && c.now().final {
			s.deliverSoon(s.ended(c))
		}
	}
}
