package networktest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// The weather tests hold the promise that a phone never rings twice, over real sockets: servers
// that reset, hang, cut their answers short, send the client elsewhere or go away.

const weatherKey = "sk_live_weather_key"

// weatherOperation is an operation of the API, called as a user calls it.
type weatherOperation struct {
	name string // method and path
	call func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error
}

// weatherOnce are the operations that act once.
var weatherOnce = []weatherOperation{
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
	{"POST /v1/messages", weatherSend("hello")},
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
	{"POST /v1/things", weatherDo(http.MethodPost, "/v1/things", map[string]string{"a": "b"})},
	// Without a body of the caller's: net/http would send such a POST again by itself.
	{"POST /v1/empty-things", weatherDo(http.MethodPost, "/v1/empty-things", nil)},
}

// weatherFew are some of weatherOnce, with every difference that there is: with and without the
// key, with and without a body of the caller's.
var weatherFew = []weatherOperation{weatherOnce[0], weatherOnce[5], weatherOnce[len(weatherOnce)-1]}

// weatherSafe are operations that may be repeated, one of each method.
var weatherSafe = []weatherOperation{
	{"GET /v1/agents", weatherListAgents},
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
	{"PUT /v1/things/1", weatherDo(http.MethodPut, "/v1/things/1", map[string]string{"a": "b"})},
}

func weatherListAgents(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
	_, err := c.Agents.List(ctx, agentphone.ListAgentsParams{}, opts...)
	return err
}

func weatherSend(text string) func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550100", Body: text}, opts...)
		return err
	}
}

func weatherDo(method, path string, in any) func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error {
	return func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
		var out map[string]any
		return c.Do(ctx, method, path, in, &out, opts...)
	}
}

// weatherClient is a client of the server at the URL, which waits next to nothing between
// attempts.
func weatherClient(t testing.TB, url string, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(weatherKey, append([]agentphone.Option{
		agentphone.WithBaseURL(url),
		agentphone.WithRetryWait(time.Millisecond, 5*time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// weatherHost is a server of the tests, whatever it speaks.
type weatherHost interface {
	client(t testing.TB, opts ...agentphone.Option) *agentphone.Client
	// settle goes on serving for a moment, in which a request that is sent late would come,
	// closes the server and returns how many requests it read whole.
	settle() int
}

// weatherResult is what came of a call.
type weatherResult struct {
	err        error
	response   agentphone.Response
	deliveries int
	took       time.Duration
}

// weatherEndless is more than any call takes, on however busy a machine.
const weatherEndless = 20 * time.Second

// weatherEach makes the calls, all at once and each to a server of its own, and hands each
// result to check, in a subtest that is named after the operation.
func weatherEach[H weatherHost](t *testing.T, ops []weatherOperation, newHost func() H,
	check func(*testing.T, H, weatherResult), opts ...agentphone.Option,
) {
	t.Helper()
	hosts := make([]H, len(ops))
	results := make([]chan weatherResult, len(ops))
	for i, op := range ops {
		hosts[i] = newHost()
		results[i] = make(chan weatherResult, 1)
		client := hosts[i].client(t, opts...)
		go func() {
			var r weatherResult
			began := time.Now()
			r.err = op.call(context.Background(), client, agentphone.WithResponse(&r.response))
			r.took = time.Since(began)
			r.deliveries = hosts[i].settle()
			results[i] <- r
		}()
	}
	endless := time.After(weatherEndless)
	for i, op := range ops {
		var r weatherResult
		select {
		case r = <-results[i]:
		case <-endless:
			require.Fail(t, "the call goes on without end", op.name)
		}
		t.Run(op.name, func(t *testing.T) { check(t, hosts[i], r) })
	}
}
