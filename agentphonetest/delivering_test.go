package agentphonetest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// receiver keeps what it is sent and fails as often as it is told.
type receiver struct {
	t      *testing.T
	secret string
	mu     sync.Mutex
	fail   int
	ids    []string
	signed []string
	at     []time.Time
	events []*agentphone.Event
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	assert.NoError(r.t, agentphone.VerifyWebhook(body, req.Header, r.secret))
	event, err := agentphone.ParseEvent(body)
	assert.NoError(r.t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, req.Header.Get(agentphone.WebhookIDHeader))
	r.signed = append(r.signed, req.Header.Get(agentphone.WebhookTimestampHeader))
	r.at = append(r.at, time.Now())
	r.events = append(r.events, event)
	if r.fail > 0 {
		r.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "later")
	}
}

func setWebhook(t *testing.T, srv *agentphonetest.Server, params agentphone.SetWebhookParams) *agentphone.Webhook {
	t.Helper()
	params.URL = "https://receiver.example.com/hook?a=1"
	set, err := srv.Client().Webhooks.Set(t.Context(), params)
	require.NoError(t, err)
	return set
}

func receive(t *testing.T, srv *agentphonetest.Server) *receiver {
	t.Helper()
	r := &receiver{t: t, secret: setWebhook(t, srv, agentphone.SetWebhookParams{}).Secret}
	srv.SetReceiver(r)
	return r
}

func TestAMessageIsDeliveredWithWhatWasSaidBefore(t *testing.T) {
	srv := newServer(t)
	srv.ReceiveMessage(human, srv.PhoneNumber(), "before there was a webhook")
	assert.Empty(t, srv.Deliveries(), "nothing is sent, nothing recorded")
	r := &receiver{t: t, secret: setWebhook(t, srv, agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(2)}).Secret}
	srv.SetReceiver(r)
	client, ctx := srv.Client(), t.Context()
	contact, err := client.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: human, Name: "Ann"})
	require.NoError(t, err)
	sent := sendText(t, srv, human, "one")
	ask(t, client, "PATCH", "/v1/conversations/"+sent.ConversationID, fields{"metadata": fields{"step": 2}})
	srv.ReceiveMessage(human, srv.PhoneNumber(), "two")
	id := srv.ReceiveMessage(human, srv.PhoneNumber(), "three")

	require.Len(t, r.events, 2, "the first attempt is over when ReceiveMessage returns")
	event := r.events[1]
	assert.Equal(t, agentphone.EventMessage, event.Type)
	assert.Equal(t, agentphone.ChannelSMS, event.Channel)
	assert.Equal(t, srv.AgentID(), event.AgentID)
	assert.Equal(t, map[string]any{"step": 2.0}, event.ConversationState)
	data := event.Data.(*agentphone.MessageData)
	assert.Equal(t, "three", data.Message)
	assert.Equal(t, id, data.MessageID)
	assert.Equal(t, srv.NumberID(), data.NumberID)
	assert.Equal(t, sent.ConversationID, data.ConversationID)
	assert.Equal(t, contact.ID, data.Contact.ID)
	require.Len(t, event.RecentHistory, 2, "the webhook's context limit")
	assert.Equal(t, "one", event.RecentHistory[0].Content)
	assert.Equal(t, agentphone.DirectionOutbound, event.RecentHistory[0].Direction)
	assert.Equal(t, "two", event.RecentHistory[1].Content, "newest last, without the message itself")
}

func TestADeliveryIsTriedSixTimesSignedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Second, 2*time.Second))
		r := receive(t, srv)
		r.fail = 2
		id := srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		pending := srv.Deliveries()[0]
		assert.Equal(t, "pending", pending.Status)
		assert.Equal(t, 503, pending.HTTPStatus)
		assert.Equal(t, "later", pending.ResponseBody)
		assert.NotEmpty(t, pending.ErrorMessage)
		assert.Equal(t, time.Now().Add(time.Second).UnixMicro(), pending.NextRetryAt.UnixMicro())
		srv.WaitDeliveries()
		done := srv.Deliveries()[0]
		assert.Equal(t, "success", done.Status)
		assert.Equal(t, 3, done.AttemptCount)
		assert.Equal(t, id, done.MessageID)
		assert.Empty(t, done.ErrorMessage)
		assert.True(t, done.NextRetryAt.IsZero())
		assert.Equal(t, []string{done.ID, done.ID, done.ID}, r.ids)
		assert.NotEqual(t, r.signed[0], r.signed[2])
		assert.InDelta(t, 3*time.Second, r.at[2].Sub(r.at[0]), float64(time.Millisecond))

		r.fail = 100
		srv.ReceiveMessage(human, srv.PhoneNumber(), "nobody answers")
		srv.WaitDeliveries()
		assert.Equal(t, "failed", srv.Deliveries()[1].Status)
		assert.Equal(t, 3, srv.Deliveries()[1].AttemptCount)
	})
}

func TestByDefaultThereAreSixAttemptsAndAHangingReceiverIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		setWebhook(t, srv, agentphone.SetWebhookParams{TimeoutSeconds: 5})
		srv.SetReceiver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		began := time.Now()
		srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		assert.Equal(t, 5*time.Second, time.Since(began).Round(time.Second))
		srv.WaitDeliveries()
		assert.Equal(t, 6, srv.Deliveries()[0].AttemptCount)
		assert.Zero(t, srv.Deliveries()[0].HTTPStatus)
	})
}

func TestCloseGivesDeliveriesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Hour))
		receive(t, srv).fail = 1
		srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		began := time.Now()
		srv.Close()
		assert.Zero(t, time.Since(began))
		assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	})
}

func TestAReactionIsDelivered(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	id := srv.ReceiveMessage("ann@example.com", srv.PhoneNumber(), "hello")
	srv.ReceiveReaction("ann@example.com", id, agentphone.ReactionLove)
	require.Len(t, r.events, 2)
	assert.Equal(t, agentphone.ChannelIMessage, r.events[1].Channel)
	data := r.events[1].Data.(*agentphone.ReactionData)
	assert.Equal(t, agentphone.ReactionLove, data.ReactionType)
	assert.Equal(t, id, data.MessageID)
	assert.Equal(t, "hello", data.MessageBody)
	assert.Len(t, srv.Messages()[0].Reactions, 1)
	assert.Panics(t, func() { srv.ReceiveReaction(human, "msg_none", agentphone.ReactionLove) })
	assert.Panics(t, func() { srv.ReceiveReaction(human, id, "lvoe") })
}

func TestAnEventIsDeliveredOnceMoreProperlyOrNot(t *testing.T) {
	srv := newServer(t)
	secret := setWebhook(t, srv, agentphone.SetWebhookParams{}).Secret
	messages := 0
	h, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { messages++; return nil },
	})
	require.NoError(t, err)
	srv.SetReceiver(h)
	_, _, err = srv.Redeliver("", agentphonetest.Redelivery{})
	require.Error(t, err, "there is none yet")
	srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
	for name, c := range map[string]struct {
		how  agentphonetest.Redelivery
		want int
	}{
		"twice":    {agentphonetest.Redelivery{Times: 2}, 200},
		"forged":   {agentphonetest.Redelivery{Secret: "whsec_other"}, 401},
		"stale":    {agentphonetest.Redelivery{Age: time.Hour}, 401},
		"tampered": {agentphonetest.Redelivery{Body: []byte(`{"event":"agent.message"}`)}, 401},
		"unsigned": {agentphonetest.Redelivery{NoSignature: true}, 401},
	} {
		status, _, err := srv.Redeliver(srv.Deliveries()[0].ID, c.how)
		require.NoError(t, err)
		assert.Equal(t, c.want, status, name)
	}
	assert.Equal(t, 1, messages)
}

func TestAReceiverThatPanicsBreaksTheConnection(t *testing.T) {
	srv := newServer(t, agentphonetest.WithDeliveryPauses())
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("boom")) }))
	srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
	assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	assert.Contains(t, srv.Deliveries()[0].ErrorMessage, "boom")
}
