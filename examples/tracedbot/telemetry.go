package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/otelagentphone"
)

// telemetry is what a replica shows of itself.
type telemetry struct {
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
	metrics http.Handler // for Prometheus
	hooks   agentphone.Hooks
}

// newTelemetry exports to Prometheus, and over OTLP if OTEL_EXPORTER_OTLP_ENDPOINT is set; other variables such as
// OTEL_SERVICE_NAME work too. more are further places for the spans.
func newTelemetry(ctx context.Context, more ...sdktrace.TracerProviderOption) (*telemetry, error) {
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithService(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	scraped, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	traces := append(more, sdktrace.WithResource(about))
	metrics := []sdkmetric.Option{sdkmetric.WithResource(about), sdkmetric.WithReader(scraped)}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		spans, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		pushed, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithBatcher(spans))
		metrics = append(metrics, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(pushed)))
	}
	t := &telemetry{
		tracers: sdktrace.NewTracerProvider(traces...),
		meters:  sdkmetric.NewMeterProvider(metrics...),
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	t.hooks = otelagentphone.Hooks(otelagentphone.WithTracerProvider(t.tracers), otelagentphone.WithMeterProvider(t.meters))
	return t, nil
}

// shutdown exports what has not been exported yet, although ctx has ended.
func (t *telemetry) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx))
}
