package agentphonetest_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// control sends a request to the control handler and checks the response's shape. name is an operation whose path has
// values in it, such as "POST /calls/call_1/end".
func control(t testing.TB, srv *agentphonetest.Server, name string, body any, header ...string) (int, fields) {
	t.Helper()
	text, isText := body.(string)
	if !isText && body != nil {
		text = string(must(json.Marshal(body)))
	}
	method, path, _ := strings.Cut(name, " ")
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(text))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	srv.ControlHandler().ServeHTTP(w, r)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	var out fields
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), "%s", w.Body)
	checkControlResponse(t, name, w.Code, out)
	return w.Code, out
}

// controlled is control that must succeed.
func controlled(t testing.TB, srv *agentphonetest.Server, name string, body any) fields {
	t.Helper()
	status, out := control(t, srv, name, body)
	require.Equal(t, http.StatusOK, status, "%v", out)
	return out
}

// checkControlResponse checks a response with the document. A path that the document does not have is responded to with
// an error.
func checkControlResponse(t testing.TB, name string, status int, body fields) {
	t.Helper()
	api := readOpenAPI(t)
	for _, op := range api.operations() {
		if !sameRoute(op.name, name) {
			continue
		}
		schema := api.responseSchema(op, status)
		require.NotNil(t, schema, "%s responds with %d: %v", op.name, status, body)
		require.Empty(t, api.check(schema, body, ""), "%s", op.name)
		return
	}
	require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status, name)
	require.Equal(t, []string{"error"}, slices.Collect(maps.Keys(body)))
}

// sameRoute reports whether a method and path is that of an operation.
func sameRoute(operation, name string) bool {
	name, _, _ = strings.Cut(name, "?")
	pattern, parts := strings.Split(operation, "/"), strings.Split(name, "/")
	return len(pattern) == len(parts) && !slices.ContainsFunc(pattern, func(part string) bool {
		i := slices.Index(pattern, part)
		return part != parts[i] && !strings.HasPrefix(part, "{")
	})
}

func TestControlHandler_ServesWhatItsDocumentDescribes(t *testing.T) {
	api := readOpenAPI(t)
	var described []string
	ids := map[any]bool{}
	for _, op := range api.operations() {
		described = append(described, op.name)
		ids[op.spec["operationId"]] = true
		assert.NotEmpty(t, op.spec["summary"], op.name)
	}
	assert.Len(t, ids, len(described), "each operation has an id of its own")
	assert.ElementsMatch(t, agentphonetest.ControlRoutes(), described)
	assert.Equal(t, api.root, controlled(t, newServer(t), "GET /openapi.json", nil))
}

func TestControlHandler_EverySchemaOfItsDocumentIsUsed(t *testing.T) {
	api := readOpenAPI(t)
	text := string(must(json.Marshal(api.root)))
	for _, part := range []string{"schemas", "responses"} {
		for name := range api.resolved(api.at(api.root, "components", part)) {
			assert.Contains(t, text, `"#/components/`+part+`/`+name+`"`)
		}
	}
}

// A request of each operation that has a body, on what a world has.
func controlRequests(w *world) map[string]fields {
	return map[string]fields{
		"POST /messages": {
			"from": person, "to": w.srv.PhoneNumber(), "body": "Hello.", "mediaUrls": []any{"https://example.com/a.png"},
			"channel": "imessage", "replyTo": w.message,
		},
		"POST /messages/" + w.message + "/reactions": {"from": person, "reaction": "love"},
		"POST /contact-shares":                       {"from": person, "to": w.srv.PhoneNumber(), "card": fields{"name": "Ada"}},
		"POST /calls":                                {"from": person, "to": w.srv.PhoneNumber()},
		"POST /calls/" + w.call + "/turns":           {"text": "Hello?"},
		"POST /calls/" + w.ringing + "/answer":       {},
		"POST /calls/" + w.call + "/end":             {},
		"POST /call-scripts": {
			"turns":      []any{fields{"role": "agent", "content": "Hello."}, fields{"role": "user", "content": "Hello."}},
			"durationMs": 1000, "status": "failed", "transcriptDelayMs": 10,
		},
		"POST /faults": {
			"operation": "POST /v1/messages", "matching": "x", "every": 2, "status": 500, "header": fields{"X-A": []any{"b"}},
			"code": "", "body": "no", "delayMs": 1, "reset": true, "beforeEffect": true, "afterEffect": false, "times": -1,
		},
		"PATCH /settings": {
			"echoes": true, "rateLimits": true, "paymentMethod": false, "ringing": true, "numberLimit": 3, "endDelayMs": 1,
			"listDelayMs": 2, "deliveryTimeoutMs": 3000, "deliveryPausesMs": []any{1, 2},
		},
		"POST /locations":                      {"phoneNumber": person, "latitude": 37.8, "longitude": -122.4},
		"POST /line-types":                     {"phoneNumber": person, "lineType": "landline"},
		"POST /deliveries/latest/redeliveries": {"secret": "whsec_1", "ageMs": 1000, "body": "{}", "noSignature": true, "times": 2},
		"POST /deliveries/wait":                {},
	}
}

func TestControlHandler_TakesWhatItsDocumentDescribesAndNothingElse(t *testing.T) {
	api := readOpenAPI(t)
	tried := 0
	for _, op := range api.operations() {
		schema := api.bodySchema(op)
		if schema == nil {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			w := newControlWorld(t)
			var name string
			var body fields
			for candidate, its := range controlRequests(w) {
				if sameRoute(op.name, candidate) {
					name, body = candidate, its
				}
			}
			require.NotEmpty(t, name, "controlRequests has no request")
			// What is sent is decoded as JSON first, as the schema sees it.
			require.NoError(t, json.Unmarshal(must(json.Marshal(body)), &body))
			require.Empty(t, api.check(schema, body, ""))
			properties, _ := api.resolved(schema)["properties"].(fields)
			for property := range properties {
				assert.Contains(t, body, property, "controlRequests leaves it out")
			}

			snapshot := func(w *world) any {
				state := controlled(t, w.srv, "GET /state", nil)
				return []any{state["setup"], state["messages"], state["deliveries"], state["calls"].(fields)["total"]}
			}
			before := snapshot(w)
			refusedWith := func(why string, body any, statuses ...int) {
				t.Helper()
				status, out := control(t, w.srv, name, body)
				assert.Contains(t, statuses, status, "%s: %v", why, out)
			}
			tried++
			for _, property := range slices.Sorted(maps.Keys(properties)) {
				changed := func(to any) fields {
					other := maps.Clone(body)
					other[property] = to
					return other
				}
				its := api.resolved(properties[property])
				var wrong any = fields{"a": true}
				if its["type"] == "object" {
					wrong = "text"
				}
				refusedWith(property+" of another type", changed(wrong), http.StatusBadRequest)
				_, message := control(t, w.srv, name, changed(wrong))
				assert.Contains(t, message["error"], property)
				if _, ok := its["enum"]; ok {
					refusedWith(property+" with another value", changed("other"), http.StatusUnprocessableEntity)
				}
				if least, ok := its["minimum"].(float64); ok {
					refusedWith(property+" below the minimum", changed(least-1), http.StatusUnprocessableEntity)
				}
				if most, ok := its["maximum"].(float64); ok {
					refusedWith(property+" above the maximum", changed(most+1), http.StatusUnprocessableEntity)
				}
			}
			required, _ := api.resolved(schema)["required"].([]any)
			for _, property := range required {
				without := maps.Clone(body)
				delete(without, property.(string))
				refusedWith("without "+property.(string), without, http.StatusUnprocessableEntity)
			}
			unknown := maps.Clone(body)
			unknown["surprise"] = 1
			refusedWith("an unknown field", unknown, http.StatusBadRequest)
			refusedWith("no JSON", "{", http.StatusBadRequest)
			refusedWith("nothing", "", http.StatusBadRequest)
			refusedWith("null", "null", http.StatusBadRequest)
			refusedWith("a list", "[]", http.StatusBadRequest)
			refusedWith("two objects", "{}{}", http.StatusBadRequest)
			refusedWith("a long body", `{"a":"`+strings.Repeat("a", 1<<20)+`"}`, http.StatusRequestEntityTooLarge)
			for _, form := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"} {
				status, _ := control(t, w.srv, name, body, "Content-Type", form)
				assert.Equal(t, http.StatusUnsupportedMediaType, status, form)
			}
			after := snapshot(w)
			assert.Equal(t, before, after, "what was refused did nothing")

			status, out := control(t, w.srv, name, body, "Content-Type", "application/json; charset=utf-8")
			assert.Equal(t, http.StatusOK, status, "%v", out)
		})
	}
	assert.Len(t, controlRequests(newControlWorld(t)), tried)
}

// newControlWorld is newWorld with a call that rings, and room for more.
func newControlWorld(t *testing.T) *world {
	w := newWorld(t)
	controlled(t, w.srv, "PATCH /settings", fields{"ringing": true})
	placed := must(w.srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: w.srv.AgentID(), ToNumber: person}))
	w.ringing = placed.ID
	controlled(t, w.srv, "PATCH /settings", fields{"ringing": false})
	w.srv.WaitDeliveries()
	return w
}

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
	assert.NotEmpty(t, controlled(t, w.srv, "GET /charges", nil)["data"])
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
		answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			_ = v.Interim("Hm.")
			<-ctx.Done()
			return ctx.Err()
		})
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
