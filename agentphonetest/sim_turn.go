package agentphonetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

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

// hear reads the answer to a turn: one JSON object, or one a line, each heard as it comes.
func (t *voiceTurn) hear(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "application/x-ndjson" {
		err := t.readAll(resp.Body)
		if err == nil {
			t.hearLine([]byte(t.outcome.response))
		}
		return err
	}
	body := bufio.NewReader(io.LimitReader(resp.Body, maxBody))
	for {
		line, err := body.ReadBytes('\n')
		t.outcome.response += string(line)
		if err == nil || errors.Is(err, io.EOF) { // a line that is cut off is not heard
			t.hearLine(line)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (t *voiceTurn) readAll(body io.Reader) error {
	all, err := io.ReadAll(io.LimitReader(body, maxBody))
	t.outcome.response = string(all)
	return err
}

// hearLine takes an object of the answer. What is none is silence.
func (t *voiceTurn) hearLine(line []byte) {
	var said *struct {
		Text    string `json:"text"`
		Interim bool   `json:"interim"`
		Hangup  bool   `json:"hangup"`
		Action  string `json:"action"`
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 || json.Unmarshal(line, &said) != nil || said == nil {
		return
	}
	t.answer.Hangup = t.answer.Hangup || said.Hangup
	t.answer.Transfer = t.answer.Transfer || said.Action == "transfer"
	if said.Text == "" {
		return
	}
	s := t.server
	s.mu.Lock()
	defer s.mu.Unlock()
	m := t.call.now()
	if m.final { // nobody hears it
		return
	}
	t.answer.Lines = append(t.answer.Lines, VoiceLine{said.Text, said.Interim, time.Since(t.outcome.began)})
	s.say(m, agentphone.RoleAgent, said.Text)
}
