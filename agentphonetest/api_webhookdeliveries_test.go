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

func TestWebhookDeliveries_AreListedAndCounted(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte("seen"))
	}))
	defer receiver.Close()
	assert.Empty(t, request(t, client, "GET", "/v1/webhooks/deliveries", nil)["items"])
	_, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: receiver.URL})
	require.NoError(t, err)
	_, err = client.Webhooks.SetForAgent(ctx, srv.AgentID(), agentphone.SetWebhookParams{URL: receiver.URL + "/broken"})
	require.NoError(t, err)
	_, err = client.Webhooks.Test(ctx)
	require.NoError(t, err)
	own := "/v1/agents/" + srv.AgentID() + "/webhook"
	assert.Equal(t, false, request(t, client, "POST", own+"/test", nil)["success"])

	page := request(t, client, "GET", "/v1/webhooks/deliveries", nil)
	list := items(t, page, "items")
	require.Len(t, list, 2)
	assert.InDelta(t, 20, page["limit"], 0)
	assert.Equal(t, "failed", list[0]["status"], "newest first")
	assert.InDelta(t, 500, list[0]["httpStatus"], 0)
	assert.Equal(t, "success", list[1]["status"])
	assert.Equal(t, "seen", list[1]["responseBody"])
	assert.Equal(t, page["items"], page["data"], "the official clients disagree on the name")
	assert.Equal(t, false, page["hasMore"])
	for _, d := range list {
		assert.Equal(t, d["eventType"], d["event"])
		assert.Equal(t, d["httpStatus"], d["statusCode"])
		assert.Equal(t, d["status"] == "success", d["success"])
		assert.Equal(t, d["status"] == "success", d["deliveredAt"] != nil)
		assert.IsType(t, 0.0, d["responseMs"])
	}
	var its []map[string]any
	require.NoError(t, client.Do(ctx, "GET", own+"/deliveries", nil, &its))
	require.Len(t, its, 1)
	assert.Equal(t, list[0], its[0])

	assert.Equal(t, fields{"total": 2.0, "success": 1.0, "failed": 1.0, "successRate": 50.0}, request(t, client, "GET", "/v1/webhooks/deliveries/all-time", nil))
	stats := request(t, client, "GET", "/v1/webhooks/deliveries/stats", nil)
	assert.InDelta(t, 0, stats["pending"], 0)
	assert.Contains(t, stats["byEventType"], "agent.message")
	assert.Len(t, stats["byHour"], 1)

	for _, path := range []string{"/v1/webhooks", own} {
		assert.Equal(t, true, request(t, client, "DELETE", path, nil)["success"])
		require.ErrorIs(t, refused(t, client, "DELETE", path, nil), agentphone.ErrNotFound)
		require.ErrorIs(t, refused(t, client, "POST", path+"/test", fields{}), agentphone.ErrNotFound)
	}
}

func TestWebhookDeliveries_StatsCountPendingAndLimitHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(90*time.Minute))
		client, ctx := srv.Client(), t.Context()
		r := receive(t, srv)
		receive := func(text string, fail int) {
			r.mu.Lock() // deliveries are retried in the background
			r.fail = fail
			r.mu.Unlock()
			srv.ReceiveMessage(person, srv.PhoneNumber(), text)
		}
		receive("success", 0)
		receive("failed", 2)
		time.Sleep(3*time.Hour + time.Minute)
		receive("success", 0)
		receive("success", 0)
		receive("pending", 1)

		counts := func(hours int) [4]int {
			stats, err := client.Webhooks.DeliveryStats(ctx, agentphone.DeliveryStatsParams{Hours: hours})
			require.NoError(t, err)
			assert.InDelta(t, float64(stats.Total), stats.ByEventType["agent.message"]["total"], 0)
			return [4]int{stats.Total, stats.Success, stats.Failed, stats.Pending}
		}
		assert.Equal(t, [4]int{3, 2, 0, 1}, counts(3))
		assert.Equal(t, [4]int{5, 3, 1, 1}, counts(4))
		assert.Equal(t, [4]int{5, 3, 1, 1}, counts(0), "a day")
		all, err := client.Webhooks.AllTimeDeliveryStats(ctx)
		require.NoError(t, err)
		assert.Equal(t, agentphone.AllTimeDeliveryStats{Total: 5, Success: 3, Failed: 1, SuccessRate: 60}, *all)
		for hours, want := range map[int]int{1: 3, 4: 5, 0: 5} {
			page, err := client.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{Hours: hours})
			require.NoError(t, err)
			assert.Len(t, page.Data, want, hours)
		}
		time.Sleep(25 * time.Hour)
		assert.Equal(t, [4]int{}, counts(0), "a day has passed")
		assert.Equal(t, [4]int{5, 4, 1, 0}, counts(48), "and what was pending came to its end")
	})
}

func TestWebhookDeliveries_TellHowLongTheResponseTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		setWebhook(t, srv, agentphone.SetWebhookParams{})
		srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) }))
		began := time.Now()
		srv.ReceiveMessage(person, srv.PhoneNumber(), "hi")
		srv.SetReceiver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		srv.ReceiveMessage(person, srv.PhoneNumber(), "hi")
		list := items(t, request(t, srv.Client(), "GET", "/v1/webhooks/deliveries", nil), "items")
		assert.InDelta(t, 2000, list[1]["responseMs"], 0)
		var delivered agentphone.Timestamp
		require.NoError(t, delivered.UnmarshalJSON([]byte(`"`+list[1]["deliveredAt"].(string)+`"`)))
		assert.Equal(t, began.Add(2*time.Second).UnixMicro(), delivered.UnixMicro())
		for _, name := range []string{"responseMs", "statusCode", "deliveredAt"} {
			assert.Contains(t, list[0], name)
			assert.Nil(t, list[0][name], "there was no response")
		}
	})
}
