package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"

	"github.com/agentphone/agentphone-go"
)

type bot struct {
	client *agentphone.Client
	model  string
	http   *http.Client
}

// newBot returns the handler of the bot's webhook. The model is called with a transport that traces: it is no phone company, so
// the ids of traces go to it.
func newBot(client *agentphone.Client, store agentphone.Store, model string, t *telemetry, secrets ...string) (*agentphone.WebhookHandler, error) {
	traced := otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(t.tracers), otelhttp.WithMeterProvider(t.meters),
		otelhttp.WithPropagators(propagation.TraceContext{}))
	b := bot{client, model, &http.Client{Transport: traced, Timeout: 30 * time.Second}}
	return agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{
		OnMessage: b.reply, OnVoiceTurn: b.answer, Store: store, Hooks: t.hooks,
	})
}

// reply replies to a text, and likes it. Its context has the span of the delivery, so all that it does is in one trace.
func (b bot) reply(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
	body, err := b.ask(ctx, message.Message) // a model that chooses other words each time needs them kept: see docs/webhooks.md
	if err != nil {
		return err
	}
	_, err = b.client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID: event.AgentID, NumberID: message.NumberID, ToNumber: message.From, Body: body,
	}, agentphone.WithIdempotencyKey(event.DeliveryID))
	if err != nil || event.Channel != agentphone.ChannelIMessage {
		return err
	}
	if _, err := b.client.Messages.React(ctx, message.MessageID, agentphone.ReactParams{Reaction: agentphone.ReactionLike}); err != nil {
		slog.WarnContext(ctx, "no reaction", "error", err) // the reply matters more
	}
	return nil
}

// answer answers a voice turn.
func (b bot) answer(ctx context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	words, err := b.ask(ctx, turn.Transcript)
	if err != nil {
		return err
	}
	return voice.Say(words)
}

// ask asks the model.
func (b bot) ask(ctx context.Context, text string) (reply string, err error) {
	question, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.model, bytes.NewReader(question))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := b.http.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the model responded with status %d", response.StatusCode)
	}
	var said struct{ Reply string }
	err = json.NewDecoder(response.Body).Decode(&said)
	return said.Reply, err
}
