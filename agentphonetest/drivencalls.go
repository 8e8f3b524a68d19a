package agentphonetest

import (
	"errors"
	"fmt"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

var (
	// ErrNoCall is an id of no call.
	ErrNoCall = errors.New("agentphonetest: there is no such call")
	// ErrCallOver is something asked of a call that is over, or that ended meanwhile.
	ErrCallOver = errors.New("agentphonetest: the call is over")
)

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
