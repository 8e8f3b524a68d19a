package agentphonetest

import (
	"errors"
	"fmt"
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

var (
	// ErrNoCall is an id of no call.
	ErrNoCall = errors.New("agentphonetest: there is no such call")
	// ErrCallOver is something asked of a call that is over, or that ended meanwhile.
	ErrCallOver = errors.New("agentphonetest: the call is over")
)

// ReceiveCall has somebody call one of the server's numbers, of whichever account, and returns the call's
// id. The call takes no script: it goes on for an hour or until somebody ends it, and what is said in it the
// test says with [Server.CallerSays], after the agent's BeginMessage. It panics if there is no such number.
func (s *Server) ReceiveCall(from, to string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		for _, n := range a.activeNumbers() {
			if n.phone != to {
				continue
			}
			c := &call{
				agentID: n.agentID, number: n, from: from, to: to,
				kind: phoneCall, direction: agentphone.DirectionInbound,
			}
			greeting := ""
			if ag, ok := a.agents.get(n.agentID); ok {
				greeting = ag.text("beginMessage")
			}
			c.driven(greeting)
			return s.addCall(a, c).id
		}
	}
	panic(fmt.Sprintf("agentphonetest: ReceiveCall: the server has no number %q", to))
}

// EndCall has the human hang up. A voice turn that is under way ends ([Server.CallerSays]), and the webhook
// is sent an agent.call_ended event, as with [Server.ReceiveMessage]. The error is [ErrNoCall] or [ErrCallOver].
//
// Every call's end is told to the webhook, once. A call that the API or a voice answer ends tells it at once; one
// that a script ends, when the server is next asked for anything, or by [Server.Calls] or [Server.WaitDeliveries]:
// there are no timers.
func (s *Server) EndCall(callID string) error {
	d, err := s.endByCaller(callID)
	s.deliver(d)
	return err
}

var (
	// ErrNoWebhook is a voice turn for an agent without a webhook, in an account without one.
	ErrNoWebhook = errors.New("agentphonetest: there is no webhook for the agent's events")
	// ErrTurnUnderWay is a second voice turn before the first is answered.
	ErrTurnUnderWay = errors.New("agentphonetest: the call's last voice turn is not answered yet")
)

// VoiceAnswer is how the agent answered a voice turn.
type VoiceAnswer struct {
	Lines    []VoiceLine
	Hangup   bool // the call ended
	Transfer bool // the caller was put through to the agent's transferNumber
}

// VoiceLine is something that the agent said.
type VoiceLine struct {
	Text    string
	Interim bool          // more was to come
	At      time.Duration // when it was heard, since the turn was sent
}

// CallerSays has the human say something in a call that is in progress: the webhook is sent a voice turn,
// whatever the agent's VoiceMode, and answers it. Both go into the call's transcript, each line as it is heard. A
// turn is delivered once: a late answer would be of no use.
//
// After hangup the call is over, and its agent.call_ended event is delivered as with [Server.ReceiveMessage]. So
// it is after a transfer, for the agent, if the agent has a transferNumber; without one there is none, and
// Transfer only says that it was asked for. An answer that is no JSON object is silence.
//
// The error is [ErrNoCall], [ErrCallOver], [ErrNoWebhook], [ErrTurnUnderWay], [context.DeadlineExceeded] after the
// webhook's timeout, or says what the receiver did wrong. If a turn fails halfway, there are both an error and
// what was heard before.
func (s *Server) CallerSays(callID, text string) (*VoiceAnswer, error) {
	t, err := s.beginTurn(callID, text)
	if err != nil {
		return nil, err
	}
	defer t.cancel()
	ended, err := t.finish(t.run())
	s.deliver(ended)
	return &t.answer, err
}
