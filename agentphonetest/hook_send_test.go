package agentphonetest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDelivery_RedirectFailsAndIsNotFollowed(t *testing.T) {
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

func TestDelivery_ReceiverThatPanicsBreaksTheConnection(t *testing.T) {
	srv := newServer(t, agentphonetest.WithDeliveryPauses())
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("boom")) }))
	srv.ReceiveMessage(human, srv.PhoneNumber(), "hello")
	assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	assert.Contains(t, srv.Deliveries()[0].ErrorMessage, "boom")
}
