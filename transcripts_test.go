package agentphone_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestCallsTranscript_ReadsEveryShape(t *testing.T) {
	entry := `{"role":"user","content":"hi","createdAt":"2026-01-01T00:00:00Z"}`
	turn := `{"id":"t1","transcript":"hi","confidence":0.9,"response":"hello","createdAt":null}`
	for body, want := range map[string][]string{
		`{"callId":"call_1","transcript":[` + entry + `]}`: {"user: hi"},
		`{"transcripts":[` + turn + `]}`:                   {"user: hi", "agent: hello"},
		`{"data":[` + turn + `]}`:                          {"user: hi", "agent: hello"},
		`{"transcript":""}`:                                nil,
		`[` + entry + `]`:                                  {"user: hi"},
		`[` + turn + `]`:                                   {"user: hi", "agent: hello"},
		`{"transcript":[` + turn + `]}`:                    {"user: hi", "agent: hello"},
		`{"callId":"call_1","transcript":null}`:            nil,
		`[]`:                                               nil,
		`{"callId":"call_1","transcript":[]}`:              nil,
	} {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			got, err := c.Calls.Transcript(t.Context(), "call_1")
			require.NoError(t, err)
			var said []string
			for _, e := range got.Transcript {
				said = append(said, string(e.Role)+": "+e.Content)
			}
			assert.Equal(t, want, said)
			assert.Equal(t, strings.Contains(body, "confidence"), len(got.Transcripts) == 1)
			assert.Equal(t, strings.Contains(body, "callId"), got.CallID == "call_1")
		})
	}
}
