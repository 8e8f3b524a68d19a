package agentphonetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

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

// voiceTurn is a turn under way.
type voiceTurn struct {
	server   *Server
	call     *call
	delivery *delivery
	ctx      context.Context //nolint:containedctx // it is the turn's life
	cancel   context.CancelFunc
	outcome  outcome
	answer   VoiceAnswer
}

func (s *Server) beginTurn(callID, text string) (*voiceTurn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookForEnds()
	c, err := s.callOf(callID)
	if err != nil {
		return nil, err
	}
	m := c.now()
	w, _ := c.account.webhookOf(c.agentID)
	switch {
	case s.closed:
		return nil, errClosed
	case m.final:
		return nil, ErrCallOver
	case c.interrupt != nil:
		return nil, ErrTurnUnderWay
	case w == nil:
		return nil, ErrNoWebhook
	}
	before := m.said()
	s.say(m, agentphone.RoleUser, text)
	t := &voiceTurn{server: s, call: c, delivery: s.newDelivery(c.account, m.turn(text, before))}
	t.ctx, t.cancel = context.WithTimeout(context.Background(), min(t.delivery.lifetime(), m.untilEnd()))
	c.interrupt = t.cancel
	return t, nil
}

// run sends the turn and hears the answer.
func (t *voiceTurn) run() error {
	d := t.delivery
	t.outcome.began = time.Now()
	resp, closeBody, err := t.server.open(t.ctx, d.webhook.url, d.sign(), d.payload)
	if err != nil {
		return t.fail(err)
	}
	defer closeBody()
	t.outcome.code = resp.StatusCode
	if resp.StatusCode/100 != 2 {
		return t.refused(resp)
	}
	return t.fail(t.hear(resp))
}

func (t *voiceTurn) refused(resp *http.Response) error {
	_ = t.readAll(resp.Body)
	return t.fail(errors.New(refusal(resp)))
}

func (t *voiceTurn) fail(err error) error {
	if err == nil {
		return nil
	}
	t.outcome.failure = err.Error()
	if errors.Is(t.ctx.Err(), context.DeadlineExceeded) {
		err = t.ctx.Err()
	}
	return fmt.Errorf("agentphonetest: the voice turn failed: %w", err)
}

// finish writes the record of the turn and does what the answer asks for. It returns the event of the call's
// end, if that was it.
func (t *voiceTurn) finish(err error) (*delivery, error) {
	s, c := t.server, t.call
	s.mu.Lock()
	defer s.mu.Unlock()
	c.interrupt = nil
	t.delivery.note(t.outcome)
	s.unsettled--
	s.changed()
	if c.now().final {
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrCallOver, err)
		}
		return s.ended(c), err
	}
	switch {
	case err != nil:
		return nil, err
	case t.answer.Hangup:
		s.hangUp(c, agentHungUp)
	case t.answer.Transfer && c.canTransfer():
		s.hangUp(c, transferred)
	default:
		return nil, nil
	}
	return s.ended(c), nil
}

func (c *call) canTransfer() bool {
	ag, ok := c.account.agents.get(c.agentID)
	return ok && ag.text("transferNumber") != ""
}
