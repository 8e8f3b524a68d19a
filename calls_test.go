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

func TestUnknownEnumWordsAreKept(t *testing.T) {
	var call agentphone.Call
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c","status":"teleported","direction":"sideways","new":{"x":1}}`), &call))
	assert.Equal(t, agentphone.CallStatus("teleported"), call.Status)
	assert.False(t, call.Final())
	require.NoError(t, json.Unmarshal([]byte(`{"endedAt":"2026-01-01T00:00:00Z"}`), &call))
	assert.True(t, call.Final(), "a call with an end is over, whatever its status is called")
	for status, final := range map[agentphone.CallStatus]bool{
		agentphone.CallStatusCompleted: true, agentphone.CallStatusFailed: true, agentphone.CallStatusBusy: true,
		agentphone.CallStatusNoAnswer: true, agentphone.CallStatusCanceled: true, agentphone.CallStatusError: true,
		agentphone.CallStatusInProgress: false, agentphone.CallStatusQueued: false, agentphone.CallStatusRinging: false,
		agentphone.CallStatusRegistered: false, "": false,
	} {
		assert.Equal(t, final, status.Final(), status)
	}
}

func TestACallTellsNullFromZero(t *testing.T) {
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

func TestScopedListsRefuseFiltersTheyWouldIgnore(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(false)))
	_, err := c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Status: agentphone.CallStatusFailed})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
	_, err = c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Limit: 5, Offset: 5})
	require.NoError(t, err)
	_, err = c.Calls.List(t.Context(), agentphone.ListCallsParams{Status: agentphone.CallStatusFailed, Direction: agentphone.DirectionInbound, Search: "a b"})
	require.NoError(t, err)
	assert.Equal(t, "direction=inbound&search=a+b&status=failed", s.Requests()[1].Query.Encode())
}

func TestACallsOwnTimeoutHoldsForAGetThatWaits(t *testing.T) {
	opts := []agentphone.RequestOption{agentphone.WithRequestTimeout(5 * time.Second), agentphone.GetCallOptions{Wait: true}}
	for _, opts := range [][]agentphone.RequestOption{opts, {opts[1], opts[0]}} {
		synctest.Test(t, func(t *testing.T) {
			c, err := agentphone.NewClient(apitest.Key, agentphone.WithMaxRetries(0), agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})}))
			require.NoError(t, err)
			start := time.Now()
			_, err = c.Calls.Get(t.Context(), "call_1", opts...)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 5*time.Second, time.Since(start))
		})
	}
}
