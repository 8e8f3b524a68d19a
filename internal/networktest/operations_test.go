package networktest

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// operation is an operation of the API, called as a user calls it.
type operation struct {
	name       string // method and path
	call       callFunc
	idempotent bool
}

type callFunc func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error

// nonIdempotentOperations are all operations that are not idempotent, and Client.Do with POST.
var nonIdempotentOperations = []operation{
	{name: "POST /v0/agent/sign-up", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com"}, opts...)
		return err
	}},
	{name: "POST /v0/agent/verify", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: "ver_1", OTPCode: "123456"}, opts...)
		return err
	}},
	{name: "POST /v1/agents", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}, opts...)
		return err
	}},
	{name: "POST /v1/numbers", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS}, opts...)
		return err
	}},
	{name: "GET /v1/numbers/lookup", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Numbers.Lookup(ctx, agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550100"}}, opts...)
		return err
	}},
	{name: "POST /v1/messages", call: sendMessage("hello")},
	{name: "POST /v1/calls", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155550100"}, opts...)
		return err
	}},
	{name: "POST /v1/webhooks", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/hook"}, opts...)
		return err
	}},
	{name: "POST /v1/agents/agt_1/webhook", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Webhooks.SetForAgent(ctx, "agt_1", agentphone.SetWebhookParams{URL: "https://example.com/hook"}, opts...)
		return err
	}},
	{name: "POST /v1/messages/msg_1/reactions", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.React(ctx, "msg_1", agentphone.ReactParams{Reaction: "love"}, opts...)
		return err
	}},
	{name: "POST /v1/calls/web", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.CreateWeb(ctx, agentphone.CreateWebCallParams{AgentID: "agt_1"}, opts...)
		return err
	}},
	{name: "POST /v1/contacts", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550100", Name: "Ada"}, opts...)
		return err
	}},
	{name: "POST /v1/sub-accounts", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"}, opts...)
		return err
	}},
	{name: "POST /v1/register", call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Registration.Register(ctx, agentphone.RegisterParams{
			RegistrationType: agentphone.RegistrationSoleProprietor,
			FirstName:        "Ada", LastName: "L", Email: "ada@example.com", PhoneNumber: "+14155550100",
			StreetAddress: "1 Main St", City: "Reno", State: "NV", ZipCode: "89501",
			Description: "bookings", UseCases: []agentphone.UseCase{agentphone.UseCaseCustomerCare},
			MessageSamples: []string{"Your table is booked"}, ConsentFlow: "web form", OptInImageURL: "https://example.com/a.png",
		}, opts...)
		return err
	}},
	{name: "POST /v1/things", call: doRequest(http.MethodPost, "/v1/things", map[string]string{"a": "b"})},
	// A POST for which the caller gives no body: net/http would retry it by itself.
	{name: "POST /v1/empty-things", call: doRequest(http.MethodPost, "/v1/empty-things", nil)},
}

// fewNonIdempotentOperations are one operation of each kind in nonIdempotentOperations: with and without the API key,
// with and without a body of the caller's, and a GET.
var fewNonIdempotentOperations = []operation{nonIdempotentOperations[0], nonIdempotentOperations[4], nonIdempotentOperations[6], nonIdempotentOperations[len(nonIdempotentOperations)-1]}

// idempotentOperations are some that are idempotent, one or more of each HTTP method.
var idempotentOperations = []operation{
	{name: "GET /v1/agents", idempotent: true, call: listAgents},
	{name: "PATCH /v1/agents/agt_1", idempotent: true, call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Update(ctx, "agt_1", agentphone.UpdateAgentParams{Name: agentphone.Value("Ada")}, opts...)
		return err
	}},
	{name: "DELETE /v1/agents/agt_1", idempotent: true, call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.Delete(ctx, "agt_1", opts...)
		return err
	}},
	{name: "POST /v1/calls/call_1/end", idempotent: true, call: func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Calls.End(ctx, "call_1", opts...)
		return err
	}},
	{name: "PUT /v1/things/1", idempotent: true, call: doRequest(http.MethodPut, "/v1/things/1", map[string]string{"a": "b"})},
}

// allOperations returns idempotentOperations and nonIdempotentOperations.
func allOperations() []operation { return slices.Concat(idempotentOperations, nonIdempotentOperations) }

// sampleOperations are an operation that is idempotent and one that is not.
var sampleOperations = []operation{
	{name: "GET /v1/agents", idempotent: true, call: listAgents},
	{name: "POST /v1/messages", call: sendMessage("hello")},
}

func listAgents(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
	_, err := c.Agents.List(ctx, agentphone.ListAgentsParams{}, opts...)
	return err
}

func sendMessage(text string) callFunc {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550100", Body: text}, opts...)
		return err
	}
}

func doRequest(method, path string, in any) callFunc {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		var out map[string]any
		return c.Do(ctx, method, path, in, &out, opts...)
	}
}

// callAfter returns the operations with each call preceded by first, which succeeds.
func callAfter(t *testing.T, first callFunc, ops []operation) []operation {
	out := slices.Clone(ops)
	for i, op := range ops {
		out[i].call = func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			assert.NoError(t, first(ctx, c, agentphone.WithRequestTimeout(10*time.Second)))
			return op.call(ctx, c, opts...)
		}
	}
	return out
}
