package agentphonetest

import (
	"errors"
	"slices"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

var (
	// ErrNoCall reports that there is no call with the given id.
	ErrNoCall = errors.New("agentphonetest: no such call")
	// ErrCallOver reports that the call is over, or ended meanwhile.
	ErrCallOver = errors.New("agentphonetest: the call is over")
	// ErrRinging reports that nobody has answered the call yet.
	ErrRinging = errors.New("agentphonetest: the call is not answered yet")
	// ErrNotRinging reports that the call does not ring (any more).
	ErrNotRinging = errors.New("agentphonetest: the call does not ring")
	// ErrNoWebhook reports that neither the agent of a call nor its account has a webhook.
	ErrNoWebhook = errors.New("agentphonetest: the agent has no webhook")
	// ErrTurnUnderWay reports that the agent is still answering the call's last voice turn.
	ErrTurnUnderWay = errors.New("agentphonetest: the call's last voice turn is not answered yet")
)

// CallScript is the course of a call. The call is in progress from the moment it is placed, its turns come at equal
// intervals (the first one interval after the start, the last one interval before the end), and after Duration it ends.
type CallScript struct {
	// Turns are what is said. They may be empty.
	Turns []Utterance
	// Duration is how long the call takes. Zero is 3 seconds.
	Duration time.Duration
	// Status is the status of the call after its end. "" is [agentphone.CallStatusCompleted].
	Status agentphone.CallStatus
	// TranscriptDelay is how long after the end of the call its transcript stays empty in the API's responses, as it does
	// for some moments there. The stream of the transcript has none of it, nor have the server's records.
	TranscriptDelay time.Duration
}

// Utterance is something said in a call, and by whom.
type Utterance struct {
	Role    agentphone.TranscriptRole
	Content string
}

// WithEndDelay has a call go on for a while after POST /v1/calls/{call_id}/end, which responds with nothing but its id
// and the status "ending". Without this option the call is over at once, and the response is the call. The API has been
// seen to do either.
func WithEndDelay(d time.Duration) Option {
	return func(s *Server) { s.endDelay = d }
}

// WithRinging has the calls ring that are placed and driven by the test ([Server.NextCall] says which), until
// [Server.AnswerCall]. A call that is not answered within 30 seconds ends with the status
// [agentphone.CallStatusNoAnswer], one that the person declines ([Server.EndCall]) with [agentphone.CallStatusBusy], and
// one that the API ends with [agentphone.CallStatusCanceled]. Without this option people answer at once.
func WithRinging() Option {
	return func(s *Server) { s.ringing = true }
}

// AnswerCall has the person answer a call that rings ([WithRinging]). The call begins, and the agent says its greeting,
// if it has one. The error is [ErrNoCall], [ErrNotRinging] or [ErrCallOver].
func (s *Server) AnswerCall(callID string) error { return s.answerByPerson(callID) }

// WithListDelay has the lists of calls and of messages leave out what is younger than d, as the API's own lists may show
// what was placed or sent some moments later. The calls and messages themselves, and the server's records, do not wait.
func WithListDelay(d time.Duration) Option {
	return func(s *Server) { s.listDelay = d }
}

// NextCall sets the script of the next call that is placed, by whichever account. Scripts queue: each is for one call.
//
// A call without a script takes 3 seconds, in which the agent greets, the person answers and the agent says goodbye. But
// if such a call has no SystemPrompt and its agent has a webhook (its own or the account's), the test drives it with
// [Server.CallerSays], and it goes on for an hour or until it is ended.
func (s *Server) NextCall(script CallScript) {
	script.Turns = slices.Clone(script.Turns)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, script)
	s.publishSetup()
}

// ReceiveCall has a person call one of the server's phone numbers, of whichever account, and returns the id of the
// call. The call takes no script: the agent says its BeginMessage, if it has one, and then the test drives the call with
// [Server.CallerSays], for an hour or until it is ended. ReceiveCall panics if there is no such number.
func (s *Server) ReceiveCall(from, to string) string {
	id, err := s.receiveCall(from, to)
	panicIfMisused("ReceiveCall", err)
	return id
}

func (s *Server) receiveCall(from, to string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numberWith(to)
	if n == nil {
		return "", misuse("the server has no number %q", to)
	}
	c := &call{
		agentID: n.agentID, number: n, from: from, to: to,
		kind: phoneCall, direction: agentphone.DirectionInbound,
	}
	greeting := ""
	if ag, ok := n.account.agents.get(n.agentID); ok {
		greeting = ag.text("beginMessage")
	}
	c.driveByTest(greeting)
	return s.addCall(n.account, c).id, nil
}

// CallerSays has the person say something in a call that is in progress, and returns what the agent answered. The
// webhook is sent a voice turn, whatever the agent's VoiceMode. What both say goes into the transcript of the call, each
// line when it is heard. A voice turn is delivered once, since a late answer would be of no use. An answer that is not a
// JSON object is silence ([VoiceAnswer].Unreadable).
//
// If the answer hangs up, the call is over and the webhook is sent an agent.call_ended event, as with
// [Server.ReceiveMessage]. The same holds for an answer that transfers the call if the agent has a TransferNumber;
// without one the call goes on.
//
// The error is [ErrNoCall], [ErrRinging], [ErrCallOver], [ErrNoWebhook], [ErrTurnUnderWay], [context.DeadlineExceeded] after the
// webhook's timeout, or says what the receiver did wrong. If a turn fails halfway, CallerSays returns both the error and
// what was heard before it.
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

// VoiceAnswer is what the agent answered in a voice turn.
type VoiceAnswer struct {
	Lines    []VoiceLine
	Hangup   bool   // the agent hung up
	Transfer bool   // the agent asked for a transfer, which only takes place if it has a TransferNumber
	Digits   string // the keys that the agent pressed
	// Unreadable says what of the answer could not be read, so that the person heard nothing of it; "" if all could.
	Unreadable string
}

// VoiceLine is something that the agent said.
type VoiceLine struct {
	Text    string
	Interim bool          // more was to come
	At      time.Duration // when it was heard, since the turn was sent
}

// EndCall has the person hang up, or decline a call that rings. A voice turn that is under way ends with [ErrCallOver], and the webhook is sent an
// agent.call_ended event, as with [Server.ReceiveMessage]. The error is [ErrNoCall] or [ErrCallOver].
//
// The end of every call is sent to the webhook, once: at once if the API or a voice answer ends the call; and since
// there are no timers for calls, a call that ends by its script is noticed when the server handles its next request, or by
// [Server.Calls], [Server.CallerSays], EndCall or [Server.WaitDeliveries].
func (s *Server) EndCall(callID string) error {
	d, err := s.endByPerson(callID)
	s.deliver(d)
	return err
}
