package otelagentphone_test

import (
	"context"
	"fmt"
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/otelagentphone"
)

// A text that comes in and the reply to it are one trace.
func ExampleHooks() {
	spans := tracetest.NewInMemoryExporter() // your exporter, such as that of otlptracehttp
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	hooks := otelagentphone.Hooks(otelagentphone.WithTracerProvider(tracers))

	srv := agentphonetest.NewServer() // in memory; else agentphone.NewClientFromEnv(agentphone.WithHooks(hooks))
	defer srv.Close()
	ctx := context.Background()
	client := srv.Client(agentphone.WithHooks(hooks))
	webhook, err := srv.Client().Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/webhook"})
	if err != nil {
		fmt.Println(err)
		return
	}
	reply := func(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
		_, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: event.AgentID, ToNumber: message.From, Body: "Hello!"})
		return err
	}
	handler, err := agentphone.NewWebhookHandler([]string{webhook.Secret}, agentphone.WebhookHandlerConfig{Hooks: hooks, OnMessage: reply})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.SetReceiver(handler)
	srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), "Hi")
	srv.WaitDeliveries()

	for _, span := range slices.Backward(spans.GetSpans()) { // a span is exported when it ends
		fmt.Println(span.SpanKind, span.Name, span.SpanContext.TraceID() == spans.GetSpans()[0].SpanContext.TraceID())
	}
	// Output:
	// consumer webhook agent.message true
	// client POST /v1/messages true
	// client POST /v1/messages true
}
