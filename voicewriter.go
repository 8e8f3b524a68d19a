package agentphone

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// voiceLine is an answer, or a line of one.
type voiceLine struct {
	Text    string `json:"text,omitzero"`
	Interim bool   `json:"interim,omitzero"`
	Hangup  bool   `json:"hangup,omitzero"`
	Action  string `json:"action,omitzero"`
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

// finish sends the last words, one JSON object or the last line. After close.
func (v *VoiceResponse) finish() error {
	if !v.streamed {
		v.w.Header().Set("Content-Type", "application/json")
		v.w.Header().Set("Cache-Control", "no-store")
	}
	return v.writeLine(v.last)
}
