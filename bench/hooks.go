package main

import (
	"context"
	"net/http"

	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/otelagentphone"
)

// The columns of the hooks. The first is what the others are measured against.
const (
	noHooks    = "no hooks"
	idleHooks  = "no-op hooks"
	otelNoop   = "OpenTelemetry, no-op"
	otelSDK    = "OpenTelemetry SDK"
	otelUnseen = "SDK, 1 % sampled"
)

var hookColumns = []string{noHooks, idleHooks, otelNoop, otelSDK, otelUnseen}

// hooksOf returns the hooks of each column. What the SDK is given is recorded and dropped: an exporter costs what it costs.
func hooksOf(column string) agentphone.Hooks {
	sdk := func(sampler sdktrace.Sampler) agentphone.Hooks {
		return otelagentphone.Hooks(
			otelagentphone.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithBatcher(dropped{}), sdktrace.WithSampler(sampler))),
			otelagentphone.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))))
	}
	switch column {
	case idleHooks:
		return agentphone.Hooks{
			Operation: func(ctx context.Context, _ agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
				return ctx, func(agentphone.OperationResult) {}
			},
			Attempt: func(ctx context.Context, _ agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
				return ctx, func(agentphone.AttemptResult) {}
			},
			Delivery: func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
				return ctx, func(agentphone.DeliveryResult) {}
			},
		}
	case otelNoop:
		return otelagentphone.Hooks(
			otelagentphone.WithTracerProvider(nooptrace.NewTracerProvider()), otelagentphone.WithMeterProvider(noopmetric.NewMeterProvider()))
	case otelSDK:
		return sdk(sdktrace.AlwaysSample())
	case otelUnseen:
		return sdk(sdktrace.TraceIDRatioBased(0.01))
	}
	return agentphone.Hooks{}
}

// dropped is an exporter to nowhere.
type dropped struct{}

func (dropped) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropped) Shutdown(context.Context) error                             { return nil }

// hookContenders returns a function for each column that makes a request, and one that handles a delivery.
func hookContenders() (requests, deliveries []contender) {
	for _, column := range hookColumns {
		hooks := hooksOf(column)
		c := newSDK(inMemoryURL, &http.Client{Transport: &api{}}, agentphone.WithHooks(hooks))
		requests = append(requests, contender{column, func(ctx context.Context) error {
			_, err := c.Numbers.Get(ctx, numberID)
			return err
		}})
		h := newWebhookHandler(func(v *agentphone.VoiceResponse) error { return v.Say(firstWords) }, hooks)
		deliveries = append(deliveries, contender{column, delivering(h, messageEvent)})
	}
	return requests, deliveries
}

// hooks measures what hooks add to a request and to a delivery, in memory.
func hooks(ctx context.Context, p plan) ([]row, error) {
	requests, deliveries := hookContenders()
	var rows []row
	for _, what := range []struct {
		name       string
		contenders []contender
	}{{"request in memory, small GET", requests}, {"webhook handler in memory, message", deliveries}} {
		samples, err := compare(ctx, p.shorter(4), 1, what.contenders)
		if err != nil {
			return nil, err
		}
		rows = append(rows, rowsOf(what.name+", with hooks", samples, nil, nanoseconds, bytesAllocated, allocations)...)
	}
	for i := range rows {
		rows[i].Columns = hookColumns
	}
	return rows, nil
}
