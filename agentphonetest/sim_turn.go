package agentphonetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// voiceTurn is a voice turn that is under way.
type voiceTurn struct {
	server   *Server
	call     *call
	delivery *delivery
	text     string          // what the person says
	ctx      context.Context //nolint:containedctx // it lives as long as the turn
	cancel   context.CancelFunc
	attempt  attempt
	answer   VoiceAnswer
}

// beginTurn has the person say something. The turn may take as long as the webhook's timeout and the call allow.
func (s *Server) beginTurn(callID, text string) (*voiceTurn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.callByID(callID)
	if err != nil {
		return nil, err
	}
	m := c.now()
	w, _ := c.account.webhookFor(c.agentID)
	switch {
	case s.closed:
		return nil, errClosed
	case m.status() == agentphone.CallStatusRinging:
		return nil, ErrRinging
	case m.status() != agentphone.CallStatusInProgress:
		return nil, ErrCallOver
	case c.interrupt != nil:
		return nil, ErrTurnUnderWay
	case w == nil:
		return nil, ErrNoWebhook
	}
	before := m.said()
	s.say(m, agentphone.RoleUser, text, nil)
	t := &voiceTurn{server: s, call: c, text: text, delivery: s.newDelivery(c.account, m.turnEvent(text, before))}
	t.ctx, t.cancel = context.WithTimeout(context.Background(), min(s.timeout(t.delivery), m.left))
	c.interrupt = t.cancel
	return t, nil
}

// run delivers the turn and hears the answer.
func (t *voiceTurn) run() error {
	d := t.delivery
	t.attempt.began = time.Now()
	t.attempt.header = d.sign()
	resp, closeBody, err := t.server.post(t.ctx, d.webhook.url, t.attempt.header, d.payload)
	if err != nil {
		return t.fail(err)
	}
	defer closeBody()
	t.attempt.status = resp.StatusCode
	if rejected := rejection(resp); rejected != "" {
		_ = t.readAll(resp.Body)
		return t.fail(errors.New(rejected))
	}
	return t.fail(t.hear(resp))
}

// fail records an error, if there is one, and returns it as that of the turn.
func (t *voiceTurn) fail(err error) error {
	if err == nil {
		return nil
	}
	t.attempt.failure = err.Error()
	if errors.Is(t.ctx.Err(), context.DeadlineExceeded) {
		err = t.ctx.Err()
	}
	return fmt.Errorf("agentphonetest: the voice turn failed: %w", err)
}

// finish records the turn and does what the answer asks for. It returns the delivery of the call's end if the call is
// over.
func (t *voiceTurn) finish(err error) (*delivery, error) {
	s, c := t.server, t.call
	s.mu.Lock()
	defer s.mu.Unlock()
	c.interrupt = nil
	t.attempt.took = time.Since(t.attempt.began)
	t.delivery.record(t.attempt)
	s.publishAttempt(t.delivery)
	s.deliveryFinished()
	m := c.now()
	if m.status() != agentphone.CallStatusInProgress && err != nil {
		err = fmt.Errorf("%w: %w", ErrCallOver, err)
	}
	c.digits += t.answer.Digits
	s.keepTurn(t, err)
	if m.final {
		return s.endDelivery(c), err
	}
	switch {
	case err != nil:
		return nil, err
	case t.answer.Hangup:
		s.hangUp(c, agentHungUp, 0)
	case t.answer.Transfer && c.canTransfer():
		s.hangUp(c, transferred, 0)
	default:
		return nil, nil
	}
	return s.endDelivery(c), nil
}

func (c *call) canTransfer() bool {
	ag, ok := c.account.agents.get(c.agentID)
	return ok && ag.text("transferNumber") != ""
}
