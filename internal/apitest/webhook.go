package apitest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

// Secret signs webhook requests of the tests.
const Secret = "whsec_0123456789"

// Bodies of webhook requests.
const (
	TextEvent = `{"event":"agent.message","channel":"sms","agentId":"a","data":{"message":"hi"}}`
	TurnEvent = `{"event":"agent.message","channel":"voice","agentId":"a","data":{"callId":"c","transcript":"hello"}}`
)

// SignedRequest is a webhook request with a delivery id, unless that is "".
func SignedRequest(body, id string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.Header = agentphone.SignWebhook([]byte(body), Secret, time.Now())
	if id != "" {
		r.Header.Set(agentphone.WebhookIDHeader, id)
	}
	return r
}

// Serve records what a handler responds to a request.
func Serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
