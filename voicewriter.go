package agentphone

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// voiceLine is the answer to a voice turn, or a line of it.
type voiceLine struct {
	Text    string `json:"text,omitzero"`
	Interim bool   `json:"interim,omitzero"`
	Digits  string `json:"digits,omitzero"`
	Hangup  bool   `json:"hangup,omitzero"`
	Action  string `json:"action,omitzero"`
}

// voiceWriter writes the answer to a voice turn: one JSON object, or NDJSON if there are interim lines.
type voiceWriter struct {
	w          http.ResponseWriter
	rc         http.ResponseController
	streamed   bool // an interim line was written, and the status 200 with it
	sent       bool // one was sent at once
	timed      bool
	firstWords time.Time // if timed: when the first line with a text was written
}

// writeInterim writes an interim line and flushes it. ctx is that of the turn.
func (w *voiceWriter) writeInterim(ctx context.Context, text string) error {
	if !w.streamed {
		w.streamed = true
		w.w.Header().Set("Content-Type", "application/x-ndjson")
		w.w.Header().Set("Cache-Control", "no-store")
		w.w.Header().Set("X-Accel-Buffering", "no") // or nginx holds the lines back
		w.w.WriteHeader(http.StatusOK)
	}
	writeDeadline{&w.rc}.setForInterim(ctx)
	return w.write(voiceLine{Text: text, Interim: true})
}

// writeLast writes the last line, or the one object that is the whole answer.
func (w *voiceWriter) writeLast(line voiceLine) error {
	writeDeadline{&w.rc}.setForLast()
	return w.write(line)
}

// setHeader sets the header of a response that is one object of so many bytes. With its length that is whole for the sender when it is
// sent, not only when the handler returns; over HTTP/2 only then. Middleware that encodes it makes it another length.
func (w *voiceWriter) setHeader(length int) {
	h := w.w.Header()
	values := []string{"application/json", "no-store", strconv.Itoa(length)} // in one allocation
	h["Content-Type"], h["Cache-Control"] = values[:1:1], values[1:2:2]
	if h.Get("Content-Encoding") == "" { // as http.ServeContent does
		h["Content-Length"] = values[2:]
	}
}

func (w *voiceWriter) write(line voiceLine) error {
	text, err := json.Marshal(line) // contains no line feed
	text = append(text, '\n')
	if !w.streamed {
		w.setHeader(len(text))
	}
	if err == nil {
		_, err = w.w.Write(text)
	}
	if err == nil {
		err = w.rc.Flush()
		writeDeadline{&w.rc}.clear() // over HTTP/2 it would break the stream when nothing is being written
		w.sent = w.sent || err == nil
		if errorIs(err, http.ErrNotSupported) {
			err = nil // all lines are sent when the handler returns
		}
	}
	if err != nil {
		return fmt.Errorf("agentphone: the voice turn cannot be answered: %w", err)
	}
	if w.timed && line.Text != "" && w.firstWords.IsZero() {
		w.firstWords = time.Now()
	}
	return nil
}
