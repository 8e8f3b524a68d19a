package otelagentphone_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func send(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
	_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550123", Body: "hello"}, opts...)
	return err
}

func TestOperation_IsASpanWithOneForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTelemetry(t)
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			switch n {
			case 1:
				time.Sleep(time.Second)
				return apitest.Response(503, ``, "Retry-After", "4"), nil
			case 2:
				return nil, errors.New("broken")
			}
			return apitest.Response(200, `{"id":"agt_1"}`), nil
		}, agentphone.WithHooks(x.hooks))
		began := time.Now()
		require.NoError(t, apitest.GetAgent(t.Context(), c))

		op, attempts := x.operation("GET /v1/agents/{agent_id}")
		assert.False(t, op.Parent().IsValid())
		assert.Equal(t, trace.SpanKindClient, op.SpanKind())
		assert.Equal(t, codes.Unset, op.Status().Code)
		assert.Equal(t, map[string]string{
			"agentphone.operation": "GET /v1/agents/{agent_id}", "agentphone.service": "Agents", "agentphone.method": "Get",
			"agentphone.idempotent": "true", "agentphone.keyed": "false", "server.address": "api.agentphone.to", "server.port": "443",
			"agentphone.outcome": "ok", "agentphone.attempts": "3", "http.response.status_code": "200",
		}, attributes(op.Attributes()))

		require.Len(t, attempts, 3)
		request := map[string]string{
			"http.request.method": "GET", "url.template": "/v1/agents/{agent_id}", "server.address": "api.agentphone.to", "server.port": "443",
		}
		with := func(more map[string]string) map[string]string {
			for name, value := range request {
				more[name] = value
			}
			return more
		}
		assert.Equal(t, with(map[string]string{
			"http.response.status_code": "503", "error.type": "503", "agentphone.retry.wait": attributes(attempts[0].Attributes())["agentphone.retry.wait"],
		}), attributes(attempts[0].Attributes()))
		assert.Equal(t, with(map[string]string{
			"http.request.resend_count": "1", "error.type": "connection", "agentphone.sent": "true",
			"agentphone.retry.wait": attributes(attempts[1].Attributes())["agentphone.retry.wait"],
		}), attributes(attempts[1].Attributes()))
		assert.Equal(t, with(map[string]string{"http.request.resend_count": "2", "http.response.status_code": "200"}), attributes(attempts[2].Attributes()))
		for i, attempt := range attempts {
			assert.Equal(t, "GET /v1/agents/{agent_id}", attempt.Name())
			assert.Equal(t, trace.SpanKindClient, attempt.SpanKind())
			assert.Equal(t, i < 2, attempt.Status().Code == codes.Error, "attempt %d", i)
			assert.Empty(t, attempt.Status().Description, "the conventions have none")
		}
		assert.Equal(t, time.Second, attempts[0].EndTime().Sub(attempts[0].StartTime()))
		wait := attempts[1].StartTime().Sub(attempts[0].EndTime()) // part of no attempt
		assert.GreaterOrEqual(t, wait, 4*time.Second)
		assert.Equal(t, attribute.Float64Value(wait.Seconds()).String(), attributes(attempts[0].Attributes())["agentphone.retry.wait"])

		metrics := x.metrics()
		assert.Equal(t, []point{{"agentphone.operation=GET /v1/agents/{agent_id} agentphone.outcome=ok", 1, time.Since(began).Seconds()}},
			metrics["agentphone.operation.duration"])
		assert.Equal(t, []point{{"agentphone.operation=GET /v1/agents/{agent_id}", 2, 2}}, metrics["agentphone.retries"])
		const where = " server.address=api.agentphone.to server.port=443 url.template=/v1/agents/{agent_id}"
		assert.Equal(t, []point{
			{"error.type=503 http.request.method=GET http.response.status_code=503" + where, 1, 1},
			{"error.type=connection http.request.method=GET" + where, 1, 0},
			{"http.request.method=GET http.response.status_code=200" + where, 1, 0},
		}, metrics["http.client.request.duration"])
	})
}

func TestOperation_OutcomesAreAttributesAndLabels(t *testing.T) {
	for _, tc := range []struct {
		outcome, errorType string
		respond            func() (*http.Response, error)
	}{
		{"ok", "", func() (*http.Response, error) { return apitest.Response(200, `{"id":"m"}`), nil }},
		{"unknown", "connection", func() (*http.Response, error) { return nil, errors.New("reset") }},
		{"unknown", "502", func() (*http.Response, error) { return apitest.Response(502, ``), nil }},
		{"temporary", "429", func() (*http.Response, error) { return apitest.Response(429, ``), nil }},
		{"refused", "422", func() (*http.Response, error) { return apitest.Response(422, `{}`), nil }},
	} {
		t.Run(tc.outcome+" "+tc.errorType, func(t *testing.T) {
			x := newTelemetry(t)
			c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return tc.respond() },
				agentphone.WithHooks(x.hooks), agentphone.WithMaxRetries(0))
			err := send(t.Context(), c)
			assert.Equal(t, tc.outcome == "ok", err == nil, "%v", err)

			op, attempts := x.operation("POST /v1/messages")
			assert.Len(t, attempts, 1)
			seen := attributes(op.Attributes())
			assert.Equal(t, tc.outcome, seen["agentphone.outcome"])
			assert.Equal(t, tc.errorType, seen["error.type"])
			label := "agentphone.operation=POST /v1/messages agentphone.outcome=" + tc.outcome
			if tc.errorType == "" {
				assert.Equal(t, codes.Unset, op.Status().Code)
			} else {
				assert.Equal(t, codes.Error, op.Status().Code)
				assert.Equal(t, tc.outcome, op.Status().Description)
				label += " error.type=" + tc.errorType
			}
			require.Len(t, x.metrics()["agentphone.operation.duration"], 1)
			assert.Equal(t, label, x.metrics()["agentphone.operation.duration"][0].labels)
			assert.NotContains(t, x.metrics(), "agentphone.retries")
		})
	}
}

func TestOperation_ThatWasCanceledSaysSo(t *testing.T) {
	x := newTelemetry(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
		cancel()
		return nil, ctx.Err()
	}, agentphone.WithHooks(x.hooks))
	require.ErrorIs(t, apitest.GetAgent(ctx, c), context.Canceled)
	op, attempts := x.operation("GET /v1/agents/{agent_id}")
	assert.Equal(t, "canceled", attributes(op.Attributes())["agentphone.outcome"])
	assert.Equal(t, "canceled", attributes(op.Attributes())["error.type"])
	require.Len(t, attempts, 1)
	assert.Equal(t, "canceled", attributes(attempts[0].Attributes())["error.type"])
}

func TestOperation_WithAKeyIsReplayedWithoutAnAttempt(t *testing.T) {
	x := newTelemetry(t)
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"msg_1","conversation_id":"conv_1"}`), agentphone.WithHooks(x.hooks))
	require.NoError(t, send(t.Context(), c, agentphone.WithIdempotencyKey("booking-7")))
	x.spans.Reset()
	require.NoError(t, send(t.Context(), c, agentphone.WithIdempotencyKey("booking-7")))
	op, attempts := x.operation("POST /v1/messages")
	assert.Empty(t, attempts)
	seen := attributes(op.Attributes())
	assert.Equal(t, "true", seen["agentphone.keyed"])
	assert.Equal(t, "true", seen["agentphone.replayed"])
	assert.Equal(t, "0", seen["agentphone.attempts"])
	assert.NotContains(t, seen, "agentphone.reconciled")
}

func TestOperation_NamesTheServer(t *testing.T) {
	for base, want := range map[string][2]string{
		"https://api.example.com":   {"api.example.com", "443"},
		"http://127.0.0.1:8080/api": {"127.0.0.1", "8080"},
		"http://[::1]:8080":         {"::1", "8080"},
		"https://[::1]":             {"::1", "443"},
	} {
		x := newTelemetry(t)
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1"}`), agentphone.WithHooks(x.hooks), agentphone.WithBaseURL(base))
		require.NoError(t, apitest.GetAgent(t.Context(), c))
		for _, s := range x.spans.Ended() {
			assert.Equal(t, want, [2]string{attributes(s.Attributes())["server.address"], attributes(s.Attributes())["server.port"]}, base)
		}
	}
}

func TestOperation_OfDoHasNoAddress(t *testing.T) {
	x := newTelemetry(t)
	c, _ := apitest.NewClient(t, apitest.Always(200, `{}`), agentphone.WithHooks(x.hooks))
	require.NoError(t, c.Do(t.Context(), http.MethodGet, "/v1/contacts/+14155550123", nil, nil))
	op, attempts := x.operation("GET {path}")
	assert.NotContains(t, attributes(op.Attributes()), "agentphone.service")
	require.Len(t, attempts, 1)
	assert.Equal(t, "{path}", attributes(attempts[0].Attributes())["url.template"])
}

// Instruments that nobody reads, and spans that are not sampled, are no obstacle.
func TestHooks_WorkWithoutAProvider(t *testing.T) {
	x := newTelemetry(t)
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1"}`), agentphone.WithHooks(unobserved()))
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	assert.Empty(t, x.spans.Started())
	assert.Equal(t, 200, deliver(t, unobserved(), apitest.TextEvent))
}
