package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

func TestWebhookHandler_CallsTheCallbackForTheEvent(t *testing.T) {
	var got []string
	note := func(e *agentphone.Event, what string) error {
		got = append(got, what+" "+e.DeliveryID)
		return nil
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		OnMessage: func(_ context.Context, e *agentphone.Event, d *agentphone.MessageData) error {
			return note(e, d.Message)
		},
		OnVoiceTurn: func(_ context.Context, e *agentphone.Event, d *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			return note(e, d.Transcript)
		},
		OnCallEnded: func(_ context.Context, e *agentphone.Event, d *agentphone.CallEndedData) error {
			return note(e, d.CallID)
		},
		OnReaction: func(_ context.Context, e *agentphone.Event, d *agentphone.ReactionData) error {
			return note(e, d.MessageID)
		},
		OnUnknown: func(_ context.Context, e *agentphone.Event, d *agentphone.UnknownData) error {
			return note(e, string(d.Raw))
		},
	})
	silent := newHandler(t, agentphone.WebhookHandlerConfig{})
	for i, body := range []string{
		apitest.TextEvent, apitest.TurnEvent, `{"event":"agent.call_ended","data":{"callId":"c2"}}`, `{"event":"agent.reaction","data":{"messageId":"m2"}}`, `{"event":"x","data":[1]}`,
		`{"event":"agent.contact_shared","channel":"imessage","data":{"n":1}}`, `{"event":"agent.message","channel":"whatsapp","data":{"message":"ola"}}`,
	} {
		id := fmt.Sprint("whd_", i)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, id)).Code)
		assert.Equal(t, 200, apitest.Serve(silent, apitest.SignedRequest(body, id)).Code, "an event without a callback is ignored")
	}
	assert.Equal(t, []string{"hi whd_0", "hello whd_1", "c2 whd_2", "m2 whd_3", "[1] whd_4", `{"n":1} whd_5`, "ola whd_6"}, got)
}

func TestWebhookHandler_HandlesAFailedDeliveryAgain(t *testing.T) {
	var logs bytes.Buffer
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger: slog.New(slog.NewTextHandler(&logs, nil)),
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			switch calls++; calls {
			case 1:
				return errors.New("database is down")
			case 2:
				panic("at the disco")
			}
			return nil
		},
	})
	event := strings.Replace(apitest.TextEvent, "hi", "marzipan", 1)
	for _, want := range []int{500, 500, 200, 200, 200} {
		assert.Equal(t, want, apitest.Serve(h, apitest.SignedRequest(event, "whd_1")).Code)
	}
	assert.Equal(t, 3, calls)
	assert.Contains(t, logs.String(), "database is down")
	assert.Contains(t, logs.String(), "at the disco")
	assert.Contains(t, logs.String(), "webhookserve_test.go", "the panic is logged with its stack")
	assert.NotContains(t, logs.String(), "marzipan")

	// A delivery without an id is identified by its body.
	for range 2 {
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":{"message":"no id"}}`, "")).Code)
	}
	assert.Equal(t, 4, calls)
}

func TestWebhookHandler_GoexitReleasesTheDelivery(t *testing.T) {
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		if calls++; calls == 1 {
			runtime.Goexit() // as t.FailNow does
		}
		return nil
	}})
	var wg sync.WaitGroup
	wg.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")) })
	wg.Wait()
	assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
}

// A goroutine that the callback left behind must not speak: the response is not the handler's any more.
func TestWebhookHandler_GoexitClosesTheVoiceResponse(t *testing.T) {
	var kept *agentphone.VoiceResponse
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		kept = v
		runtime.Goexit()
		return nil
	})
	w := httptest.NewRecorder()
	var wg sync.WaitGroup
	wg.Go(func() { h.ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "whd_1")) })
	wg.Wait()
	for name, err := range map[string]error{
		"Interim": kept.Interim("x"), "Say": kept.Say("x"), "Stream": kept.Stream(tokens("x")), "Hangup": kept.Hangup(), "Transfer": kept.Transfer(),
	} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered, name)
	}
	assert.Empty(t, w.Body.String())
}

func TestWebhookHandler_LimitsTheTimeOfACallback(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want time.Duration
	}{
		"voice turn": {apitest.TurnEvent, 7 * time.Second},
		"message":    {apitest.TextEvent, 10 * time.Minute},
		"call ended": {`{"event":"agent.call_ended","channel":"voice","data":{}}`, 10 * time.Minute},
		"reaction":   {`{"event":"agent.reaction","data":{}}`, 10 * time.Minute},
		"unknown":    {`{"event":"agent.dreamt","channel":"voice","data":{}}`, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left time.Duration
				note := func(ctx context.Context) error {
					end, ok := ctx.Deadline()
					require.True(t, ok)
					left = time.Until(end)
					return nil
				}
				h := newHandler(t, agentphone.WebhookHandlerConfig{
					TurnTimeout: 7 * time.Second,
					OnMessage:   func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return note(ctx) },
					OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
						return note(ctx)
					},
					OnCallEnded: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.CallEndedData) error { return note(ctx) },
					OnReaction:  func(ctx context.Context, _ *agentphone.Event, _ *agentphone.ReactionData) error { return note(ctx) },
					OnUnknown:   func(ctx context.Context, _ *agentphone.Event, _ *agentphone.UnknownData) error { return note(ctx) },
				})
				require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(tc.body, "")).Code)
				assert.Equal(t, tc.want, left)
			})
		})
	}
}

func TestWebhookHandler_RedeliveredTurnGetsAnEmptyAnswer(t *testing.T) {
	calls := 0
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		calls++
		return errors.Join(v.Interim("One moment."), v.Say("Done."))
	})
	first := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Contains(t, first.Body.String(), "Done.")
	again := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Equal(t, 200, again.Code)
	assert.Equal(t, "application/json", again.Header().Get("Content-Type"))
	assert.Equal(t, "{}\n", again.Body.String(), "an empty body is not a valid answer")
	assert.Equal(t, 1, calls)

	text := newHandler(t, agentphone.WebhookHandlerConfig{})
	for range 2 {
		assert.Empty(t, apitest.Serve(text, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Body.String())
	}
}
