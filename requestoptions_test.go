package agentphone_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestRequestOptions_ChangeTheRequest(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1"}`, "X-Request-Id", "req_1"))
	var meta agentphone.Response
	_, err := c.Calls.Get(t.Context(), "call_1", agentphone.WithResponse(&meta),
		agentphone.WithRequestHeader("x-trace", "t1"), agentphone.WithRequestQuery("a", "1"), agentphone.WithRequestQuery("a", "2"),
		agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 30})
	require.NoError(t, err)
	r := s.Requests()[0]
	assert.Equal(t, "t1", r.Header.Get("X-Trace"))
	assert.Equal(t, "a=1&a=2&timeout=30&wait=true", r.Query.Encode())
	assert.Contains(t, r.Header.Get("User-Agent"), "agentphone-go/"+agentphone.Version)
	assert.Equal(t, 200, meta.Status)
	assert.Equal(t, "req_1", meta.RequestID)
	assert.Equal(t, 1, meta.Attempts)
	assert.Equal(t, `{"id":"call_1"}`, string(meta.Body))

	c, _ = apitest.NewClient(t, apitest.Always(404, `{"detail":"gone"}`, "X-Request-Id", "req_2"))
	_, err = c.Calls.Get(t.Context(), "call_1", agentphone.WithResponse(&meta))
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Equal(t, 404, meta.Status)
	assert.Equal(t, "req_2", meta.RequestID)
}

func TestRequestOptions_HarmfulOnesAreRefused(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	for _, opt := range []agentphone.RequestOption{
		agentphone.WithRequestHeader("Idempotency-Key", "1"), agentphone.WithRequestHeader("x-idempotency-key", "1"),
		agentphone.WithRequestHeader("authorization", "Bearer x"), agentphone.WithRequestHeader("Host", "x"),
		agentphone.WithRequestHeader("Content-Length", "1"), agentphone.WithRequestHeader("transfer-encoding", "chunked"),
		agentphone.WithRequestHeader("Accept-Encoding", "gzip"),
		agentphone.WithRequestHeader("", "x"), agentphone.WithRequestHeader("a b", "x"), agentphone.WithRequestHeader("a\r\nb", "x"), agentphone.WithRequestHeader("é", "x"),
		agentphone.WithRequestHeader("X-A", "1\r\nX-Evil: 1"), agentphone.WithRequestHeader("X-A", "\x00"),
		agentphone.WithRequestTimeout(-1), agentphone.WithRequestMaxRetries(-1),
		agentphone.GetCallOptions{TimeoutSeconds: 30}, agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 9},
		agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 301}, agentphone.GetConversationOptions{MessageLimit: -1},
	} {
		_, err := c.Calls.Get(t.Context(), "call_1", opt)
		require.ErrorIs(t, err, agentphone.ErrValidation)
		assert.NotContains(t, err.Error(), "Evil")
	}
	assert.Empty(t, s.Requests())
}

func TestRequestOptions_OfOneMethodAreRefusedByOthers(t *testing.T) {
	options := map[string]agentphone.RequestOption{
		"GetCallOptions":         agentphone.GetCallOptions{Wait: true},
		"GetConversationOptions": agentphone.GetConversationOptions{MessageLimit: 5},
		"TestWebhookOptions":     agentphone.TestWebhookOptions{AgentID: "agt_1"},
	}
	for name, option := range options {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
			for operation, err := range map[string]error{
				"GET /v1/agents/{agent_id}": apitest.Err(c.Agents.Get(t.Context(), "agt_1", option)),
				"GET {path}":                c.Do(t.Context(), "GET", "/v1/calls/call_1", nil, nil, option),
			} {
				var invalid *agentphone.ValidationError
				require.ErrorAs(t, err, &invalid)
				assert.Equal(t, &agentphone.ValidationError{Field: name, Reason: "is not an option of " + operation}, invalid)
			}
			assert.Empty(t, s.Requests())
		})
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	_, err := c.Calls.Get(t.Context(), "call_1", options["GetCallOptions"])
	require.NoError(t, err)
	_, err = c.Conversations.Get(t.Context(), "conv_1", options["GetConversationOptions"])
	require.NoError(t, err)
	_, err = c.Webhooks.Test(t.Context(), options["TestWebhookOptions"])
	require.NoError(t, err)
}

func TestWithResponse_HoldsNothingOfAnEarlierCall(t *testing.T) {
	c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return apitest.Response(200, `{"id":"x"}`), nil
		}
		return nil, errors.New("reset")
	}, agentphone.WithMaxRetries(0))
	var response agentphone.Response
	_, err := c.Agents.Get(t.Context(), "a", agentphone.WithResponse(&response))
	require.NoError(t, err)
	_, err = c.Agents.Get(t.Context(), "a", agentphone.WithResponse(&response))
	require.Error(t, err)
	assert.Zero(t, response.Status)
}

func TestWithResponse_HeaderIsACopy(t *testing.T) {
	shared := http.Header{"Content-Type": {"application/json"}, "X-Mine": {"1"}}
	client, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{
		Transport: apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
			resp := apitest.Response(200, `{"id":"num_1"}`)
			resp.Header = shared
			return resp, nil
		}),
	}))
	require.NoError(t, err)
	var response agentphone.Response
	_, err = client.Numbers.Get(t.Context(), "num_1", agentphone.WithResponse(&response))
	require.NoError(t, err)
	response.Header.Set("X-Mine", "2")
	require.Equal(t, "1", shared.Get("X-Mine"))
}

// An attempt that got no response does not hide the response of the attempt before it.
func TestWithResponse_HoldsTheLastResponseThatCame(t *testing.T) {
	c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return apitest.Response(429, `{"detail":"slow down"}`, "X-Request-Id", "req_1", "Retry-After", "0"), nil
		}
		return nil, errors.New("reset")
	}, apitest.NoWait)
	var response agentphone.Response
	_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, agentphone.WithResponse(&response))
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	require.Equal(t, 429, response.Status)
	require.Equal(t, "req_1", response.RequestID)
	require.Equal(t, `{"detail":"slow down"}`, string(response.Body))
	require.Equal(t, 2, response.Attempts)

	c, _ = apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return nil, errors.New("reset") }, apitest.NoWait)
	_, err = c.Agents.Get(t.Context(), "a", agentphone.WithResponse(&response))
	require.Error(t, err)
	require.Equal(t, agentphone.Response{Attempts: 4}, response)
}
