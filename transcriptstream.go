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
	// minReconnectWait is the shortest wait after a second connection in a row that brought no turn, whatever
	// WithRetryWait says.
	minReconnectWait = 100 * time.Millisecond
)

var opStreamTranscript = operation{
	name: "Calls.StreamTranscript", method: "GET", path: "/v1/calls/{call_id}/transcript/stream", idempotent: true,
	mediaType: "text/event-stream", silence: maxStreamSilence,
}

// TranscriptEventType is the type of a [TranscriptEvent].
type TranscriptEventType string

const (
	TranscriptEventConnected TranscriptEventType = "connected" // the first event
	TranscriptEventTurn      TranscriptEventType = "turn"      // something was said
	TranscriptEventEnded     TranscriptEventType = "ended"     // the last event: the call is over
)

// TranscriptEvent is an event of a live transcript. Exactly one of Connected, Turn and Ended is not nil.
type TranscriptEvent struct {
	Type      TranscriptEventType
	Connected *TranscriptConnectedData // for TranscriptEventConnected
	Turn      *TranscriptEntry         // for TranscriptEventTurn
	Ended     *TranscriptEndedData     // for TranscriptEventEnded
}

// TranscriptConnectedData is the data of a connected event: the call whose transcript follows.
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

// TranscriptEndedData is the data of an ended event.
type TranscriptEndedData struct {
	CallID          string     `json:"callId"`
	Status          CallStatus `json:"status"`
	EndedAt         Timestamp  `json:"endedAt"`
	DurationSeconds *float64   `json:"durationSeconds"` // nil if unknown
}

// StreamTranscript iterates over the transcript of a call, from its beginning and then live: a connected event, a turn
// event for each thing said, and an ended event, which is the last. It also works for calls that are over.
// (GET /v1/calls/{call_id}/transcript/stream)
//
// If the connection breaks, or is silent for 45 seconds (the server sends a heartbeat every 15 seconds), it reconnects
// after an exponential backoff with full jitter ([WithRetryWait]), or after the reconnection time that the server gave.
// The server then sends the transcript from its beginning, and what was yielded before is left out, by its role, content and
// time. So no turn is lost or yielded twice. Should the server go on where the connection broke, or send only a part of the
// transcript again, or another one, turns may be yielded twice, but none is lost.
//
// The stream ends before the ended event only with its context, or with an error that is not transient, such as
// [ErrNotFound]; such an error is the last value that it yields, and counts the attempts of all connections. Memory use does
// not grow with the length of the call.
func (s *CallsService) StreamTranscript(ctx context.Context, callID string, opts ...RequestOption) iter.Seq2[TranscriptEvent, error] {
	return func(yield func(TranscriptEvent, error) bool) {
		r := transcriptReader{service: (*service)(s), yield: yield, replay: newTranscriptReplay()}
		for failures := 1; ; failures++ {
			before := r.turns
			done, err := r.readConnection(ctx, callID, opts)
			if done {
				return
			}
			if r.turns > before {
				failures = 1
			}
			if err == nil || isTransient(err) && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
				wait := max(r.client.cfg.transport.Backoff(failures), r.retry, retryAfter(err))
				if failures > 1 {
					wait = max(wait, minReconnectWait)
				}
				if ended := sleep(ctx, wait); ended != nil {
					err = &TransportError{Operation: opStreamTranscript.String(), Attempts: r.attempts, Err: ended, Last: err}
				} else {
					continue
				}
			}
			yield(TranscriptEvent{}, err)
			return
		}
	}
}

// transcriptReader is the state of one iteration over a stream, across its connections.
type transcriptReader struct {
	*service
	yield     func(TranscriptEvent, error) bool
	connected bool
	replay    *transcriptReplay
	turns     int           // yielded so far
	attempts  int           // HTTP requests in all
	retry     time.Duration // the reconnection time that the server gave last, or 0
}

// readConnection yields the events of one connection that were not yielded before. If the iteration is over it returns
// done; otherwise it returns the error that ended the connection, or nil if the server just closed it.
func (r *transcriptReader) readConnection(ctx context.Context, callID string, opts []RequestOption) (done bool, err error) {
	res, operation, err := r.stream(ctx, &opStreamTranscript, callID, opts)
	if err != nil {
		if n := attemptsOf(err); n != nil {
			r.attempts += *n
			*n = r.attempts
		}
		return false, err
	}
	defer func() {
		_ = res.Stream.Close()
		operation.finish(err)
	}()
	r.attempts += res.Attempts
	res.Attempts = r.attempts // for errors
	r.replay.connect()
	events := sse.NewReader(res.Stream)
	for {
		raw, err := events.Next()
		if retry := events.Retry(); retry > 0 {
			r.retry = min(retry, maxStreamSilence)
		}
		if err != nil {
			return false, r.readError(res, err)
		}
		event := TranscriptEvent{Type: TranscriptEventType(raw.Type)}
		switch event.Type {
		case TranscriptEventConnected:
			if r.connected {
				continue
			}
			err = json.Unmarshal(raw.Data, &event.Connected)
		case TranscriptEventTurn:
			err = json.Unmarshal(raw.Data, &event.Turn)
		case TranscriptEventEnded:
			if json.Unmarshal(raw.Data, &event.Ended) != nil || event.Ended == nil {
				event.Ended = &TranscriptEndedData{} // the call is over, whatever the data
			}
		default:
			continue // an event type of a later version of the API
		}
		if err == nil && event.Connected == nil && event.Turn == nil && event.Ended == nil {
			err = errEmptyBody // the data was null
		}
		if err != nil {
			return false, r.unreadable(&opStreamTranscript, res, fmt.Errorf("event %s: %w", event.Type, err))
		}
		if !r.give(event) || event.Type == TranscriptEventEnded {
			return true, nil
		}
	}
}

// give yields an event, unless it is a turn that was yielded before, and turns that were held until it came. It returns false
// if the iteration is over.
func (r *transcriptReader) give(event TranscriptEvent) bool {
	var turns []TranscriptEntry
	switch event.Type {
	case TranscriptEventTurn:
		turns = r.replay.next(*event.Turn)
	case TranscriptEventEnded:
		turns = r.replay.rest()
	}
	r.turns += len(turns)
	for i := range turns {
		if !r.yield(TranscriptEvent{Type: TranscriptEventTurn, Turn: &turns[i]}, nil) {
			return false
		}
	}
	r.connected = r.connected || event.Type == TranscriptEventConnected
	return event.Type == TranscriptEventTurn || r.yield(event, nil)
}

// attemptsOf returns where an error of a request counts its attempts, or nil if nothing was sent.
func attemptsOf(err error) *int {
	switch e := err.(type) { // not errors.As: one may hold another, of an attempt before
	case *APIError:
		return &e.Attempts
	case *TransportError:
		return &e.Attempts
	case *DecodeError:
		return &e.Attempts
	}
	return nil
}

// readError returns the error of a read from a stream, or nil if the server closed the stream.
func (r *transcriptReader) readError(res *transport.Response, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, sse.ErrTooLarge):
		return r.unreadable(&opStreamTranscript, res, err)
	}
	return r.streamError(&opStreamTranscript, res, err)
}
