package otelagentphone

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentphone/agentphone-go"
)

// The attributes that the semantic conventions do not have.
const (
	operationKey  = attribute.Key("agentphone.operation") // method and template, such as POST /v1/calls
	serviceKey    = attribute.Key("agentphone.service")
	methodKey     = attribute.Key("agentphone.method")
	idempotentKey = attribute.Key("agentphone.idempotent")
	keyedKey      = attribute.Key("agentphone.keyed")
	outcomeKey    = attribute.Key("agentphone.outcome")
	attemptsKey   = attribute.Key("agentphone.attempts")
	replayedKey   = attribute.Key("agentphone.replayed")
	reconciledKey = attribute.Key("agentphone.reconciled")
	sentKey       = attribute.Key("agentphone.sent")
	waitKey       = attribute.Key("agentphone.retry.wait") // seconds
	eventKey      = attribute.Key("agentphone.event")
	channelKey    = attribute.Key("agentphone.channel")
	deliveryIDKey = attribute.Key("agentphone.delivery_id")
	firstWordsKey = attribute.Key("agentphone.voice.first_words") // seconds
)

func (o *observer) operation(ctx context.Context, info agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
	name := info.String()
	address, port := split(info.Server)
	attributes := []attribute.KeyValue{
		operationKey.String(name), methodKey.String(info.Method), idempotentKey.Bool(info.Idempotent), keyedKey.Bool(info.Keyed),
		semconv.ServerAddress(address), semconv.ServerPort(port),
	}
	if info.Service != "" {
		attributes = append(attributes, serviceKey.String(info.Service))
	}
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	return ctx, func(r agentphone.OperationResult) {
		defer span.End()
		outcome := outcomeKey.String(string(r.Outcome))
		failure := errorType(r.Failure, r.Status)
		if span.IsRecording() {
			span.SetAttributes(outcome, attemptsKey.Int(r.Attempts))
			setStatusCode(span, r.Status)
			if r.Replayed {
				span.SetAttributes(replayedKey.Bool(true))
			}
			if r.Reconciled {
				span.SetAttributes(reconciledKey.Bool(true))
			}
			if r.Outcome != agentphone.OutcomeOK {
				setError(span, failure, string(r.Outcome))
			}
		}
		if o.operations.Enabled(ctx) {
			labels := []attribute.KeyValue{operationKey.String(name), outcome}
			if failure != "" {
				labels = append(labels, semconv.ErrorTypeKey.String(failure))
			}
			o.operations.Record(ctx, r.Duration.Seconds(), metric.WithAttributeSet(attribute.NewSet(labels...)))
		}
	}
}

func (o *observer) attempt(ctx context.Context, info agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
	op := info.Operation
	address, port := split(op.Server)
	attributes := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(op.HTTPMethod), semconv.URLTemplate(op.Template),
		semconv.ServerAddress(address), semconv.ServerPort(port),
	}
	traced := attributes
	if info.Number > 1 {
		traced = append(traced, semconv.HTTPRequestResendCount(info.Number-1))
		if o.retries.Enabled(ctx) {
			o.retries.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(operationKey.String(op.String()))))
		}
	}
	ctx, span := o.tracer.Start(ctx, op.String(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(traced...))
	return ctx, func(r agentphone.AttemptResult) {
		defer span.End()
		failure := errorType(r.Failure, r.Status)
		if failure == "" && r.Status >= http.StatusBadRequest {
			failure = strconv.Itoa(r.Status)
		}
		if span.IsRecording() {
			setStatusCode(span, r.Status)
			if r.Failure != "" {
				span.SetAttributes(sentKey.Bool(r.Sent))
			}
			if r.Retry {
				span.SetAttributes(waitKey.Float64(r.Wait.Seconds()))
			}
			if failure != "" {
				setError(span, failure, "")
			}
		}
		if o.requests.Enabled(ctx) {
			labels := attributes[:len(attributes):len(attributes)]
			if r.Status != 0 {
				labels = append(labels, semconv.HTTPResponseStatusCode(r.Status))
			}
			if failure != "" {
				labels = append(labels, semconv.ErrorTypeKey.String(failure))
			}
			o.requests.RecordSet(ctx, r.Duration.Seconds(), attribute.NewSet(labels...))
		}
	}
}

func (o *observer) delivery(ctx context.Context, info agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
	name := "webhook"
	var attributes []attribute.KeyValue
	if info.Event != "" {
		name += " " + string(info.Event)
		attributes = append(attributes, eventKey.String(string(info.Event)))
	}
	if info.Channel != "" {
		attributes = append(attributes, channelKey.String(string(info.Channel)))
	}
	traced := attributes
	if info.DeliveryID != "" {
		traced = append(traced, deliveryIDKey.String(info.DeliveryID))
	}
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(traced...))
	return ctx, func(r agentphone.DeliveryResult) {
		defer span.End()
		outcome := outcomeKey.String(string(r.Outcome))
		if span.IsRecording() {
			span.SetAttributes(outcome)
			setStatusCode(span, r.Status)
			if r.FirstWords > 0 {
				span.SetAttributes(firstWordsKey.Float64(r.FirstWords.Seconds()))
			}
			if isError(r) {
				setError(span, string(r.Outcome), "")
			}
		}
		if o.deliveries.Enabled(ctx) {
			labels := append(attributes[:len(attributes):len(attributes)], outcome)
			if r.Status != 0 {
				labels = append(labels, semconv.HTTPResponseStatusCode(r.Status))
			}
			o.deliveries.Record(ctx, r.Duration.Seconds(), metric.WithAttributeSet(attribute.NewSet(labels...)))
		}
		if r.FirstWords > 0 {
			o.firstWords.Record(ctx, r.FirstWords.Seconds())
		}
	}
}

// isError reports whether a delivery is the receiver's failure. A forged request is not, and one that is held goes on elsewhere.
func isError(r agentphone.DeliveryResult) bool {
	switch r.Outcome {
	case agentphone.DeliveryFailed, agentphone.DeliveryPanicked:
		return true
	case agentphone.DeliveryRefused:
		return r.Status >= http.StatusInternalServerError
	}
	return false
}

func setStatusCode(span trace.Span, status int) {
	if status != 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
}

func setError(span trace.Span, errorType, description string) {
	span.SetAttributes(semconv.ErrorTypeKey.String(errorType))
	span.SetStatus(codes.Error, description)
}

// errorType returns the error.type of a failure: the status if that is why, as the conventions have it; "" if there was none.
func errorType(failure agentphone.Failure, status int) string {
	if failure == agentphone.FailureStatus && status != 0 {
		return strconv.Itoa(status)
	}
	return string(failure)
}

// split returns the host and the port of a server. Without a port it is https: plain http is for loopback addresses.
func split(server string) (host string, port int) {
	host, text, err := net.SplitHostPort(server)
	if err != nil {
		return strings.Trim(server, "[]"), 443
	}
	port, _ = strconv.Atoi(text)
	return host, port
}
