package agentphonetest

import (
	"cmp"
	"fmt"
	"math"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// call is a call. It has no state that changes with time: what it has come to is computed from its script and the time
// that has passed, whenever something asks (see moment). Only its transcript is kept, lest it be made anew for each turn.
type call struct {
	id         string
	order      int // how many calls the server had before
	agentID    string
	number     *phoneNumber // nil for a web call
	from, to   string
	kind       string // phoneCall or webCall
	direction  agentphone.Direction
	script     CallScript
	driven     bool   // there is no script: see driveByTest
	digits     string // the keys that the agent pressed
	placed     time.Time
	started    time.Time             // when it was placed or, if it rang, answered
	ringing    bool                  // it is not answered yet: see WithRinging
	greeting   string                // what the agent says when it is answered, if it rings
	unrecorded bool                  // its recording is disabled
	hungUp     *time.Duration        // after how long it was ended, or will be; nil if it was not
	reason     string                // why it was ended, if it was
	unanswered agentphone.CallStatus // the status of one that was ended while it rang; "" for any other
	heard      []spoken              // what was said; see moment.said
	turns      int                   // how many of the script's turns are in heard
	interrupt  func()                // cancels the voice turn that is under way; nil if there is none
	endSent    bool                  // its agent.call_ended event was made
	account    *account
	changes    int // see changed
	published  published
	waiting    waiters // see pause
}

// spoken is something said, and how long after the start of the call.
type spoken struct {
	Utterance
	at   time.Duration
	line *VoiceLine // of which it is the text; nil if it was not said in a voice turn by the agent
}

// The kinds of calls, as the filter of the list names them.
const (
	phoneCall = "pstn"
	webCall   = "web"
)

const defaultGreeting = "Hello! This is the assistant."

// Why a call was ended, as the API names it.
const (
	callerHungUp = "user_hangup"
	agentHungUp  = "agent_hangup"
	transferred  = "call_transfer"
)

const (
	defaultCallDuration = 3 * time.Second
	drivenCallDuration  = time.Hour
	ringingDuration     = 30 * time.Second
)

// confidence is that of all that people say.
const confidence = 0.95

func (c *call) ident() string { return c.id }

func (c *call) placedAt() time.Time { return c.placed }

// addCall starts a call. The caller holds s.mu.
func (s *Server) addCall(a *account, c *call) *call {
	c.id, c.order, c.account = s.id("call"), len(s.calls.list), a
	c.placed = time.Now()
	c.started = c.placed
	a.calls.add(c)
	s.calls.add(c)
	if c.number != nil {
		c.number.calls = append(c.number.calls, c)
	}
	if ag, ok := a.agents.get(c.agentID); ok {
		ag.calls = append(ag.calls, c)
	}
	s.expectEnd(c, c.script.Duration)
	s.publishCall(c)
	return c
}

// callByID finds a call of any account for a method of Server, which notices calls that have ended. The caller holds
// s.mu.
func (s *Server) callByID(id string) (*call, error) {
	s.deliverEnds()
	if c, ok := s.calls.get(id); ok {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrNoCall, id)
}

// other is the person's phone number.
func (c *call) other() string {
	if c.direction == agentphone.DirectionInbound {
		return c.from
	}
	return c.to
}

// takeScript returns the script of a call that is placed now. With the greeting "" the agent does not speak first. The
// caller holds s.mu.
func (s *Server) takeScript(greeting string) CallScript {
	script := CallScript{Turns: []Utterance{
		{agentphone.RoleAgent, greeting},
		{agentphone.RoleUser, "Hello, yes, that is fine."},
		{agentphone.RoleAgent, "Thank you. Goodbye."},
	}}
	if greeting == "" {
		script.Turns = script.Turns[1:]
	}
	if len(s.scripts) > 0 {
		script = s.scripts[0]
		s.scripts = s.scripts[1:]
		s.publishSetup()
	}
	if script.Duration <= 0 {
		script.Duration = defaultCallDuration
	}
	script.Status = cmp.Or(script.Status, agentphone.CallStatusCompleted)
	return script
}

// turnAt is when a turn comes, since the start of the call.
func (c *CallScript) turnAt(i int) time.Duration {
	return c.Duration * time.Duration(i+1) / time.Duration(len(c.Turns)+1)
}

// driveByTest gives a call that the test drives an empty script, and a greeting if there is one.
func (c *call) driveByTest(greeting string) {
	c.driven = true
	c.script = CallScript{Duration: drivenCallDuration, Status: agentphone.CallStatusCompleted}
	if greeting != "" {
		c.heard = []spoken{{Utterance: Utterance{agentphone.RoleAgent, greeting}}}
	}
}

// ring has a call ring until it is answered, and then be driven by the test.
func (c *call) ring(greeting string) {
	c.driven, c.ringing, c.greeting = true, true, greeting
	c.script = CallScript{Duration: ringingDuration, Status: agentphone.CallStatusNoAnswer}
}

// say adds something that is said at a moment. line is nil unless the agent says it in a voice turn. The caller holds
// s.mu.
func (s *Server) say(m moment, role agentphone.TranscriptRole, text string, line *VoiceLine) {
	m.heard = append(m.said(), spoken{Utterance{role, text}, m.elapsed, line})
	s.changed(m.call)
}

// moment is a call at one time, so that everything that is read from it agrees.
type moment struct {
	*call
	elapsed time.Duration // since the call began; of a call that is over, how long it was
	left    time.Duration // until the call is over, unless it is ended sooner
	final   bool          // the call is over
}

func (c *call) now() moment {
	end := c.script.Duration
	if c.hungUp != nil {
		end = *c.hungUp
	}
	elapsed := min(time.Since(c.started), end)
	return moment{c, elapsed, end - elapsed, elapsed == end}
}

// untilChange is the time until the script says something or ends the call. The caller holds s.mu.
func (m moment) untilChange() time.Duration {
	m.said()
	if m.turns < len(m.script.Turns) {
		return m.script.turnAt(m.turns) - m.elapsed
	}
	return m.left
}

func (m moment) status() agentphone.CallStatus {
	switch {
	case m.hungUp != nil && m.final:
		return cmp.Or(m.unanswered, agentphone.CallStatusCompleted)
	case m.hungUp != nil:
		return agentphone.CallStatusEnding
	case m.final:
		return m.script.Status
	case m.ringing:
		return agentphone.CallStatusRinging
	}
	return agentphone.CallStatusInProgress
}

// timeAt is the time at some duration into the call.
func (c *call) timeAt(d time.Duration) time.Time { return c.started.Add(d).Truncate(time.Microsecond) }

// endedAt is null while the call goes on.
func (m moment) endedAt() any {
	if !m.final {
		return nil
	}
	return stamp(m.timeAt(m.elapsed))
}

// seconds is the duration with three decimal places, or null while the call goes on.
func (m moment) seconds() any {
	if !m.final {
		return nil
	}
	return math.Round(m.elapsed.Seconds()*1000) / 1000
}

// recorded reports whether the call has a recording: only a completed call has one, unless recording it is disabled.
func (m moment) recorded() bool { return m.status() == agentphone.CallStatusCompleted && !m.unrecorded }

// said is what was said so far, by the script and beside it. It only grows at its end, so that a part of it that was
// returned stays as it is. The caller holds s.mu.
func (m moment) said() []spoken {
	for m.turns < len(m.script.Turns) && m.script.turnAt(m.turns) <= m.elapsed {
		m.heard = append(m.heard, spoken{m.script.Turns[m.turns], m.script.turnAt(m.turns), nil})
		m.turns++
	}
	return m.heard
}

func (s *Server) endByPerson(callID string) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.callByID(callID)
	if err != nil {
		return nil, err
	}
	if !s.hangUp(c, callerHungUp, 0) {
		return nil, ErrCallOver
	}
	return s.endDelivery(c), nil
}

// answer has the person pick up a call that rings.
func (s *Server) answerByPerson(callID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.callByID(callID)
	switch {
	case err != nil:
		return err
	case c.now().final:
		return ErrCallOver
	case !c.ringing:
		return ErrNotRinging
	}
	c.ringing, c.started = false, time.Now()
	c.driveByTest(c.greeting)
	s.expectEnd(c, c.script.Duration)
	s.changed(c)
	return nil
}

// hangUp ends a call after a delay, unless it ends sooner, and reports whether it rang or was in progress. The caller
// holds s.mu.
func (s *Server) hangUp(c *call, reason string, delay time.Duration) bool {
	m := c.now()
	switch status := m.status(); {
	case status == agentphone.CallStatusRinging && reason == callerHungUp:
		c.unanswered, delay = agentphone.CallStatusBusy, 0
	case status == agentphone.CallStatusRinging:
		c.unanswered, delay = agentphone.CallStatusCanceled, 0
	case status != agentphone.CallStatusInProgress:
		return false
	}
	at := m.elapsed + min(delay, m.left)
	c.hungUp, c.reason = &at, reason
	s.expectEnd(c, at)
	if c.interrupt != nil {
		c.interrupt()
	}
	s.changed(c)
	return true
}

// endDelivery returns the delivery of a call's end, or nil if there was one before or there is no webhook. The caller
// holds s.mu.
func (s *Server) endDelivery(c *call) *delivery {
	if c.endSent {
		return nil
	}
	c.endSent = true
	return s.newDelivery(c.account, c.now().endedEvent())
}
