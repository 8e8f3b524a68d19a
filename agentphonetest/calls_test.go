package agentphonetest_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

var booking = agentphonetest.CallScript{
	Turns: []agentphonetest.Utterance{
		{Role: agentphone.RoleAgent, Content: "A table for two?"},
		{Role: agentphone.RoleUser, Content: "When?"},
		{Role: agentphone.RoleAgent, Content: "At seven."},
	},
	Duration: 40 * time.Second,
}

func TestCallScript_IsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
		assert.Equal(t, agentphone.CallStatusInProgress, placed.Status)
		assert.Empty(t, placed.Transcripts)
		assert.Equal(t, srv.PhoneNumber(), placed.FromNumber)
		assert.Equal(t, person, placed.ToNumber)
		assert.Equal(t, srv.NumberID(), placed.PhoneNumberID)
		assert.Nil(t, placed.DurationSeconds)
		assert.False(t, *placed.RecordingAvailable)

		time.Sleep(20 * time.Second)
		half, err := client.Calls.Get(ctx, placed.ID)
		require.NoError(t, err)
		require.Len(t, half.Transcripts, 2)
		assert.Empty(t, half.Transcripts[0].Transcript, "the agent opened")
		assert.Nil(t, half.Transcripts[0].Confidence)
		assert.Equal(t, "A table for two?", half.Transcripts[0].Response)
		assert.Equal(t, "When?", half.Transcripts[1].Transcript)
		assert.Empty(t, half.Transcripts[1].Response, "no answer yet")
		assert.Equal(t, "When?", half.LastTranscriptSnippet)
		assert.Equal(t, placed.StartedAt.Add(10*time.Second), half.Transcripts[0].CreatedAt.Time)
		assert.False(t, half.Final())

		time.Sleep(20 * time.Second)
		over, err := client.Calls.Get(ctx, placed.ID)
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, over.Status)
		assert.Equal(t, placed.StartedAt.Add(40*time.Second), over.EndedAt.Time)
		assert.InDelta(t, 40, *over.DurationSeconds, 0)
		require.Len(t, over.Transcripts, 2)
		assert.Equal(t, "At seven.", over.Transcripts[1].Response)
		assert.True(t, *over.RecordingAvailable)
		assert.Equal(t, agentphone.DefaultBaseURL+"/v1/calls/"+placed.ID+"/recording", over.RecordingURL)

		time.Sleep(time.Hour)
		later, err := client.Calls.Get(ctx, placed.ID)
		require.NoError(t, err)
		assert.Equal(t, over, later, "what is over does not change")
	})
}

func TestNextCall_QueuesScriptsBeforeTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(agentphonetest.CallScript{Status: agentphone.CallStatusBusy})
		srv.NextCall(agentphonetest.CallScript{Duration: time.Minute, Status: agentphone.CallStatusNoAnswer})
		for range 3 {
			_, err := srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{
				AgentID: srv.AgentID(), ToNumber: person, InitialGreeting: agentphone.Ptr("Good morning."),
			})
			require.NoError(t, err)
		}
		time.Sleep(3 * time.Second)
		calls := srv.Calls()
		assert.Equal(t, agentphone.CallStatusBusy, calls[0].Status)
		assert.Empty(t, calls[0].Transcripts)
		assert.False(t, *calls[0].RecordingAvailable)
		assert.Equal(t, agentphone.CallStatusInProgress, calls[1].Status)
		assert.Equal(t, agentphone.CallStatusCompleted, calls[2].Status)
		said := calls[2].Dialogue()
		require.Len(t, said, 3)
		assert.Equal(t, agentphone.RoleAgent, said[0].Role)
		assert.Equal(t, "Good morning.", said[0].Content)
		assert.Equal(t, agentphone.RoleUser, said[1].Role)
		time.Sleep(time.Minute)
		assert.Equal(t, agentphone.CallStatusNoAnswer, srv.Calls()[1].Status)
	})
}

func TestCallerSays_UntilTheAgentHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, bookTable)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
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

func TestEndCall_DuringAVoiceTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		gone := make(chan error, 1)
		over := answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			gone <- ctx.Err()
			return nil
		})
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		var hangup sync.WaitGroup
		hangup.Go(func() {
			time.Sleep(time.Second)
			assert.NoError(t, srv.EndCall(id))
		})
		_, err := srv.CallerSays(id, "Hello?")
		hangup.Wait()
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		require.ErrorIs(t, <-gone, context.Canceled)
		end := <-over
		assert.Equal(t, "user_hangup", end.DisconnectionReason)
		assert.Len(t, end.Transcript, 1)
	})
}

func TestCallerSays_DrivesACallWithoutAPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, bookTable)
		client, ctx := srv.Client(), t.Context()
		call, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person, InitialGreeting: agentphone.Ptr("Hello.")})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, err = srv.CallerSays(call.ID, "Who is it?")
		require.NoError(t, err)
		_, err = client.Calls.End(ctx, call.ID)
		require.NoError(t, err)
		srv.WaitDeliveries()
		assert.Len(t, (<-over).Transcript, 4)

		srv.NextCall(booking)
		placeCall(t, srv, person)
		time.Sleep(time.Minute)
		srv.WaitDeliveries()
		assert.Len(t, (<-over).Transcript, 3, "a scripted call, when the server notices")
		srv.Calls()
		srv.WaitDeliveries()
		assert.Empty(t, over)
	})
}

func TestCallScript_TranscriptDelayHoldsTheTranscriptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		script := booking
		script.TranscriptDelay = 5 * time.Second
		srv.NextCall(script)
		call := placeCall(t, srv, person)
		began := time.Now()
		over, err := client.Calls.Wait(ctx, call.ID, agentphone.WaitParams{Interval: time.Second, MaxInterval: time.Second})
		require.NoError(t, err)
		assert.Empty(t, over.Transcripts)
		assert.Len(t, srv.Calls()[0].Dialogue(), 3, "the records have it")
		transcript, err := client.Calls.Transcript(ctx, call.ID)
		require.NoError(t, err)
		assert.Empty(t, transcript.Transcript)

		over, err = client.Calls.Wait(ctx, call.ID, agentphone.WaitParams{TranscriptGrace: time.Minute})
		require.NoError(t, err)
		assert.Len(t, over.Dialogue(), 3)
		assert.GreaterOrEqual(t, time.Since(began), 45*time.Second)
	})
}

func TestListDelay_HoldsWhatIsYoungBackFromLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithListDelay(10*time.Second))
		client, ctx := srv.Client(), t.Context()
		call := placeCall(t, srv, person)
		text := sendText(t, srv, person, "hello")
		counts := func() []int {
			var n []int
			for _, path := range []string{
				"/v1/calls", "/v1/calls?type=pstn", "/v1/agents/" + srv.AgentID() + "/calls", "/v1/numbers/" + srv.NumberID() + "/calls",
				"/v1/numbers/" + srv.NumberID() + "/messages", "/v1/conversations/" + text.ConversationID + "/messages",
			} {
				_, page := send(t, srv, "GET", path, "")
				n = append(n, len(page["data"].([]any)))
			}
			return n
		}
		began := time.Now()
		time.Sleep(10*time.Second - 1)
		assert.Equal(t, []int{0, 0, 0, 0, 0, 0}, counts())
		_, err := client.Calls.Get(ctx, call.ID)
		require.NoError(t, err, "the call itself is there")
		assert.Len(t, srv.Messages(), 1)
		time.Sleep(time.Millisecond)
		assert.Equal(t, []int{1, 1, 1, 1, 1, 1}, counts())

		found, err := client.Messages.FindSent(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "hello"}, began)
		require.NoError(t, err)
		assert.Len(t, found, 1)
	})
}

// driven has calls be driven by the test: there is a webhook.
func driven(t *testing.T, srv *agentphonetest.Server) (end ends, place func() *agentphone.Call) {
	end = answering(t, srv, bookTable)
	return end, func() *agentphone.Call {
		t.Helper()
		call, err := srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{
			AgentID: srv.AgentID(), ToNumber: person, InitialGreeting: agentphone.Ptr("Hello."),
		})
		require.NoError(t, err)
		return call
	}
}

func TestRinging_CallBeginsWhenItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithRinging())
		_, place := driven(t, srv)
		call := place()
		assert.Equal(t, agentphone.CallStatusRinging, call.Status)
		assert.Empty(t, srv.Calls()[0].Dialogue())
		_, err := srv.CallerSays(call.ID, "Hello?")
		require.ErrorIs(t, err, agentphonetest.ErrRinging)

		time.Sleep(20 * time.Second)
		require.NoError(t, srv.AnswerCall(call.ID))
		require.ErrorIs(t, srv.AnswerCall(call.ID), agentphonetest.ErrNotRinging)
		require.ErrorIs(t, srv.AnswerCall("call_none"), agentphonetest.ErrNoCall)
		answered := srv.Calls()[0]
		assert.Equal(t, agentphone.CallStatusInProgress, answered.Status)
		assert.Equal(t, time.Now().UnixMicro(), answered.StartedAt.UnixMicro())
		time.Sleep(20 * time.Second) // it would not ring any more
		answer, err := srv.CallerSays(call.ID, "A table, please.")
		require.NoError(t, err)
		assert.Len(t, answer.Lines, 2)
		assert.Equal(t, "Hello.", srv.Calls()[0].Dialogue()[0].Content)
	})
}

func TestRinging_CallThatIsNotAnsweredEnds(t *testing.T) {
	for status, end := range map[agentphone.CallStatus]func(*agentphonetest.Server, string) error{
		agentphone.CallStatusNoAnswer: func(*agentphonetest.Server, string) error {
			time.Sleep(30 * time.Second)
			return nil
		},
		agentphone.CallStatusBusy: (*agentphonetest.Server).EndCall,
		agentphone.CallStatusCanceled: func(srv *agentphonetest.Server, id string) error {
			_, err := srv.Client().Calls.End(context.Background(), id)
			return err
		},
	} {
		t.Run(string(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, agentphonetest.WithRinging(), agentphonetest.WithEndDelay(time.Second))
				over, place := driven(t, srv)
				call := place()
				require.NoError(t, end(srv, call.ID))
				assert.Equal(t, status, srv.Calls()[0].Status)
				srv.WaitDeliveries()
				assert.Equal(t, status, (<-over).Status)
				require.ErrorIs(t, srv.AnswerCall(call.ID), agentphonetest.ErrCallOver)
				require.ErrorIs(t, srv.EndCall(call.ID), agentphonetest.ErrCallOver)
			})
		})
	}
}

func TestRinging_IsForCallsWithoutAScript(t *testing.T) {
	srv := newServer(t, agentphonetest.WithRinging())
	assert.Equal(t, agentphone.CallStatusInProgress, placeCall(t, srv, person).Status)
	assert.ErrorIs(t, srv.AnswerCall(srv.Calls()[0].ID), agentphonetest.ErrNotRinging)
}
