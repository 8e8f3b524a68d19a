package agentphone_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// claims returns a function that claims a delivery and requires the result want.
func claims(t *testing.T, s *agentphone.MemoryDeliveryStore) func(id string, want agentphone.DeliveryClaim) {
	return func(id string, want agentphone.DeliveryClaim) {
		t.Helper()
		got, err := s.Claim(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got, id)
	}
}

func TestMemoryDeliveryStore_HonorsKeepAndClaimLife(t *testing.T) {
	for _, s := range []*agentphone.MemoryDeliveryStore{
		{Keep: time.Hour, ClaimLife: time.Minute}, {Keep: 72 * time.Hour, ClaimLife: 2 * time.Hour},
	} {
		t.Run(fmt.Sprint("Keep ", s.Keep), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claim := claims(t, s)
				claim("held", agentphone.DeliveryGranted)
				time.Sleep(s.ClaimLife - time.Second)
				claim("held", agentphone.DeliveryHeld)
				time.Sleep(time.Second)
				claim("held", agentphone.DeliveryGranted) // whoever held it has crashed
				claim("held", agentphone.DeliveryHeld)

				claim("done", agentphone.DeliveryGranted)
				require.NoError(t, s.Done(t.Context(), "done"))
				time.Sleep(s.Keep - time.Second)
				claim("done", agentphone.DeliveryHandled)
				time.Sleep(time.Second)
				claim("done", agentphone.DeliveryGranted)
			})
		})
	}
}

func TestMemoryDeliveryStore_RemembersTheLatestMaxDeliveries(t *testing.T) {
	for _, most := range []int{1, 3, 1000} {
		t.Run(fmt.Sprint("MaxDeliveries ", most), func(t *testing.T) {
			s := &agentphone.MemoryDeliveryStore{MaxDeliveries: most}
			claim := claims(t, s)
			for i := range 2*most + 1 {
				claim(strconv.Itoa(i), agentphone.DeliveryGranted)
				require.NoError(t, s.Done(t.Context(), strconv.Itoa(i)))
			}
			claim(strconv.Itoa(most+1), agentphone.DeliveryHandled) // the oldest of the latest
			claim(strconv.Itoa(2*most), agentphone.DeliveryHandled)
			claim(strconv.Itoa(most), agentphone.DeliveryGranted)
		})
	}
}

func TestMemoryDeliveryStore_FullStoreForgetsExpiredClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 10
		s := &agentphone.MemoryDeliveryStore{MaxDeliveries: most, ClaimLife: time.Minute}
		claim := claims(t, s)
		for round := range 5 {
			for i := range most {
				claim(fmt.Sprint(round, "/", i), agentphone.DeliveryGranted) // by a process that crashes
			}
			_, err := s.Claim(t.Context(), "one too many")
			require.ErrorIs(t, err, agentphone.ErrDeliveryStoreFull)
			claim(fmt.Sprint(round, "/", 0), agentphone.DeliveryHeld) // a full store still knows its claims
			time.Sleep(time.Minute)
		}
		claim("new", agentphone.DeliveryGranted)
		require.NoError(t, s.Release(t.Context(), "new"))
		for i := range most { // a claim that was released or done takes no place
			claim(fmt.Sprint("done", i), agentphone.DeliveryGranted)
			require.NoError(t, s.Done(t.Context(), fmt.Sprint("done", i)))
		}
		claim("another", agentphone.DeliveryGranted)
	})
}

// Twice in the queue of handled deliveries, one would be forgotten at its first place.
func TestMemoryDeliveryStore_DoneTwiceTakesOnePlace(t *testing.T) {
	s := &agentphone.MemoryDeliveryStore{MaxDeliveries: 3}
	for _, id := range []string{"a", "a", "a", "b", "b", "b", "c", "a"} {
		require.NoError(t, s.Done(t.Context(), id))
	}
	claim := claims(t, s)
	for _, id := range []string{"a", "b", "c"} {
		claim(id, agentphone.DeliveryHandled)
	}
}

func TestMemoryDeliveryStore_KeepsMemoryBounded(t *testing.T) {
	const flood, most, few = 1_000_000, 1000, 4 << 20
	for name, each := range map[string]func(*agentphone.MemoryDeliveryStore, context.Context, string) error{
		"handled": func(s *agentphone.MemoryDeliveryStore, ctx context.Context, id string) error {
			if _, err := s.Claim(ctx, id); err != nil {
				return err
			}
			return s.Done(ctx, id)
		},
		"handled without a claim": (*agentphone.MemoryDeliveryStore).Done,
		"failed": func(s *agentphone.MemoryDeliveryStore, ctx context.Context, id string) error {
			if _, err := s.Claim(ctx, id); err != nil {
				return err
			}
			return s.Release(ctx, id)
		},
		"never settled": func(s *agentphone.MemoryDeliveryStore, ctx context.Context, id string) error {
			_, _ = s.Claim(ctx, id) // refused from the thousandth on
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &agentphone.MemoryDeliveryStore{MaxDeliveries: most}
			n := flood / 10 // enough to tell, and quick with the race detector
			switch name {
			case "handled":
				n = flood
			case "never settled": // a full store scans its claims each time
				n = flood / 300
			}
			before := apitest.HeapInUse()
			for i := range n {
				if err := each(s, t.Context(), "whd_"+strconv.Itoa(i)); err != nil {
					t.Fatal(err)
				}
			}
			assert.Less(t, apitest.HeapInUse()-before, few)
			runtime.KeepAlive(s)
		})
	}
}

func TestMemoryDeliveryStore_KeepsMemoryBoundedUnderAHandler(t *testing.T) {
	const distinct, few = 7_000, 4 << 20
	store := &agentphone.MemoryDeliveryStore{MaxDeliveries: 1000}
	var mu sync.Mutex
	handled := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: store, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		mu.Lock()
		defer mu.Unlock()
		handled++
		return nil
	}})
	send := func(from, to int) {
		ids := make(chan string)
		var senders sync.WaitGroup
		for range 64 {
			senders.Go(func() {
				for id := range ids {
					for apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, id)).Code != 200 { // 409: held by another goroutine
						runtime.Gosched()
					}
				}
			})
		}
		for i := from; i < to; i++ {
			ids <- fmt.Sprint("whd_", i)
			if i%7 < 3 { // 30 % of all are duplicates
				ids <- fmt.Sprint("whd_", i)
			}
		}
		close(ids)
		senders.Wait()
	}
	send(0, distinct/7) // the store is full: from here on it must not grow
	before := apitest.HeapInUse()
	send(distinct/7, distinct)
	// A duplicate that is sent after a thousand other deliveries may be forgotten and handled again: that each is
	// handled once is tested in TestWebhookHandler_HandlesTenThousandDeliveriesOnceEach.
	assert.GreaterOrEqual(t, handled, distinct)
	assert.Less(t, apitest.HeapInUse()-before, few)
	runtime.KeepAlive(store)
}

func TestMemoryDeliveryStore_Defaults(t *testing.T) {
	ctx := t.Context()
	synctest.Test(t, func(t *testing.T) {
		var s agentphone.MemoryDeliveryStore
		claim := func(id string, want agentphone.DeliveryClaim) {
			t.Helper()
			got, err := s.Claim(ctx, id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		claim("a", agentphone.DeliveryGranted)
		claim("a", agentphone.DeliveryHeld)
		claim("b", agentphone.DeliveryGranted)
		require.NoError(t, s.Release(ctx, "a"))
		claim("a", agentphone.DeliveryGranted)
		require.NoError(t, s.Done(ctx, "a"))
		claim("a", agentphone.DeliveryHandled)
		time.Sleep(11 * time.Minute)
		claim("b", agentphone.DeliveryGranted) // the claim has expired: its process crashed
		time.Sleep(24 * time.Hour)
		claim("a", agentphone.DeliveryGranted) // forgotten
	})
	require.NoError(t, new(agentphone.MemoryDeliveryStore).Done(ctx, "never claimed"))
}

func TestMemoryDeliveryStore_LimitsHandledAndClaimedDeliveries(t *testing.T) {
	ctx := t.Context()
	s := agentphone.MemoryDeliveryStore{MaxDeliveries: 100}
	for i := range 10_000 {
		got, err := s.Claim(ctx, fmt.Sprint(i))
		require.NoError(t, err)
		require.Equal(t, agentphone.DeliveryGranted, got)
		require.NoError(t, s.Done(ctx, fmt.Sprint(i)))
	}
	got, _ := s.Claim(ctx, "9950")
	assert.Equal(t, agentphone.DeliveryHandled, got, "the latest are remembered")
	got, _ = s.Claim(ctx, "0")
	assert.Equal(t, agentphone.DeliveryGranted, got, "the oldest are not")
	for i := range 99 {
		_, err := s.Claim(ctx, fmt.Sprint("flood", i))
		require.NoError(t, err)
	}
	_, err := s.Claim(ctx, "one too many")
	require.ErrorIs(t, err, agentphone.ErrDeliveryStoreFull)
}

func TestMemoryDeliveryStore_NegativeSettingsMeanDefaults(t *testing.T) {
	s := &agentphone.MemoryDeliveryStore{MaxDeliveries: -1}
	_, err := s.Claim(t.Context(), "a")
	assert.NoError(t, err)
	s = &agentphone.MemoryDeliveryStore{ClaimLife: -1}
	_, _ = s.Claim(t.Context(), "a")
	again, _ := s.Claim(t.Context(), "a")
	assert.Equal(t, agentphone.DeliveryHeld, again)
}
