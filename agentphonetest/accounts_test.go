package agentphonetest_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestASubAccountHoldsItsOwn(t *testing.T) {
	srv := newServer(t)
	parent, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	made := ask(t, parent, "POST", "/v1/sub-accounts", fields{"name": "Branch"})
	id := made["id"].(string)
	sub := parent.ForSubAccount(id)

	agents, err := sub.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.NoError(t, err)
	assert.Empty(t, agents.Data)
	agent, err := sub.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "branch"})
	require.NoError(t, err)
	number, err := sub.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AgentID: agent.ID})
	require.NoError(t, err)
	_, err = sub.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: agent.ID, ToNumber: human, Body: "hi"})
	require.NoError(t, err)
	srv.ReceiveMessage(human, number.PhoneNumber, "hello")
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

	assert.Equal(t, "Shop", ask(t, parent, "PATCH", "/v1/sub-accounts/"+id, fields{"name": "Shop"})["name"])
	list := items(t, ask(t, parent, "GET", "/v1/sub-accounts", nil), "data")
	require.Len(t, list, 1)
	assert.Equal(t, "Shop", list[0]["name"])
	require.ErrorIs(t, refused(t, sub, "POST", "/v1/sub-accounts", fields{"name": "Deeper"}), agentphone.ErrForbidden)

	ask(t, parent, "DELETE", "/v1/sub-accounts/"+id, nil)
	_, err = sub.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Len(t, srv.Messages(), 2, "what took effect stays on record")
	assert.Panics(t, func() { srv.ReceiveMessage(human, number.PhoneNumber, "anybody?") })
}

func TestAnotherAccountCannotUseASubAccount(t *testing.T) {
	srv := newServer(t)
	made := ask(t, srv.Client(), "POST", "/v1/sub-accounts", fields{"name": "Branch"})
	nobody := clientFor(t, srv, "")
	started, err := nobody.Signup.Start(t.Context(), agentphone.SignupParams{HumanEmail: "ada@example.com"})
	require.NoError(t, err)
	account, err := nobody.Signup.Verify(t.Context(), agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: srv.OTP(started.VerificationID)})
	require.NoError(t, err)
	_, err = clientFor(t, srv, account.APIKey).ForSubAccount(made["id"].(string)).Usage.Get(t.Context())
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func registration() fields {
	return fields{
		"registration_type": "sole_proprietor", "first_name": "Ada", "last_name": "L", "email": "ada@example.com",
		"phone_number": human, "street_address": "1 Main St", "city": "Oakland", "state": "CA", "zip_code": "94601",
		"description": strings.Repeat("d", 40), "use_cases": []string{"customer_care"}, "message_samples": []string{strings.Repeat("a", 20), strings.Repeat("b", 1024)},
		"consent_flow": strings.Repeat("c", 40), "opt_in_image_url": "https://example.com/opt-in.png",
	}
}

func TestARegistrationIsCheckedAndThenPending(t *testing.T) {
	client := newServer(t).Client()
	assert.Equal(t, "none", ask(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	sample := strings.Repeat("s", 20)
	for _, samples := range [][]string{{sample[1:], sample}, {sample, strings.Repeat("s", 1025)}, {sample, sample, sample, sample, sample, sample}} {
		body := registration()
		body["message_samples"] = samples
		require.ErrorIs(t, refused(t, client, "POST", "/v1/register", body), agentphone.ErrValidation)
	}
	for name, wrong := range map[string]any{
		"description": "short", "consent_flow": strings.Repeat("c", 39), "message_samples": []string{sample}, "use_cases": []string{},
		"registration_type": "big", "volume": "some", "includes": []string{"cats"}, "email": "ada", "phone_number": "1",
		"opt_in_image_url": "here", "city": nil, "organization_type": "club", "planned_numbers": 0,
	} {
		body := registration()
		body[name] = wrong
		var answer *agentphone.APIError
		require.ErrorAs(t, refused(t, client, "POST", "/v1/register", body), &answer, name)
		assert.Equal(t, 422, answer.StatusCode, name)
		require.Len(t, answer.Details, 1, name)
		assert.True(t, strings.HasPrefix(answer.Details[0].Field, name), answer.Details[0].Field)
	}
	brand := registration()
	brand["registration_type"] = "standard_brand"
	maps.Copy(brand, fields{
		"business_name": "Tea Ltd", "ein": "12-3456789", "organization_type": "llc", "contact_title": "ceo",
		"privacy_policy_url": "https://example.com/privacy", "terms_of_service_url": "https://example.com/terms", "create_sub_account": true,
	})
	for _, name := range []string{"business_name", "ein", "organization_type", "contact_title", "privacy_policy_url", "terms_of_service_url"} {
		without := maps.Clone(brand)
		delete(without, name)
		require.ErrorIs(t, refused(t, client, "POST", "/v1/register", without), agentphone.ErrValidation, name)
	}
	made := ask(t, client, "POST", "/v1/register", brand)
	id := made["sub_account_id"].(string)
	assert.Equal(t, "pending", ask(t, client.ForSubAccount(id), "GET", "/v1/register/status", nil)["campaign_status"])

	own := registration()
	own["create_sub_account"] = false
	assert.Nil(t, ask(t, client, "POST", "/v1/register", own)["sub_account_id"])
	assert.Equal(t, "pending", ask(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	require.ErrorIs(t, refused(t, client, "POST", "/v1/register", own), agentphone.ErrConflict)
}

func TestUsageIsCountedByDayMonthNumberAndAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client()
		sendText(t, srv, human, "hi")
		time.Sleep(24 * time.Hour)
		srv.NextCall(agentphonetest.CallScript{Duration: 90 * time.Second})
		call := placeCall(t, srv, human)
		time.Sleep(time.Hour)

		days := items(t, ask(t, client, "GET", "/v1/usage/daily", nil), "data")
		require.Len(t, days, 30)
		assert.Equal(t, fields{"date": "2000-01-01", "messages": 1.0, "calls": 0.0, "webhooks": 0.0}, days[28])
		assert.Equal(t, fields{"date": "2000-01-02", "messages": 0.0, "calls": 1.0, "webhooks": 0.0}, days[29])
		months := items(t, ask(t, client, "GET", "/v1/usage/monthly", nil), "data")
		require.Len(t, months, 12)
		assert.Equal(t, fields{"month": "2000-01", "messages": 1.0, "calls": 1.0, "webhooks": 0.0}, months[11])
		assert.Equal(t, "1999-12", months[10]["month"])

		numbers := items(t, ask(t, client, "GET", "/v1/usage/by-number", nil), "data")
		assert.InDelta(t, 1, numbers[0]["messages"], 0)
		assert.Equal(t, "My agent", numbers[0]["agentName"])

		byAgent := func() fields {
			status, body := send(t, srv, "GET", "/v1/usage/by-agent?period=week&tz=America/New_York", "")
			require.Equal(t, 200, status)
			return items(t, body, "data")[0]
		}
		row := byAgent()
		assert.Equal(t, srv.AgentID(), row["agentId"])
		assert.InDelta(t, 90, row["totalSeconds"], 0)
		assert.Equal(t, false, row["isOrphan"])
		id := srv.AgentID()
		_, err := client.Agents.Delete(t.Context(), id)
		require.NoError(t, err)
		row = byAgent()
		assert.Equal(t, "Unassigned", row["agentName"])
		assert.Nil(t, row["agentId"])
		assert.Equal(t, true, row["isOrphan"])
		assert.InDelta(t, 90, row["totalSeconds"], 0)
		assert.Nil(t, ask(t, client, "GET", "/v1/calls/"+call.ID, nil)["agentId"], "a deleted agent is no longer named by its calls")
		status, body := send(t, srv, "GET", "/v1/usage/by-agent?tz=Moon", "")
		assert.Equal(t, 422, status)
		assert.Equal(t, []string{"query.period missing", "query.tz value_error"}, problems(t, body))
	})
}

func TestANumberIsThereByIDEvenWhenReleased(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	path := "/v1/numbers/" + srv.NumberID()
	assert.Equal(t, "active", ask(t, client, "GET", path, nil)["status"])
	placeCall(t, srv, human)
	_, err := client.Numbers.Release(t.Context(), srv.NumberID())
	require.NoError(t, err)
	released := ask(t, client, "GET", path, nil)
	assert.Equal(t, "released", released["status"])
	assert.Nil(t, released["agentId"])
	assert.Len(t, items(t, ask(t, client, "GET", path+"/calls", nil), "data"), 1)
	require.ErrorIs(t, refused(t, client, "GET", "/v1/numbers/num_none/calls", nil), agentphone.ErrNotFound)
}
