package otelagentphone

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentphone/agentphone-go"
)

// ScopeName is the name of the instrumentation scope of all spans and metrics.
const ScopeName = "github.com/agentphone/agentphone-go/otelagentphone"

// Option is an option of [Hooks].
type Option func(*config)

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// WithTracerProvider sets what the spans are made with. The default is [otel.GetTracerProvider].
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(c *config) { c.tracers = provider }
}

// WithMeterProvider sets what the metrics are made with. The default is [otel.GetMeterProvider].
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(c *config) { c.meters = provider }
}

// Hooks returns hooks for [agentphone.WithHooks] and for the Hooks of [agentphone.WebhookHandlerConfig]. The same may serve any
// number of clients and handlers. An instrument that cannot be made is reported to [otel.Handle] and does nothing.
func Hooks(opts ...Option) agentphone.Hooks {
	c := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider()}
	for _, opt := range opts {
		opt(&c)
	}
	o := newObserver(c)
	return agentphone.Hooks{Operation: o.operation, Attempt: o.attempt, Delivery: o.delivery}
}

// observer has the hooks as its methods.
type observer struct {
	tracer     trace.Tracer
	requests   httpconv.ClientRequestDuration
	operations metric.Float64Histogram
	retries    metric.Int64Counter
	deliveries metric.Float64Histogram
	firstWords metric.Float64Histogram
}

// Upper bounds of the buckets, in seconds. An operation with its retries takes up to minutes, as does a callback that asks a model;
// a caller on the phone notices tenths of a second.
var (
	durations = metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120)
	waits     = metric.WithExplicitBucketBoundaries(.05, .1, .25, .5, .75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 30)
)

func newObserver(c config) *observer {
	meter := c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(agentphone.Version), metric.WithSchemaURL(semconv.SchemaURL))
	o := &observer{
		tracer: c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(agentphone.Version), trace.WithSchemaURL(semconv.SchemaURL)),
	}
	var err error
	if o.requests, err = httpconv.NewClientRequestDuration(meter); err != nil {
		otel.Handle(err)
	}
	histogram := func(name, description string, boundaries metric.HistogramOption) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), boundaries)
		if err != nil {
			otel.Handle(err)
		}
		return h
	}
	o.operations = histogram("agentphone.operation.duration", "Duration of operations, with their retries.", durations)
	o.deliveries = histogram("agentphone.delivery.duration", "Duration of webhook requests.", durations)
	o.firstWords = histogram("agentphone.voice.first_words", "Time from a voice turn to the first words of its answer.", waits)
	o.retries, err = meter.Int64Counter("agentphone.retries", metric.WithUnit("{retry}"), metric.WithDescription("Attempts after the first."))
	if err != nil {
		otel.Handle(err)
	}
	return o
}
