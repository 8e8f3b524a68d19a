package agentphonetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestARedeliveryComesAsOftenAsItIsToldAndChangesNoRecord(t *testing.T) {
	srv := newServer(t, agentphonetest.WithDeliveryPauses())
	r := receive(t, srv)
	first := srv.ReceiveMessage(human, srv.PhoneNumber(), "one")
	srv.ReceiveMessage(human, srv.PhoneNumber(), "two")
	before := srv.Deliveries()
	require.Len(t, r.events, 2)
	for times, want := range map[int]int{0: 1, 1: 1, 3: 3} {
		r.ids, r.events = nil, nil
		status, _, err := srv.Redeliver(before[0].ID, agentphonetest.Redelivery{Times: times})
		require.NoError(t, err)
		assert.Equal(t, 200, status)
		require.Len(t, r.ids, want, times)
		for i, id := range r.ids {
			assert.Equal(t, before[0].ID, id)
			assert.Equal(t, first, r.events[i].Data.(*agentphone.MessageData).MessageID)
		}
	}
	r.ids, r.fail = nil, 1
	status, body, err := srv.Redeliver("", agentphonetest.Redelivery{})
	require.NoError(t, err)
	assert.Equal(t, 503, status)
	assert.Equal(t, "later", body)
	assert.Equal(t, []string{before[1].ID}, r.ids, "the latest")
	assert.Equal(t, before, srv.Deliveries())
	_, _, err = srv.Redeliver("whd_none", agentphonetest.Redelivery{})
	require.Error(t, err)
}

func TestEachAttemptIsSignedAnewAndTheEndIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Longer than a timestamp is accepted: a signature of the first attempt would be stale.
		srv := newServer(t, agentphonetest.WithDeliveryPauses(10*time.Minute, time.Hour))
		r := receive(t, srv) // which verifies
		for fail, want := range map[int]string{1: "success", 3: "failed"} {
			r.fail, r.signed = fail, nil
			srv.ReceiveMessage(human, srv.PhoneNumber(), want)
			pending := srv.Deliveries()[len(srv.Deliveries())-1]
			assert.Equal(t, "pending", pending.Status)
			assert.Equal(t, 10*time.Minute, pending.NextRetryAt.Sub(pending.LastAttemptAt.Time).Round(time.Second))
			srv.WaitDeliveries()
			done := srv.Deliveries()[len(srv.Deliveries())-1]
			assert.Equal(t, want, done.Status)
			assert.True(t, done.NextRetryAt.IsZero(), "there is no next one")
			assert.Len(t, r.signed, done.AttemptCount)
			for i, at := range r.signed[1:] {
				assert.Greater(t, at, r.signed[i])
			}
			assert.True(t, done.LastAttemptAt.After(pending.LastAttemptAt.Time))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Hour))
		receive(t, srv).fail = 1
		srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
		srv.Close()
		assert.True(t, srv.Deliveries()[0].NextRetryAt.IsZero(), "given up")
	})
}

func TestStatisticsCountWhatIsPendingApartAndLookBackSomeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(90*time.Minute))
		client, ctx := srv.Client(), t.Context()
		r := receive(t, srv)
		receive := func(text string, fail int) {
			r.mu.Lock() // deliveries are tried again in the background
			r.fail = fail
			r.mu.Unlock()
			srv.ReceiveMessage(human, srv.PhoneNumber(), text)
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
