package agentphonetest_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// openStream connects to a call's transcript.
func openStream(t *testing.T, ctx context.Context, srv *agentphonetest.Server, transport http.RoundTripper, base, callID string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", base+"/v1/calls/"+callID+"/transcript/stream", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+srv.APIKey())
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	return resp
}

// nextEvent reads to the empty line that ends an event or a comment.
func nextEvent(r *bufio.Reader) (string, error) {
	var lines []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == "\n" {
			return strings.Join(lines, " "), nil
		}
		lines = append(lines, strings.TrimSpace(line))
	}
}

func TestTranscriptStream_SendsTurnsWhenTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
		read := func() (events []string, at []time.Duration) {
			began := time.Now()
			resp := openStream(t, t.Context(), srv, srv.Transport(), agentphone.DefaultBaseURL, placed.ID)
			body := bufio.NewReader(resp.Body)
			for {
				text, err := nextEvent(body)
				if err != nil {
					assert.ErrorIs(t, err, io.EOF)
					require.NoError(t, resp.Body.Close())
					return events, at
				}
				events, at = append(events, text), append(at, time.Since(began)/time.Second)
			}
		}
		events, at := read()
		require.Len(t, events, 7)
		assert.Equal(t, []time.Duration{0, 10, 15, 20, 30, 30, 40}, at)
		assert.Contains(t, events[0], "event: connected")
		for _, part := range []string{placed.ID, `"status":"in-progress"`, srv.AgentID(), `"agentName":"My agent"`, person, srv.PhoneNumber()} {
			assert.Contains(t, events[0], part)
		}
		assert.Contains(t, events[1], `"content":"A table for two?"`)
		assert.Contains(t, events[1], `"role":"agent"`)
		assert.Equal(t, ": heartbeat", events[2])
		assert.Contains(t, events[3], `"role":"user"`)
		assert.Contains(t, events[6], "event: ended")
		assert.Contains(t, events[6], `"durationSeconds":40`)

		again, at := read()
		assert.Equal(t, []time.Duration{0, 0, 0, 0, 0}, at, "the events of a call that is over come at once")
		assert.Contains(t, again[0], `"status":"completed"`)
		assert.Equal(t, events[1], again[1])
	})
}

func TestTranscriptStream_NoticesAHangup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
		placed := placeCall(t, srv, person)
		var hangup sync.WaitGroup
		hangup.Go(func() {
			time.Sleep(5 * time.Second)
			_, err := srv.Client().Calls.End(t.Context(), placed.ID)
			assert.NoError(t, err)
		})
		resp := openStream(t, t.Context(), srv, srv.Transport(), agentphone.DefaultBaseURL, placed.ID)
		all, err := io.ReadAll(resp.Body)
		hangup.Wait()
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Contains(t, string(all), `"durationSeconds":5`)
	})
}

func TestTranscriptStream_EndsWithTheClientAndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
		placed := placeCall(t, srv, person)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := io.ReadAll(openStream(t, ctx, srv, srv.Transport(), agentphone.DefaultBaseURL, placed.ID).Body)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		body := openStream(t, t.Context(), srv, srv.Transport(), agentphone.DefaultBaseURL, placed.ID).Body
		go func() { time.Sleep(time.Second); _ = body.Close() }()
		_, err = io.ReadAll(body)
		require.Error(t, err, "a read that waits ends when the body is closed")

		body = openStream(t, t.Context(), srv, srv.Transport(), agentphone.DefaultBaseURL, placed.ID).Body
		go func() { time.Sleep(time.Second); srv.Close() }()
		_, err = io.ReadAll(body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func TestTranscriptStream_WorksOverAPort(t *testing.T) {
	srv := newServer(t)
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	srv.NextCall(agentphonetest.CallScript{Duration: 50 * time.Millisecond, Turns: booking.Turns})
	placed := placeCall(t, srv, person)
	resp := openStream(t, t.Context(), srv, pool, srv.Start(), placed.ID)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 3, strings.Count(string(all), "event: turn"))

	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	resp = openStream(t, t.Context(), srv, pool, srv.Start(), placeCall(t, srv, person).ID)
	body := bufio.NewReader(resp.Body)
	first, err := nextEvent(body)
	require.NoError(t, err)
	assert.Contains(t, first, "connected")
	srv.Close()
	_, err = nextEvent(body)
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestTranscript_IsWhatWasSaidSoFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
		time.Sleep(20 * time.Second)
		transcript := request(t, srv.Client(), "GET", "/v1/calls/"+placed.ID+"/transcript", nil)
		assert.Equal(t, placed.ID, transcript["callId"])
		said := items(t, transcript, "transcript")
		require.Len(t, said, 2)
		assert.Equal(t, "user", said[1]["role"])
		assert.Equal(t, "When?", said[1]["content"])
	})
}

func TestRecording_IsAWAVOfACompletedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		get := func(id string) (int, string, []byte) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", agentphone.DefaultBaseURL+"/v1/calls/"+id+"/recording", nil)
			require.NoError(t, err)
			resp, err := srv.Transport().RoundTrip(req) // without a key
			require.NoError(t, err)
			data, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp.StatusCode, resp.Header.Get("Content-Type"), data
		}
		placed := placeCall(t, srv, person)
		srv.NextCall(agentphonetest.CallScript{Status: agentphone.CallStatusNoAnswer})
		missed := placeCall(t, srv, person)
		status, _, _ := get(placed.ID)
		assert.Equal(t, 404, status, "it goes on")
		time.Sleep(time.Minute)
		status, kind, wav := get(placed.ID)
		assert.Equal(t, 200, status)
		assert.Equal(t, "audio/wav", kind)
		assert.Equal(t, "RIFF", string(wav[:4]))
		assert.Equal(t, len(wav)-8, int(wav[4])|int(wav[5])<<8)
		for _, id := range []string{missed.ID, "call_none"} {
			status, _, _ = get(id)
			assert.Equal(t, 404, status)
		}
	})
}
