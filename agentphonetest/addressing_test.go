package agentphonetest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// byPath sends each URL's events to its own receiver.
func byPath(account, agent *receiver) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/account", account)
	mux.Handle("/agent", agent)
	return mux
}

func TestAnAgentsOwnWebhookGoesBeforeTheAccounts(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	set, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://receiver.example.com/account"})
	require.NoError(t, err)
	own, err := client.Webhooks.SetForAgent(ctx, srv.AgentID(), agentphone.SetWebhookParams{URL: "https://receiver.example.com/agent", ContextLimit: agentphone.Ptr(1)})
	require.NoError(t, err)
	account, agent := &receiver{t: t, secret: set.Secret}, &receiver{t: t, secret: own.Secret}
	srv.SetReceiver(byPath(account, agent))
	other, err := client.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Other"})
	require.NoError(t, err)
	line, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: "US", AgentID: other.ID})
	require.NoError(t, err)

	srv.ReceiveMessage(human, srv.PhoneNumber(), "one")
	srv.ReceiveMessage(human, srv.PhoneNumber(), "two")
	_, _ = srv.CallerSays(srv.ReceiveCall(human, srv.PhoneNumber()), "three")
	srv.ReceiveMessage(human, line.PhoneNumber, "four")
	require.Len(t, agent.events, 3, "with its own secret, or the receiver would complain")
	assert.Len(t, agent.events[1].RecentHistory, 1, "and its own context limit")
	require.Len(t, account.events, 1)
	assert.Equal(t, other.ID, account.events[0].AgentID)

	// In the lists each delivery belongs to the webhook that it went to.
	booked := func(agentID string) (ids []string) {
		page, err := client.Webhooks.ListDeliveriesForAgent(ctx, agentID, agentphone.ListDeliveriesForAgentParams{})
		require.NoError(t, err)
		for _, d := range page.Data {
			ids = append(ids, d.ID)
		}
		return ids
	}
	assert.Equal(t, []string{agent.ids[2], agent.ids[1], agent.ids[0]}, booked(srv.AgentID()))
	assert.Empty(t, booked(other.ID), "it has no webhook of its own")

	err = client.Webhooks.DeleteForAgent(ctx, srv.AgentID())
	require.NoError(t, err)
	srv.ReceiveMessage(human, srv.PhoneNumber(), "five")
	assert.Len(t, account.events, 2, "the account's serves it again")
	assert.Len(t, booked(srv.AgentID()), 3)
}

// What was signed with the old secret stays so: a receiver must accept both for a while.
func TestADeliveryKeepsTheWebhookThatItBeganWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Minute))
		client, ctx := srv.Client(), t.Context()
		old, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://receiver.example.com/account"})
		require.NoError(t, err)
		r := &receiver{t: t, secret: old.Secret, fail: 1}
		srv.SetReceiver(byPath(r, &receiver{t: t}))
		srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		_, err = client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://receiver.example.com/agent"})
		require.NoError(t, err)
		srv.WaitDeliveries()
		assert.Len(t, r.ids, 2)
		assert.Equal(t, "success", srv.Deliveries()[0].Status)
	})
}

func TestARedirectIsNoSuccessAndIsNotFollowed(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		srv := newServer(t, agentphonetest.WithDeliveryPauses())
		elsewhere := 0
		mux := http.NewServeMux()
		mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { elsewhere++ })
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		port := httptest.NewServer(mux)
		defer port.Close()
		_, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: port.URL})
		require.NoError(t, err)
		srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		d := srv.Deliveries()[0]
		assert.Equal(t, "failed", d.Status, status)
		assert.Equal(t, status, d.HTTPStatus)
		assert.NotEmpty(t, d.ErrorMessage)
		got, _, err := srv.Redeliver("", agentphonetest.Redelivery{})
		require.NoError(t, err)
		assert.Equal(t, status, got)
		_, err = srv.CallerSays(srv.ReceiveCall(human, srv.PhoneNumber()), "Hello?")
		require.Error(t, err, status)
		assert.Zero(t, elsewhere, "an event is for nobody else")
	}
}

func TestAMessageToAGroupSaysWhichAndWhoWroteIt(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	sent, err := srv.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{
		AgentID: srv.AgentID(), Recipients: []string{human, "+14155550002"}, Body: "Dinner?",
	})
	require.NoError(t, err)
	srv.ReceiveMessage(human, sent.ToNumber, "Yes!")
	require.Len(t, r.events, 1)
	data := r.events[0].Data.(*agentphone.MessageData)
	assert.Equal(t, human, data.SenderIdentifier)
	assert.Equal(t, sent.ToNumber, data.Group["id"])
	assert.ElementsMatch(t, []any{human, "+14155550002"}, data.Group["participants"])
	require.Len(t, r.events[0].RecentHistory, 1)
	assert.Equal(t, "Dinner?", r.events[0].RecentHistory[0].Content)

	srv.ReceiveMessage(human, srv.PhoneNumber(), "And you alone?")
	data = r.events[1].Data.(*agentphone.MessageData)
	assert.Nil(t, data.Group)
	assert.Empty(t, data.SenderIdentifier)
}
