package agentphonetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

var transcriptOperations = []*operation{
	get("/v1/calls/{call_id}/transcript", (*Server).getTranscript),
	get("/v1/calls/{call_id}/transcript/stream", (*Server).streamTranscript),
}

// transcriptEntry is something said, as the transcript and its stream show it.
func (m moment) transcriptEntry(turn spoken) object {
	return object{"role": turn.Role, "content": turn.Content, "createdAt": stamp(m.timeAt(turn.at))}
}

func (s *Server) getTranscript(in *input) (any, error) {
	c, err := in.call()
	if err != nil {
		return nil, err
	}
	m := c.now()
	return object{"callId": c.id, "transcript": views(m.transcript(), m.transcriptEntry)}, nil
}

// streamTranscript streams server-sent events: connected, then each turn when it comes, then ended.
func (s *Server) streamTranscript(in *input) (any, error) {
	c, err := in.call()
	if err != nil {
		return nil, err
	}
	var name any // null if the agent was deleted
	if a, ok := in.account.agents.get(c.agentID); ok {
		name = a.text("name")
	}
	stream := &transcriptStream{server: s, call: c, agentName: name, heartbeat: time.Now().Add(heartbeatInterval)}
	return &response{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}},
		stream: stream.next,
	}, nil
}

const heartbeatInterval = 15 * time.Second

// transcriptStream is one connection to the transcript of a call.
type transcriptStream struct {
	server    *Server
	call      *call
	agentName any
	connected bool
	turns     int // how many were sent
	ended     bool
	heartbeat time.Time // when the next one is due
}

// next waits for the next event or heartbeat and returns it.
func (t *transcriptStream) next(ctx context.Context) ([]byte, error) {
	for {
		t.server.mu.Lock()
		t.server.deliverEnds()
		m, seen := t.call.now(), t.call.changes
		data := t.due(m)
		next := min(m.untilChange(), time.Until(t.heartbeat))
		t.server.mu.Unlock()
		switch {
		case data != nil:
			return data, nil
		case t.ended:
			return nil, io.EOF
		}
		if err := t.server.pause(ctx, next, t.call, seen); err != nil {
			return nil, err
		}
	}
}

// due returns what is to be sent now, or nil.
func (t *transcriptStream) due(m moment) []byte {
	said := m.said()
	switch {
	case !t.connected:
		t.connected = true
		return serverSentEvent("connected", object{
			"callId": m.id, "status": m.status(), "agentId": orNull(m.agentID), "agentName": t.agentName,
			"direction": m.direction, "fromNumber": orNull(m.from), "toNumber": orNull(m.to),
			"startedAt": stamp(m.timeAt(0)),
		})
	case t.turns < len(said):
		t.turns++
		return serverSentEvent("turn", m.transcriptEntry(said[t.turns-1]))
	case m.final && !t.ended:
		t.ended = true
		return serverSentEvent("ended", object{
			"callId": m.id, "status": m.status(), "endedAt": m.endedAt(), "durationSeconds": m.seconds(),
		})
	case !m.final && time.Until(t.heartbeat) <= 0:
		t.heartbeat = time.Now().Add(heartbeatInterval)
		return []byte(": heartbeat\n\n")
	}
	return nil
}

func serverSentEvent(name string, data object) []byte {
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, encode(data))
}

var recordingOperations = []*operation{
	get("/v1/calls/{call_id}/recording", (*Server).getRecording).withoutKey(),
}

// getRecording needs no key: whoever knows the id of a call, of whichever account, may hear it.
func (s *Server) getRecording(in *input) (any, error) {
	c, ok := s.calls.get(in.path("call_id"))
	if !ok || !c.now().recorded() {
		return nil, notFound("Recording")
	}
	return &response{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"audio/wav"}},
		body:   silentWAV(),
	}, nil
}

// silentWAV returns a WAV file with a tenth of a second of silence: mono, 8000 samples a second, 8 bits each.
func silentWAV() []byte {
	const rate, samples = 8000, 800
	wav := []byte("RIFF")
	u32 := func(n uint32) { wav = binary.LittleEndian.AppendUint32(wav, n) }
	u16 := func(n uint16) { wav = binary.LittleEndian.AppendUint16(wav, n) }
	u32(36 + samples)
	wav = append(wav, "WAVEfmt "...)
	u32(16)   // size of this block
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
