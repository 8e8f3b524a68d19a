package agentphonetest_test

import (
	"context"
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

func TestACallFollowsItsScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		assert.Equal(t, agentphone.CallStatusInProgress, placed.Status)
		assert.Empty(t, placed.Transcripts)
		assert.Equal(t, srv.PhoneNumber(), placed.FromNumber)
		assert.Equal(t, human, placed.ToNumber)
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

func TestScriptsAreTakenInOrderAndThenTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(agentphonetest.CallScript{Status: agentphone.CallStatusBusy})
		srv.NextCall(agentphonetest.CallScript{Duration: time.Minute, Status: agentphone.CallStatusNoAnswer})
		for range 3 {
			_, err := srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{
				AgentID: srv.AgentID(), ToNumber: human, InitialGreeting: "Good morning.",
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

func TestEndingACallFreezesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		time.Sleep(15 * time.Second)
		ended, err := client.Calls.End(ctx, placed.ID)
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, ended.Status)
		assert.InDelta(t, 15, *ended.DurationSeconds, 0)
		assert.Len(t, ended.Transcripts, 1)
		time.Sleep(time.Minute)
		again, err := client.Calls.End(ctx, placed.ID)
		require.NoError(t, err)
		assert.Equal(t, ended, again)

		_, err = client.Calls.End(ctx, "call_none")
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
}

func TestACallEndedAtOnceIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		ended, err := srv.Client().Calls.End(t.Context(), placeCall(t, srv, human).ID)
		require.NoError(t, err)
		assert.True(t, ended.Final())
		assert.InDelta(t, 0, *ended.DurationSeconds, 0)
	})
}

func TestGetHoldsTheAnswerUntilTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		began := time.Now()
		call, err := client.Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 10})
		require.NoError(t, err)
		assert.False(t, call.Final())
		assert.Equal(t, 10*time.Second, time.Since(began))
		call, err = client.Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true})
		require.NoError(t, err)
		assert.True(t, call.Final())
		assert.Equal(t, 40*time.Second, time.Since(began))
	})
}

func TestGetThatWaitsHearsOfAHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		go func() {
			time.Sleep(5 * time.Second)
			_, err := client.Calls.End(ctx, placed.ID)
			assert.NoError(t, err)
		}()
		call, err := client.Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true})
		require.NoError(t, err)
		assert.InDelta(t, 5, *call.DurationSeconds, 0)
	})
}

func TestGetThatWaitsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, err := srv.Client().Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestCreateAndWaitReturnsTheWholeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		call, err := srv.Client().Calls.CreateAndWait(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: human}, agentphone.WaitParams{})
		require.NoError(t, err)
		assert.Len(t, call.Dialogue(), 3)
	})
}

func TestCallsAreListedNewestFirstAndFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(agentphonetest.CallScript{Status: agentphone.CallStatusBusy})
		first := placeCall(t, srv, "+14155550001")
		time.Sleep(time.Minute)
		second := placeCall(t, srv, "+14155550002")

		page, err := client.Calls.List(ctx, agentphone.ListCallsParams{Limit: 1})
		require.NoError(t, err)
		assert.Equal(t, second.ID, page.Data[0].ID)
		assert.True(t, page.HasMore)
		assert.Equal(t, 2, page.Total)
		for filter, want := range map[agentphone.ListCallsParams]string{
			{Offset: 1}: first.ID, {Status: agentphone.CallStatusBusy}: first.ID,
			{Status: agentphone.CallStatusInProgress}: second.ID, {Search: "5550001"}: first.ID,
		} {
			page, err = client.Calls.List(ctx, filter)
			require.NoError(t, err)
			require.Len(t, page.Data, 1, "%+v", filter)
			assert.Equal(t, want, page.Data[0].ID)
		}
		for _, none := range []agentphone.ListCallsParams{{Direction: agentphone.DirectionInbound}, {Type: "web"}, {Search: "nobody"}} {
			page, err = client.Calls.List(ctx, none)
			require.NoError(t, err)
			assert.Empty(t, page.Data)
		}
		its, err := client.Agents.ListCalls(ctx, srv.AgentID(), agentphone.ListCallsParams{})
		require.NoError(t, err)
		assert.Len(t, its.Data, 2)
		_, err = client.Agents.ListCalls(ctx, "agt_none", agentphone.ListCallsParams{})
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
}

func TestACallNeedsAnAgentWithANumber(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	idle, err := client.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "idle"})
	require.NoError(t, err)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: idle.ID, ToNumber: human})
	require.ErrorIs(t, err, agentphone.ErrBadRequest)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_none", ToNumber: human})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: idle.ID, ToNumber: human, FromNumberID: srv.NumberID()})
	require.ErrorIs(t, err, agentphone.ErrBadRequest, "the number is another agent's")
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: human, FromNumberID: "num_none"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Empty(t, srv.Calls())

	second, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryCA, AgentID: srv.AgentID()})
	require.NoError(t, err)
	call, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: human, FromNumberID: second.ID})
	require.NoError(t, err)
	assert.Equal(t, second.PhoneNumber, call.FromNumber)
}

func TestAServerFromOutsideABubbleWorksInIt(t *testing.T) {
	srv := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		srv.NextCall(booking)
		placed := placeCall(t, srv, human)
		call, err := srv.Client().Calls.Get(t.Context(), placed.ID, agentphone.GetCallOptions{Wait: true})
		require.NoError(t, err)
		assert.InDelta(t, 40, *call.DurationSeconds, 0)
	})
}
