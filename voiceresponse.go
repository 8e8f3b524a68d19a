package agentphone

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
)

// ErrVoiceAnswered is returned by the methods of a [VoiceResponse] when nothing more can be said: a Stream or Say has
// begun (while a Stream runs, Interim still works), or the callback has returned.
var ErrVoiceAnswered = errors.New("agentphone: the voice turn is answered already")

// VoiceResponse is the answer to a voice turn: what the agent says and does after the caller has spoken. It is only
// valid until the callback that it was passed to returns; later its methods return [ErrVoiceAnswered]. It is safe for
// concurrent use.
//
// The agent speaks each Interim, and each sentence of a Stream, at once. The last words are sent together with Hangup,
// Transfer and Press when the callback returns; without any, the agent says nothing. If the callback returns an error
// before the first Interim, nothing of the answer is sent.
type VoiceResponse struct {
	ctx context.Context // of the turn; nil in a VoiceResponse that no handler made

	mu      sync.Mutex
	out     voiceWriter
	last    voiceLine
	said    bool    // last.Text is final, or Stream is on its way to it
	speech  *speech // of the Stream that runs
	tooLate bool    // something was to be said after the end of the turn's context
	closed  bool    // the callback has returned
}

func newVoiceResponse(ctx context.Context, w http.ResponseWriter, timed bool) *VoiceResponse {
	return &VoiceResponse{ctx: ctx, out: voiceWriter{w: w, rc: *http.NewResponseController(w), timed: timed}}
}

// Interim says text at once, with more to follow, as in "One moment, I'll look that up." If text is empty, nothing is
// said. While a Stream runs, what that holds back is said first.
//
// It returns an error if the caller has hung up or the time for the turn is over. Behind middleware that hides
// [http.Flusher] all of the answer is sent when the callback returns.
func (v *VoiceResponse) Interim(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.speech != nil {
		return v.speech.interim(text)
	}
	if err := v.canSpeak(); err != nil {
		return err
	}
	return v.writeInterim(text)
}

// Say sets the last words of the answer. Only its first call has an effect; later ones return [ErrVoiceAnswered].
func (v *VoiceResponse) Say(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.canSpeak(); err != nil {
		return err
	}
	v.said, v.last.Text = true, text
	return nil
}

// Hangup ends the call after the last words. It may be called before or after Say.
func (v *VoiceResponse) Hangup() error {
	return v.act(func(last *voiceLine) { last.Hangup = true })
}

// Transfer transfers the caller to the TransferNumber of the agent after the last words. It may be called before or
// after Say.
func (v *VoiceResponse) Transfer() error {
	return v.act(func(last *voiceLine) { last.Action = "transfer" })
}

// Press presses keys of the telephone, as a menu asks for ("for sales, press 1"), after the last words: digits are 0 to 9,
// * and #; any other character, or none, is a *[ValidationError]. The digits of several calls follow each other. It may
// be called before or after Say.
func (v *VoiceResponse) Press(digits string) error {
	if digits == "" || strings.Trim(digits, "0123456789*#") != "" {
		return &ValidationError{"digits", "must be 0 to 9, * and #, and at least one of them"}
	}
	return v.act(func(last *voiceLine) { last.Digits += digits })
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

// canSpeak returns nil, or why nothing more can be said. The caller holds v.mu.
func (v *VoiceResponse) canSpeak() error {
	if v.closed || v.said || v.ctx == nil {
		return ErrVoiceAnswered
	}
	return v.ended()
}

// writeInterim says text at once, also while Stream is speaking. The caller holds v.mu.
func (v *VoiceResponse) writeInterim(text string) error {
	switch {
	case v.closed:
		return ErrVoiceAnswered
	case text == "":
		return v.ctx.Err()
	}
	if err := v.ended(); err != nil {
		return err
	}
	return v.out.writeInterim(v.ctx, text)
}

// ended returns an error if the turn is over, and notes that something was to be said after that. The caller holds v.mu.
func (v *VoiceResponse) ended() error {
	err := v.ctx.Err()
	v.tooLate = v.tooLate || err != nil
	return err
}

// voiceState is how far an answer has come when the callback returns.
type voiceState struct {
	said   bool // the last words were set
	begun  bool // the response has begun, so that its status cannot change any more
	unsent bool // there is something to say, and nothing was sent yet
}

// close ends the callback's use of v.
func (v *VoiceResponse) close() voiceState {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	return voiceState{
		said: v.said, begun: v.out.streamed,
		unsent: !v.out.sent && (v.last != voiceLine{} || v.out.streamed || v.tooLate),
	}
}

// finish sends the last words. It is called after close, which keeps all others from using v.
func (v *VoiceResponse) finish() error { return v.out.writeLast(v.last) }
