package agentphone_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMemoryStore_IsAStore(t *testing.T) {
	agentphonetest.TestStore(t, func(*testing.T) agentphone.Store { return agentphone.NewMemoryStore() })
}

var anHour = agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour, Note: []byte("n")}

// A full store forgets deliveries that were handled, or whose handler crashed, longest ago first; never one that is held, nor what is
// no delivery.
func TestMemoryStore_FullForgetsHandledDeliveriesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(4))
		claim := func(key string) *agentphone.Claim {
			c, err := s.Claim(t.Context(), key, anHour)
			require.NoError(t, err, key)
			return c
		}
		sent := claim("send:1")
		require.NoError(t, s.Complete(t.Context(), sent, nil))
		handled := claim("delivery:1")
		require.NoError(t, s.Complete(t.Context(), handled, nil))
		time.Sleep(time.Second)
		later := claim("delivery:2")
		require.NoError(t, s.Complete(t.Context(), later, nil))
		claim("delivery:held")

		assert.Equal(t, agentphone.ClaimGranted, claim("delivery:3").Status, "in place of delivery:1")
		assert.Equal(t, agentphone.ClaimCompleted, claim("delivery:2").Status)
		assert.Equal(t, agentphone.ClaimGranted, claim("delivery:4").Status, "in place of delivery:2")
		for _, key := range []string{"delivery:5", "send:2"} {
			_, err := s.Claim(t.Context(), key, anHour)
			require.ErrorIs(t, err, agentphone.ErrStoreFull, key)
		}
		assert.Equal(t, agentphone.ClaimHeld, claim("delivery:held").Status, "full, it still knows")
		assert.Equal(t, agentphone.ClaimCompleted, claim("send:1").Status)

		time.Sleep(time.Minute) // whoever held the deliveries has crashed
		assert.Equal(t, agentphone.ClaimGranted, claim("send:2").Status)
		assert.Equal(t, agentphone.ClaimCompleted, claim("send:1").Status, "a text is not sent twice")
	})
}

func TestMemoryStore_RetentionIsKeptToTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := agentphone.NewMemoryStore()
		c, err := s.Claim(t.Context(), "send:1", anHour)
		require.NoError(t, err)
		require.NoError(t, s.Complete(t.Context(), c, []byte("v")))
		time.Sleep(time.Hour - time.Second)
		c, err = s.Claim(t.Context(), "send:1", anHour)
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimCompleted, c.Status)
		time.Sleep(time.Second)
		c, err = s.Claim(t.Context(), "send:1", anHour)
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimGranted, c.Status)
		assert.Zero(t, c.LapsedAt)
	})
}

// The caller's buffers are its own, before and after.
func TestMemoryStore_KeepsCopies(t *testing.T) {
	s := agentphone.NewMemoryStore()
	note, value := []byte("note"), []byte("value")
	c, err := s.Claim(t.Context(), "k", agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour, Note: note})
	require.NoError(t, err)
	copy(note, "XXXX")
	require.NoError(t, s.Renew(t.Context(), c, 0, []byte("note")))
	c, err = s.Claim(t.Context(), "k", anHour)
	require.NoError(t, err)
	assert.Equal(t, "note", string(c.Note))
	require.NoError(t, s.Complete(t.Context(), c, value))
	copy(value, "XXXXX")
	for range 2 {
		c, err = s.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
		assert.Equal(t, "value", string(c.Value))
		copy(c.Value, "XXXXX")
	}
}

func TestMemoryStore_FloodKeepsMemoryBounded(t *testing.T) {
	const flood, most = 300_000, 1000
	s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))
	before := apitest.HeapInUse()
	for i := range flood {
		c, err := s.Claim(t.Context(), fmt.Sprint("delivery:", i), agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour})
		require.NoError(t, err)
		require.NoError(t, s.Complete(t.Context(), c, nil))
	}
	assert.Less(t, apitest.HeapInUse()-before, 4<<20)
	c, err := s.Claim(t.Context(), fmt.Sprint("delivery:", flood-1), anHour)
	require.NoError(t, err)
	assert.Equal(t, agentphone.ClaimCompleted, c.Status)
}

func BenchmarkMemoryStore(b *testing.B) {
	for _, held := range []int{0, 99_000} {
		b.Run(fmt.Sprint(held, " held"), func(b *testing.B) {
			s := agentphone.NewMemoryStore()
			for i := range held {
				_, err := s.Claim(b.Context(), fmt.Sprint("delivery:held", i), anHour)
				require.NoError(b, err)
			}
			key := "delivery:" + strings.Repeat("x", 30)
			for b.Loop() {
				c, err := s.Claim(b.Context(), key, anHour)
				if err != nil || s.Release(b.Context(), c) != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
