package networktest

import (
	"errors"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// assertOutcomeUnknown: the request came once, and the error says that it may have acted.
// status is that of an answer whose body was lost.
func assertOutcomeUnknown(t *testing.T, r result, status int) {
	t.Helper()
	assert.Equal(t, 1, r.deliveries, "deliveries")
	require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
	var decode *agentphone.DecodeError
	var failed *agentphone.TransportError
	switch {
	case status != 0 && assert.ErrorAs(t, r.err, &decode):
		assert.Equal(t, status, decode.StatusCode)
		assert.Equal(t, 1, decode.Attempts)
	case status == 0 && assert.ErrorAs(t, r.err, &failed):
		assert.Equal(t, 1, failed.Attempts)
	}
}

// assertStatus: the call failed, after one attempt, with the answer's status.
func assertStatus(t *testing.T, r result, status int, decode bool) {
	t.Helper()
	assert.Equal(t, status, r.response.Status)
	assert.Equal(t, 1, r.response.Attempts)
	if decode {
		var e *agentphone.DecodeError
		require.ErrorAs(t, r.err, &e)
		assert.Equal(t, status, e.StatusCode)
		return
	}
	var e *agentphone.APIError
	require.ErrorAs(t, r.err, &e)
	assert.Equal(t, status, e.StatusCode)
	assert.Equal(t, 1, e.Attempts)
}

// assertLanded: the call succeeded, and of the requests that the server read all but the
// last were refused.
func assertLanded(t *testing.T, r result, refused int) {
	t.Helper()
	require.NoError(t, r.err)
	assert.Equal(t, refused+1, r.deliveries, "deliveries, of which %d were refused", refused)
	assert.Equal(t, 200, r.response.Status)
	assert.JSONEq(t, okBody, string(r.response.Body))
}

// assertPermanent: one attempt, no wait, and the outcome is known.
func assertPermanent(t *testing.T, r result) {
	t.Helper()
	var failed *agentphone.TransportError
	require.ErrorAs(t, r.err, &failed)
	assert.Equal(t, 1, failed.Attempts)
	assert.False(t, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "nothing was sent: %v", r.err)
	assert.Less(t, r.took, 4*time.Second)
}
