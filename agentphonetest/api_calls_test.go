package agentphonetest_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"sync"
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
		again, err := client.Calls.Get(ctx, placed.ID)
		require.NoError(t, err)
		assert.Equal(t, ended, again)

		_, err = client.Calls.End(ctx, "call_none")
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
}

func TestCalls_EndIsRefusedUnlessTheCallIsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		scripted := placeCall(t, srv, person).ID
		byAPI := placeCall(t, srv, person).ID
		byPerson := placeCall(t, srv, person).ID
		require.NoError(t, srv.EndCall(byPerson))
		request(t, srv.Client(), "POST", "/v1/calls/"+byAPI+"/end", fields{})
		time.Sleep(3 * time.Second)
		for _, id := range []string{scripted, byAPI, byPerson} {
			require.ErrorIs(t, refused(t, srv.Client(), "POST", "/v1/calls/"+id+"/end", fields{}), agentphone.ErrConflict)
		}
	})
}

func TestWithEndDelay_CallGoesOnForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithEndDelay(2*time.Second))
		over := answering(t, srv, bookTable)
		client := srv.Client()
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		path := "/v1/calls/" + id
		time.Sleep(5 * time.Second)
		assert.Equal(t, fields{"id": id, "status": "ending"}, request(t, client, "POST", path+"/end", fields{}))
		going := request(t, client, "GET", path, nil)
		assert.Equal(t, "ending", going["status"])
		assert.Nil(t, going["endedAt"])
		require.ErrorIs(t, refused(t, client, "POST", path+"/end", fields{}), agentphone.ErrConflict, "it is not in progress any more")
		_, err := srv.CallerSays(id, "Wait!")
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		require.ErrorIs(t, srv.EndCall(id), agentphonetest.ErrCallOver)
		assert.Empty(t, over)

		began := time.Now()
		_, done := send(t, srv, "GET", path+"?wait=true", "")
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Equal(t, "completed", done["status"])
		assert.InDelta(t, 7, done["durationSeconds"], 0)
		srv.WaitDeliveries()
		assert.Equal(t, "agent_hangup", (<-over).DisconnectionReason)
		assert.Empty(t, over)
	})
}

func TestWithEndDelay_NoLongerThanTheScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithEndDelay(time.Hour))
		id := placeCall(t, srv, person).ID
		time.Sleep(time.Second)
		request(t, srv.Client(), "POST", "/v1/calls/"+id+"/end", fields{})
		time.Sleep(2 * time.Second)
		assert.True(t, srv.Calls()[0].Final())
	})
}

func TestWithEndDelay_InterruptsAVoiceTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithEndDelay(time.Minute))
		answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			return ctx.Err()
		})
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		var ended sync.WaitGroup
		ended.Go(func() {
			time.Sleep(time.Millisecond)
			request(t, srv.Client(), "POST", "/v1/calls/"+id+"/end", fields{})
		})
		_, err := srv.CallerSays(id, "A table, please.")
		ended.Wait()
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		assert.Equal(t, agentphone.CallStatus("ending"), srv.Calls()[0].Status)
	})
}

func TestCalls_CreateHoldsTheResponseIfItIsAskedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client(agentphone.WithTimeout(time.Hour))
		place := func(script agentphonetest.CallScript, with fields) (fields, time.Duration) {
			srv.NextCall(script)
			began := time.Now()
			body := fields{"agentId": srv.AgentID(), "toNumber": person}
			maps.Copy(body, with)
			return request(t, client, "POST", "/v1/calls", body), time.Since(began)
		}
		for name, c := range map[string]struct {
			with  fields
			turns int
			took  time.Duration
		}{
			"not asked":        {fields{"maxWaitSeconds": 90}, 0, 0},
			"asked not to":     {fields{"waitForCompletion": false}, 0, 0},
			"until the end":    {fields{"waitForCompletion": true}, 2, 40 * time.Second},
			"for long enough":  {fields{"waitForCompletion": true, "maxWaitSeconds": 90}, 2, 40 * time.Second},
			"for too short":    {fields{"waitForCompletion": true, "maxWaitSeconds": 20}, 2, 20 * time.Second},
			"null is as if no": {fields{"waitForCompletion": nil, "maxWaitSeconds": nil}, 0, 0},
		} {
			got, took := place(booking, c.with)
			assert.Equal(t, c.took, took, name)
			assert.Len(t, got["transcripts"], c.turns, name)
			assert.Equal(t, c.took == 40*time.Second, got["status"] == "completed", name)
		}
		assert.Len(t, srv.Calls(), 6)

		_, took := place(agentphonetest.CallScript{Duration: time.Hour}, fields{"waitForCompletion": true})
		assert.Equal(t, 2*time.Minute, took, "by default")
	})
}

func TestCalls_CreateThatWaitsPlacesTheCallThoughItsClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := srv.Client().Do(ctx, "POST", "/v1/calls", fields{"agentId": srv.AgentID(), "toNumber": person, "waitForCompletion": true}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		time.Sleep(time.Minute)
		assert.Equal(t, agentphone.CallStatusCompleted, srv.Calls()[0].Status)
	})
}

func TestCalls_EmptyGreetingIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client()
		opening := func() string {
			time.Sleep(3 * time.Second)
			all := srv.Calls()
			if said := all[len(all)-1].Dialogue(); len(said) > 0 {
				return string(said[0].Role) + ": " + said[0].Content
			}
			return ""
		}
		place := func(with fields) {
			body := fields{"agentId": srv.AgentID(), "toNumber": person}
			maps.Copy(body, with)
			request(t, client, "POST", "/v1/calls", body)
		}
		for _, begin := range []string{"", "Hi, this is the office."} {
			request(t, client, "PATCH", "/v1/agents/"+srv.AgentID(), fields{"beginMessage": begin})
			own := cmp.Or(begin, "Hello! This is the assistant.")
			for _, c := range []struct {
				with fields
				want string
			}{
				{fields{"initialGreeting": "Good morning."}, "agent: Good morning."},
				{fields{"initialGreeting": nil}, "agent: " + own},
				{fields{}, "agent: " + own},
				{fields{"initialGreeting": ""}, "user: Hello, yes, that is fine."},
			} {
				place(c.with)
				assert.Equal(t, c.want, opening(), "%v", c.with)
			}
		}
		answering(t, srv, bookTable)
		place(fields{"initialGreeting": ""})
		assert.Empty(t, opening(), "driven by the test")
		place(fields{})
		assert.Equal(t, "agent: Hi, this is the office.", opening())
	})
}

func TestCalls_RecordingCanBeDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client()
		for _, disabled := range []bool{true, false} {
			id := request(t, client, "POST", "/v1/calls", fields{"agentId": srv.AgentID(), "toNumber": person, "disableRecording": disabled})["id"].(string)
			time.Sleep(time.Minute)
			call := request(t, client, "GET", "/v1/calls/"+id, nil)
			assert.Equal(t, "completed", call["status"])
			assert.Equal(t, !disabled, call["recordingAvailable"])
			assert.Equal(t, !disabled, call["recordingUrl"] != nil)
			_, err := client.Calls.DownloadRecording(t.Context(), id, io.Discard)
			assert.Equal(t, disabled, errors.Is(err, agentphone.ErrNotFound))
		}
	})
}

func TestCalls_WebCallHasADirectionOfItsOwn(t *testing.T) {
	srv := newServer(t)
	id := request(t, srv.Client(), "POST", "/v1/calls/web", fields{"agentId": srv.AgentID()})["callId"].(string)
	assert.Equal(t, "web", request(t, srv.Client(), "GET", "/v1/calls/"+id, nil)["direction"])
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
		var hangup sync.WaitGroup
		hangup.Go(func() {
			time.Sleep(5 * time.Second)
			_, err := client.Calls.End(ctx, placed.ID)
			assert.NoError(t, err)
		})
		call, err := client.Calls.Get(ctx, placed.ID, agentphone.GetCallOptions{Wait: true})
		hangup.Wait()
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
