package agentphonetest_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestDelivery_IsRetriedAfterEachPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Second, 2*time.Second))
		r := receive(t, srv)
		r.fail = 2
		id := srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
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
		srv.ReceiveMessage(person, srv.PhoneNumber(), "nobody is there")
		srv.WaitDeliveries()
		assert.Equal(t, "failed", srv.Deliveries()[1].Status)
		assert.Equal(t, 3, srv.Deliveries()[1].AttemptCount)
	})
}

func TestDelivery_HangingReceiverGetsSixAttemptsByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		setWebhook(t, srv, agentphone.SetWebhookParams{TimeoutSeconds: 120}) // which is for voice turns
		srv.SetReceiver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		began := time.Now()
		srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
		assert.Equal(t, 5*time.Second, time.Since(began).Round(time.Second))
		srv.WaitDeliveries()
		assert.Equal(t, 6, srv.Deliveries()[0].AttemptCount)
		assert.Zero(t, srv.Deliveries()[0].HTTPStatus)
	})
}

func TestDelivery_IsGivenUpWhenTheServerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Hour))
		receive(t, srv).fail = 1
		srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
		began := time.Now()
		srv.Close()
		assert.Zero(t, time.Since(began))
		assert.Equal(t, "failed", srv.Deliveries()[0].Status)
		assert.True(t, srv.Deliveries()[0].NextRetryAt.IsZero(), "given up")
	})
}

// byPath sends each URL's events to its own receiver.
func byPath(account, agent *receiver) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/account", account)
	mux.Handle("/agent", agent)
	return mux
}

func TestDelivery_AgentsOwnWebhookPrecedesTheAccounts(t *testing.T) {
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

	srv.ReceiveMessage(person, srv.PhoneNumber(), "one")
	srv.ReceiveMessage(person, srv.PhoneNumber(), "two")
	_, _ = srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "three")
	srv.ReceiveMessage(person, line.PhoneNumber, "four")
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
	srv.ReceiveMessage(person, srv.PhoneNumber(), "five")
	assert.Len(t, account.events, 2, "the account's takes over")
	assert.Len(t, booked(srv.AgentID()), 3)
}

// A receiver must accept the old secret for a while.
func TestDelivery_KeepsTheWebhookItBeganWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Minute))
		client, ctx := srv.Client(), t.Context()
		old, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://receiver.example.com/account"})
		require.NoError(t, err)
		r := &receiver{t: t, secret: old.Secret, fail: 1}
		srv.SetReceiver(byPath(r, &receiver{t: t}))
		srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
		_, err = client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://receiver.example.com/agent"})
		require.NoError(t, err)
		srv.WaitDeliveries()
		assert.Len(t, r.ids, 2)
		assert.Equal(t, "success", srv.Deliveries()[0].Status)
	})
}

func TestDelivery_EachAttemptHasItsOwnSignature(t *testing.T) {
	for fail, want := range map[int]string{1: "success", 3: "failed"} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Longer than a timestamp is accepted: a signature of the first attempt would be stale.
				srv := newServer(t, agentphonetest.WithDeliveryPauses(10*time.Minute, time.Hour))
				r := receive(t, srv) // which verifies
				r.fail = fail
				srv.ReceiveMessage(person, srv.PhoneNumber(), want)
				pending := srv.Deliveries()[0]
				assert.Equal(t, "pending", pending.Status)
				assert.Equal(t, 10*time.Minute, pending.NextRetryAt.Sub(pending.LastAttemptAt.Time).Round(time.Second))
				srv.WaitDeliveries()
				done := srv.Deliveries()[0]
				assert.Equal(t, want, done.Status)
				assert.True(t, done.NextRetryAt.IsZero(), "there is no next one")
				assert.Len(t, r.signed, done.AttemptCount)
				for i, at := range r.signed[1:] {
					assert.Greater(t, at, r.signed[i])
				}
				assert.True(t, done.LastAttemptAt.After(pending.LastAttemptAt.Time))
			})
		})
	}
}

func TestDelivery_FourHundredsAreFinal(t *testing.T) {
	for status, attempts := range map[int]int{
		200: 1, 204: 1, 302: 1, 400: 1, 401: 1, 404: 1, 408: 1, 409: 1, 410: 1, 422: 1, 425: 1, 429: 1, 499: 1,
		500: 3, 501: 3, 502: 3, 503: 3, 504: 3, 599: 3,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Second, time.Minute))
				setWebhook(t, srv, agentphone.SetWebhookParams{})
				srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(status)
				}))
				srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
				first := srv.Deliveries()[0]
				assert.Equal(t, attempts == 1, first.NextRetryAt.IsZero())
				srv.WaitDeliveries()
				d := srv.Deliveries()[0]
				assert.Equal(t, attempts, d.AttemptCount)
				assert.Equal(t, status, d.HTTPStatus)
				assert.Equal(t, status < 300, d.Status == "success")
			})
		})
	}
}

func TestDelivery_BrokenConnectionIsRetried(t *testing.T) {
	for name, breakOff := range map[string]http.HandlerFunc{
		"before the response": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"in the body of a 200": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("o"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Millisecond, time.Millisecond))
			attempts := 0
			port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if attempts++; attempts < 3 {
					breakOff(w, r)
				}
			}))
			defer port.Close()
			_, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: port.URL})
			require.NoError(t, err)
			srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
			srv.WaitDeliveries()
			assert.Equal(t, "success", srv.Deliveries()[0].Status)
			assert.Equal(t, 3, srv.Deliveries()[0].AttemptCount)
		})
	}
}

func TestDelivery_WebhooksTimeoutIsForVoiceTurns(t *testing.T) {
	for name, c := range map[string]struct {
		opts []agentphonetest.Option
		want time.Duration
	}{
		"by default": {nil, 5 * time.Second},
		"set":        {[]agentphonetest.Option{agentphonetest.WithDeliveryTimeout(time.Minute)}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, append(c.opts, agentphonetest.WithDeliveryPauses())...)
				setWebhook(t, srv, agentphone.SetWebhookParams{TimeoutSeconds: 20})
				srv.SetReceiver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
				took := func(do func()) time.Duration {
					began := time.Now()
					do()
					return time.Since(began)
				}
				var id string
				client := srv.Client(agentphone.WithTimeout(time.Hour))
				for what, do := range map[string]func(){
					"message":  func() { id = srv.ReceiveMessage(friend, srv.PhoneNumber(), "hello") },
					"call end": func() { assert.NoError(t, srv.EndCall(srv.ReceiveCall(person, srv.PhoneNumber()))) },
					"contact":  func() { srv.ShareContact(friend, srv.PhoneNumber(), fields{}) },
					"test":     func() { _, _ = client.Webhooks.Test(t.Context()) },
				} {
					assert.Equal(t, c.want, took(do), what)
				}
				assert.Equal(t, c.want, took(func() { srv.ReceiveReaction(friend, id, agentphone.ReactionLove) }))
				assert.Equal(t, c.want, took(func() { _, _, _ = srv.Redeliver("", agentphonetest.Redelivery{}) }), "redelivery")
				call := srv.ReceiveCall(person, srv.PhoneNumber())
				assert.Equal(t, 20*time.Second, took(func() { _, _ = srv.CallerSays(call, "Hello?") }), "voice turn")
				assert.Equal(t, 20*time.Second, took(func() { _, _, _ = srv.Redeliver("", agentphonetest.Redelivery{}) }), "voice turn again")
			})
		})
	}
}
