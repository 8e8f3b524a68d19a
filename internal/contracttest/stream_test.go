// The events of a live transcript: the client decodes every field of each. What the API in memory streams is checked
// with its other responses.

package contracttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const streamPath = "/v1/calls/{call_id}/transcript/stream"

// streamEvent is a server-sent event whose data is JSON.
type streamEvent struct {
	name string
	data any
}

// eventsOf returns the events of a response that is a stream, and nil for any other.
func eventsOf(t *testing.T, x *exchange) (events []streamEvent) {
	t.Helper()
	if x.op.Media != "text/event-stream" {
		return nil
	}
	for block := range strings.SplitSeq(strings.TrimSpace(string(x.response)), "\n\n") {
		name, data, ok := strings.Cut(block, "\ndata: ")
		require.True(t, ok, "%q", block)
		event := streamEvent{name: strings.TrimPrefix(name, "event: ")}
		require.NoError(t, json.Unmarshal([]byte(data), &event.data), "%q", data)
		events = append(events, event)
	}
	return events
}

// No field of an event is lost in the result, and each event has a constant of type TranscriptEventType.
func TestContract_StreamedEventsAreDecodedInFull(t *testing.T) {
	api := readContract(t)
	op := api.operation(t, http.MethodGet, streamPath)
	assert.ElementsMatch(t, keys(op.Events), api.enums["TranscriptEventType"])
	var stream strings.Builder
	for _, name := range []string{"connected", "turn", "ended"} {
		require.Contains(t, op.Events, name)
		fmt.Fprintf(&stream, "event: %s\ndata: %s\n\n", name, apitest.JSON(t, sample("", op.Events[name])))
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, stream.String(), "Content-Type", op.Media))
	events, err := agentphone.Collect(c.Calls.StreamTranscript(t.Context(), "c"), 0)
	require.NoError(t, err)
	require.Len(t, events, len(op.Events))
	for _, event := range events {
		var got map[string]any // Type and one of Connected, Turn and Ended; the others are null
		require.NoError(t, json.Unmarshal([]byte(apitest.JSON(t, event)), &got))
		delete(got, "Type")
		for name, data := range got {
			if data == nil {
				delete(got, name)
			}
		}
		require.Len(t, got, 1)
		for _, data := range got {
			assert.Empty(t, difference("", sample("", op.Events[string(event.Type)]), data, false, nil), event.Type)
		}
	}
}
