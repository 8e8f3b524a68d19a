package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
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

func TestWebhookHandler_ConcurrentDuplicateGets409(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			calls.Add(1)
			time.Sleep(10 * time.Second)
			return nil
		}})
		var statuses [10]int
		var wg sync.WaitGroup
		for i := range statuses {
			wg.Go(func() { statuses[i] = apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code })
		}
		time.Sleep(5 * time.Second)
		w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
		assert.Equal(t, 409, w.Code)
		assert.NotEmpty(t, w.Header().Get("Retry-After"))
		wg.Wait()
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		assert.Equal(t, map[int]int{200: 1, 409: 9}, count)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		assert.EqualValues(t, 1, calls.Load())
	})
}

// brokenStore fails to claim.
type brokenStore struct{ agentphone.MemoryDeliveryStore }

func (*brokenStore) Claim(context.Context, string) (agentphone.DeliveryClaim, error) {
	return 0, errors.New("store is down")
}

func TestWebhookHandler_FailedClaimGets503(t *testing.T) {
	h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &brokenStore{}, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		t.Error("called back without a claim")
		return nil
	}})
	assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
}

func TestWebhookHandler_ClaimOutlastsTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-ctx.Done()
			time.Sleep(time.Second) // cleans up
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}})
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
		time.Sleep(10 * time.Minute)
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, 1, most, "handled at the same time")
	})
}

// slowStore takes a time to claim.
type slowStore struct {
	agentphone.MemoryDeliveryStore
	d time.Duration
}

func (s *slowStore) Claim(ctx context.Context, id string) (agentphone.DeliveryClaim, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(s.d):
		return s.MemoryDeliveryStore.Claim(ctx, id)
	}
}

func TestWebhookHandler_ClaimTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &slowStore{d: time.Hour}})
		assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		assert.Less(t, time.Since(began), time.Minute)
	})
}

// idOf returns the id of a delivery in the key that a store sees, which is delivery:ID:DIGEST.
func idOf(key string) string {
	key = strings.TrimPrefix(key, "delivery:")
	return key[:max(strings.LastIndexByte(key, ':'), 0)]
}

// noteStore notes its calls. Done and Release call settle, if it is set.
type noteStore struct {
	agentphone.MemoryDeliveryStore
	notes  *[]string
	settle func(context.Context) error
}

func (s *noteStore) Claim(ctx context.Context, id string) (agentphone.DeliveryClaim, error) {
	*s.notes = append(*s.notes, "claim "+idOf(id))
	return s.MemoryDeliveryStore.Claim(ctx, id)
}

func (s *noteStore) Done(ctx context.Context, id string) error {
	*s.notes = append(*s.notes, "done "+idOf(id))
	if s.settle != nil {
		return s.settle(ctx)
	}
	return s.MemoryDeliveryStore.Done(ctx, id)
}

func (s *noteStore) Release(ctx context.Context, id string) error {
	*s.notes = append(*s.notes, "release "+idOf(id))
	if s.settle != nil {
		return s.settle(ctx)
	}
	return s.MemoryDeliveryStore.Release(ctx, id)
}

// noteWriter notes the status and the lines of a response.
type noteWriter struct {
	*httptest.ResponseRecorder
	notes *[]string
}

func (w *noteWriter) WriteHeader(status int) {
	*w.notes = append(*w.notes, fmt.Sprint("status ", status))
	w.ResponseRecorder.WriteHeader(status)
}

func (w *noteWriter) Write(p []byte) (int, error) {
	*w.notes = append(*w.notes, "body "+strings.TrimSpace(string(p)))
	return w.ResponseRecorder.Write(p)
}

// Otherwise the sender could get the response, and deliver the event again, before the store knows.
func TestWebhookHandler_SettlesBeforeItResponds(t *testing.T) {
	failure := errors.New("x")
	for name, tc := range map[string]struct {
		body string
		turn voiceFunc
		err  error
		want []string
	}{
		"handled": {apitest.TextEvent, nil, nil, []string{"claim i", "done i", "status 200"}},
		"failed":  {apitest.TextEvent, nil, failure, []string{"claim i", "release i", "status 500", "body Internal Server Error"}},
		"turn": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi.") }, nil,
			[]string{"claim i", "done i", `body {"text":"Hi."}`}},
		// It has failed: a redelivery may succeed.
		"turn that failed after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("Hm."), failure)
		}, nil, []string{"claim i", "status 200", `body {"text":"Hm.","interim":true}`, "release i", "body {}"}},
		"turn that panicked after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			_ = v.Interim("Hm.")
			panic("x")
		}, nil, []string{"claim i", "status 200", `body {"text":"Hm.","interim":true}`, "release i", "body {}"}},
		// A turn that tries to say too much has succeeded nevertheless.
		"turn that said its last words twice": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Hi."), v.Say("Hi!"))
		}, nil, []string{"claim i", "done i", `body {"text":"Hi."}`}},
		"turn that said more after its tokens": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Stream(tokens("Hi")), v.Interim("Hi!"))
		}, nil, []string{"claim i", "done i", `body {"text":"Hi"}`}},
		// ErrVoiceAnswered without last words is a failure like any other.
		"turn that said nothing": {apitest.TurnEvent, func(context.Context, *agentphone.VoiceResponse) error { return agentphone.ErrVoiceAnswered }, nil,
			[]string{"claim i", "release i", "status 500", "body Internal Server Error"}},
	} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			h := newHandler(t, agentphone.WebhookHandlerConfig{
				Deliveries: &noteStore{notes: &notes},
				OnMessage:  func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.err },
				OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					return tc.turn(ctx, v)
				},
			})
			h.ServeHTTP(&noteWriter{httptest.NewRecorder(), &notes}, apitest.SignedRequest(tc.body, "i"))
			assert.Equal(t, tc.want, notes)
		})
	}
}

func TestWebhookHandler_SettlesAfterTheSenderIsGone(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{"handled": {nil, "done i"}, "failed": {context.Canceled, "release i"}} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			store := &noteStore{notes: &notes, settle: func(ctx context.Context) error { return ctx.Err() }}
			ctx, hangUp := context.WithCancel(t.Context())
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), Deliveries: store, OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
				hangUp()
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				return tc.err
			}})
			apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i").WithContext(ctx))
			assert.Equal(t, []string{"claim i", tc.want}, notes)
			assert.NotContains(t, logs.String(), "the delivery", "the context of the store had not ended")
		})
	}
}

// A store that hangs must not hold the response back forever; its failure is logged.
func TestWebhookHandler_SettlingTimesOut(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{"done": {nil, 200}, "release": {errors.New("x"), 500}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var notes []string
				var logs jsonLog
				store := &noteStore{notes: &notes, settle: func(ctx context.Context) error {
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(time.Hour):
						return nil
					}
				}}
				h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), Deliveries: store, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.err }})
				began := time.Now()
				assert.Equal(t, tc.want, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i")).Code)
				assert.Equal(t, 5*time.Second, time.Since(began))
				assert.Contains(t, logs.String(), context.DeadlineExceeded.Error())
			})
		})
	}
}

// claimStore gives every claim the same result.
type claimStore struct {
	agentphone.MemoryDeliveryStore
	claim agentphone.DeliveryClaim
}

func (s *claimStore) Claim(context.Context, string) (agentphone.DeliveryClaim, error) {
	return s.claim, nil
}

func TestWebhookHandler_HandlesOnlyGrantedClaims(t *testing.T) {
	for claim, want := range map[agentphone.DeliveryClaim]int{
		0: 409, -1: 409, 99: 409, // by a store with a bug, or of a later version
		agentphone.DeliveryHeld: 409, agentphone.DeliveryHandled: 200,
	} {
		t.Run(fmt.Sprint(claim), func(t *testing.T) {
			h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &claimStore{claim: claim}, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
				t.Error("called back")
				return nil
			}})
			assert.Equal(t, want, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i")).Code)
		})
	}
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
