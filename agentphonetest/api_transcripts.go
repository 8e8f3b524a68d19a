package agentphonetest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const heartbeat = 15 * time.Second

var transcriptOperations = []*operation{
	get("/v1/calls/{call_id}/transcript", (*Server).getTranscript),
	get("/v1/calls/{call_id}/transcript/stream", (*Server).streamTranscript),
}

// entry is a thing said, as the transcript and its stream show it.
func (m moment) entry(i int) object {
	turn := m.said()[i]
	return object{"role": turn.Role, "content": turn.Content, "createdAt": stamp(m.after(turn.at))}
}

func (s *Server) getTranscript(in *input) (any, error) {
	c, err := in.account.callNamed(in.path("call_id"))
	if err != nil {
		return nil, err
	}
	m, entries := c.now(), []object{}
	for i := range m.said() {
		entries = append(entries, m.entry(i))
	}
	return object{"callId": c.id, "transcript": entries}, nil
}

// streamTranscript answers with events: connected, each turn when it comes, ended.
func (s *Server) streamTranscript(in *input) (any, error) {
	c, err := in.account.callNamed(in.path("call_id"))
	if err != nil {
		return nil, err
	}
	var name any // null if the agent was deleted
	if a, ok := in.account.agents.get(c.agentID); ok {
		name = a.text("name")
	}
	stream := &transcriptStream{server: s, call: c, agentName: name, beat: time.Now().Add(heartbeat)}
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}},
		stream: stream.next,
	}, nil
}

// transcriptStream is one connection to a call's transcript.
type transcriptStream struct {
	server    *Server
	call      *call
	agentName any
	begun     bool
	turns     int // sent
	ended     bool
	beat      time.Time // when a heartbeat is due
}

// next waits for the next event, or for the heartbeat, and returns it.
func (t *transcriptStream) next(ctx context.Context) ([]byte, error) {
	for {
		t.server.mu.Lock()
		t.server.lookForEnds()
		m, seen := t.call.now(), t.server.changes
		t.server.mu.Unlock()
		switch {
		case !t.begun:
			t.begun = true
			return event("connected", object{
				"callId": m.id, "status": m.status(), "agentId": orNull(m.agentID), "agentName": t.agentName,
				"direction": m.direction, "fromNumber": orNull(m.from), "toNumber": orNull(m.to),
				"startedAt": stamp(m.after(0)),
			}), nil
		case t.turns < len(m.said()):
			t.turns++
			return event("turn", m.entry(t.turns-1)), nil
		case m.final && !t.ended:
			t.ended = true
			return event("ended", object{
				"callId": m.id, "status": m.status(), "endedAt": m.endedAt(), "durationSeconds": m.seconds(),
			}), nil
		case m.final:
			return nil, io.EOF
		case time.Until(t.beat) <= 0:
			t.beat = time.Now().Add(heartbeat)
			return []byte(": heartbeat\n\n"), nil
		}
		due := m.untilEnd()
		if n := m.script.said(m.elapsed); n < len(m.script.Turns) {
			due = m.script.turnAt(n) - m.elapsed
		}
		if err := t.server.pause(ctx, min(due, time.Until(t.beat)), seen); err != nil {
			return nil, err
		}
	}
}

func event(name string, data object) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("agentphonetest: an event cannot be encoded: %v", err))
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, body)
}

var recordingOperations = []*operation{
	get("/v1/calls/{call_id}/recording", (*Server).getRecording).withoutKey(),
}

// getRecording needs no key: who knows a call's id may hear it, of whichever account.
func (s *Server) getRecording(in *input) (any, error) {
	i := slices.IndexFunc(s.calls, func(c *call) bool { return c.id == in.path("call_id") })
	if i < 0 || !s.calls[i].now().recorded() {
		return nil, notFound("Recording")
	}
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"audio/wav"}},
		body:   silence(),
	}, nil
}

// silence is a WAV file of a tenth of a second: mono, 8000 samples a second, 8 bits each.
func silence() []byte {
	const rate, samples = 8000, 800
	wav := []byte("RIFF")
	u32 := func(n uint32) { wav = binary.LittleEndian.AppendUint32(wav, n) }
	u16 := func(n uint16) { wav = binary.LittleEndian.AppendUint16(wav, n) }
	u32(36 + samples)
	wav = append(wav, "WAVEfmt "...)
	u32(16)   // the size of this block
	u16(1)    // PCM
	u16(1)    // channels
	u32(rate) // samples a second
	u32(rate) // bytes a second
	u16(1)    // bytes a sample
	u16(8)    // bits a sample
	wav = append(wav, "data"...)
	u32(samples)
	return append(wav, slices.Repeat([]byte{0x80}, samples)...)
}
