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

func TestCalls_EndFreezesTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
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

func TestCalls_EndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		ended, err := srv.Client().Calls.End(t.Context(), placeCall(t, srv, person).ID)
		require.NoError(t, err)
		assert.True(t, ended.Final())
		assert.InDelta(t, 0, *ended.DurationSeconds, 0)
	})
}

func TestCalls_GetWaitsUntilTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
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

func TestCalls_GetThatWaitsNoticesAHangup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client, ctx := srv.Client(), t.Context()
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
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

func TestCalls_GetThatWaitsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, err := srv.Client().Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestCalls_CreateAndWaitReturnsTheWholeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.NextCall(booking)
		call, err := srv.Client().Calls.CreateAndWait(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person}, agentphone.WaitParams{})
		require.NoError(t, err)
		assert.Len(t, call.Dialogue(), 3)
	})
}

func TestCalls_ListIsNewestFirstAndFiltered(t *testing.T) {
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

func TestCalls_CreateNeedsAnAgentWithANumber(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	idle, err := client.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "idle"})
	require.NoError(t, err)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: idle.ID, ToNumber: person})
	require.ErrorIs(t, err, agentphone.ErrBadRequest)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_none", ToNumber: person})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: idle.ID, ToNumber: person, FromNumberID: srv.NumberID()})
	require.ErrorIs(t, err, agentphone.ErrBadRequest, "the number is another agent's")
	_, err = client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person, FromNumberID: "num_none"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Empty(t, srv.Calls())

	second, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryCA, AgentID: srv.AgentID()})
	require.NoError(t, err)
	call, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person, FromNumberID: second.ID})
	require.NoError(t, err)
	assert.Equal(t, second.PhoneNumber, call.FromNumber)
}

func TestCalls_PhoneCallsAreOfTypePSTN(t *testing.T) {
	srv := newServer(t)
	call := placeCall(t, srv, person)
	request(t, srv.Client(), "POST", "/v1/calls/web", fields{"agentId": srv.AgentID()})
	page, err := srv.Client().Calls.List(t.Context(), agentphone.ListCallsParams{Type: "pstn"})
	require.NoError(t, err)
	require.Len(t, page.Data, 1)
	assert.Equal(t, call.ID, page.Data[0].ID)
}

func TestCalls_WebCallHasNoNumbers(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	made := request(t, client, "POST", "/v1/calls/web", fields{"agentId": srv.AgentID(), "metadata": fields{"a": 1}})
	assert.NotEmpty(t, made["accessToken"])
	call, err := client.Calls.Get(t.Context(), made["callId"].(string))
	require.NoError(t, err)
	assert.Empty(t, call.FromNumber)
	assert.Equal(t, srv.AgentID(), call.AgentID)
	page, err := client.Calls.List(t.Context(), agentphone.ListCallsParams{Type: "web"})
	require.NoError(t, err)
	assert.Len(t, page.Data, 1)
	require.ErrorIs(t, refused(t, client, "POST", "/v1/calls/web", fields{"agentId": "agt_none"}), agentphone.ErrNotFound)
}
