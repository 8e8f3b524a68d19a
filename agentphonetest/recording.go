package agentphonetest

import (
	"encoding/binary"
	"net/http"
	"slices"
)

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
