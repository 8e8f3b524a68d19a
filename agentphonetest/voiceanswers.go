package agentphonetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

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
