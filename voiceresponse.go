package agentphone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ErrVoiceAnswered is returned for something said after the turn's last words: a second Say, or anything after
// the callback returned.
var ErrVoiceAnswered = errors.New("agentphone: the voice turn is answered already")

// VoiceResponse is what an agent says and does in a turn of a call. It belongs to one callback and is not
// to be used after that has returned: then it returns [ErrVoiceAnswered]. It is safe for concurrent use.
//
// The answer's last words, with Hangup and Transfer, are sent when the callback returns. If nothing was
// said at all, the agent stays silent. If the callback returns an error before the first Interim, nothing
// of the answer is sent.
type VoiceResponse struct {
	ctx context.Context
	w   http.ResponseWriter
	rc  *http.ResponseController

	mu       sync.Mutex
	last     voiceLine
	said     bool // the last words are known
	streamed bool // an interim line was sent
	closed   bool // the callback has returned
}

// voiceLine is an answer, or a line of one.
type voiceLine struct {
	Text    string `json:"text,omitzero"`
	Interim bool   `json:"interim,omitzero"`
	Hangup  bool   `json:"hangup,omitzero"`
	Action  string `json:"action,omitzero"`
}

func newVoiceResponse(ctx context.Context, w http.ResponseWriter) *VoiceResponse {
	return &VoiceResponse{ctx: ctx, w: w, rc: http.NewResponseController(w)}
}

// Interim says something at once, with more to come: "One moment, I'll look that up."
//
// It returns an error if the caller is gone or the turn's time is up. Behind middleware that hides
// [http.Flusher] all lines are sent together at the end.
func (v *VoiceResponse) Interim(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.open(); err != nil {
		return err
	}
	return v.writeInterim(text)
}

// Say says the turn's last words. It is called at most once: a second time it returns
// [ErrVoiceAnswered] and changes nothing.
func (v *VoiceResponse) Say(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.open(); err != nil {
		return err
	}
	v.said, v.last.Text = true, text
	return nil
}

// Hangup ends the call after the last words. It may be called before or after Say.
func (v *VoiceResponse) Hangup() error {
	return v.act(func(last *voiceLine) { last.Hangup = true })
}

// Transfer puts the caller through to the agent's TransferNumber after the last words. It may be called
// before or after Say.
func (v *VoiceResponse) Transfer() error {
	return v.act(func(last *voiceLine) { last.Action = "transfer" })
}

func (v *VoiceResponse) act(set func(*voiceLine)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.ctx == nil {
		return ErrVoiceAnswered
	}
	set(&v.last)
	return v.ctx.Err()
}

// Stream says the tokens of a language model as they come, a sentence at a time, and is the turn's last
// words.
//
// If the tokens end with an error it is returned, and what came before it is said, if the callback then returns
// nil or a sentence went out already. If nothing came before it, Say may say something else.
func (v *VoiceResponse) Stream(tokens iter.Seq2[string, error]) error {
	if tokens == nil {
		return &ValidationError{"tokens", "is nil"}
	}
	if err := v.beginStream(); err != nil {
		return err
	}
	unspoken, err := v.speak(tokens) // not locked: the tokens may take long, may call Hangup, and may panic
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed { // the callback did not wait for the tokens
		return ErrVoiceAnswered
	}
	v.last.Text = strings.TrimSpace(unspoken)
	if err != nil {
		v.said = v.last.Text != "" || v.streamed
		return err
	}
	return v.ctx.Err()
}

func (v *VoiceResponse) beginStream() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.open(); err != nil {
		return err
	}
	v.said = true
	return nil
}

// speak says what is whole of the tokens and returns what is left.
func (v *VoiceResponse) speak(tokens iter.Seq2[string, error]) (unspoken string, err error) {
	for token, err := range tokens {
		if err != nil {
			return unspoken, err
		}
		if err := v.ctx.Err(); err != nil {
			return "", err
		}
		unspoken += token
		for {
			sentence, rest, ok := cutSentence(unspoken)
			if !ok {
				break
			}
			unspoken = rest
			if err := v.sayInterim(sentence); err != nil {
				return "", err
			}
		}
	}
	return unspoken, nil
}

func (v *VoiceResponse) sayInterim(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writeInterim(text)
}

// open reports why nothing more can be said.
func (v *VoiceResponse) open() error {
	if v.closed || v.said || v.ctx == nil {
		return ErrVoiceAnswered
	}
	return v.ctx.Err()
}

func (v *VoiceResponse) writeInterim(text string) error {
	switch {
	case v.closed:
		return ErrVoiceAnswered
	case v.ctx.Err() != nil:
		return v.ctx.Err()
	case text == "":
		return nil
	}
	if !v.streamed {
		v.streamed = true
		v.w.Header().Set("Content-Type", "application/x-ndjson")
		v.w.Header().Set("Cache-Control", "no-store")
		v.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the lines back
		v.w.WriteHeader(http.StatusOK)
	}
	return v.writeLine(voiceLine{Text: text, Interim: true})
}

func (v *VoiceResponse) writeLine(line voiceLine) error {
	// The server's WriteTimeout runs from the request's header on: it would cut a slow turn. Writers that
	// have no deadlines, or hide them, return an error; then nothing can be done.
	_ = v.rc.SetWriteDeadline(v.lineDeadline(line))
	if err := json.NewEncoder(v.w).Encode(line); err != nil { // ends with a line feed and holds no other
		return fmt.Errorf("agentphone: the voice turn cannot be answered: %w", err)
	}
	if !v.streamed {
		return nil // whole with the end of the request
	}
	if err := v.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("agentphone: the voice turn cannot be answered: %w", err)
	}
	return nil
}

// lineDeadline: nobody waits for an interim line beyond the turn's time.
func (v *VoiceResponse) lineDeadline(line voiceLine) time.Time {
	by := time.Now().Add(answerTime)
	if over, ok := v.ctx.Deadline(); ok && line.Interim && over.Before(by) {
		return over
	}
	return by
}

// close lets the callback say no more. It reports whether the last words are known, and whether the answer has
// begun, so that its status cannot be changed any more.
func (v *VoiceResponse) close() (said, begun bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	return v.said, v.streamed
}

// finish sends the last words, one JSON object or the last line. After close.
func (v *VoiceResponse) finish() error {
	if !v.streamed {
		v.w.Header().Set("Content-Type", "application/json")
		v.w.Header().Set("Cache-Control", "no-store")
	}
	return v.writeLine(v.last)
}
