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
	"unicode"
	"unicode/utf8"
)

// ErrVoiceAnswered is something said after the turn's last words: a second Say, or anything after
// the callback returned.
var ErrVoiceAnswered = errors.New("agentphone: the voice turn is answered already")

// VoiceResponse is what an agent says and does in a turn of a call. It belongs to one callback and is not
// to be used after that has returned. It is safe for concurrent use.
//
// The answer's last words, with Hangup and Transfer, are sent when the callback returns. If nothing was
// said at all, the agent stays silent.
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
// It returns the context's error if the caller is gone or the turn's time is up. Behind middleware that
// hides [http.Flusher] all lines are sent together at the end.
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

// maxUnspoken is how much text without the end of a sentence is held back.
const maxUnspoken = 300

// Stream says the tokens of a language model as they come, a sentence at a time, and is the turn's last
// words. If the tokens end with an error, what came before it is said and the error returned.
func (v *VoiceResponse) Stream(tokens iter.Seq2[string, error]) error {
	if tokens == nil {
		return &ValidationError{"tokens", "is nil"}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.open(); err != nil {
		return err
	}
	v.said = true
	v.mu.Unlock() // the tokens may take long, and may call Hangup
	unspoken, err := v.speak(tokens)
	v.mu.Lock()
	v.last.Text = strings.TrimSpace(unspoken)
	if err != nil {
		return err
	}
	return v.ctx.Err()
}

// speak says what is whole of the tokens and returns what is left.
func (v *VoiceResponse) speak(tokens iter.Seq2[string, error]) (unspoken string, err error) {
	for token, err := range tokens {
		if err != nil {
			return unspoken, err
		}
		unspoken += token
		for {
			sentence, rest, ok := cutSentence(unspoken)
			if !ok {
				break
			}
			unspoken = rest
			v.mu.Lock()
			err := v.writeInterim(sentence)
			v.mu.Unlock()
			if err != nil {
				return "", err
			}
		}
	}
	return unspoken, nil
}

// cutSentence cuts text behind the first sentence that is surely whole: its mark is followed by white
// space, or is one that no space follows (。). A text too long to wait for that is cut between words, or
// failing that between characters, so that what is held back, and looked through for each token, stays short.
func cutSentence(text string) (sentence, rest string, ok bool) {
	end := 0
	for i, r := range text {
		if unicode.IsSpace(r) && end > 0 && end == i || r == '\n' {
			if s := strings.TrimSpace(text[:i]); s != "" {
				return s, text[i:], true
			}
		}
		switch {
		case strings.ContainsRune(".!?…", r):
			end = i + utf8.RuneLen(r)
		case strings.ContainsRune("。！？", r):
			end = i + utf8.RuneLen(r)
			return strings.TrimSpace(text[:end]), text[end:], true
		}
	}
	if len(text) <= maxUnspoken {
		return "", text, false
	}
	end = strings.LastIndexFunc(text, unicode.IsSpace)
	if end < 0 || strings.TrimSpace(text[:end]) == "" {
		end = wholeRunes(text)
	}
	return strings.TrimSpace(text[:end]), text[end:], true
}

// wholeRunes is where a character begins that the text, cut anywhere, does not hold whole; or its length.
func wholeRunes(text string) int {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRuneInString(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
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

// close lets the callback say no more and reports whether the answer has begun, so that its status
// cannot be changed any more.
func (v *VoiceResponse) close() (begun bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	return v.streamed
}

// finish sends the last words, one JSON object or the last line. After close.
func (v *VoiceResponse) finish() error {
	if !v.streamed {
		v.w.Header().Set("Content-Type", "application/json")
		v.w.Header().Set("Cache-Control", "no-store")
	}
	return v.writeLine(v.last)
}
