package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestSubAccounts_HoldTheirOwnData(t *testing.T) {
	srv := newServer(t)
	parent, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	made := request(t, parent, "POST", "/v1/sub-accounts", fields{"name": "Branch"})
	id := made["id"].(string)
	sub := parent.ForSubAccount(id)

	agents, err := sub.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.NoError(t, err)
	assert.Empty(t, agents.Data)
	agent, err := sub.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "branch"})
	require.NoError(t, err)
	number, err := sub.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AgentID: agent.ID})
	require.NoError(t, err)
	_, err = sub.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: agent.ID, ToNumber: person, Body: "hi"})
	require.NoError(t, err)
	srv.ReceiveMessage(person, number.PhoneNumber, "hello")
	_, err = parent.Agents.Get(ctx, agent.ID)
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = sub.Agents.Get(ctx, srv.AgentID())
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	usage, err := parent.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Zero(t, usage.Stats.TotalMessages)
	usage, err = sub.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, usage.Stats.TotalMessages)

	assert.Equal(t, "Shop", request(t, parent, "PATCH", "/v1/sub-accounts/"+id, fields{"name": "Shop"})["name"])
	list := items(t, request(t, parent, "GET", "/v1/sub-accounts", nil), "data")
	require.Len(t, list, 1)
	assert.Equal(t, "Shop", list[0]["name"])
	require.ErrorIs(t, refused(t, sub, "POST", "/v1/sub-accounts", fields{"name": "Deeper"}), agentphone.ErrForbidden)

	request(t, parent, "DELETE", "/v1/sub-accounts/"+id, nil)
	_, err = sub.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Len(t, srv.Messages(), 2, "what took effect stays on record")
	assert.Panics(t, func() { srv.ReceiveMessage(person, number.PhoneNumber, "anybody?") })
}

func TestSubAccounts_CannotBeUsedByAnotherAccount(t *testing.T) {
	srv := newServer(t)
	made := request(t, srv.Client(), "POST", "/v1/sub-accounts", fields{"name": "Branch"})
	keyless := clientFor(t, srv, "")
	started, err := keyless.Signup.Start(t.Context(), agentphone.SignupParams{HumanEmail: "ada@example.com"})
	require.NoError(t, err)
	account, err := keyless.Signup.Verify(t.Context(), agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: srv.OTP(started.VerificationID)})
	require.NoError(t, err)
	_, err = clientFor(t, srv, account.APIKey).ForSubAccount(made["id"].(string)).Usage.Get(t.Context())
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}
