package agentphone_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestWebhookHooks_DeliveryHasItsOutcome(t *testing.T) {
	type result = agentphone.DeliveryResult
	text := agentphone.DeliveryInfo{Event: "agent.message", Channel: "sms", DeliveryID: "whd_1"}
	turn := agentphone.DeliveryInfo{Event: "agent.message", Channel: "voice", DeliveryID: "whd_1"}
	onMessage := func(err error) func(*agentphone.WebhookHandlerConfig) {
		return func(c *agentphone.WebhookHandlerConfig) {
			c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return err }
		}
	}
	onTurn := func(f func(*agentphone.VoiceResponse) error) func(*agentphone.WebhookHandlerConfig) {
		return func(c *agentphone.WebhookHandlerConfig) {
			c.OnVoiceTurn = func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
				time.Sleep(2 * time.Second)
				return f(v)
			}
		}
	}
	status := func(status agentphone.ClaimStatus, err error) func(*agentphone.WebhookHandlerConfig) {
		return func(c *agentphone.WebhookHandlerConfig) {
			onMessage(nil)(c)
			store := newTestStore()
			store.claim = func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
				return &agentphone.Claim{Status: status}, err
			}
			c.Store = store
		}
	}
	const seconds = time.Second
	for name, tc := range map[string]struct {
		configure func(*agentphone.WebhookHandlerConfig)
		request   *http.Request
		body      string
		info      agentphone.DeliveryInfo
		want      result
	}{
		"handled":           {configure: onMessage(nil), info: text, want: result{"handled", 200, 0, 0}},
		"no callback":       {info: text, want: result{"handled", 200, 0, 0}},
		"failed":            {configure: onMessage(errors.New("no")), info: text, want: result{"failed", 500, 0, 0}},
		"duplicate":         {configure: status(agentphone.ClaimCompleted, nil), info: text, want: result{"duplicate", 200, 0, 0}},
		"held":              {configure: status(agentphone.ClaimHeld, nil), info: text, want: result{"held", 503, 0, 0}},
		"the store is down": {configure: status(0, errors.New("down")), info: text, want: result{"refused", 503, 0, 0}},
		"unreadable data":   {configure: onMessage(nil), body: `{"event":"agent.message","channel":"sms","data":7}`, info: text, want: result{"failed", 500, 0, 0}},
		"not signed":        {request: httptest.NewRequest("POST", "/hook", strings.NewReader(apitest.TextEvent)), want: result{"refused", 401, 0, 0}},
		"not a POST":        {request: httptest.NewRequest("GET", "/hook", nil), want: result{"refused", 405, 0, 0}},
		"not an event":      {body: "[]", want: result{"refused", 400, 0, 0}},
		"too large":         {configure: func(c *agentphone.WebhookHandlerConfig) { c.MaxBodyBytes = 3 }, want: result{"refused", 413, 0, 0}},
		"secrets unavailable": {configure: func(c *agentphone.WebhookHandlerConfig) {
			c.SecretsFunc = func(*http.Request) ([]string, error) { return nil, errors.New("x") }
		}, want: result{"refused", 503, 0, 0}},
		"panicked": {configure: func(c *agentphone.WebhookHandlerConfig) {
			c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error { panic("x") }
		}, info: text, want: result{"panicked", 500, 0, 0}},
		"a turn": {body: apitest.TurnEvent, info: turn, configure: onTurn(func(v *agentphone.VoiceResponse) error { return v.Say("Hello.") }),
			want: result{"handled", 200, 2 * seconds, 2 * seconds}},
		"a turn in lines": {body: apitest.TurnEvent, info: turn, configure: onTurn(func(v *agentphone.VoiceResponse) error {
			err := v.Interim("One moment.")
			time.Sleep(3 * seconds)
			return errors.Join(err, v.Say("Hello."))
		}), want: result{"handled", 200, 5 * seconds, 2 * seconds}},
		"a turn without words": {body: apitest.TurnEvent, info: turn, configure: onTurn(func(v *agentphone.VoiceResponse) error { return v.Hangup() }),
			want: result{"handled", 200, 2 * seconds, 0}},
		"a turn that fails": {body: apitest.TurnEvent, info: turn, configure: onTurn(func(v *agentphone.VoiceResponse) error { return errors.New("no") }),
			want: result{"failed", 500, 2 * seconds, 0}},
		"a turn that fails after its first words": {body: apitest.TurnEvent, info: turn, configure: onTurn(func(v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("One moment."), errors.New("no"))
		}), want: result{"failed", 200, 2 * seconds, 2 * seconds}},
		"a turn without a callback": {body: apitest.TurnEvent, info: turn, want: result{"handled", 200, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &observer{}
				config := agentphone.WebhookHandlerConfig{Hooks: o.hooks(t), Logger: quiet}
				if tc.configure != nil {
					tc.configure(&config)
				}
				secrets := []string{apitest.Secret}
				if config.SecretsFunc != nil {
					secrets = nil
				}
				h, err := agentphone.NewWebhookHandler(secrets, config)
				require.NoError(t, err)
				if tc.body == "" {
					tc.body = apitest.TextEvent
				}
				if tc.request == nil {
					tc.request = apitest.SignedRequest(tc.body, "whd_1")
				}
				w := apitest.Serve(h, tc.request)
				require.Len(t, o.deliveries, 1)
				assert.Equal(t, tc.info, o.deliveries[0].Info)
				assert.Equal(t, tc.want, *o.deliveries[0].Result)
				assert.Equal(t, tc.want.Status, w.Code)
				assert.Empty(t, o.operations)
			})
		})
	}
}

func TestWebhookHooks_DeliveryRefusedAtShutdown(t *testing.T) {
	o := &observer{}
	h := newHandler(t, agentphone.WebhookHandlerConfig{Hooks: o.hooks(t), OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return nil }})
	require.NoError(t, h.Shutdown(t.Context()))
	assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
	assert.Equal(t, agentphone.DeliveryRefused, o.deliveries[0].Result.Outcome)
	assert.Equal(t, 503, o.deliveries[0].Result.Status)
}

func TestWebhookHooks_CallbackThatEndsItsGoroutineFailed(t *testing.T) {
	o := &observer{}
	h := newHandler(t, agentphone.WebhookHandlerConfig{Hooks: o.hooks(t), OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		runtime.Goexit()
		return nil
	}})
	var served sync.WaitGroup
	served.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")) })
	served.Wait()
	require.NotNil(t, o.deliveries[0].Result)
	assert.Equal(t, agentphone.DeliveryFailed, o.deliveries[0].Result.Outcome)
}

// The context that the hook returns is that of the callback, of a message and of a voice turn, and of the requests that they make.
func TestWebhookHooks_ContextIsThatOfTheCallback(t *testing.T) {
	for name, body := range map[string]string{"message": apitest.TextEvent, "voice turn": apitest.TurnEvent} {
		t.Run(name, func(t *testing.T) {
			called := false
			check := func(ctx context.Context) error {
				called = true
				assert.Equal(t, "delivery", ctx.Value(ctxKey("delivery")))
				assert.Equal(t, "request", ctx.Value(ctxKey("request")))
				return nil
			}
			h := newHandler(t, agentphone.WebhookHandlerConfig{
				Hooks: agentphone.Hooks{Delivery: func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
					return context.WithValue(ctx, ctxKey("delivery"), "delivery"), nil
				}},
				OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return check(ctx) },
				OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
					return check(ctx)
				},
			})
			r := apitest.SignedRequest(body, "whd_1")
			apitest.Serve(h, r.WithContext(context.WithValue(r.Context(), ctxKey("request"), "request")))
			assert.True(t, called)
		})
	}
}

// Otherwise a hook that limits its own time would limit that of the callback.
func TestWebhookHooks_EndOfTheirContextEndsNoDelivery(t *testing.T) {
	for name, derive := range map[string]func(context.Context) context.Context{
		"canceled": func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		},
		"with a short deadline": func(ctx context.Context) context.Context {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			context.AfterFunc(ctx, cancel)
			return ctx
		},
		"with a cause": func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(http.ErrServerClosed)
			return ctx
		},
	} {
		for kind, body := range map[string]string{"message": apitest.TextEvent, "voice turn": apitest.TurnEvent} {
			t.Run(name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					use := func(ctx context.Context) error {
						assert.Equal(t, "delivery", ctx.Value(ctxKey("delivery")))
						return wait(ctx, 10*time.Second)
					}
					config := onMessage(use)
					config.Store = newTestStore()
					config.OnVoiceTurn = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
						return errors.Join(use(ctx), v.Say("Hi."))
					}
					config.Hooks.Delivery = func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
						return derive(context.WithValue(ctx, ctxKey("delivery"), "delivery")), nil
					}
					h := newHandler(t, config)
					assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, "whd_1")).Code)
				})
			})
		}
	}
}

// The context of a voice turn still ends with its sender, whatever context the hook returned.
func TestWebhookHooks_ContextOfAVoiceTurnEndsWithTheSender(t *testing.T) {
	for name, derived := range map[string]func(context.Context) context.Context{
		"derived":     func(ctx context.Context) context.Context { return context.WithValue(ctx, ctxKey("x"), "x") },
		"not derived": func(context.Context) context.Context { return context.Background() },
		"none":        func(context.Context) context.Context { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, hangUp := context.WithCancel(t.Context())
				var ended error
				h := newHandler(t, agentphone.WebhookHandlerConfig{
					Hooks: agentphone.Hooks{Delivery: func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
						return derived(ctx), nil
					}},
					OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
						hangUp()
						ended = wait(ctx, 10*time.Second)
						return ended
					},
				})
				assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1").WithContext(ctx)).Code)
				assert.ErrorIs(t, ended, context.Canceled)
			})
		})
	}
}

// A hook may end its goroutine, which is that of the request, as testing.T.FailNow does: the response is lost, the delivery is not.
func TestWebhookHooks_GoexitKeepsNoClaim(t *testing.T) {
	for when, hook := range map[string]func(first bool) func(agentphone.DeliveryResult){
		"at the beginning": func(first bool) func(agentphone.DeliveryResult) {
			if first {
				runtime.Goexit()
			}
			return nil
		},
		"at the end": func(first bool) func(agentphone.DeliveryResult) {
			return func(agentphone.DeliveryResult) {
				if first {
					runtime.Goexit()
				}
			}
		},
	} {
		t.Run(when, func(t *testing.T) {
			observed, handled := 0, 0
			config := onMessage(func(context.Context) error { handled++; return nil })
			config.Hooks.Delivery = func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
				observed++
				return ctx, hook(observed == 1)
			}
			h := newHandler(t, config)
			var sender sync.WaitGroup
			sender.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")) })
			sender.Wait()
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
			assert.Equal(t, 1, handled)
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}

// An id is not signed: a hook gets of it one short line.
func TestWebhookHooks_InfoIsOneShortLine(t *testing.T) {
	o := &observer{}
	h := newHandler(t, agentphone.WebhookHandlerConfig{Hooks: o.hooks(t)})
	r := apitest.SignedRequest(`{"event":"a\nb","channel":"c\td","data":{}}`, strings.Repeat("x", 9000))
	apitest.Serve(h, r)
	require.Len(t, o.deliveries, 1)
	info := o.deliveries[0].Info
	assert.Equal(t, agentphone.EventType("a b"), info.Event)
	assert.Equal(t, agentphone.Channel("c d"), info.Channel)
	assert.LessOrEqual(t, len(info.DeliveryID), 500)
}

func TestWebhookHooks_NoneCostNothing(t *testing.T) {
	allocations := func(hooks agentphone.Hooks) int {
		h := newHandler(t, agentphone.WebhookHandlerConfig{Hooks: hooks})
		return apitest.FewestAllocs(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")) })
	}
	none := allocations(agentphone.Hooks{})
	assert.Equal(t, none, allocations(agentphone.Hooks{Operation: panickyHook[agentphone.OperationInfo, agentphone.OperationResult]("")}))
	assert.Greater(t, allocations(agentphone.Hooks{Delivery: func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
		return ctx, nil
	}}), none, "the measurement notices what a hook costs")
}
