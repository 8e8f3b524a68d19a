package networktest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// assertOutcomeUnknown checks that the request was delivered once, and that the error says that it may have taken effect.
// If the response broke off within its body, status is its status, otherwise 0.
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

// assertFailedWithStatus checks that the call failed after one attempt with the response's status: with a *DecodeError if
// decode is true, otherwise an *APIError.
func assertFailedWithStatus(t *testing.T, r result, status int, decode bool) {
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

// assertSucceeded checks that the call succeeded, and that its request was delivered once more than the server refused it.
func assertSucceeded(t *testing.T, r result, refused int) {
	t.Helper()
	require.NoError(t, r.err)
	assert.Equal(t, refused+1, r.deliveries, "deliveries, of which %d were refused", refused)
	assert.Equal(t, 200, r.response.Status)
	assert.JSONEq(t, okBody, string(r.response.Body))
}

// assertNotRetried checks that the call failed after one attempt, without a wait, and that its outcome is known.
func assertNotRetried(t *testing.T, r result) {
	t.Helper()
	var failed *agentphone.TransportError
	require.ErrorAs(t, r.err, &failed)
	assert.Equal(t, 1, failed.Attempts)
	assert.False(t, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "nothing was sent: %v", r.err)
	assert.Less(t, r.took, 4*time.Second)
}
