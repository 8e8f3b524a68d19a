package agentphone_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// testStore is a store in memory of which a test replaces methods. Those of the Store that it holds are there for the test to call.
type testStore struct {
	agentphone.Store
	claim    func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error)
	renew    func(context.Context, *agentphone.Claim, time.Duration) error
	complete func(context.Context, *agentphone.Claim) error
	release  func(context.Context, *agentphone.Claim) error
}

func newTestStore() *testStore { return &testStore{Store: agentphone.NewMemoryStore()} }

func (s *testStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if s.claim != nil {
		return s.claim(ctx, key, opts)
	}
	return s.Store.Claim(ctx, key, opts)
}

func (s *testStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if s.renew != nil {
		return s.renew(ctx, c, lease)
	}
	return s.Store.Renew(ctx, c, lease, note)
}

func (s *testStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	if s.complete != nil {
		return s.complete(ctx, c)
	}
	return s.Store.Complete(ctx, c, value)
}

func (s *testStore) Release(ctx context.Context, c *agentphone.Claim) error {
	if s.release != nil {
		return s.release(ctx, c)
	}
	return s.Store.Release(ctx, c)
}

// wait waits for d or until the context ends, as a store that is slow does.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// slowToClaim returns a store that takes a time to claim.
func slowToClaim(d time.Duration) *testStore {
	s := newTestStore()
	s.claim = func(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
		if err := wait(ctx, d); err != nil {
			return nil, err
		}
		return s.Store.Claim(ctx, key, opts)
	}
	return s
}

// idOf returns the id of a delivery in the key that a store sees, which is delivery:ID:DIGEST.
func idOf(key string) string {
	key = strings.TrimPrefix(key, "delivery:")
	return key[:max(strings.LastIndexByte(key, ':'), 0)]
}

// noting returns a store that notes its calls. Complete and Release call settle, if it is not nil.
func noting(notes *[]string, settle func(context.Context) error) *testStore {
	s := newTestStore()
	note := func(what, key string) { *notes = append(*notes, what+" "+idOf(key)) }
	s.claim = func(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
		note("claim", key)
		return s.Store.Claim(ctx, key, opts)
	}
	s.complete = func(ctx context.Context, c *agentphone.Claim) error {
		note("complete", c.Key)
		if settle != nil {
			return settle(ctx)
		}
		return s.Store.Complete(ctx, c, nil)
	}
	s.release = func(ctx context.Context, c *agentphone.Claim) error {
		note("release", c.Key)
		if settle != nil {
			return settle(ctx)
		}
		return s.Store.Release(ctx, c)
	}
	return s
}

// onMessage returns a config with an OnMessage.
func onMessage(f func(context.Context) error) agentphone.WebhookHandlerConfig {
	return agentphone.WebhookHandlerConfig{OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return f(ctx) }}
}

func TestWebhookHandler_ConcurrentDuplicateGets503(t *testing.T) {
	for name, store := range map[string]func() agentphone.Store{
		"in memory": func() agentphone.Store { return agentphone.NewMemoryStore() },
		"elsewhere": func() agentphone.Store { return slowToClaim(10 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				config := onMessage(func(context.Context) error {
					calls.Add(1)
					time.Sleep(10 * time.Second)
					return nil
				})
				config.Store = store()
				h := newHandler(t, config)
				var statuses [10]int
				var wg sync.WaitGroup
				for i := range statuses {
					wg.Go(func() {
						began := time.Now()
						w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
						if statuses[i] = w.Code; w.Code == 200 {
							assert.GreaterOrEqual(t, time.Since(began), 10*time.Second, "no 200 before it is done")
						}
					})
				}
				time.Sleep(5 * time.Second)
				w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
				assert.Equal(t, 503, w.Code, "a 4xx would be final")
				assert.NotEmpty(t, w.Header().Get("Retry-After"))
				wg.Wait()
				count := map[int]int{}
				for _, status := range statuses {
					count[status]++
				}
				assert.Equal(t, map[int]int{200: 1, 503: 9}, count)
				assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
				assert.EqualValues(t, 1, calls.Load())
			})
		})
	}
}

// AgentPhone gives up after about 21.
func TestWebhookHandler_RemembersADeliveryFor48Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		h := newHandler(t, onMessage(func(context.Context) error { calls++; return nil }))
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		time.Sleep(48*time.Hour - time.Second)
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		assert.Equal(t, 1, calls)
		time.Sleep(time.Second)
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		assert.Equal(t, 2, calls, "forgotten")
	})
}

// lies are what a store returns that does not know, or has a bug, or is of a later version.
var lies = map[string]func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error){
	"an error": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return nil, errors.New("store is down")
	},
	"a claim and an error": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return &agentphone.Claim{Status: agentphone.ClaimCompleted}, errors.New("store is down")
	},
	"nothing": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) { return nil, nil },
	"no status": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return &agentphone.Claim{Token: "t"}, nil
	},
	"a negative status": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return &agentphone.Claim{Status: -1}, nil
	},
	"an unknown status": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return &agentphone.Claim{Status: 99}, nil
	},
	"a panic": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		panic("at the disco")
	},
	"a goexit": func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		runtime.Goexit()
		return nil, nil
	},
	"no room": func(ctx context.Context, _ string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
		full := agentphone.NewMemoryStore(agentphone.WithMaxKeys(1))
		_, _ = full.Claim(ctx, "other", opts)
		return full.Claim(ctx, "another", opts)
	},
}

func TestWebhookHandler_StoreThatDoesNotKnowGets503(t *testing.T) {
	for name, claim := range lies {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			config := onMessage(func(context.Context) error { t.Error("called back without a claim"); return nil })
			store := newTestStore()
			store.claim, config.Store, config.Logger = claim, store, logs.logger()
			w := apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "whd_1"))
			assert.Equal(t, 503, w.Code)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
			assert.Contains(t, logs.String(), "claiming the delivery failed")
		})
	}
}

// The Retry-After is that of the lease, but of no store that lies.
func TestWebhookHandler_HeldClaimSaysWhenItLapses(t *testing.T) {
	for retryAfter, want := range map[time.Duration]string{-time.Hour: "1", 0: "1", time.Millisecond: "1", 1001 * time.Millisecond: "2", 17 * time.Second: "17", 1 << 62: "30"} {
		t.Run(retryAfter.String(), func(t *testing.T) {
			store := newTestStore()
			store.claim = func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
				return &agentphone.Claim{Status: agentphone.ClaimHeld, RetryAfter: retryAfter}, nil
			}
			for _, body := range []string{apitest.TextEvent, apitest.TurnEvent} {
				config := onMessage(func(context.Context) error { t.Error("called back"); return nil })
				config.Store = store
				config.OnVoiceTurn = func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error {
					t.Error("called back")
					return nil
				}
				w := apitest.Serve(newHandler(t, config), apitest.SignedRequest(body, "whd_1"))
				assert.Equal(t, 503, w.Code)
				assert.Equal(t, want, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestWebhookHandler_CompletedClaimGets200(t *testing.T) {
	config := onMessage(func(context.Context) error { t.Error("called back"); return nil })
	store := newTestStore()
	store.claim = func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
		return &agentphone.Claim{Status: agentphone.ClaimCompleted}, nil
	}
	config.Store = store
	assert.Equal(t, 200, apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "i")).Code)
}

// An event that nobody wants needs no store.
func TestWebhookHandler_IgnoredEventIsNotClaimed(t *testing.T) {
	var notes []string
	h := newHandler(t, agentphone.WebhookHandlerConfig{Store: noting(&notes, nil)})
	for _, body := range []string{apitest.TextEvent, apitest.TurnEvent, `{"event":"agent.dreamt"}`} {
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, "whd_1")).Code)
	}
	assert.Empty(t, notes)
}

func TestWebhookHandler_ClaimTimesOut(t *testing.T) {
	for name, store := range map[string]*testStore{"slow": slowToClaim(time.Hour), "hanging in spite of its context": hanging()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(48 * time.Hour) // a bubble ends when all in it has
				began := time.Now()
				config := onMessage(func(context.Context) error { t.Error("called back"); return nil })
				config.Store = store
				assert.Equal(t, 503, apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "x")).Code)
				assert.Equal(t, 5*time.Second, time.Since(began))
			})
		})
	}
}

// hanging returns a store that takes a day for each call, whatever its context.
func hanging() *testStore {
	s := newTestStore()
	hang := func() error { time.Sleep(24 * time.Hour); return errors.New("too late") }
	s.claim = func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) { return nil, hang() }
	s.renew = func(context.Context, *agentphone.Claim, time.Duration) error { return hang() }
	s.complete = func(context.Context, *agentphone.Claim) error { return hang() }
	s.release = s.complete
	return s
}

func TestWebhookHandler_VoiceTurnIsAnsweredWithoutAStoreThatDoesNotKnow(t *testing.T) {
	all := map[string]func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error){
		"slow": slowToClaim(time.Hour).claim, "hanging in spite of its context": hanging().claim,
	}
	maps.Copy(all, lies)
	for name, claim := range all {
		for _, timeout := range []time.Duration{0, time.Second} {
			t.Run(fmt.Sprint(name, " for ", timeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer time.Sleep(48 * time.Hour) // a bubble ends when all in it has
					var logs jsonLog
					store := newTestStore()
					store.claim = claim
					h := newHandler(t, agentphone.WebhookHandlerConfig{Store: store, StoreTimeout: timeout, Logger: logs.logger(), OnVoiceTurn: sleepyTurn(0)})
					began := time.Now()
					w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
					assert.JSONEq(t, `{"text":"<nil>"}`, w.Body.String())
					assert.LessOrEqual(t, time.Since(began), cmp.Or(timeout, 300*time.Millisecond))
					assert.Contains(t, logs.String(), "claiming the delivery failed")
				})
			})
		}
	}
}

// The store grants a claim, but tells so too late: the delivery is not claimed by anybody then.
func TestWebhookHandler_ClaimThatComesInLateIsGivenBack(t *testing.T) {
	for name, tc := range map[string]struct {
		body     string
		after    time.Duration // the response of the store
		uncaring bool          // about its context
		hangUp   time.Duration // of the caller, if not 0
		lease    time.Duration
		timeout  time.Duration
		want     int // the status
	}{
		"turn":                                     {body: apitest.TurnEvent, after: 400 * time.Millisecond, want: 200},
		"turn, just too late":                      {body: apitest.TurnEvent, after: 301 * time.Millisecond, want: 200},
		"turn, much later":                         {body: apitest.TurnEvent, after: 4900 * time.Millisecond, want: 200},
		"turn, longer than a store is given":       {body: apitest.TurnEvent, after: 8 * time.Second, uncaring: true, want: 200},
		"turn of a caller who hangs up":            {body: apitest.TurnEvent, after: time.Second, hangUp: 100 * time.Millisecond, want: 503},
		"turn, after the lease":                    {body: apitest.TurnEvent, after: 1500 * time.Millisecond, lease: time.Second, timeout: 2 * time.Second, want: 200},
		"message":                                  {body: apitest.TextEvent, after: 5500 * time.Millisecond, uncaring: true, want: 503},
		"message, after the lease":                 {body: apitest.TextEvent, after: 2500 * time.Millisecond, lease: 2 * time.Second, want: 503},
		"message, at the moment the lease is over": {body: apitest.TextEvent, after: 2 * time.Second, lease: 2 * time.Second, want: 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, claims := newTestStore(), 0
				store.claim = func(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
					opts.Lease = time.Hour // or it would be free soon by itself
					c, err := store.Store.Claim(ctx, key, opts)
					if claims++; claims > 1 {
						return c, err
					}
					if tc.uncaring {
						ctx = context.Background()
					}
					if err := wait(ctx, tc.after); err != nil {
						return nil, err
					}
					return c, err
				}
				var calls atomic.Int32
				config := onMessage(func(context.Context) error { calls.Add(1); return nil })
				config.Store, config.Lease, config.StoreTimeout, config.Logger = store, tc.lease, tc.timeout, quiet
				config.OnVoiceTurn = func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					calls.Add(1)
					return v.Say("hello")
				}
				h := newHandler(t, config)
				r := apitest.SignedRequest(tc.body, "x")
				if tc.hangUp > 0 {
					ctx, cancel := context.WithTimeout(t.Context(), tc.hangUp)
					defer cancel()
					r = r.WithContext(ctx)
				}
				assert.Equal(t, tc.want, apitest.Serve(h, r).Code)
				before := calls.Load()
				assert.Equal(t, tc.want == 200, before == 1)

				time.Sleep(tc.after)
				w := apitest.Serve(h, apitest.SignedRequest(tc.body, "x"))
				assert.Equal(t, 200, w.Code)
				assert.Equal(t, before+1, calls.Load(), "it is not held by anybody, nor has it been handled by a claim")
				if tc.body == apitest.TurnEvent {
					assert.JSONEq(t, `{"text":"hello"}`, w.Body.String())
				}
				assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(tc.body, "x")).Code)
				assert.Equal(t, before+1, calls.Load(), "now it has")
			})
		})
	}
}

// A process that ends gives back what it is granted after the answer to a turn; a store that hangs does not keep it from ending.
func TestWebhookHandlerShutdown_WaitsForAClaimThatComesInLate(t *testing.T) {
	for name, tc := range map[string]struct{ after, most time.Duration }{"late": {4 * time.Second, 4 * time.Second}, "never": {24 * time.Hour, 11 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(48 * time.Hour) // a bubble ends when all in it has
				store := newTestStore()
				store.claim = func(_ context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
					c, err := store.Store.Claim(context.Background(), key, opts)
					time.Sleep(tc.after)
					return c, err
				}
				h := newHandler(t, agentphone.WebhookHandlerConfig{Store: store, Logger: quiet, OnVoiceTurn: sleepyTurn(0)})
				began := time.Now()
				assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "x")).Code)
				require.NoError(t, h.Shutdown(t.Context()))
				assert.LessOrEqual(t, time.Since(began), tc.most)
				again, err := store.Store.Claim(t.Context(), keyOf(t, apitest.TurnEvent, "x"), anHour)
				require.NoError(t, err)
				if tc.after == tc.most {
					assert.Equal(t, agentphone.ClaimGranted, again.Status)
				}
			})
		})
	}
}

// Nobody hears the answer: the turn comes again, or not.
func TestWebhookHandler_TurnWhoseSenderIsGoneIsNotClaimedForNothing(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	store := newTestStore()
	store.claim = func(ctx context.Context, _ string, _ agentphone.ClaimOptions) (*agentphone.Claim, error) {
		hangUp()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{Store: store, OnVoiceTurn: func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error {
		t.Error("called back")
		return nil
	}})
	assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "x").WithContext(ctx)).Code)
}

// Somebody captured request A and sends it under the id of B, which is not signed, while B fails: B is still to be handled.
func TestWebhookHandler_CapturedRequestDoesNotStandInForAnother(t *testing.T) {
	const a = `{"event":"agent.message","channel":"sms","data":{"message":"a"}}`
	const b = `{"event":"agent.message","channel":"sms","data":{"message":"b"}}`
	for name, id := range map[string]string{"plain": "whd_b", "long": strings.Repeat("b", 5000), "not ASCII": "b\xff", "none": ""} {
		t.Run(name, func(t *testing.T) {
			var got []string
			failure := errors.New("not yet")
			h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(_ context.Context, _ *agentphone.Event, d *agentphone.MessageData) error {
				got = append(got, d.Message)
				if d.Message == "b" {
					return failure
				}
				return nil
			}})
			assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(b, id)).Code)
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(a, id)).Code)
			failure = nil
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(b, id)).Code)
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(b, id)).Code)
			assert.Equal(t, []string{"b", "a", "b"}, got)
		})
	}
}
