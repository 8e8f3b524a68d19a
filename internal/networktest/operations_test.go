package networktest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/assert"
)

// The weather tests hold the promise that a phone never rings twice, over real sockets: servers
// that reset, hang, cut their answers short, send the client elsewhere or go away.

// operation is an operation of the API, called as a user calls it.
type operation struct {
	name string // method and path
	call func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error
}

// nonIdempotentOperations are the operations that act once.
var nonIdempotentOperations = []operation{
	{"POST /v0/agent/sign-up", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com"}, opts...)
		return err
	}},
	{"POST /v0/agent/verify", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: "ver_1", OTPCode: "123456"}, opts...)
		return err
	}},
	{"POST /v1/agents", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}, opts...)
		return err
	}},
	{"POST /v1/numbers", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS}, opts...)
		return err
	}},
	{"POST /v1/messages", sendMessage("hello")},
	{"POST /v1/calls", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155550100"}, opts...)
		return err
	}},
	{"POST /v1/webhooks", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/hook"}, opts...)
		return err
	}},
	{"POST /v1/agents/agt_1/webhook", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Webhooks.SetForAgent(ctx, "agt_1", agentphone.SetWebhookParams{URL: "https://example.com/hook"}, opts...)
		return err
	}},
	{"POST /v1/messages/msg_1/reactions", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.React(ctx, "msg_1", agentphone.ReactParams{Reaction: "love"}, opts...)
		return err
	}},
	{"POST /v1/calls/web", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.CreateWeb(ctx, agentphone.CreateWebCallParams{AgentID: "agt_1"}, opts...)
		return err
	}},
	{"POST /v1/contacts", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550100", Name: "Ada"}, opts...)
		return err
	}},
	{"POST /v1/sub-accounts", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"}, opts...)
		return err
	}},
	{"POST /v1/register", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Registration.Register(ctx, agentphone.RegisterParams{
			RegistrationType: agentphone.RegistrationSoleProprietor,
			FirstName:        "Ada", LastName: "L", Email: "ada@example.com", PhoneNumber: "+14155550100",
			StreetAddress: "1 Main St", City: "Reno", State: "NV", ZipCode: "89501",
			Description: "bookings", UseCases: []agentphone.UseCase{agentphone.UseCaseCustomerCare},
			MessageSamples: []string{"Your table is booked"}, ConsentFlow: "web form", OptInImageURL: "https://example.com/a.png",
		}, opts...)
		return err
	}},
	{"POST /v1/things", doRequest(http.MethodPost, "/v1/things", map[string]string{"a": "b"})},
	// Without a body of the caller's: net/http would send such a POST again by itself.
	{"POST /v1/empty-things", doRequest(http.MethodPost, "/v1/empty-things", nil)},
}

// fewNonIdempotentOperations are some of nonIdempotentOperations, with every difference that there is: with and without the
// key, with and without a body of the caller's.
var fewNonIdempotentOperations = []operation{nonIdempotentOperations[0], nonIdempotentOperations[5], nonIdempotentOperations[len(nonIdempotentOperations)-1]}

// idempotentOperations are operations that may be repeated, one of each method.
var idempotentOperations = []operation{
	{"GET /v1/agents", listAgents},
	{"PATCH /v1/agents/agt_1", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Update(ctx, "agt_1", agentphone.UpdateAgentParams{Name: agentphone.Value("Ada")}, opts...)
		return err
	}},
	{"DELETE /v1/agents/agt_1", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Delete(ctx, "agt_1", opts...)
		return err
	}},
	{"POST /v1/calls/call_1/end", func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.End(ctx, "call_1", opts...)
		return err
	}},
	{"PUT /v1/things/1", doRequest(http.MethodPut, "/v1/things/1", map[string]string{"a": "b"})},
}

func listAgents(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
	_, err := c.Agents.List(ctx, agentphone.ListAgentsParams{}, opts...)
	return err
}

func sendMessage(text string) func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550100", Body: text}, opts...)
		return err
	}
}

func doRequest(method, path string, in any) func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		var out map[string]any
		return c.Do(ctx, method, path, in, &out, opts...)
	}
}

// callAfter makes each operation's call follow another that succeeds.
func callAfter(t *testing.T, first func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error, ops []operation) []operation {
	out := make([]operation, len(ops))
	for i, op := range ops {
		out[i] = operation{op.name, func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			assert.NoError(t, first(ctx, c, agentphone.WithRequestTimeout(10*time.Second)))
			return op.call(ctx, c, opts...)
		}}
	}
	return out
}
