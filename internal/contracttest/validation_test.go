package contracttest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Every method: what it sends.
func TestMethodsSendTheirOperation(t *testing.T) {
	ptr := agentphone.Ptr[int]
	type call func(context.Context, *agentphone.Client) error
	for _, tc := range []struct {
		want string // method, path and query
		body string
		call call
	}{
		{"POST /v0/agent/sign-up", `{"human_email":"a@example.com","agent_name":"n"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "a@example.com", AgentName: "n"})
			return err
		}},
		{"POST /v0/agent/verify", `{"verification_id":"v","otp_code":"123456","source":"s"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: "v", OTPCode: "123456", Source: "s"})
			return err
		}},
		{"GET /v1/usage", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Usage.Get(ctx); return err }},
		{"GET /v1/agents/voices", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Voices.List(ctx); return err }},
		{"GET /v1/agents?limit=5&offset=10", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.List(ctx, agentphone.ListAgentsParams{Limit: 5, Offset: 10})
			return err
		}},
		{"GET /v1/agents?limit=100", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Agents.All(ctx, agentphone.ListAgentsParams{}), 0)
			return err
		}},
		{"GET /v1/agents/a", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Agents.Get(ctx, "a"); return err }},
		{"POST /v1/agents", `{"name":"n","voiceMode":"hosted","enableMessaging":false,"systemPrompt":"p","interruptionSensitivity":0,
			"customTools":[{"name":"t","description":"d","url":"https://x","timeoutMs":500}],"language":"en-US"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{
				Name: "n", VoiceMode: agentphone.VoiceModeHosted, SystemPrompt: "p", EnableMessaging: agentphone.Ptr(false),
				InterruptionSensitivity: agentphone.Ptr(0.0), Language: agentphone.LanguageEnUS,
				CustomTools: []agentphone.CustomTool{{Name: "t", Description: "d", URL: "https://x", TimeoutMs: 500}},
			})
			return err
		}},
		{"PATCH /v1/agents/a", `{"systemPrompt":"p","beginMessage":null,"customTools":[],"modelTier":"max"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.Update(ctx, "a", agentphone.UpdateAgentParams{
				SystemPrompt: agentphone.Value("p"), BeginMessage: agentphone.Null[string](),
				CustomTools: agentphone.Value[[]agentphone.CustomTool](nil), ModelTier: agentphone.ModelTierMax,
			})
			return err
		}},
		{"DELETE /v1/agents/a", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Agents.Delete(ctx, "a"); return err }},
		{"POST /v1/agents/a/numbers", `{"numberId":"n"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.AttachNumber(ctx, "a", agentphone.AttachNumberParams{NumberID: "n"})
			return err
		}},
		{"DELETE /v1/agents/a/numbers/n", ``, func(ctx context.Context, c *agentphone.Client) error {
			err := c.Agents.DetachNumber(ctx, "a", "n")
			return err
		}},
		{"GET /v1/agents/a/calls?limit=5", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.ListCalls(ctx, "a", agentphone.ListCallsParams{Limit: 5})
			return err
		}},
		{"GET /v1/agents/a/calls?limit=100", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Agents.AllCalls(ctx, "a", agentphone.ListCallsParams{}), 0)
			return err
		}},
		{"GET /v1/agents/a/conversations?limit=5", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.ListConversations(ctx, "a", agentphone.ListConversationsParams{Limit: 5})
			return err
		}},
		{"GET /v1/agents/a/conversations?limit=100", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Agents.AllConversations(ctx, "a", agentphone.ListConversationsParams{}), 0)
			return err
		}},
		{"GET /v1/numbers?limit=5", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.List(ctx, agentphone.ListNumbersParams{Limit: 5})
			return err
		}},
		{"POST /v1/numbers", `{"country":"US","areaCode":"415","agentId":"a"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "415", AgentID: "a"})
			return err
		}},
		{"DELETE /v1/numbers/n", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.Release(ctx, "n")
			return err
		}},
		{"GET /v1/numbers/n/messages?limit=5", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.ListMessages(ctx, "n", agentphone.ListMessagesParams{Limit: 5})
			return err
		}},
		{"GET /v1/numbers/n/messages?limit=200", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Numbers.AllMessages(ctx, "n", agentphone.ListMessagesParams{}), 0)
			return err
		}},
		{"POST /v1/messages", `{"agent_id":"a","to_number":"+14155559999","body":"b","media_urls":["https://m"],"send_style":"slam","reply_to_message_id":"m"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{
				AgentID: "a", ToNumber: "+14155559999", Body: "b", MediaURLs: []string{"https://m"},
				SendStyle: agentphone.SendStyleSlam, ReplyToMessageID: "m",
			})
			return err
		}},
		{"GET /v1/conversations?offset=3", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Conversations.List(ctx, agentphone.ListConversationsParams{Offset: 3})
			return err
		}},
		{"GET /v1/conversations?limit=100", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Conversations.All(ctx, agentphone.ListConversationsParams{}), 0)
			return err
		}},
		{"GET /v1/conversations/c?message_limit=7", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Conversations.Get(ctx, "c", agentphone.GetConversationOptions{MessageLimit: 7})
			return err
		}},
		{"GET /v1/calls?search=x&status=completed&type=web", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.List(ctx, agentphone.ListCallsParams{Search: "x", Status: agentphone.CallStatusCompleted, Type: "web"})
			return err
		}},
		{"GET /v1/calls?direction=inbound&limit=100", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := agentphone.Collect(c.Calls.All(ctx, agentphone.ListCallsParams{Direction: agentphone.DirectionInbound}), 0)
			return err
		}},
		{"POST /v1/calls", `{"agentId":"a","toNumber":"+14155559999","systemPrompt":"p","variables":{"k":"v"}}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "a", ToNumber: "+14155559999", SystemPrompt: "p", Variables: map[string]string{"k": "v"}})
			return err
		}},
		{"POST /v1/calls", `{"agentId":"a","toNumber":"+14155559999"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "a", ToNumber: "+14155559999"})
			return err
		}},
		{"GET /v1/calls/c", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Calls.Get(ctx, "c"); return err }},
		{"GET /v1/calls/c?timeout=60&wait=true", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.Get(ctx, "c", agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 60})
			return err
		}},
		{"POST /v1/calls/c/end", `{}`, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Calls.End(ctx, "c"); return err }},
		{"GET /v1/webhooks", ``, func(ctx context.Context, c *agentphone.Client) error { _, err := c.Webhooks.Get(ctx); return err }},
		{"POST /v1/webhooks", `{"url":"https://x/y","contextLimit":0,"timeout":60}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://x/y", ContextLimit: ptr(0), TimeoutSeconds: 60})
			return err
		}},
		{"POST /v1/webhooks/test?agentId=a", `{}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Webhooks.Test(ctx, agentphone.TestWebhookOptions{AgentID: "a"})
			return err
		}},
		{"GET /v1/agents/a/webhook", ``, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Webhooks.GetForAgent(ctx, "a")
			return err
		}},
		{"POST /v1/agents/a/webhook", `{"url":"https://x"}`, func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Webhooks.SetForAgent(ctx, "a", agentphone.SetWebhookParams{URL: "https://x"})
			return err
		}},
	} {
		t.Run(tc.want, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[]}`))
			err := tc.call(t.Context(), c)
			require.NoError(t, err)
			r := s.Requests()[0]
			got := r.Method + " " + r.Path
			if len(r.Query) > 0 {
				got += "?" + r.Query.Encode()
			}
			assert.Equal(t, tc.want, got)
			if tc.body == "" {
				assert.Empty(t, r.Body)
			} else {
				assert.JSONEq(t, tc.body, r.Body)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			}
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
		})
	}
}

func TestInputThatCannotBeRightIsRefusedBeforeSending(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	ctx := t.Context()
	call := func(p agentphone.CreateCallParams) error { _, err := c.Calls.Create(ctx, p); return err }
	send := func(p agentphone.SendMessageParams) error { _, err := c.Messages.Send(ctx, p); return err }
	buy := func(p agentphone.BuyNumberParams) error { _, err := c.Numbers.Buy(ctx, p); return err }
	agent := func(p agentphone.CreateAgentParams) error { _, err := c.Agents.Create(ctx, p); return err }
	update := func(p agentphone.UpdateAgentParams) error { _, err := c.Agents.Update(ctx, "agt_1", p); return err }
	hook := func(p agentphone.SetWebhookParams) error { _, err := c.Webhooks.Set(ctx, p); return err }
	verify := func(p agentphone.VerifySignupParams) error { _, err := c.Signup.Verify(ctx, p); return err }
	const to = "+14155559999"
	for _, tc := range []struct {
		field string
		err   error
	}{
		{"agentId", call(agentphone.CreateCallParams{ToNumber: to})},
		{"agentId", call(agentphone.CreateCallParams{AgentID: "  ", ToNumber: to})},
		{"toNumber", call(agentphone.CreateCallParams{AgentID: "a"})},
		{"toNumber", call(agentphone.CreateCallParams{AgentID: "a", ToNumber: "4155559999"})},
		{"to_number", send(agentphone.SendMessageParams{AgentID: "a", Body: "b"})},
		{"to_number", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: "(415) 555-9999"})},
		{"to_number", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: "4155559999"})},
		{"recipients", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: to, Recipients: []string{to, to}})},
		{"recipients", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", Recipients: []string{to}})},
		{"recipients", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", Recipients: []string{to, ""}})},
		{"recipients", send(agentphone.SendMessageParams{AgentID: "a", Body: "b", Recipients: []string{to, "415-555-9999"}})},
		{"body", send(agentphone.SendMessageParams{AgentID: "a", ToNumber: to})},
		{"agent_id", send(agentphone.SendMessageParams{Body: "b", ToNumber: to})},
		{"country", buy(agentphone.BuyNumberParams{})},
		{"country", buy(agentphone.BuyNumberParams{Country: "MX"})},
		{"areaCode", buy(agentphone.BuyNumberParams{Country: "US", AreaCode: "41"})},
		{"areaCode", buy(agentphone.BuyNumberParams{Country: "US", AreaCode: "4155"})},
		{"areaCode", buy(agentphone.BuyNumberParams{Country: "US", AreaCode: "4a5"})},
		{"name", agent(agentphone.CreateAgentParams{})},
		{"systemPrompt", agent(agentphone.CreateAgentParams{Name: "n", VoiceMode: agentphone.VoiceModeHosted})},
		{"transferNumber", agent(agentphone.CreateAgentParams{Name: "n", TransferNumber: "911"})},
		{"customTools.url", agent(agentphone.CreateAgentParams{Name: "n", CustomTools: []agentphone.CustomTool{{Name: "t", Description: "d"}}})},
		{"transferNumber", update(agentphone.UpdateAgentParams{TransferNumber: agentphone.Value("x")})},
		{"customTools.name", update(agentphone.UpdateAgentParams{CustomTools: agentphone.Value([]agentphone.CustomTool{{}})})},
		{"url", hook(agentphone.SetWebhookParams{})},
		{"url", hook(agentphone.SetWebhookParams{URL: "example.com/hook"})},
		{"timeout", hook(agentphone.SetWebhookParams{URL: "https://x", TimeoutSeconds: 4})},
		{"timeout", hook(agentphone.SetWebhookParams{URL: "https://x", TimeoutSeconds: 121})},
		{"contextLimit", hook(agentphone.SetWebhookParams{URL: "https://x", ContextLimit: agentphone.Ptr(-1)})},
		{"verification_id", verify(agentphone.VerifySignupParams{OTPCode: "1"})},
		{"otp_code", verify(agentphone.VerifySignupParams{VerificationID: "v"})},
	} {
		var invalid *agentphone.ValidationError
		require.ErrorAs(t, tc.err, &invalid, tc.field)
		assert.Equal(t, tc.field, invalid.Field, "%v", tc.err)
		assert.ErrorIs(t, tc.err, agentphone.ErrValidation)
	}
	require.Empty(t, s.Requests())

	// What the API may accept is let through.
	for _, to := range []string{to, "55555", "123456", "a@example.com", "grp_1", "whatsapp:+1"} {
		require.NoError(t, send(agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: to}), to)
	}
	require.NoError(t, send(agentphone.SendMessageParams{NumberID: "n", MediaURL: "https://m", Recipients: []string{to, "a@example.com"}}))
	require.NoError(t, update(agentphone.UpdateAgentParams{TransferNumber: agentphone.Null[string](), VoiceMode: agentphone.VoiceModeHosted}))
}
