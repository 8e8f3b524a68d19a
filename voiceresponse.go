package agentphone

import (
	"context"
	"errors"
	"net/http"
	"sync"
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

// open reports why nothing more can be said.
func (v *VoiceResponse) open() error {
	if v.closed || v.said || v.ctx == nil {
		return ErrVoiceAnswered
	}
	return v.ctx.Err()
}

// close lets the callback say no more. It reports whether the last words are known, and whether the answer has
// begun, so that its status cannot be changed any more.
func (v *VoiceResponse) close() (said, begun bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	return v.said, v.streamed
}
