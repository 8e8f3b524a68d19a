package agentphone_test

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"
	"sync"
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
		s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(3))
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
		_, err := s.Claim(t.Context(), "delivery:5", anHour)
		require.ErrorIs(t, err, agentphone.ErrStoreFull, "all are held")
		assert.Equal(t, agentphone.ClaimHeld, claim("delivery:held").Status, "full, it still knows")
		assert.Equal(t, agentphone.ClaimCompleted, claim("send:1").Status)

		claim("send:2")
		claim("send:3")
		time.Sleep(2 * time.Minute) // whoever held them has crashed
		assert.Equal(t, agentphone.ClaimGranted, claim("delivery:5").Status)
		_, err = s.Claim(t.Context(), "send:4", anHour)
		require.ErrorIs(t, err, agentphone.ErrStoreFull)
		assert.Equal(t, agentphone.ClaimCompleted, claim("send:1").Status, "a text is not sent twice")
	})
}

// A text that was sent under a key needs room for its result as well: the store that let it go out has that, too.
func TestMemoryStore_HasRoomForTheResultsOfItsKeys(t *testing.T) {
	const most = 100
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client(agentphone.WithStore(agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))))
	send := func(which any) error {
		_, err := c.Messages.Send(t.Context(), text(srv, fmt.Sprint("hi ", which)), key(fmt.Sprint("k ", which)))
		return err
	}
	var sending sync.WaitGroup
	for i := range most {
		sending.Go(func() { assert.NoError(t, send(i)) })
	}
	sending.Wait()
	require.ErrorIs(t, send("one too many"), agentphone.ErrStoreFull)
	assert.Len(t, srv.Messages(), most)
}

// Deliveries with different retentions are forgotten each at the end of its own, whichever was handled first.
func TestMemoryStore_RetentionIsThatOfEachClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(2))
		handle := func(key string, retention time.Duration) {
			c, err := s.Claim(t.Context(), key, agentphone.ClaimOptions{Lease: time.Minute, Retention: retention})
			require.NoError(t, err)
			require.Equal(t, agentphone.ClaimGranted, c.Status)
			require.NoError(t, s.Complete(t.Context(), c, nil))
		}
		handle("delivery:long", 3*time.Hour)
		for range 2 {
			handle("delivery:short", time.Hour)
			take(t, s, "delivery:short", agentphone.ClaimCompleted)
			time.Sleep(time.Hour)
		}
		handle("delivery:short", 5*time.Hour)
		take(t, s, "delivery:long", agentphone.ClaimCompleted)
		time.Sleep(time.Hour)
		take(t, s, "delivery:long", agentphone.ClaimGranted)
		take(t, s, "delivery:short", agentphone.ClaimCompleted)
	})
}

// Keys are remembered for 30 days, deliveries are repeated for 21 hours: one store may serve both.
func TestMemoryStore_KeysAndDeliveriesTakeNoRoomFromEachOther(t *testing.T) {
	const most = 3
	for from, to := range map[string]string{"send:": "delivery:", "delivery:": "send:"} {
		s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))
		for i := range most {
			take(t, s, fmt.Sprint(from, i), agentphone.ClaimGranted)
		}
		_, err := s.Claim(t.Context(), from+"more", anHour)
		require.ErrorIs(t, err, agentphone.ErrStoreFull)
		take(t, s, to, agentphone.ClaimGranted)
	}
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
	clear(note)
	require.NoError(t, s.Renew(t.Context(), c, 0, []byte("note")))
	c, err = s.Claim(t.Context(), "k", anHour)
	require.NoError(t, err)
	assert.Equal(t, "note", string(c.Note))
	require.NoError(t, s.Complete(t.Context(), c, value))
	clear(value)
	for range 2 {
		c, err = s.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
		assert.Equal(t, "value", string(c.Value))
		clear(c.Value)
	}
}

// take claims a key for a minute, to be remembered for an hour, and requires a status.
func take(t *testing.T, s agentphone.Store, key string, want agentphone.ClaimStatus) *agentphone.Claim {
	t.Helper()
	c, err := s.Claim(t.Context(), key, anHour)
	require.NoError(t, err, key)
	require.Equal(t, want, c.Status, key)
	return c
}

func TestMemoryStore_HonorsLeaseAndRetention(t *testing.T) {
	for _, opts := range []agentphone.ClaimOptions{
		{Lease: time.Minute, Retention: time.Hour}, {Lease: 2 * time.Hour, Retention: 72 * time.Hour}, {Lease: 30 * time.Second, Retention: 48 * time.Hour},
	} {
		t.Run(fmt.Sprint(opts.Lease, " and ", opts.Retention), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := agentphone.NewMemoryStore()
				claim := func(key string, want agentphone.ClaimStatus) *agentphone.Claim {
					t.Helper()
					c, err := s.Claim(t.Context(), key, opts)
					require.NoError(t, err)
					require.Equal(t, want, c.Status, key)
					return c
				}
				claim("delivery:held", agentphone.ClaimGranted)
				time.Sleep(opts.Lease - time.Second)
				claim("delivery:held", agentphone.ClaimHeld)
				time.Sleep(time.Second)
				claim("delivery:held", agentphone.ClaimGranted) // whoever held it has crashed
				claim("delivery:held", agentphone.ClaimHeld)
				require.NoError(t, s.Release(t.Context(), claim("delivery:released", agentphone.ClaimGranted)))
				claim("delivery:released", agentphone.ClaimGranted)

				require.NoError(t, s.Complete(t.Context(), claim("delivery:done", agentphone.ClaimGranted), nil))
				time.Sleep(opts.Retention - time.Second)
				claim("delivery:done", agentphone.ClaimCompleted)
				time.Sleep(time.Second)
				claim("delivery:done", agentphone.ClaimGranted)
			})
		})
	}
}

func TestMemoryStore_RemembersTheLatestDeliveries(t *testing.T) {
	for _, most := range []int{1, 3, 100, 1000} {
		t.Run(fmt.Sprint("WithMaxKeys ", most), func(t *testing.T) {
			s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))
			for i := range 10*most + 1 {
				require.NoError(t, s.Complete(t.Context(), take(t, s, fmt.Sprint("delivery:", i), agentphone.ClaimGranted), nil))
			}
			take(t, s, fmt.Sprint("delivery:", 9*most+1), agentphone.ClaimCompleted) // the oldest of the latest
			take(t, s, fmt.Sprint("delivery:", 10*most), agentphone.ClaimCompleted)
			take(t, s, fmt.Sprint("delivery:", 9*most), agentphone.ClaimGranted)
		})
	}
}

func TestMemoryStore_FullForgetsLapsedClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 10
		s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))
		for round := range 5 {
			for i := range most {
				take(t, s, fmt.Sprint("delivery:", round, "/", i), agentphone.ClaimGranted) // by a process that crashes
			}
			_, err := s.Claim(t.Context(), "delivery:one too many", anHour)
			require.ErrorIs(t, err, agentphone.ErrStoreFull)
			take(t, s, fmt.Sprint("delivery:", round, "/", 0), agentphone.ClaimHeld) // full, it still knows its claims
			time.Sleep(time.Minute)
		}
		require.NoError(t, s.Release(t.Context(), take(t, s, "delivery:new", agentphone.ClaimGranted)))
		for i := range most { // a claim that was released or completed keeps no place from others
			require.NoError(t, s.Complete(t.Context(), take(t, s, fmt.Sprint("delivery:done", i), agentphone.ClaimGranted), nil))
		}
		take(t, s, "delivery:another", agentphone.ClaimGranted)
	})
}

// Twice in the queue of handled deliveries, one would be forgotten at its first place.
func TestMemoryStore_CompletedTwiceTakesOnePlace(t *testing.T) {
	s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(3))
	claims := map[string]*agentphone.Claim{}
	for _, key := range []string{"delivery:a", "delivery:b", "delivery:c"} {
		claims[key] = take(t, s, key, agentphone.ClaimGranted)
		require.NoError(t, s.Complete(t.Context(), claims[key], nil))
		for range 3 {
			require.ErrorIs(t, s.Complete(t.Context(), claims[key], nil), agentphone.ErrClaimLost)
		}
	}
	require.ErrorIs(t, s.Complete(t.Context(), claims["delivery:a"], nil), agentphone.ErrClaimLost)
	for key := range claims {
		take(t, s, key, agentphone.ClaimCompleted)
	}
}

func TestMemoryStore_HasRoomForAHundredThousandKeysByDefault(t *testing.T) {
	for name, opts := range map[string][]agentphone.MemoryStoreOption{
		"by default": nil, "not positive": {agentphone.WithMaxKeys(0), agentphone.WithMaxKeys(-1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := agentphone.NewMemoryStore(opts...)
			for i := range 100_000 {
				if _, err := s.Claim(t.Context(), fmt.Sprint("send:", i), anHour); err != nil {
					t.Fatal(err)
				}
			}
			_, err := s.Claim(t.Context(), "send:one too many", anHour)
			require.ErrorIs(t, err, agentphone.ErrStoreFull)
			take(t, s, "send:0", agentphone.ClaimHeld)
		})
	}
}

func TestMemoryStore_FloodKeepsMemoryBounded(t *testing.T) {
	const flood, most, few = 300_000, 1000, 4 << 20
	ctx := t.Context()
	for name, each := range map[string]func(*agentphone.MemoryStore, string) error{
		"handled": func(s *agentphone.MemoryStore, key string) error {
			c, err := s.Claim(ctx, key, anHour)
			return cmp.Or(err, s.Complete(ctx, c, nil))
		},
		"handled again and again, behind one with a longer retention": func(s *agentphone.MemoryStore, key string) error {
			opts := anHour
			if key != "delivery:0" {
				key, opts.Retention = "delivery:again", time.Nanosecond
			}
			c, err := s.Claim(ctx, key, opts)
			return cmp.Or(err, s.Complete(ctx, c, nil))
		},
		"failed": func(s *agentphone.MemoryStore, key string) error {
			c, err := s.Claim(ctx, key, anHour)
			return cmp.Or(err, s.Release(ctx, c))
		},
		"handled without a claim": func(s *agentphone.MemoryStore, key string) error {
			_ = s.Complete(ctx, &agentphone.Claim{Key: key, Token: "1"}, []byte("value"))
			return nil
		},
		"never settled": func(s *agentphone.MemoryStore, key string) error { // refused from the thousandth on, at once
			_, _ = s.Claim(ctx, key, anHour)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := agentphone.NewMemoryStore(agentphone.WithMaxKeys(most))
			before := apitest.HeapInUse()
			for i := range flood {
				if err := each(s, fmt.Sprint("delivery:", i)); err != nil {
					t.Fatal(err)
				}
			}
			assert.Less(t, apitest.HeapInUse()-before, few)
			if name == "handled" {
				take(t, s, fmt.Sprint("delivery:", flood-1), agentphone.ClaimCompleted)
			}
			runtime.KeepAlive(s)
		})
	}
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
