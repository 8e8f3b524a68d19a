package otelagentphone_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/otelagentphone"
)

func unobserved() agentphone.Hooks {
	return otelagentphone.Hooks(
		otelagentphone.WithTracerProvider(nooptrace.NewTracerProvider()), otelagentphone.WithMeterProvider(noopmetric.NewMeterProvider()))
}

func newHandler(t *testing.T, config agentphone.WebhookHandlerConfig) *agentphone.WebhookHandler {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret}, config)
	require.NoError(t, err)
	return h
}

// deliver delivers an event to a handler whose callbacks succeed, and returns the status.
func deliver(t *testing.T, hooks agentphone.Hooks, event string) int {
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Hooks:     hooks,
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return nil },
	})
	return apitest.Serve(h, apitest.SignedRequest(event, "whd_1")).Code
}

func TestDelivery_IsASpan(t *testing.T) {
	x := newTelemetry(t)
	require.Equal(t, 200, deliver(t, x.hooks, apitest.TextEvent))
	s := x.span("webhook agent.message")
	assert.Equal(t, trace.SpanKindConsumer, s.SpanKind())
	assert.Equal(t, codes.Unset, s.Status().Code)
	assert.Equal(t, map[string]string{
		"agentphone.event": "agent.message", "agentphone.channel": "sms", "agentphone.delivery_id": "whd_1",
		"agentphone.outcome": "handled", "http.response.status_code": "200",
	}, attributes(s.Attributes()))
}

// The requests of a callback belong to the trace of its delivery, and that to the trace of the request that brought it.
func TestDelivery_IsOneTraceWithTheRequestsOfItsCallback(t *testing.T) {
	x := newTelemetry(t)
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"msg_1"}`), agentphone.WithHooks(x.hooks))
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Hooks: x.hooks,
		OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
			ctx, span := x.tracer.Tracer("bot").Start(ctx, "chat gpt")
			span.End()
			return send(ctx, c)
		},
	})
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as otelhttp.NewHandler does
		h.ServeHTTP(w, r.WithContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))))
	})
	r := apitest.SignedRequest(apitest.TextEvent, "whd_1")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	require.Equal(t, 200, apitest.Serve(outer, r).Code)

	delivery := x.span("webhook agent.message")
	assert.Equal(t, "00f067aa0ba902b7", delivery.Parent().SpanID().String())
	chat := x.span("chat gpt")
	assert.Equal(t, delivery.SpanContext().SpanID(), chat.Parent().SpanID())
	op, attempts := x.operation("POST /v1/messages")
	assert.Equal(t, chat.SpanContext().SpanID(), op.Parent().SpanID())
	assert.Len(t, attempts, 1)
	for _, s := range x.spans.Ended() {
		assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", s.SpanContext().TraceID().String(), s.Name())
	}
}

// The API is somebody else's: it does not learn the ids of traces.
func TestOperation_SendsNoTraceHeader(t *testing.T) {
	x := newTelemetry(t)
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"msg_1"}`), agentphone.WithHooks(x.hooks))
	require.NoError(t, send(t.Context(), c))
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
		assert.Empty(t, s.Requests()[0].Header.Values(name))
	}
}

func TestDelivery_OutcomesAreAttributesAndLabels(t *testing.T) {
	const known = "agentphone.channel=sms agentphone.event=agent.message "
	down := errors.New("down")
	for _, tc := range []struct {
		outcome, errorType, label string
		serve                     func(*testing.T, agentphone.WebhookHandlerConfig)
	}{
		{"handled", "", known + "agentphone.outcome=handled http.response.status_code=200", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			serveText(t, c, nil)
		}},
		{"failed", "failed", known + "agentphone.outcome=failed http.response.status_code=500", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			serveText(t, c, func() error { return down })
		}},
		{"panicked", "panicked", known + "agentphone.outcome=panicked http.response.status_code=500", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			serveText(t, c, func() error { panic("mine") })
		}},
		{"failed", "failed", known + "agentphone.outcome=failed", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				serveText(t, c, func() error { runtime.Goexit(); return nil })
			}()
			<-done
		}},
		{"refused", "", "agentphone.outcome=refused http.response.status_code=401", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			r := apitest.SignedRequest(apitest.TextEvent, "whd_1")
			r.Header.Set(agentphone.WebhookSignatureHeader, "sha256=00")
			apitest.Serve(newHandler(t, c), r)
		}},
		{"refused", "refused", known + "agentphone.outcome=refused http.response.status_code=503", func(t *testing.T, c agentphone.WebhookHandlerConfig) {
			c.Store = failingStore{agentphone.NewMemoryStore()}
			serveText(t, c, nil)
		}},
	} {
		t.Run(tc.label, func(t *testing.T) {
			x := newTelemetry(t)
			tc.serve(t, agentphone.WebhookHandlerConfig{Hooks: x.hooks})
			name := "webhook agent.message"
			if tc.errorType == "" && tc.outcome == "refused" {
				name = "webhook"
			}
			s := x.span(name, attribute.String("agentphone.outcome", tc.outcome))
			assert.Equal(t, tc.errorType, attributes(s.Attributes())["error.type"])
			assert.Equal(t, tc.errorType != "", s.Status().Code == codes.Error)
			require.Len(t, x.metrics()["agentphone.delivery.duration"], 1)
			assert.Equal(t, tc.label, x.metrics()["agentphone.delivery.duration"][0].labels)
		})
	}
}

// failingStore cannot claim anything.
type failingStore struct{ agentphone.Store }

func (failingStore) Claim(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
	return nil, errors.New("down")
}

func serveText(t *testing.T, c agentphone.WebhookHandlerConfig, does func() error) {
	c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		if does == nil {
			return nil
		}
		return does()
	}
	apitest.Serve(newHandler(t, c), apitest.SignedRequest(apitest.TextEvent, "whd_1"))
}

func TestDelivery_OfTheSameTextIsADuplicateOrHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTelemetry(t)
		h := newHandler(t, agentphone.WebhookHandlerConfig{
			Hooks: x.hooks,
			OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
				time.Sleep(3 * time.Second)
				return nil
			},
		})
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
		time.Sleep(time.Second)
		assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		time.Sleep(3 * time.Second)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		synctest.Wait()
		const known = "agentphone.channel=sms agentphone.event=agent.message agentphone.outcome="
		assert.Equal(t, []point{
			{known + "duplicate http.response.status_code=200", 1, 0},
			{known + "handled http.response.status_code=200", 1, 3},
			{known + "held http.response.status_code=503", 1, 0},
		}, x.metrics()["agentphone.delivery.duration"])
		for _, s := range x.spans.Ended() {
			assert.Equal(t, codes.Unset, s.Status().Code, "%v", attributes(s.Attributes()))
		}
	})
}

func TestDelivery_OfAVoiceTurnMeasuresTheFirstWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTelemetry(t)
		h := newHandler(t, agentphone.WebhookHandlerConfig{
			Hooks: x.hooks,
			OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
				time.Sleep(700 * time.Millisecond)
				if err := v.Interim("One moment."); err != nil {
					return err
				}
				time.Sleep(2 * time.Second)
				return v.Say("We are open.")
			},
		})
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1")).Code)
		assert.Equal(t, "0.7", attributes(x.span("webhook agent.message").Attributes())["agentphone.voice.first_words"])
		assert.Equal(t, []point{{"", 1, 0.7}}, x.metrics()["agentphone.voice.first_words"])
		assert.InDelta(t, 2.7, x.metrics()["agentphone.delivery.duration"][0].sum, 1e-9)

		require.Equal(t, 200, deliver(t, x.hooks, apitest.TextEvent))
		assert.EqualValues(t, 1, x.metrics()["agentphone.voice.first_words"][0].count, "a text has no first words")
	})
}
