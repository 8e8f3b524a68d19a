package agentphone_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// With -race: one client, one handler and one server in memory, used by all at once in every way.
func TestOneClientOneHandlerAndOneServerServeManyGoroutines(t *testing.T) {
	const goroutines, rounds = 32, 5
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client()
	hook, err := c.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://example.com/hook"})
	require.NoError(t, err)
	var mu sync.Mutex
	received := map[string]int{}
	handler, err := agentphone.NewWebhookHandler([]string{hook.Secret}, agentphone.WebhookHandlerConfig{
		Logger: quiet,
		OnMessage: func(_ context.Context, _ *agentphone.Event, m *agentphone.MessageData) error {
			mu.Lock()
			defer mu.Unlock()
			received[m.Message]++
			return nil
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Say(turn.Transcript)
		},
	})
	require.NoError(t, err)
	srv.SetReceiver(handler)
	sub, err := c.SubAccounts.Create(t.Context(), agentphone.CreateSubAccountParams{Name: "sub"})
	require.NoError(t, err)

	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			ctx := context.Background()
			for i := range rounds {
				text := fmt.Sprintf("text %d of %d", i, g)
				_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550100", Body: text})
				assert.NoError(t, err)
				srv.ReceiveMessage("+14155550101", srv.PhoneNumber(), text)
				call, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550102", SystemPrompt: "Hi."}, agentphone.WithRequestHeader("X-Round", text))
				assert.NoError(t, err)
				_, err = c.Calls.End(ctx, call.ID)
				assert.NoError(t, err)
				in := srv.ReceiveCall("+14155550103", srv.PhoneNumber())
				_, err = srv.CallerSays(in, text)
				assert.NoError(t, err)
				assert.NoError(t, srv.EndCall(in))
				_, err = c.ForSubAccount(sub.ID).Agents.List(ctx, agentphone.ListAgentsParams{})
				assert.NoError(t, err)
				_, err = agentphone.Collect(c.Numbers.AllMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{Limit: 50}), 10)
				assert.NoError(t, err)
				if i == rounds-1 {
					_, _, _, _ = srv.Requests(), srv.Calls(), srv.Messages(), srv.Deliveries()
				}
				_ = fmt.Sprintf("%+v", c)
			}
		})
	}
	all.Wait()
	srv.WaitDeliveries()
	assert.Equal(t, 2*goroutines*rounds, len(srv.Messages()), "messages")
	assert.Equal(t, 2*goroutines*rounds, len(srv.Calls()), "calls, half of which were received")
	assert.Equal(t, goroutines*rounds, len(received), "messages handed to the callback")
	for text, n := range received {
		assert.Equal(t, 1, n, text)
	}
}

// As httpmock does it, between calls and in the middle of a program's life.
func TestTheTransportOfTheUsersClientMayBeChangedBetweenCalls(t *testing.T) {
	hc := &http.Client{}
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(hc))
	require.NoError(t, err)
	for i := range 100 {
		s := &apitest.Stub{Respond: apitest.Always(200, `{"id":"agt_1"}`)}
		hc.Transport = s
		require.NoError(t, apitest.GetAgent(t.Context(), c))
		require.Len(t, s.Requests(), 1, "change %d", i)
	}
}
