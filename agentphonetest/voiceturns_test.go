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

type onTurn = func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error

// ends takes the events of calls that ended.
type ends chan *agentphone.CallEndedData

func handler(t *testing.T, secret string, turn onTurn) (http.Handler, ends) {
	t.Helper()
	over := make(ends, 10)
	h, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: turn,
		OnCallEnded: func(_ context.Context, _ *agentphone.Event, data *agentphone.CallEndedData) error {
			over <- data
			return nil
		},
	})
	require.NoError(t, err)
	return h, over
}

func answering(t *testing.T, srv *agentphonetest.Server, turn onTurn) ends {
	t.Helper()
	h, over := handler(t, setWebhook(t, srv, agentphone.SetWebhookParams{TimeoutSeconds: 5}).Secret, turn)
	srv.SetReceiver(h)
	return over
}

func bookTable(_ context.Context, _ *agentphone.Event, data *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
	if data.Transcript == "Goodbye." {
		_ = v.Hangup()
		return v.Say("Bye.")
	}
	if err := v.Interim("One moment."); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return v.Say("At seven.")
}

func TestACallerTalksWithTheAgentUntilItHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, bookTable)
		id := srv.ReceiveCall(human, srv.PhoneNumber())
		answer, err := srv.CallerSays(id, "A table, please.")
		require.NoError(t, err)
		assert.Equal(t, []agentphonetest.VoiceLine{
			{Text: "One moment.", Interim: true}, {Text: "At seven.", At: time.Second},
		}, answer.Lines)
		answer, err = srv.CallerSays(id, "Goodbye.")
		require.NoError(t, err)
		assert.True(t, answer.Hangup)
		end := <-over
		assert.Equal(t, "agent_hangup", end.DisconnectionReason)
		require.Len(t, end.Transcript, 5)
		assert.Equal(t, "A table, please.", end.Transcript[0].Content)
		assert.Equal(t, "Bye.", end.Transcript[4].Content)
		call := srv.Calls()[0]
		assert.True(t, call.Final())
		assert.Equal(t, agentphone.DirectionInbound, call.Direction)
		assert.Len(t, call.Dialogue(), 5)
		_, err = srv.CallerSays(id, "Still there?")
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		require.ErrorIs(t, srv.EndCall(id), agentphonetest.ErrCallOver)
		require.ErrorIs(t, srv.EndCall("call_none"), agentphonetest.ErrNoCall)
		srv.WaitDeliveries()
		assert.Empty(t, over, "once")
	})
}

func TestATurnTimesOutAndIsNotDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			_ = v.Interim("Hm.")
			<-ctx.Done()
			return ctx.Err()
		})
		id := srv.ReceiveCall(human, srv.PhoneNumber())
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

func TestACallerHangsUpDuringATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		gone := make(chan error, 1)
		over := answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			gone <- ctx.Err()
			return nil
		})
		id := srv.ReceiveCall(human, srv.PhoneNumber())
		go func() {
			time.Sleep(time.Second)
			assert.NoError(t, srv.EndCall(id))
		}()
		_, err := srv.CallerSays(id, "Hello?")
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		require.ErrorIs(t, <-gone, context.Canceled)
		end := <-over
		assert.Equal(t, "user_hangup", end.DisconnectionReason)
		assert.Len(t, end.Transcript, 1)
	})
}

func TestACallWithoutAPromptIsTheTestsToDriveAndEndsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, bookTable)
		client, ctx := srv.Client(), t.Context()
		call, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: human, InitialGreeting: "Hello."})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, err = srv.CallerSays(call.ID, "Who is it?")
		require.NoError(t, err)
		_, err = client.Calls.End(ctx, call.ID)
		require.NoError(t, err)
		srv.WaitDeliveries()
		assert.Len(t, (<-over).Transcript, 4)

		srv.NextCall(booking)
		placeCall(t, srv, human)
		time.Sleep(time.Minute)
		srv.WaitDeliveries()
		assert.Len(t, (<-over).Transcript, 3, "a scripted call, when somebody looks")
		srv.Calls()
		srv.WaitDeliveries()
		assert.Empty(t, over)
	})
}

func TestATransferNeedsANumber(t *testing.T) {
	srv := newServer(t)
	over := answering(t, srv, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return v.Transfer()
	})
	id := srv.ReceiveCall(human, srv.PhoneNumber())
	answer, err := srv.CallerSays(id, "A human, please.")
	require.NoError(t, err)
	assert.True(t, answer.Transfer)
	assert.Empty(t, over)
	ask(t, srv.Client(), "PATCH", "/v1/agents/"+srv.AgentID(), fields{"transferNumber": "+14155550001"})
	_, err = srv.CallerSays(id, "A human!")
	require.NoError(t, err)
	assert.Equal(t, "call_transfer", (<-over).DisconnectionReason)
}

func TestWhatIsNoObjectIsSilenceAndNo2xxAnError(t *testing.T) {
	srv := newServer(t)
	id := srv.ReceiveCall(human, srv.PhoneNumber())
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
	assert.Panics(t, func() { srv.ReceiveCall(human, "+14155550000") })
}

func TestLinesAreHeardAsTheyComeOverAPort(t *testing.T) {
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
	id := srv.ReceiveCall(human, srv.PhoneNumber())
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
