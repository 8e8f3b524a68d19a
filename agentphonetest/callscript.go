package agentphonetest

import (
	"cmp"
	"slices"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// CallScript is how a call goes. The call is in progress from when it is placed; its turns
// come evenly over Duration, the first not at once, and then it is over.
type CallScript struct {
	Turns    []Utterance // what is said; none is a call in which nothing is said
	Duration time.Duration
	Status   agentphone.CallStatus // at the end; "" is completed
}

// Utterance is one thing said.
type Utterance struct {
	Role    agentphone.TranscriptRole
	Content string
}

const defaultCallDuration = 3 * time.Second

// NextCall says how the next call that is placed will go. Scripts queue: each is for one call, whichever
// account places it. A call without one has the agent greet, the human answer and the agent say
// goodbye, within 3 s, which is also the Duration of a script that has none. But a call without a script and without a
// SystemPrompt, of an agent that has a webhook (its own or the account's), is the test's to drive: it goes on
// for an hour or until somebody ends it ([Server.CallerSays], [Server.EndCall]).
func (s *Server) NextCall(script CallScript) {
	script.Turns = slices.Clone(script.Turns)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, script)
}

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
