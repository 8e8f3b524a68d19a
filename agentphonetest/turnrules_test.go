package agentphonetest_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestACallHasOneTurnAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, bookTable)
		id := srv.ReceiveCall(human, srv.PhoneNumber())
		another := srv.ReceiveCall("+14155550002", srv.PhoneNumber())
		first := make(chan error, 1)
		go func() {
			_, err := srv.CallerSays(id, "A table, please.")
			first <- err
		}()
		time.Sleep(500 * time.Millisecond)
		_, err := srv.CallerSays(id, "Hello?")
		require.ErrorIs(t, err, agentphonetest.ErrTurnUnderWay)
		_, err = srv.CallerSays(another, "Hello?")
		require.NoError(t, err, "another call's turns are its own")
		require.NoError(t, <-first)
		_, err = srv.CallerSays(id, "Hello?")
		require.NoError(t, err)
		assert.Len(t, srv.Calls()[0].Dialogue(), 6, "what was refused was not said")
		assert.Len(t, srv.Deliveries(), 3)
	})
}

// The history is of before: with the words themselves in it a model would hear them twice.
func TestATurnAndTheEndOfACallSayWhatWasSaidAndByWhom(t *testing.T) {
	srv := newServer(t)
	var events []*agentphone.Event
	set := setWebhook(t, srv, agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(3)})
	note := func(e *agentphone.Event) { events = append(events, e) }
	h, err := agentphone.NewWebhookHandler([]string{set.Secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(_ context.Context, e *agentphone.Event, d *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			note(e)
			return v.Say("You said: " + d.Transcript)
		},
		OnCallEnded: func(_ context.Context, e *agentphone.Event, _ *agentphone.CallEndedData) error { note(e); return nil },
	})
	require.NoError(t, err)
	srv.SetReceiver(h)
	ask(t, srv.Client(), "PATCH", "/v1/agents/"+srv.AgentID(), fields{"beginMessage": "Hello!"})
	id := srv.ReceiveCall(human, srv.PhoneNumber())
	for _, words := range []string{"one", "two"} {
		_, err := srv.CallerSays(id, words)
		require.NoError(t, err)
	}
	require.NoError(t, srv.EndCall(id))
	require.Len(t, events, 3)
	type item struct {
		direction agentphone.Direction
		content   string
	}
	const in, out = agentphone.DirectionInbound, agentphone.DirectionOutbound
	for i, want := range [][]item{
		{{out, "Hello!"}},
		{{out, "Hello!"}, {in, "one"}, {out, "You said: one"}},
		{{out, "You said: one"}, {in, "two"}, {out, "You said: two"}},
	} {
		var got []item
		for _, h := range events[i].RecentHistory {
			got = append(got, item{h.Direction, h.Content})
			assert.Equal(t, agentphone.ChannelVoice, h.Channel)
			assert.False(t, h.At.IsZero())
		}
		assert.Equal(t, want, got)
	}
	assert.Equal(t, []agentphone.TranscriptEntry{
		{Role: agentphone.RoleAgent, Content: "Hello!"},
		{Role: agentphone.RoleUser, Content: "one"}, {Role: agentphone.RoleAgent, Content: "You said: one"},
		{Role: agentphone.RoleUser, Content: "two"}, {Role: agentphone.RoleAgent, Content: "You said: two"},
	}, events[2].Data.(*agentphone.CallEndedData).Transcript)
}

// Half of a sentence may be the opposite of it.
func TestALineThatIsCutOffIsNotHeard(t *testing.T) {
	const whole = `{"text":"One moment.","interim":true}` + "\n"
	for name, cut := range map[string]string{
		"within its text": `{"text":"I can`, "before its line feed": `{"text":"I cancel it."}`, "an object in an object": `{"text":"I cancel it.","more":{}`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-ndjson")
				_, _ = io.WriteString(w, whole+cut)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			id := srv.ReceiveCall(human, srv.PhoneNumber())
			answer, err := srv.CallerSays(id, "Cancel it?")
			require.Error(t, err)
			require.Len(t, answer.Lines, 1)
			assert.Equal(t, "One moment.", answer.Lines[0].Text)
			assert.Len(t, srv.Calls()[0].Dialogue(), 2)
		})
	}
	srv := newServer(t)
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
		_, _ = io.WriteString(w, whole+"\n[]\nnull\nno JSON\n"+`{"text":"It is done.","hangup":true}`)
	}))
	answer, err := srv.CallerSays(srv.ReceiveCall(human, srv.PhoneNumber()), "Cancel it?")
	require.NoError(t, err)
	require.Len(t, answer.Lines, 2, "a last line needs no line feed; what is no object is silence")
	assert.True(t, answer.Hangup)
}

func TestATurnEndsWithItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			return ctx.Err()
		})
		id := srv.ReceiveCall(human, srv.PhoneNumber())
		time.Sleep(time.Hour - 2*time.Second)
		began := time.Now()
		_, err := srv.CallerSays(id, "Hello?") // the receiver would have 5 s
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		assert.Equal(t, 2*time.Second, time.Since(began))
		<-over
	})
}
