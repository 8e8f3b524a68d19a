package agentphonetest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestWebhooks_SetAgainMakesANewSecret(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	none, err := client.Webhooks.Get(ctx)
	require.NoError(t, err)
	assert.Empty(t, none.ID)
	first, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/a"})
	require.NoError(t, err)
	assert.Regexp(t, "^whsec_", first.Secret)
	assert.Equal(t, 30, first.TimeoutSeconds)
	second, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/b", ContextLimit: agentphone.Ptr(0), TimeoutSeconds: 60})
	require.NoError(t, err)
	assert.Equal(t, first.ID, second.ID)
	assert.NotEqual(t, first.Secret, second.Secret)
	assert.Zero(t, second.ContextLimit)
	now, err := client.Webhooks.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, second, now)
}

func TestWebhooks_AgentHasItsOwn(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	set, err := client.Webhooks.SetForAgent(ctx, srv.AgentID(), agentphone.SetWebhookParams{URL: "https://example.com/agent"})
	require.NoError(t, err)
	got, err := client.Webhooks.GetForAgent(ctx, srv.AgentID())
	require.NoError(t, err)
	assert.Equal(t, set, got)
	none, err := client.Webhooks.Get(ctx)
	require.NoError(t, err)
	assert.Empty(t, none.ID)
	_, err = client.Webhooks.GetForAgent(ctx, "agt_none")
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestWebhooks_TestIsSignedAndReportsTheResponse(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	_, err := client.Webhooks.Test(ctx)
	require.ErrorIs(t, err, agentphone.ErrNotFound, "there is no webhook")

	status := http.StatusOK
	var secret string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NoError(t, agentphone.VerifyWebhook(body, r.Header, secret))
		assert.Equal(t, "agent.message", r.Header.Get(agentphone.WebhookEventHeader))
		assert.NotEmpty(t, r.Header.Get(agentphone.WebhookIDHeader))
		assert.Contains(t, string(body), srv.AgentID())
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	set, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: receiver.URL})
	require.NoError(t, err)
	secret = set.Secret

	result, err := client.Webhooks.Test(ctx, agentphone.TestWebhookOptions{AgentID: srv.AgentID()})
	require.NoError(t, err)
	assert.True(t, result.Success)
	assert.Equal(t, 200, result.StatusCode)
	status = http.StatusTeapot
	result, err = client.Webhooks.Test(ctx)
	require.NoError(t, err)
	assert.False(t, result.Success)
	assert.Equal(t, 418, result.StatusCode)
	receiver.Close()
	result, err = client.Webhooks.Test(ctx)
	require.NoError(t, err)
	assert.False(t, result.Success)
	assert.Zero(t, result.StatusCode)
	assert.NotEmpty(t, result.Error)

	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, 3, usage.Stats.TotalWebhookDeliveries)
	assert.Equal(t, 1, usage.Stats.SuccessfulWebhookDeliveries)
	assert.Equal(t, 2, usage.Stats.FailedWebhookDeliveries)
}
