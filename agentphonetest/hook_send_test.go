package agentphonetest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestDelivery_RedirectFailsAndIsNotFollowed(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
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
			srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
			d := srv.Deliveries()[0]
			assert.Equal(t, "failed", d.Status, status)
			assert.Equal(t, status, d.HTTPStatus)
			assert.NotEmpty(t, d.ErrorMessage)
			got, _, err := srv.Redeliver("", agentphonetest.Redelivery{})
			require.NoError(t, err)
			assert.Equal(t, status, got)
			_, err = srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Hello?")
			require.Error(t, err, status)
			assert.Zero(t, elsewhere, "the event went to its webhook only")
		})
	}
}

func TestDelivery_ReceiverThatPanicsBreaksTheConnection(t *testing.T) {
	srv := newServer(t, agentphonetest.WithDeliveryPauses())
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("boom")) }))
	srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
	assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	assert.Contains(t, srv.Deliveries()[0].ErrorMessage, "boom")
}

// After a 101 the connection is not HTTP's any more: what is read from it ends with no context.
func TestDelivery_ReceiverThatSwitchesProtocolsHoldsNothingUp(t *testing.T) {
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwords")
		_, _ = io.Copy(io.Discard, conn) // until the other side closes it
	}))
	srv := newServer(t, agentphonetest.WithDeliveryPauses(), agentphonetest.WithDeliveryTimeout(time.Second))
	client, ctx := srv.Client(), t.Context()
	_, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: port.URL, TimeoutSeconds: 5})
	require.NoError(t, err)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"Receive", func() { srv.ReceiveMessage(person, srv.PhoneNumber(), "hello") }},
		{"WaitDeliveries", srv.WaitDeliveries},
		{"Redeliver", func() {
			_, _, err := srv.Redeliver("", agentphonetest.Redelivery{})
			assert.ErrorContains(t, err, "101")
		}},
		{"Webhooks.Test", func() {
			result, err := client.Webhooks.Test(ctx)
			if assert.NoError(t, err) {
				assert.False(t, result.Success)
			}
		}},
		{"CallerSays", func() {
			_, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Hello?")
			assert.ErrorContains(t, err, "101")
		}},
		{"Close", srv.Close},
		{"the receiver", port.Close}, // which waits until its connections are closed
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			step.do()
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("it hangs: " + step.name)
		}
	}
	for _, d := range srv.Deliveries() {
		assert.Equal(t, "failed", d.Status)
		assert.Contains(t, d.ErrorMessage, "101")
	}
}
