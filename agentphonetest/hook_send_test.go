package agentphonetest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

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
