package agentphonetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

const ndjson = "application/x-ndjson"

// hear reads the answer: one JSON object, or NDJSON, of which each line is heard as it comes.
func (t *voiceTurn) hear(resp *http.Response) error {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if mediaType != ndjson {
		err := t.readAll(resp.Body)
		if err == nil {
			t.checkLength(len(t.attempt.response))
			t.hearObject(0, []byte(t.attempt.response))
		}
		return err
	}
	body := bufio.NewReader(io.LimitReader(resp.Body, maxBody))
	var all strings.Builder
	defer func() { t.attempt.response = all.String() }()
	for n := 1; ; n++ {
		line, err := body.ReadBytes('\n')
		all.Write(line)
		t.checkLength(all.Len())
		if err == nil || errors.Is(err, io.EOF) { // a line that breaks off is not heard
			t.hearObject(n, line)
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
	t.attempt.response = string(all)
	return err
}

// checkLength notes that an answer was not read to its end.
func (t *voiceTurn) checkLength(n int) {
	if n >= maxBody {
		t.unreadable("it is longer than %d MiB", maxBody>>20)
	}
}

// unreadable notes why a part of the answer cannot be read. Of several, the first is kept.
func (t *voiceTurn) unreadable(format string, args ...any) {
	if t.answer.Unreadable == "" {
		t.answer.Unreadable = fmt.Sprintf(format, args...)
	}
}

// hearObject hears one JSON object, or nothing: that of a line, or with 0 the whole answer. Anything else is silence.
func (t *voiceTurn) hearObject(line int, text []byte) {
	var said *struct {
		Text    string `json:"text"`
		Interim bool   `json:"interim"`
		Hangup  bool   `json:"hangup"`
		Action  string `json:"action"`
		Digits  string `json:"digits"`
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return
	}
	what := "it"
	if line > 0 {
		what = fmt.Sprint("line ", line)
	}
	if err := json.Unmarshal(text, &said); err != nil || said == nil {
		t.unreadable("%s %s: %s", what, whyNoAnswer(text, err), excerpt(text))
		return
	}
	if is, want := otherCase(text); want != "" {
		t.unreadable("%s has %q, which the API calls %q: %s", what, is, want, excerpt(text))
		return
	}
	t.answer.Hangup = t.answer.Hangup || said.Hangup || said.Action == "hangup"
	t.answer.Digits += said.Digits
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
	heard := VoiceLine{said.Text, said.Interim, time.Since(t.attempt.began)}
	t.answer.Lines = append(t.answer.Lines, heard)
	s.say(m, agentphone.RoleAgent, said.Text, &heard)
}

// otherCase returns the name of a member that differs from the API's in the case of its letters only, and the API's. To encoding/json they
// are the same, and to hardly anybody else.
func otherCase(text []byte) (is, want string) {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(text, &members)
	for _, is := range slices.Sorted(maps.Keys(members)) {
		for _, want := range []string{"text", "interim", "hangup", "action", "digits"} {
			if is != want && strings.EqualFold(is, want) {
				return is, want
			}
		}
	}
	return "", ""
}

// whyNoAnswer says what is wrong with a text that is not one JSON object of an answer.
func whyNoAnswer(text []byte, err error) string {
	var syntax *json.SyntaxError
	switch {
	case text[0] == '{' && json.NewDecoder(bytes.NewReader(text)).Decode(&struct{}{}) == nil && errors.As(err, &syntax):
		return "is a JSON object with something after it; several take the Content-Type " + ndjson
	case err == nil || text[0] != '{' && !errors.As(err, &syntax):
		return "is no JSON object"
	case errors.As(err, &syntax):
		return "is no JSON object: " + err.Error()
	}
	return "is not as the API has it: " + decodingProblem(err)
}

// excerpt is the beginning of a text, in quotation marks.
func excerpt(text []byte) string {
	const most = 100
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q...", text[:most])
}
