package redisstore_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/faulttest"
	"github.com/agentphone/agentphone-go/redisstore"
)

func TestFaults_NothingIsSentTwiceAndNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	server := startRedis(t)
	proxy := faulttest.NewProxy(t, server.address)
	retries := -1 // none; a fault that go-redis retries is none of the store
	faulttest.Run(t, func() agentphone.Store {
		retries = -retries
		client := redis.NewClient(&redis.Options{
			Addr: proxy.Address, DialTimeout: 300 * time.Millisecond, ReadTimeout: 300 * time.Millisecond, MaxRetries: retries,
		})
		t.Cleanup(func() { _ = client.Close() })
		return redisstore.New(client)
	}, func() { // a script that runs while it is paused times out, and has run once it goes on
		server.pause()
		time.Sleep(500 * time.Millisecond)
		server.resume()
	}, func() {
		server.kill()
		server.start(t)
	}, proxy.LoseNextResponse)
}

func TestStore_KilledServerForgetsNothing(t *testing.T) {
	server := startRedis(t)
	faulttest.RequireKeepsWhatItConfirmed(t, redisstore.New(server.client(t)), server.kill, func() { server.start(t) })
}

func TestStore_ClockOfTheClientDoesNotMatter(t *testing.T) {
	server := startRedis(t)
	faulttest.RequireClockOfTheClientDoesNotMatter(t, func(*testing.T) (agentphone.Store, func() error) {
		client := redis.NewClient(&redis.Options{Addr: server.address})
		return redisstore.New(client), client.Close
	})
}

// A claim that timed out and was carried out later is an error, and holds the key until its lease ends.
func TestStore_ScriptThatTimedOutMayHaveRun(t *testing.T) {
	server := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: server.address, ReadTimeout: time.Second, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	hasty, patient := redisstore.New(client), redisstore.New(server.client(t))
	opts := agentphone.ClaimOptions{Lease: 2 * time.Second, Retention: time.Hour, Note: []byte("n")}
	for _, s := range []*redisstore.Store{hasty, patient} {
		_, err := s.Claim(t.Context(), "warm", opts)
		require.NoError(t, err)
	}
	server.pause()
	_, err := hasty.Claim(t.Context(), "k", opts)
	server.resume()
	require.Error(t, err)
	require.Eventually(t, func() bool { return server.client(t).Exists(t.Context(), "agentphone:k").Val() == 1 }, 10*time.Second, 10*time.Millisecond)
	var next *agentphone.Claim
	require.Eventually(t, func() bool {
		next, err = patient.Claim(t.Context(), "k", opts)
		require.NoError(t, err)
		return next.Status == agentphone.ClaimGranted
	}, 10*time.Second, 100*time.Millisecond)
	assert.False(t, next.LapsedAt.IsZero(), "the claim that timed out was carried out")
	assert.Equal(t, "n", string(next.Note))
}
