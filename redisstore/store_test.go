package redisstore_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/faulttest"
	"github.com/agentphone/agentphone-go/redisstore"
)

func TestStore_IsAStore(t *testing.T) {
	server := startRedis(t)
	agentphonetest.TestStore(t, func(t *testing.T) agentphone.Store { return redisstore.New(server.client(t)) })
}

var anHour = agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour, Note: []byte("n")}

func TestStore_PrefixesSeparatePrograms(t *testing.T) {
	client := startRedis(t).client(t)
	for _, prefix := range []string{"a:", "b:"} {
		c, err := redisstore.New(client, redisstore.WithPrefix(prefix)).Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimGranted, c.Status)
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"a:k", "b:k"}, keys)
}

// Nothing is left in Redis for longer than it is needed.
func TestStore_KeysExpire(t *testing.T) {
	client := startRedis(t).client(t)
	store := redisstore.New(client)
	c, err := store.Claim(t.Context(), "k", anHour)
	require.NoError(t, err)
	ttl := func() time.Duration {
		d, err := client.PTTL(t.Context(), "agentphone:k").Result()
		require.NoError(t, err)
		return d
	}
	assert.InDelta(t, (time.Hour + time.Minute).Seconds(), ttl().Seconds(), 10)
	require.NoError(t, store.Renew(t.Context(), c, 2*time.Minute, nil))
	assert.InDelta(t, (time.Hour + 2*time.Minute).Seconds(), ttl().Seconds(), 10)
	require.NoError(t, store.Complete(t.Context(), c, nil))
	assert.InDelta(t, time.Hour.Seconds(), ttl().Seconds(), 10)
}

func TestStore_RefusesAServerThatMayEvict(t *testing.T) {
	client := startRedis(t).client(t)
	for _, policy := range []string{
		"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
	} {
		require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
		_, err := redisstore.New(client).Claim(t.Context(), "k", anHour)
		require.ErrorIs(t, err, redisstore.ErrMayEvict)
		assert.EqualError(t, err, "redisstore: the server's maxmemory-policy may evict idempotency keys; set it to noeviction (it is "+policy+")")
	}
	_, err := redisstore.New(client, redisstore.WithEvictionAllowed()).Claim(t.Context(), "k", anHour)
	require.NoError(t, err)

	store := redisstore.New(client)
	_, err = store.Claim(t.Context(), "k2", anHour)
	require.ErrorIs(t, err, redisstore.ErrMayEvict)
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	_, err = store.Claim(t.Context(), "k2", anHour)
	require.NoError(t, err, "it looks again until all is well")
}

func TestStore_WarnsWhereConfigIsForbidden(t *testing.T) {
	server := startRedis(t, "--rename-command", "CONFIG", "")
	var log strings.Builder
	store := redisstore.New(server.client(t), redisstore.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for range 2 {
		_, err := store.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "cannot read maxmemory-policy"))
}

// A server that accepts and says nothing holds each claim as long as its own context allows, not as long as those before it.
func TestStore_ClaimDoesNotWaitForThoseBeforeIt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), ContextTimeoutEnabled: true, ReadTimeout: time.Minute, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	store := redisstore.New(client)
	patient, giveUp := context.WithTimeout(t.Context(), 10*time.Second)
	defer giveUp()
	first := make(chan error, 1)
	go func() {
		_, err := store.Claim(patient, "a", anHour)
		first <- err
	}()
	_, err = listener.Accept() // the first claim is under way
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = store.Claim(ctx, "b", anHour)
	require.Error(t, err)
	select {
	case <-first:
		t.Fatal("the second claim waited for the first")
	default:
	}
	giveUp()
	require.Error(t, <-first)
}

func TestStore_BadInputIsAnError(t *testing.T) {
	_, err := redisstore.New(nil).Claim(t.Context(), "k", anHour)
	require.Error(t, err)
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer func() { _ = client.Close() }()
	store := redisstore.New(client)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = store.Claim(ctx, "k", anHour)
	require.ErrorContains(t, err, "redisstore: ")
	require.ErrorIs(t, store.Release(ctx, &agentphone.Claim{Key: "k"}), agentphone.ErrClaimLost)
}

// A script whose reply was lost is sent again by go-redis, and returns the same.
func TestStore_ScriptThatRanTwiceReturnsTheSame(t *testing.T) {
	server := startRedis(t)
	for _, lose := range []string{"claim", "complete", "renew"} {
		t.Run(lose, func(t *testing.T) {
			proxy := faulttest.NewProxy(t, server.address)
			client := redis.NewClient(&redis.Options{Addr: proxy.Address, MinRetryBackoff: time.Millisecond, Protocol: 2, DisableIdentity: true})
			t.Cleanup(func() { _ = client.Close() })
			store := redisstore.New(client, redisstore.WithPrefix(lose), redisstore.WithEvictionAllowed())
			warm, err := store.Claim(t.Context(), "warm", anHour) // loads the script
			require.NoError(t, err)
			require.NoError(t, store.Complete(t.Context(), warm, []byte("v")))
			if lose == "claim" {
				proxy.LoseNextResponse()
			}
			c, err := store.Claim(t.Context(), "k", anHour)
			require.NoError(t, err)
			require.Equal(t, agentphone.ClaimGranted, c.Status)
			assert.Equal(t, c.FirstAt, c.Expires.Add(-anHour.Lease))
			assert.Empty(t, c.Note)
			assert.Zero(t, c.LapsedAt)
			if lose == "renew" {
				proxy.LoseNextResponse()
			}
			require.NoError(t, store.Renew(t.Context(), c, time.Minute, []byte("renewed")))
			if lose == "complete" {
				proxy.LoseNextResponse()
			}
			require.NoError(t, store.Complete(t.Context(), c, []byte("v")))
			assert.Equal(t, 1, proxy.Lost())
			c, err = store.Claim(t.Context(), "k", anHour)
			require.NoError(t, err)
			assert.Equal(t, agentphone.ClaimCompleted, c.Status)
			assert.Equal(t, "v", string(c.Value))
		})
	}
}
