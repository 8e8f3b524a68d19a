package apitest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

// Secret is the webhook secret with which [SignedRequest] signs.
const Secret = "whsec_0123456789"

// TextEvent and TurnEvent are bodies of webhook requests: a text message, and a voice turn.
const (
	TextEvent = `{"event":"agent.message","channel":"sms","agentId":"a","data":{"message":"hi"}}`
	TurnEvent = `{"event":"agent.message","channel":"voice","agentId":"a","data":{"callId":"c","transcript":"hello"}}`
)

// SignedRequest returns a webhook request that is signed now. If id is not empty, it is the id of the delivery.
func SignedRequest(body, id string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.Header = agentphone.SignWebhook([]byte(body), Secret, time.Now())
	if id != "" {
		r.Header.Set(agentphone.WebhookIDHeader, id)
	}
	return r
}

// Serve has a handler serve a request, and returns the recorded response.
func Serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
