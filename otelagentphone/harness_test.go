package otelagentphone_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/otelagentphone"
)

// telemetry is what hooks have exported, in memory.
type telemetry struct {
	t      *testing.T
	hooks  agentphone.Hooks
	tracer *sdktrace.TracerProvider
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
}

func newTelemetry(t *testing.T) *telemetry {
	x := &telemetry{t: t, spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	x.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(x.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(x.reader))
	x.hooks = otelagentphone.Hooks(otelagentphone.WithTracerProvider(x.tracer), otelagentphone.WithMeterProvider(meters))
	return x
}

// span returns the only span that has ended with a name and attributes.
func (x *telemetry) span(name string, having ...attribute.KeyValue) sdktrace.ReadOnlySpan {
	x.t.Helper()
	var found []sdktrace.ReadOnlySpan
	for _, s := range x.spans.Ended() {
		if s.Name() == name && !slices.ContainsFunc(having, func(kv attribute.KeyValue) bool { return !slices.Contains(s.Attributes(), kv) }) {
			found = append(found, s)
		}
	}
	require.Len(x.t, found, 1, "%s %v", name, having)
	return found[0]
}

// children returns the spans below a span, in the order in which they began.
func (x *telemetry) children(parent sdktrace.ReadOnlySpan) (children []sdktrace.ReadOnlySpan) {
	for _, s := range x.spans.Started() {
		if s.Parent().SpanID() == parent.SpanContext().SpanID() {
			children = append(children, s.(sdktrace.ReadOnlySpan))
		}
	}
	return children
}

// operation returns the only span of an operation, which has an outcome, and its attempts.
func (x *telemetry) operation(name string) (op sdktrace.ReadOnlySpan, attempts []sdktrace.ReadOnlySpan) {
	x.t.Helper()
	op = x.span(name, attribute.String("agentphone.operation", name))
	return op, x.children(op)
}

// attributes returns attributes as text, by name.
func attributes(list []attribute.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		out[string(kv.Key)] = kv.Value.String()
	}
	return out
}

// point is a time series: the labels as name=value in order, the number of values and their sum.
type point struct {
	labels string
	count  uint64
	sum    float64
}

// metrics returns the exported metrics by name.
func (x *telemetry) metrics() map[string][]point {
	x.t.Helper()
	out := map[string][]point{}
	for name, data := range x.metricData() {
		switch data := data.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				out[name] = append(out[name], point{labels(p.Attributes), p.Count, p.Sum})
			}
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				out[name] = append(out[name], point{labels(p.Attributes), uint64(p.Value), float64(p.Value)})
			}
		default:
			x.t.Fatalf("%s: %T", name, data)
		}
		slices.SortFunc(out[name], func(a, b point) int { return strings.Compare(a.labels, b.labels) })
	}
	return out
}

func (x *telemetry) metricData() map[string]metricdata.Metrics {
	var collected metricdata.ResourceMetrics
	require.NoError(x.t, x.reader.Collect(context.Background(), &collected))
	out := map[string]metricdata.Metrics{}
	for _, scope := range collected.ScopeMetrics {
		require.Equal(x.t, otelagentphone.ScopeName, scope.Scope.Name)
		for _, m := range scope.Metrics {
			out[m.Name] = m
		}
	}
	return out
}

func labels(set attribute.Set) string {
	var out []string
	for _, kv := range set.ToSlice() {
		out = append(out, string(kv.Key)+"="+kv.Value.String())
	}
	return strings.Join(out, " ")
}
