package agentphonetest_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
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

// A server that lives long must not fill up, whoever sends it what: most of all those who have no key.
func TestWithRecentRequests_BoundsWhatIsRecorded(t *testing.T) {
	const mebibyte = 1 << 20
	srv := newServer(t, agentphonetest.WithRecentRequests(50))
	srv.ControlHandler()
	large := strings.Repeat("a", 4*mebibyte)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 100 {
		path := []string{"/v1/agents", "/none", "/v0/agent/sign-up", "/v1/messages"}[i%4]
		send(t, srv, "POST", path, large, "Authorization", "")
		send(t, srv, "POST", path+"?"+large[:mebibyte], "", "X-Large", large[:mebibyte])
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(64*mebibyte))

	for i := range 60 {
		send(t, srv, "GET", "/v1/agents?n="+strconv.Itoa(i), "")
	}
	send(t, srv, "POST", "/v1/agents", large)
	requests := srv.Requests()
	require.Equal(t, 50, len(requests)) // which a failure does not print
	assert.Equal(t, "11", requests[0].Query.Get("n"))
	assert.Equal(t, large[:64<<10], string(requests[49].Body))
	shown := controlled(t, srv, "GET /requests?limit=1000", nil)
	assert.InDelta(t, 50, shown["total"], 0)
	last := shown["data"].([]any)[49].(fields)
	assert.InDelta(t, 261, last["number"], 0, "numbers go on")
	assert.NotNil(t, last["response"])

	unbounded := newServer(t)
	send(t, unbounded, "POST", "/none", large)
	assert.Len(t, unbounded.Requests()[0].Body, len(large), "a test sees all")
}

func TestWithRecentRequests_ForgetsTheResponsesOfOldOnes(t *testing.T) {
	srv := newServer(t, agentphonetest.WithRecentRequests(2000))
	srv.ControlHandler()
	for range 2500 {
		send(t, srv, "GET", "/v1/agents", "")
	}
	all := controlled(t, srv, "GET /requests?limit=10000", nil)["data"].([]any)
	require.Equal(t, 2000, len(all))
	assert.Nil(t, all[999].(fields)["response"])
	assert.NotNil(t, all[1000].(fields)["response"])
}
