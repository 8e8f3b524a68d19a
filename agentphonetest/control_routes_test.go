package agentphonetest_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestControlHandler_StateAndListsHaveTheirShapes(t *testing.T) {
	w := newControlWorld(t)
	must(w.srv.Client().Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: "CA"}))
	for name, body := range controlRequests(w) {
		if name != "POST /calls/"+w.call+"/end" {
			controlled(t, w.srv, name, body)
		}
	}
	controlled(t, w.srv, "POST /deliveries/wait", fields{})
	state := controlled(t, w.srv, "GET /state", nil)
	for _, list := range []string{"messages", "calls", "requests", "deliveries", "verifications"} {
		all := controlled(t, w.srv, "GET /"+list, nil)
		if list != "requests" { // of which there are more than by default
			assert.Equal(t, state[list], all, list)
		}
		total := int(all["total"].(float64))
		require.NotZero(t, total, list)
		part := controlled(t, w.srv, "GET /"+list+"?limit=1&offset="+strconv.Itoa(total-1), nil)
		assert.Equal(t, all["data"].([]any)[:1], part["data"], "the oldest of %s", list)
		status, _ := control(t, w.srv, "GET /"+list+"?limit=0", nil)
		assert.Equal(t, http.StatusUnprocessableEntity, status)
	}
	assert.Len(t, controlled(t, w.srv, "GET /state?limit=1", nil)["messages"].(fields)["data"], 1)
	for _, list := range []string{"charges", "turns", "redeliveries"} {
		assert.NotEmpty(t, controlled(t, w.srv, "GET /"+list, nil)["data"], list)
	}
	assert.Equal(t, w.srv.OTP(w.verification), controlled(t, w.srv, "GET /signups/"+w.verification, nil)["otp"])
}

func TestControlHandler_RefusesWhatItDoesNotHave(t *testing.T) {
	srv := newServer(t)
	for name, want := range map[string]int{
		"GET /":                                404,
		"GET /nothing":                         404,
		"PUT /messages":                        405,
		"DELETE /state":                        405,
		"GET /signups/ver_1":                   404,
		"POST /calls/call_1/end":               404,
		"POST /calls/call_1/answer":            404,
		"POST /deliveries/whd_1/redeliveries":  404,
		"POST /deliveries/latest/redeliveries": 404,
	} {
		status, out := control(t, srv, name, fields{})
		assert.Equal(t, want, status, name)
		assert.NotEmpty(t, out["error"])
	}
	for name, body := range map[string]fields{
		"POST /messages":                 {"from": person, "to": person, "body": "hello"},
		"POST /messages/msg_1/reactions": {"from": person, "reaction": "love"},
		"POST /contact-shares":           {"from": person, "to": person},
		"POST /calls":                    {"from": "somebody", "to": srv.PhoneNumber()},
		"POST /faults":                   {"operation": "GET /v1/calls/call_1"},
		"POST /call-scripts":             {"status": "in-progress"},
		"POST /locations":                {"phoneNumber": person, "latitude": 91, "longitude": 0},
		"POST /line-types":               {"phoneNumber": "1", "lineType": "voip"},
	} {
		status, out := control(t, srv, name, body)
		assert.Equal(t, http.StatusUnprocessableEntity, status, "%s: %v", name, out)
	}
}

func TestControlHandler_TurnSaysWhyItFailed(t *testing.T) {
	srv := newServer(t)
	id := controlled(t, srv, "POST /calls", fields{"from": person, "to": srv.PhoneNumber()})["callId"].(string)
	turn := func() (int, fields) { return control(t, srv, "POST /calls/"+id+"/turns", fields{"text": "Hello?"}) }
	status, _ := turn()
	assert.Equal(t, http.StatusConflict, status, "there is no webhook")

	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, sayHm)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		status, out := control(t, srv, "POST /calls/"+id+"/turns", fields{"text": "Hello?"})
		assert.Equal(t, http.StatusGatewayTimeout, status)
		assert.Equal(t, []any{fields{"text": "Hm.", "interim": true, "atMs": 0.0}}, out["answer"].(fields)["lines"])
	})

	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.NotFoundHandler())
	status, out := turn()
	assert.Equal(t, http.StatusBadGateway, status)
	assert.Contains(t, out["error"], "404")
	controlled(t, srv, "POST /calls/"+id+"/end", fields{})
	for name, body := range map[string]fields{"/turns": {"text": "Hello?"}, "/end": {}, "/answer": {}} {
		status, _ = control(t, srv, "POST /calls/"+id+name, body)
		assert.Equal(t, http.StatusConflict, status, name)
	}
	id = srv.ReceiveCall(person, srv.PhoneNumber())
	srv.Close()
	status, _ = turn()
	assert.Equal(t, http.StatusServiceUnavailable, status)
	controlled(t, srv, "GET /state", nil) // the records outlive the server
}

func TestControlHandler_KeepsTurnsAndRedeliveries(t *testing.T) {
	srv := newServer(t)
	srv.ControlHandler()
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	status, body := http.StatusOK, `{"text":"At seven.","hangup":true,"digits":"1"}`
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	must(srv.CallerSays(id, "\xffWhen?"))
	status = http.StatusTeapot
	_, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Hello?")
	require.Error(t, err)
	turns := controlled(t, srv, "GET /turns", nil)["data"].([]any)
	require.Len(t, turns, 2)
	first, second := turns[0].(fields), turns[1].(fields)
	assert.Equal(t, []any{id, "\ufffdWhen?", 200.0, nil}, []any{first["callId"], first["text"], first["status"], first["error"]})
	assert.Equal(t, "At seven.", first["answer"].(fields)["lines"].([]any)[0].(fields)["text"])
	assert.Equal(t, []any{true, false, "1"}, []any{first["answer"].(fields)["hangup"], first["answer"].(fields)["transfer"], first["answer"].(fields)["digits"]})
	assert.Equal(t, 418.0, second["status"])
	assert.Contains(t, second["error"], "418")

	delivery := first["deliveryId"].(string)
	for _, how := range []agentphonetest.Redelivery{{Times: 2}, {Secret: "whsec_other", Age: time.Minute}, {Body: []byte("{}"), NoSignature: true}} {
		_, _, err = srv.Redeliver(delivery, how)
		require.NoError(t, err)
	}
	again := controlled(t, srv, "GET /redeliveries", nil)["data"].([]any)
	require.Len(t, again, 4)
	for i, want := range []fields{
		{}, {}, {"secret": "whsec_other", "ageMs": 60_000.0}, {"noSignature": true, "altered": true},
	} {
		got := again[i].(fields)
		delete(got, "at")
		all := fields{"deliveryId": delivery, "secret": nil, "ageMs": 0.0, "noSignature": false, "altered": false, "status": 418.0,
			"error": "the receiver responded with 418 I'm a teapot"}
		maps.Copy(all, want)
		assert.Equal(t, all, got)
	}
}

func TestControlHandler_RedeliversForgedAndStaleEvents(t *testing.T) {
	srv := newServer(t)
	var got []*http.Request
	var bodies []string
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(body))
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no")
	}))
	controlled(t, srv, "POST /messages", fields{"from": person, "to": srv.PhoneNumber(), "body": "hello"})
	id := srv.Deliveries()[0].ID
	out := controlled(t, srv, "POST /deliveries/"+id+"/redeliveries", fields{"body": "other", "times": 2})
	assert.Equal(t, fields{"status": 401.0, "body": "no"}, out)
	assert.Equal(t, []string{"other", "other"}, bodies[1:])
	controlled(t, srv, "POST /deliveries/latest/redeliveries", fields{"noSignature": true})
	assert.Empty(t, got[3].Header.Get(agentphone.WebhookSignatureHeader))
	controlled(t, srv, "POST /deliveries/latest/redeliveries", fields{"ageMs": 3_600_000})
	age := time.Since(time.Unix(int64(must(strconv.Atoi(got[4].Header.Get(agentphone.WebhookTimestampHeader)))), 0))
	assert.InDelta(t, time.Hour, age, float64(5*time.Second))
	controlled(t, srv, "POST /deliveries/latest/redeliveries", fields{"secret": "whsec_other"})
	require.NoError(t, agentphone.VerifyWebhook([]byte(bodies[5]), got[5].Header, "whsec_other"))

	srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	status, _ := control(t, srv, "POST /deliveries/latest/redeliveries", fields{})
	assert.Equal(t, http.StatusBadGateway, status)
	srv.Close()
}

func TestControlHandler_SettingsHoldFromThenOn(t *testing.T) {
	srv := newServer(t)
	before := controlled(t, srv, "PATCH /settings", fields{})
	assert.Equal(t, fields{
		"echoes": false, "rateLimits": false, "paymentMethod": true, "ringing": false, "numberLimit": 10.0, "endDelayMs": 0.0,
		"listDelayMs": 0.0, "deliveryTimeoutMs": 5000.0, "deliveryPausesMs": []any{10.0, 20.0, 40.0, 80.0, 160.0},
	}, before)
	after := controlled(t, srv, "PATCH /settings", fields{"paymentMethod": false, "deliveryPausesMs": []any{}})
	assert.Equal(t, false, after["paymentMethod"])
	assert.Empty(t, after["deliveryPausesMs"])
	assert.Equal(t, before["deliveryTimeoutMs"], after["deliveryTimeoutMs"])
	_, err := srv.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "hello"})
	require.ErrorIs(t, err, agentphone.ErrPaymentRequired)
	status, _ := control(t, srv, "PATCH /settings", fields{"paymentMethod": true, "numberLimit": -1})
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Equal(t, after, controlled(t, srv, "PATCH /settings", fields{}), "all that is asked for, or nothing")
}

func TestControlHandler_FaultsAreShownUntilUsedUpOrCleared(t *testing.T) {
	srv := newServer(t)
	faults := func() []any { return controlled(t, srv, "GET /state", nil)["setup"].(fields)["faults"].([]any) }
	controlled(t, srv, "POST /faults", fields{"status": 500, "times": 2})
	controlled(t, srv, "POST /faults", fields{"operation": "GET /v1/calls", "status": 404, "times": -1})
	send(t, srv, "GET", "/v1/agents", "")
	require.Len(t, faults(), 2)
	assert.InDelta(t, 1, faults()[0].(fields)["times"], 0)
	send(t, srv, "GET", "/v1/agents", "")
	assert.Len(t, faults(), 1)
	controlled(t, srv, "DELETE /faults", nil)
	assert.Empty(t, faults())
	status, _ := send(t, srv, "GET", "/v1/calls", "")
	assert.Equal(t, 200, status)
}

func TestControlHandler_RequestsShowTheirResponses(t *testing.T) {
	srv := newServer(t)
	srv.ControlHandler()
	send(t, srv, "POST", "/v1/calls?a=1", `{"toNumber":"1"}`)
	srv.InjectFault(agentphonetest.Fault{Reset: true})
	require.Error(t, srv.Client(agentphone.WithMaxRetries(0)).Do(t.Context(), "GET", "/v1/agents", nil, nil))
	all := controlled(t, srv, "GET /requests", nil)["data"].([]any)
	first, second := all[0].(fields), all[1].(fields)
	assert.Equal(t, "POST /v1/calls", first["operation"])
	assert.Equal(t, "a=1", first["query"])
	assert.Equal(t, `{"toNumber":"1"}`, first["body"])
	assert.InDelta(t, 422, first["status"], 0)
	assert.Contains(t, first["response"], "toNumber")
	assert.Equal(t, false, first["faulted"])
	assert.NotContains(t, string(must(json.Marshal(all))), srv.APIKey())
	assert.Equal(t, []any{true, true, nil, nil}, []any{second["faulted"], second["done"], second["status"], second["response"]})

	for range 1000 {
		send(t, srv, "GET", "/v1/agents", "")
	}
	all = controlled(t, srv, "GET /requests?limit=10000", nil)["data"].([]any)
	assert.Nil(t, all[0].(fields)["response"], "of the newest 1,000 only")
	assert.NotNil(t, all[2].(fields)["response"])
}
