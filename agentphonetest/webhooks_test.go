package agentphonetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestRedeliver_DuplicatesAndForgeries(t *testing.T) {
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
	srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
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
		t.Run(name, func(t *testing.T) {
			status, _, err := srv.Redeliver(srv.Deliveries()[0].ID, c.how)
			require.NoError(t, err)
			assert.Equal(t, c.want, status, name)
		})
	}
	assert.Equal(t, 1, messages)
}

func TestRedeliver_RepeatsAndChangesNoRecord(t *testing.T) {
	srv := newServer(t, agentphonetest.WithDeliveryPauses())
	r := receive(t, srv)
	first := srv.ReceiveMessage(person, srv.PhoneNumber(), "one")
	srv.ReceiveMessage(person, srv.PhoneNumber(), "two")
	before := srv.Deliveries()
	require.Len(t, r.events, 2)
	for times, want := range map[int]int{0: 1, 1: 1, 3: 3} {
		t.Run(fmt.Sprint(times, " times"), func(t *testing.T) {
			r.ids, r.events = nil, nil
			status, _, err := srv.Redeliver(before[0].ID, agentphonetest.Redelivery{Times: times})
			require.NoError(t, err)
			assert.Equal(t, 200, status)
			require.Len(t, r.ids, want, times)
			for i, id := range r.ids {
				assert.Equal(t, before[0].ID, id)
				assert.Equal(t, first, r.events[i].Data.(*agentphone.MessageData).MessageID)
			}
		})
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
