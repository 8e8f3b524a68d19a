package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestRequests_AreRecordedWithoutTheKey(t *testing.T) {
	srv := newServer(t)
	call := placeCall(t, srv, person)
	_, err := srv.Client().Calls.List(t.Context(), agentphone.ListCallsParams{Limit: 3})
	require.NoError(t, err)
	_, err = srv.Client(agentphone.WithMaxRetries(0)).Calls.Get(t.Context(), "call_none")
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	send(t, srv, "GET", "/nothing", "")

	requests := srv.Requests()
	require.Len(t, requests, 4)
	assert.Equal(t, "POST /v1/calls", requests[0].Operation)
	assert.Contains(t, string(requests[0].Body), person)
	assert.Equal(t, 200, requests[0].Status)
	assert.Equal(t, "3", requests[1].Query.Get("limit"))
	assert.Equal(t, "GET /v1/calls/{call_id}", requests[2].Operation)
	assert.Equal(t, "/v1/calls/call_none", requests[2].Path)
	assert.Equal(t, 404, requests[2].Status)
	assert.Empty(t, requests[3].Operation)
	for _, r := range requests {
		assert.Equal(t, "REDACTED", r.Header.Get("Authorization"))
	}
	requests[0].Header.Set("X", "changed")
	requests[0].Body[0] = 'x'
	assert.Empty(t, srv.Requests()[0].Header.Get("X"))
	assert.Equal(t, byte('{'), srv.Requests()[0].Body[0])
	assert.Equal(t, call.ID, srv.Calls()[0].ID)
}
