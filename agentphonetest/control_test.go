package agentphonetest_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

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
