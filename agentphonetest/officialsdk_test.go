package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

// What the official SDK for TypeScript sends and this one does not.

func TestATimeThatIsEmptyIsNoLimit(t *testing.T) {
	srv := newServer(t)
	sent := sendText(t, srv, human, "hello")
	for _, path := range []string{
		"/v1/numbers/" + srv.NumberID() + "/messages?before=&after=",
		"/v1/conversations/" + sent.ConversationID + "/messages?after=&before=",
	} {
		status, body := send(t, srv, "GET", path, "")
		require.Equal(t, 200, status, "%v", body)
		assert.Len(t, body["data"], 1)
	}
}

func TestPhoneCallsAreFoundAsPSTN(t *testing.T) {
	srv := newServer(t)
	call := placeCall(t, srv, human)
	ask(t, srv.Client(), "POST", "/v1/calls/web", fields{"agentId": srv.AgentID()})
	page, err := srv.Client().Calls.List(t.Context(), agentphone.ListCallsParams{Type: "pstn"})
	require.NoError(t, err)
	require.Len(t, page.Data, 1)
	assert.Equal(t, call.ID, page.Data[0].ID)
}

func TestARegistrationMakesASubAccountUnlessToldNotTo(t *testing.T) {
	client := newServer(t).Client(agentphone.WithMaxRetries(0))
	made := ask(t, client, "POST", "/v1/register", registration())
	assert.EqualValues(t, 2500, made["fee_cents"])
	id, _ := made["sub_account_id"].(string)
	require.NotEmpty(t, id)
	assert.Equal(t, "none", ask(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	sub := client.ForSubAccount(id)
	assert.Equal(t, "pending", ask(t, sub, "GET", "/v1/register/status", nil)["campaign_status"])
	require.ErrorIs(t, refused(t, sub, "POST", "/v1/register", registration()), agentphone.ErrConflict, "it has no sub-accounts: itself is registered")

	own := registration()
	own["create_sub_account"] = false
	assert.Nil(t, ask(t, client, "POST", "/v1/register", own)["sub_account_id"])
}
