package agentphonetest_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestServer_IsAsAfterASignup(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()

	agents, err := client.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.NoError(t, err)
	require.Len(t, agents.Data, 1)
	agent := agents.Data[0]
	assert.Equal(t, srv.AgentID(), agent.ID)
	assert.Equal(t, agentphone.VoiceModeHosted, agent.VoiceMode)
	assert.Equal(t, agentphone.DefaultVoice, agent.Voice)
	require.Len(t, agent.Numbers, 1)
	assert.Equal(t, srv.NumberID(), agent.Numbers[0].ID)
	assert.Equal(t, srv.PhoneNumber(), agent.Numbers[0].PhoneNumber)

	numbers, err := client.Numbers.List(ctx, agentphone.ListNumbersParams{})
	require.NoError(t, err)
	require.Len(t, numbers.Data, 1)
	assert.Equal(t, agentphone.CountryUS, numbers.Data[0].Country)
	_, err = agentphone.ParseE164(srv.PhoneNumber())
	require.NoError(t, err)

	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, agentphone.NumberLimits{Used: 1, Limit: 10, Remaining: 9}, usage.Numbers)
	assert.Equal(t, "payg", usage.Plan.Name)
}

func TestServer_IDSeedChangesAllButTheStarterAccount(t *testing.T) {
	one, two, again := newServer(t, agentphonetest.WithIDSeed("1")), newServer(t, agentphonetest.WithIDSeed("2")), newServer(t, agentphonetest.WithIDSeed("1"))
	assert.Equal(t, []string{one.APIKey(), one.AgentID(), one.NumberID(), one.PhoneNumber()},
		[]string{two.APIKey(), two.AgentID(), two.NumberID(), two.PhoneNumber()})
	message := func(srv *agentphonetest.Server) string { return srv.ReceiveMessage(person, srv.PhoneNumber(), "Hi") }
	first := message(one)
	assert.NotEqual(t, first, message(two))
	assert.Equal(t, first, message(again))
}

func TestServer_KeyAndWebhookSecretCanBeGiven(t *testing.T) {
	srv := newServer(t, agentphonetest.WithAPIKey("sk_live_mine"), agentphonetest.WithWebhookSecret("whsec_mine"))
	assert.Equal(t, "sk_live_mine", srv.APIKey())
	assert.Equal(t, newServer(t).AgentID(), srv.AgentID(), "nothing else changes")
	client := srv.Client()
	for range 2 {
		webhook, err := client.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://example.com"})
		require.NoError(t, err)
		assert.Equal(t, "whsec_mine", webhook.Secret)
	}
	other, err := agentphone.NewClient(newServer(t).APIKey(), agentphone.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	_, err = other.Agents.List(t.Context(), agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrUnauthorized)
}

// What a sign-up gives to somebody else is not the secret that the receiver of the starter account trusts.
func TestServer_GivenWebhookSecretIsOfTheStarterAccountOnly(t *testing.T) {
	srv, ctx := newServer(t, agentphonetest.WithWebhookSecret("whsec_mine")), t.Context()
	keyless := clientFor(t, srv, "")
	started, err := keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "eve@example.com"})
	require.NoError(t, err)
	account, err := keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: srv.OTP(started.VerificationID)})
	require.NoError(t, err)
	eve, params := clientFor(t, srv, account.APIKey), agentphone.SetWebhookParams{URL: "https://example.com"}
	sub, err := eve.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "sub"})
	require.NoError(t, err)
	mine, err := srv.Client().SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "sub"})
	require.NoError(t, err)

	secret := func(w *agentphone.Webhook, err error) string {
		require.NoError(t, err)
		return w.Secret
	}
	assert.NotEqual(t, "whsec_mine", secret(eve.Webhooks.Set(ctx, params)))
	assert.NotEqual(t, "whsec_mine", secret(eve.Webhooks.SetForAgent(ctx, account.AgentID, params)))
	assert.NotEqual(t, "whsec_mine", secret(eve.ForSubAccount(sub.ID).Webhooks.Set(ctx, params)))
	assert.Equal(t, "whsec_mine", secret(srv.Client().Webhooks.SetForAgent(ctx, srv.AgentID(), params)))
	assert.Equal(t, "whsec_mine", secret(srv.Client().ForSubAccount(mine.ID).Webhooks.Set(ctx, params)))
}

func TestServer_ClientPanicsOnAnInvalidOption(t *testing.T) {
	srv := newServer(t)
	assert.PanicsWithValue(t, "agentphonetest: Client: agentphone: base URL: is not an absolute URL such as "+agentphone.DefaultBaseURL,
		func() { srv.Client(agentphone.WithBaseURL("x")) })
}

func TestServer_ClientOptionsComeLast(t *testing.T) {
	srv, other := newServer(t), newServer(t)
	placeCall(t, other, person)
	client := srv.Client(agentphone.WithHTTPClient(&http.Client{Transport: other.Transport()}))
	calls, err := client.Calls.List(t.Context(), agentphone.ListCallsParams{})
	require.NoError(t, err)
	assert.Len(t, calls.Data, 1)
}

func TestServer_IsSafeForConcurrentUse(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				_, err := client.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "hi"})
				assert.NoError(t, err)
				_, err = client.Conversations.List(t.Context(), agentphone.ListConversationsParams{})
				assert.NoError(t, err)
				srv.Messages()
				srv.Requests()
			}
		})
	}
	all.Wait()
	assert.Len(t, srv.Messages(), 160)
}

func TestServer_StarterIDsOutliveWhatTheyName(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	agent, number, phone := srv.AgentID(), srv.NumberID(), srv.PhoneNumber()
	c := srv.Client()
	_, err := c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "another"})
	require.NoError(t, err)
	_, err = c.Agents.Delete(t.Context(), agent)
	require.NoError(t, err)
	_, err = c.Numbers.Release(t.Context(), number)
	require.NoError(t, err)
	assert.Equal(t, agent, srv.AgentID())
	assert.Equal(t, number, srv.NumberID())
	assert.Equal(t, phone, srv.PhoneNumber())
}

func TestServer_IDsAreTheSameInEachRun(t *testing.T) {
	a, b := newServer(t), newServer(t)
	assert.Equal(t, a.APIKey(), b.APIKey())
	assert.Equal(t, a.AgentID(), b.AgentID())
	assert.Regexp(t, "^sk_live_[0-9a-f]{48}$", a.APIKey())
	assert.Regexp(t, "^agt_[0-9a-f]{24}$", a.AgentID())
}

func TestServer_NumberLimitCanBeSet(t *testing.T) {
	_, err := newServer(t, agentphonetest.WithNumberLimit(1)).Client().Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.ErrorIs(t, err, agentphone.ErrNumberLimit)
}

func TestServer_FromOutsideABubbleWorksInIt(t *testing.T) {
	srv := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		srv.NextCall(booking)
		placed := placeCall(t, srv, person)
		call, err := srv.Client().Calls.Get(t.Context(), placed.ID, agentphone.GetCallOptions{Wait: true})
		require.NoError(t, err)
		assert.InDelta(t, 40, *call.DurationSeconds, 0)
	})
}
