package faulttest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

var anHour = agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour, Note: []byte("n")}

// RequireKeepsWhatItConfirmed kills the server of a store and starts it again, and requires that it has forgotten nothing.
func RequireKeepsWhatItConfirmed(t *testing.T, s agentphone.Store, kill, start func()) {
	t.Helper()
	done, err := s.Claim(t.Context(), "done", anHour)
	require.NoError(t, err)
	held, err := s.Claim(t.Context(), "held", anHour)
	require.NoError(t, err)
	require.NoError(t, s.Complete(t.Context(), done, []byte("v")))
	kill()
	_, err = s.Claim(t.Context(), "refused", anHour)
	require.Error(t, err)
	start()
	require.Eventually(t, func() bool { return s.Renew(t.Context(), held, anHour.Lease, nil) == nil }, 10*time.Second, 10*time.Millisecond)
	done, err = s.Claim(t.Context(), "done", anHour)
	require.NoError(t, err)
	assert.Equal(t, agentphone.ClaimCompleted, done.Status)
	assert.Equal(t, "v", string(done.Value))
}

// RequireClockOfTheClientDoesNotMatter claims keys in a bubble of synctest, where it is the year 2000 and a day passes at once. open
// returns a store, and what closes it.
func RequireClockOfTheClientDoesNotMatter(t *testing.T, open func(t *testing.T) (s agentphone.Store, closeStore func() error)) {
	t.Helper()
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		s, closeStore := open(t)
		defer func() { assert.NoError(t, closeStore()) }()
		c, err := s.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
		assert.WithinDuration(t, began, c.Now, 5*time.Minute)
		time.Sleep(24 * time.Hour)
		held, err := s.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimHeld, held.Status)
		require.NoError(t, s.Renew(t.Context(), c, anHour.Lease, nil))
	})
}
