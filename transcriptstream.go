package agentphone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/agentphone/agentphone-go/internal/sse"
	"github.com/agentphone/agentphone-go/internal/transport"
)

const (
	maxStreamSilence = 45 * time.Second // three missed heartbeats
	// minStreamPause is between connections that bring nothing, whatever WithRetryWait says.
	minStreamPause = 100 * time.Millisecond
)

var opStreamTranscript = operation{
	method: "GET", path: "/v1/calls/{call_id}/transcript/stream", idempotent: true,
	mediaType: "text/event-stream", silence: maxStreamSilence,
}

// TranscriptEventType names what a [TranscriptEvent] tells.
type TranscriptEventType string

const (
	TranscriptEventConnected TranscriptEventType = "connected"
	TranscriptEventTurn      TranscriptEventType = "turn"
	TranscriptEventEnded     TranscriptEventType = "ended"
)

// TranscriptEvent is an event of a live transcript. Of Connected, Turn and Ended the one that Type names
// is set.
type TranscriptEvent struct {
	Type      TranscriptEventType
	Connected *TranscriptConnectedData
	Turn      *TranscriptEntry
	Ended     *TranscriptEndedData
}

// TranscriptConnectedData is the first event: the call that is heard.
type TranscriptConnectedData struct {
	CallID     string     `json:"callId"`
	Status     CallStatus `json:"status"`
	AgentID    string     `json:"agentId"`
	AgentName  string     `json:"agentName"`
	Direction  Direction  `json:"direction"`
	FromNumber string     `json:"fromNumber"`
	ToNumber   string     `json:"toNumber"`
	StartedAt  Timestamp  `json:"startedAt"`
}

// TranscriptEndedData is the last event: the call is over.
type TranscriptEndedData struct {
	CallID          string     `json:"callId"`
	Status          CallStatus `json:"status"`
	EndedAt         Timestamp  `json:"endedAt"`
	DurationSeconds *float64   `json:"durationSeconds"`
}

// StreamTranscript iterates over what is said in a call, from its beginning and then as it is
// spoken: one connected event, turns, and one ended event, after which it stops. It works on calls that
// are over too. (GET /v1/calls/{call_id}/transcript/stream)
//
// A connection that breaks, or is silent for 45 s (the server sends a heartbeat every 15 s), is made
// anew, with growing waits ([WithRetryWait]), and no turn is lost or given twice. Only the context, the
// call's end or an error that will not pass, such as [ErrNotFound], ends the stream; the error is the
// last thing that it yields. Memory does not grow with the length of the call.
func (s *CallsService) StreamTranscript(ctx context.Context, callID string, opts ...RequestOption) iter.Seq2[TranscriptEvent, error] {
	return func(yield func(TranscriptEvent, error) bool) {
		l := listener{service: (*service)(s), yield: yield}
		for failures := 1; ; failures++ {
			before := l.turns
			done, err := l.listen(ctx, callID, opts)
			if done {
				return
			}
			if l.turns > before {
				failures = 1
			}
			if err == nil || mayPass(err) && ctx.Err() == nil {
				wait := max(l.client.cfg.transport.Backoff(failures), l.retry, askedToWait(err))
				if failures > 1 {
					wait = max(wait, minStreamPause)
				}
				if ended := sleep(ctx, wait); ended != nil {
					err = &TransportError{Operation: opStreamTranscript.String(), Attempts: l.attempts, Err: ended, Last: err}
				} else {
					continue
				}
			}
			yield(TranscriptEvent{}, err)
			return
		}
	}
}

// listener is what one iteration over a stream keeps from connection to connection.
type listener struct {
	*service
	yield     func(TranscriptEvent, error) bool
	connected bool
	turns     int           // given so far; the server sends them all again on each connection
	attempts  int           // requests in all
	retry     time.Duration // the wait that the server asked for last
}

// listen reads one connection. It returns done if the iteration is over, and otherwise why the connection
// is, nil for a mere end.
func (l *listener) listen(ctx context.Context, callID string, opts []RequestOption) (done bool, err error) {
	res, err := l.stream(ctx, &opStreamTranscript, callID, opts)
	if err != nil {
		var failed *TransportError
		if errors.As(err, &failed) {
			l.attempts += failed.Attempts
			failed.Attempts = l.attempts
		}
		return false, err
	}
	defer func() { _ = res.Stream.Close() }()
	l.attempts += res.Attempts
	events := sse.NewReader(res.Stream)
	for replayed := 0; ; {
		raw, err := events.Next()
		if asked := events.Retry(); asked > 0 {
			l.retry = min(asked, maxStreamSilence)
		}
		if err != nil {
			return false, l.broken(res, err)
		}
		var event TranscriptEvent
		switch event.Type = TranscriptEventType(raw.Type); event.Type {
		case TranscriptEventConnected:
			if l.connected {
				continue
			}
			err = json.Unmarshal(raw.Data, &event.Connected)
		case TranscriptEventTurn:
			if replayed++; replayed <= l.turns {
				continue
			}
			err = json.Unmarshal(raw.Data, &event.Turn)
		case TranscriptEventEnded:
			if json.Unmarshal(raw.Data, &event.Ended) != nil || event.Ended == nil {
				event.Ended = &TranscriptEndedData{} // the end is the end, whatever is said of it
			}
		default:
			continue // of a later version of the API
		}
		if err == nil && event.Connected == nil && event.Turn == nil && event.Ended == nil {
			err = errEmptyBody // null
		}
		if err != nil {
			return false, l.unreadable(&opStreamTranscript, res, fmt.Errorf("event %q: %w", event.Type, err))
		}
		if !l.yield(event, nil) || event.Type == TranscriptEventEnded {
			return true, nil
		}
		l.connected = l.connected || event.Type == TranscriptEventConnected
		l.turns = max(l.turns, replayed)
	}
}

func (l *listener) broken(res *transport.Response, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, sse.ErrTooLarge):
		return l.unreadable(&opStreamTranscript, res, err)
	}
	return l.streamError(&opStreamTranscript, res.Attempts, err)
}
