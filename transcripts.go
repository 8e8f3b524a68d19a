package agentphone

import (
	"context"
	"encoding/json"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

var opGetTranscript = operation{name: "Calls.Transcript", method: "GET", path: "/v1/calls/{call_id}/transcript", idempotent: true}

// TranscriptRole says who speaks.
type TranscriptRole string

const (
	RoleUser  TranscriptRole = "user"  // the human
	RoleAgent TranscriptRole = "agent" // the AI agent
)

// TranscriptTurn is a turn of a call: what the human said and how the agent answered.
type TranscriptTurn struct {
	ID         string    `json:"id"`
	Transcript string    `json:"transcript"` // what the human said; "" if the agent spoke first
	Confidence *float64  `json:"confidence"` // of the speech recognition: 0 to 1; nil if unknown
	Response   string    `json:"response"`   // what the agent said; "" if it said nothing
	CreatedAt  Timestamp `json:"createdAt"`
}

// TranscriptEntry is what one side said at one time.
type TranscriptEntry struct {
	Role      TranscriptRole `json:"role"`
	Content   string         `json:"content"` // the words
	CreatedAt Timestamp      `json:"createdAt"`
}

// dialogue returns what was said in turns, in spoken order.
func dialogue(turns []TranscriptTurn) []TranscriptEntry {
	var out []TranscriptEntry
	for _, t := range turns {
		if t.Transcript != "" {
			out = append(out, TranscriptEntry{RoleUser, t.Transcript, t.CreatedAt})
		}
		if t.Response != "" {
			out = append(out, TranscriptEntry{RoleAgent, t.Response, t.CreatedAt})
		}
	}
	return out
}

// CallTranscript is the transcript of a call.
type CallTranscript struct {
	CallID string `json:"callId"` // "" if the response does not have it
	// Transcript is what was said, in spoken order, whichever shape the response has.
	Transcript []TranscriptEntry `json:"transcript"`
	// Transcripts is the same as turns, which have ids and confidences, or nil if the response has entries.
	Transcripts []TranscriptTurn `json:"transcripts"`
}

// UnmarshalJSON decodes each of the shapes that the API uses: an object with entries or with turns, or a bare array of
// either.
func (c *CallTranscript) UnmarshalJSON(data []byte) error {
	*c = CallTranscript{}
	if len(data) > 0 && data[0] == '[' {
		return c.readList(data)
	}
	var object struct {
		CallID      string          `json:"callId"`
		Transcript  json.RawMessage `json:"transcript"`
		Transcripts json.RawMessage `json:"transcripts"`
		Data        json.RawMessage `json:"data"` // the same as transcripts
	}
	if err := lenientjson.Unmarshal(data, &object); err != nil {
		return err
	}
	c.CallID = object.CallID
	for _, list := range []json.RawMessage{object.Data, object.Transcripts, object.Transcript} {
		if len(list) > 0 && string(list) != "null" {
			if err := c.readList(list); err != nil {
				return err
			}
		}
	}
	return nil
}

// transcriptItem is a TranscriptEntry or a TranscriptTurn.
type transcriptItem struct {
	TranscriptTurn
	Role    TranscriptRole `json:"role"`
	Content string         `json:"content"`
}

func (c *CallTranscript) readList(data []byte) error {
	var list []transcriptItem
	if err := lenientjson.Unmarshal(data, &list); err != nil {
		return err
	}
	var entries []TranscriptEntry
	var turns []TranscriptTurn
	for _, item := range list {
		if item.Role != "" || item.Content != "" {
			entries = append(entries, TranscriptEntry{item.Role, item.Content, item.CreatedAt})
		} else {
			turns = append(turns, item.TranscriptTurn)
		}
	}
	if len(turns) > 0 {
		c.Transcripts = turns
		entries = append(entries, dialogue(turns)...)
	}
	if len(entries) > 0 {
		c.Transcript = entries
	}
	return nil
}

// Transcript returns the transcript of a call. While the call is in progress that is what was said so far. Retried.
// (GET /v1/calls/{call_id}/transcript)
func (s *CallsService) Transcript(ctx context.Context, callID string, opts ...RequestOption) (*CallTranscript, error) {
	return do[CallTranscript](ctx, (*service)(s), &opGetTranscript, []string{callID}, nil, opts)
}
