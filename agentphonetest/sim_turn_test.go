package agentphonetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestCallerSays_TimesOutAndIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, sayHm)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		began := time.Now()
		answer, err := srv.CallerSays(id, "Hello?")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, answer.Lines, 1, "what was heard before")
		assert.Equal(t, 5*time.Second, time.Since(began))
		srv.WaitDeliveries()
		require.Len(t, srv.Deliveries(), 1)
		assert.Equal(t, 1, srv.Deliveries()[0].AttemptCount)
		assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	})
}

func TestCallerSays_TransferNeedsANumber(t *testing.T) {
	srv := newServer(t)
	over := answering(t, srv, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return v.Transfer()
	})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	answer, err := srv.CallerSays(id, "A human, please.")
	require.NoError(t, err)
	assert.True(t, answer.Transfer)
	assert.Empty(t, over)
	request(t, srv.Client(), "PATCH", "/v1/agents/"+srv.AgentID(), fields{"transferNumber": "+14155550001"})
	_, err = srv.CallerSays(id, "A human!")
	require.NoError(t, err)
	assert.Equal(t, "call_transfer", (<-over).DisconnectionReason)
}

func TestCallerSays_HearsKeysAndAHangupByAction(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		want              agentphonetest.VoiceAnswer
	}{
		"keys":          {"application/json", `{"digits":"12*#"}`, agentphonetest.VoiceAnswer{Digits: "12*#"}},
		"keys by lines": {"application/x-ndjson", `{"digits":"1","interim":true}` + "\n" + `{"digits":"2"}` + "\n", agentphonetest.VoiceAnswer{Digits: "12"}},
		"hangup":        {"application/json", `{"action":"hangup"}`, agentphonetest.VoiceAnswer{Hangup: true}},
		"no action":     {"application/json", `{"action":"dance"}`, agentphonetest.VoiceAnswer{}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				_, _ = io.WriteString(w, c.body)
			}))
			answer, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Hello?")
			require.NoError(t, err)
			assert.Equal(t, &c.want, answer)
			assert.Equal(t, c.want.Hangup, srv.Calls()[0].Final())
		})
	}
}

func TestCallerSays_NoObjectIsSilenceAndNo2xxAnError(t *testing.T) {
	srv := newServer(t)
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	_, err := srv.CallerSays(id, "Hello?")
	require.ErrorIs(t, err, agentphonetest.ErrNoWebhook)
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	status := http.StatusOK
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `["Hello."]`)
	}))
	answer, err := srv.CallerSays(id, "Hello?")
	require.NoError(t, err)
	assert.Equal(t, &agentphonetest.VoiceAnswer{}, answer)
	status = http.StatusInternalServerError
	_, err = srv.CallerSays(id, "Hello?")
	require.ErrorContains(t, err, "500")
	assert.Len(t, srv.Deliveries(), 2)
	assert.Panics(t, func() { srv.ReceiveCall(person, "+14155550000") })
}

func TestCallerSays_HearsLinesAsTheyComeOverAPort(t *testing.T) {
	srv := newServer(t)
	release := make(chan struct{})
	var h http.Handler
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	defer port.Close()
	set, err := srv.Client().Webhooks.SetForAgent(t.Context(), srv.AgentID(), agentphone.SetWebhookParams{URL: port.URL})
	require.NoError(t, err)
	h, _ = handler(t, set.Secret, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		err := v.Interim("One moment.")
		<-release
		_ = v.Say("At seven.")
		return err
	})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	go func() {
		defer close(release)
		assert.Eventually(t, func() bool { return len(srv.Calls()[0].Dialogue()) == 2 }, 10*time.Second, time.Millisecond)
	}()
	answer, err := srv.CallerSays(id, "A table, please.")
	require.NoError(t, err)
	require.Len(t, answer.Lines, 2)
	assert.True(t, answer.Lines[0].Interim)
	assert.Greater(t, answer.Lines[1].At, answer.Lines[0].At)
}

func TestCallerSays_OneTurnAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, bookTable)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
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

func TestCallerSays_ReportsPressedKeysAndHangupsOfBothForms(t *testing.T) {
	for answer, want := range map[string]agentphonetest.VoiceAnswer{
		`{"digits":"12*#"}`:                     {Digits: "12*#"},
		`{"hangup":true}`:                       {Hangup: true},
		`{"action":"hangup"}`:                   {Hangup: true},
		`{"action":"hangup","digits":"0"}`:      {Digits: "0", Hangup: true},
		`{"action":"transfer","hangup":false}`:  {Transfer: true},
		`{"action":"something new","text":" "}`: {},
	} {
		t.Run(answer, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
			id := srv.ReceiveCall(person, srv.PhoneNumber())
			got, err := srv.CallerSays(id, "Hello?")
			require.NoError(t, err)
			got.Lines = nil
			assert.Equal(t, want, *got)
			_, err = srv.CallerSays(id, "Still there?")
			if want.Hangup {
				require.ErrorIs(t, err, agentphonetest.ErrCallOver)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// Half of a sentence may mean its opposite.
func TestCallerSays_LineThatBreaksOffIsNotHeard(t *testing.T) {
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
			id := srv.ReceiveCall(person, srv.PhoneNumber())
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
	answer, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Cancel it?")
	require.NoError(t, err)
	require.Len(t, answer.Lines, 2, "a last line needs no line feed; what is no object is silence")
	assert.True(t, answer.Hangup)
}

func TestCallerSays_EndsWithTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			return ctx.Err()
		})
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		time.Sleep(time.Hour - 2*time.Second)
		began := time.Now()
		_, err := srv.CallerSays(id, "Hello?") // the receiver would have 5 s
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		assert.Equal(t, 2*time.Second, time.Since(began))
		<-over
	})
}
