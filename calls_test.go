package agentphone_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestCall_KeepsUnknownStatus(t *testing.T) {
	var call agentphone.Call
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c","status":"teleported","direction":"sideways","new":{"x":1}}`), &call))
	assert.Equal(t, agentphone.CallStatus("teleported"), call.Status)
	assert.False(t, call.Final())
	require.NoError(t, json.Unmarshal([]byte(`{"endedAt":"2026-01-01T00:00:00Z"}`), &call))
	assert.True(t, call.Final(), "a call that has ended is final, whatever its status")
}

func TestCallStatusFinal(t *testing.T) {
	for status, final := range map[agentphone.CallStatus]bool{
		agentphone.CallStatusCompleted: true, agentphone.CallStatusFailed: true, agentphone.CallStatusBusy: true,
		agentphone.CallStatusNoAnswer: true, agentphone.CallStatusCanceled: true, agentphone.CallStatusError: true,
		agentphone.CallStatusInProgress: false, agentphone.CallStatusQueued: false, agentphone.CallStatusRinging: false,
		agentphone.CallStatusRegistered: false, "": false,
	} {
		t.Run(string(status), func(t *testing.T) { assert.Equal(t, final, status.Final()) })
	}
}

func TestCall_TellsNullFromZero(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(
		`{"id":"c","status":"in-progress","agentId":null,"endedAt":null,"durationSeconds":null,"recordingAvailable":null,"transcripts":[{"id":"t","transcript":null,"confidence":null,"response":"Hello","createdAt":"2026-04-19T17:20:11"}]}`,
		`{"id":"c","status":"completed","endedAt":"2026-04-19T17:21:11.5+00:00","durationSeconds":0,"recordingAvailable":false,"transcripts":[{"id":"t","transcript":"Hi","confidence":0,"response":null}]}`))
	call, err := c.Calls.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Nil(t, call.DurationSeconds)
	assert.Nil(t, call.RecordingAvailable)
	assert.Nil(t, call.Transcripts[0].Confidence)
	assert.True(t, call.EndedAt.IsZero())
	assert.False(t, call.Final())
	assert.Equal(t, []agentphone.TranscriptEntry{{
		Role: agentphone.RoleAgent, Content: "Hello", CreatedAt: agentphone.NewTimestamp(time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)),
	}}, call.Dialogue())

	call, err = c.Calls.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Equal(t, agentphone.Ptr(0.0), call.DurationSeconds)
	assert.Equal(t, agentphone.Ptr(false), call.RecordingAvailable)
	assert.Equal(t, agentphone.Ptr(0.0), call.Transcripts[0].Confidence)
	assert.True(t, call.Final())
	assert.Equal(t, agentphone.RoleUser, call.Dialogue()[0].Role)
}

func TestCallsList_SendsItsFilters(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(false)))
	_, err := c.Calls.List(t.Context(), agentphone.ListCallsParams{Status: agentphone.CallStatusFailed, Direction: agentphone.DirectionInbound, Search: "a b"})
	require.NoError(t, err)
	assert.Equal(t, "direction=inbound&search=a+b&status=failed", s.Requests()[0].Query.Encode())
}

func TestGetCallOptions_WithRequestTimeoutHoldsInEitherOrder(t *testing.T) {
	timeout, wait := agentphone.WithRequestTimeout(5*time.Second), agentphone.GetCallOptions{Wait: true}
	for name, opts := range map[string][]agentphone.RequestOption{
		"timeout first": {timeout, wait},
		"wait first":    {wait, timeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				c := apitest.NewClientOver(t, hang, agentphone.WithMaxRetries(0))
				start := time.Now()
				_, err := c.Calls.Get(t.Context(), "call_1", opts...)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 5*time.Second, time.Since(start))
			})
		})
	}
}

// No greeting is generated if it is "", and one is if it is not given.
func TestCallsCreate_TellsAnEmptyGreetingFromNone(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1"}`))
	for want, params := range map[string]agentphone.CreateCallParams{
		`{"agentId":"a","toNumber":"+14155550124"}`:                         {},
		`{"agentId":"a","toNumber":"+14155550124","initialGreeting":""}`:    {InitialGreeting: agentphone.Ptr("")},
		`{"agentId":"a","toNumber":"+14155550124","initialGreeting":"Hi."}`: {InitialGreeting: agentphone.Ptr("Hi.")},
		`{"agentId":"a","toNumber":"+14155550124","disableRecording":true}`: {DisableRecording: true},
	} {
		t.Run(want, func(t *testing.T) {
			params.AgentID, params.ToNumber = "a", "+14155550124"
			_, err := c.Calls.Create(t.Context(), params)
			require.NoError(t, err)
			requests := s.Requests()
			assert.JSONEq(t, want, requests[len(requests)-1].Body)
		})
	}
}

func TestCallsEnd_ReadsBothPublishedResponses(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(`{"id":"call_1","status":"ending"}`, `{"id":"call_1","agentId":"agt_1","direction":"web","status":"completed","endedAt":"2026-04-19T17:20:11Z"}`))
	call, err := c.Calls.End(t.Context(), "call_1")
	require.NoError(t, err)
	assert.Equal(t, &agentphone.Call{ID: "call_1", Status: agentphone.CallStatusEnding}, call)
	assert.False(t, call.Final(), "it is ending, and has not ended")
	call, err = c.Calls.End(t.Context(), "call_1")
	require.NoError(t, err)
	assert.Equal(t, agentphone.DirectionWeb, call.Direction)
	assert.True(t, call.Final())
}

func TestCallsEnd_CallThatIsNotInProgressIsAConflict(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(409, `{"detail":"Call is not in progress"}`))
	_, err := c.Calls.End(t.Context(), "call_1")
	require.ErrorIs(t, err, agentphone.ErrConflict)
	assert.NotErrorIs(t, err, agentphone.ErrTemporary)
	assert.Len(t, s.Requests(), 1)
}
