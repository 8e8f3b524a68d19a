package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestRequest_WithoutAValidKeyIs401(t *testing.T) {
	srv := newServer(t)
	for _, header := range []string{"", "Bearer", "Bearer sk_live_wrong", "Basic " + srv.APIKey()} {
		t.Run("Authorization "+header, func(t *testing.T) {
			status, body := send(t, srv, "GET", "/v1/agents", "", "Authorization", header)
			assert.Equal(t, 401, status, header)
			assert.IsType(t, "", body["detail"])
		})
	}
	_, err := clientFor(t, srv, "sk_live_other").Agents.List(t.Context(), agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrUnauthorized)
}

func TestRequest_KeyIsCheckedBeforeTheInput(t *testing.T) {
	status, _ := send(t, newServer(t), "POST", "/v1/calls", `{`, "Authorization", "")
	assert.Equal(t, 401, status)
}

func TestRequest_InvalidInputIsA422ThatNamesEachField(t *testing.T) {
	srv := newServer(t)
	const messages = "/v1/messages"
	cases := []struct {
		name, method, path, body string
		want                     []string
	}{
		{"no body", "POST", "/v1/calls", ``, []string{"body missing"}},
		{"broken JSON", "POST", "/v1/calls", `{"agentId":`, []string{"body.0 json_invalid"}},
		{"two values", "POST", "/v1/calls", `{} {}`, []string{"body.4 json_invalid"}},
		{"no object", "POST", "/v1/calls", `[]`, []string{"body model_attributes_type"}},
		{"all that is missing", "POST", "/v1/calls", `{}`, []string{"body.agentId missing", "body.toNumber missing"}},
		{"wrong types and words", "POST", "/v1/calls", `{"agentId":1,"toNumber":null,"modelTier":"huge","variables":{"a":1}}`,
			[]string{"body.agentId string_type", "body.toNumber string_type", "body.modelTier literal_error", "body.variables.a string_type"}},
		{"no E.164", "POST", "/v1/calls", `{"agentId":"a","toNumber":"(415) 555-1234"}`, []string{"body.toNumber value_error"}},
		{"hosted without a prompt", "POST", "/v1/agents", `{"name":"a","voiceMode":"hosted"}`, []string{"body.systemPrompt value_error"}},
		{"empty name", "POST", "/v1/agents", `{"name":""}`, []string{"body.name string_too_short"}},
		{"tool", "POST", "/v1/agents", `{"name":"a","customTools":[{"name":"t","method":"PUT"},5],"maxSilenceMs":1.5,"voiceSpeed":"2","enableBackchannel":1}`, []string{
			"body.customTools.0.description missing", "body.customTools.0.url missing", "body.customTools.0.method literal_error",
			"body.customTools.1 dict_type", "body.maxSilenceMs int_from_float", "body.voiceSpeed float_type", "body.enableBackchannel bool_type",
		}},
		{"enum that is null", "PATCH", "/v1/agents/" + srv.AgentID(), `{"sttMode":null}`, []string{"body.sttMode literal_error"}},
		{"prompt taken from a hosted agent", "PATCH", "/v1/agents/" + srv.AgentID(), `{"systemPrompt":null}`, []string{"body.systemPrompt value_error"}},
		{"country and area", "POST", "/v1/numbers", `{"areaCode":"41"}`, []string{"body.country missing", "body.areaCode value_error"}},
		{"another country", "POST", "/v1/numbers", `{"country":"DE"}`, []string{"body.country literal_error"}},
		{"no recipient", "POST", messages, `{"agent_id":"a","body":"hi"}`, []string{"body.to_number value_error"}},
		{"both ways", "POST", messages, `{"agent_id":"a","body":"hi","to_number":"+14155551234","recipients":["+14155551234","a@example.com"]}`, []string{"body.recipients value_error"}},
		{"group of one", "POST", messages, `{"agent_id":"a","body":"hi","recipients":["+14155551234"]}`, []string{"body.recipients too_short"}},
		{"mistyped number", "POST", messages, `{"agent_id":"a","body":"hi","to_number":"4155551234"}`, []string{"body.to_number value_error"}},
		{"nothing said", "POST", messages, `{"agent_id":"a","to_number":"+14155551234","body":""}`, []string{"body.body value_error"}},
		{"no sender", "POST", messages, `{"to_number":"+14155551234","body":"hi"}`, []string{"body.agent_id value_error"}},
		{"effect", "POST", messages, `{"agent_id":"a","to_number":"+14155551234","body":"hi","send_style":"boom"}`, []string{"body.send_style literal_error"}},
		{"webhook", "POST", "/v1/webhooks", `{"url":"ftp://x","contextLimit":-1,"timeout":4}`,
			[]string{"body.url value_error", "body.contextLimit greater_than_equal", "body.timeout greater_than_equal"}},
		{"webhook timeout", "POST", "/v1/webhooks", `{"url":"https://example.com/x","timeout":121}`, []string{"body.timeout less_than_equal"}},
		{"email", "POST", "/v0/agent/sign-up", `{"human_email":"nobody"}`, []string{"body.human_email value_error"}},
		{"verification", "POST", "/v0/agent/verify", `{}`, []string{"body.verification_id missing", "body.otp_code missing"}},
		{"page", "GET", "/v1/calls?limit=101&offset=-1", ``, []string{"query.limit less_than_equal", "query.offset greater_than_equal"}},
		{"page of none", "GET", "/v1/agents?limit=0", ``, []string{"query.limit greater_than_equal"}},
		{"page of words", "GET", "/v1/numbers?limit=many", ``, []string{"query.limit int_type"}},
		{"page of messages", "GET", "/v1/numbers/num_1/messages?limit=201&before=soon&after=2026-01-01T00:00:00%2B00:00", ``,
			[]string{"query.limit less_than_equal", "query.before datetime_parsing"}},
		{"wait", "GET", "/v1/calls/call_1?wait=perhaps&timeout=9", ``, []string{"query.wait bool_type", "query.timeout greater_than_equal"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, body := send(t, srv, c.method, c.path, c.body)
			assert.Equal(t, 422, status, "%v", body)
			assert.Equal(t, c.want, problems(t, body))
		})
	}
	assert.Empty(t, srv.Messages())
	assert.Empty(t, srv.Calls())
}

func TestRequest_ContentTypeMustBeJSON(t *testing.T) {
	status, body := send(t, newServer(t), "POST", "/v1/calls", `{"agentId":"a","toNumber":"+14155551234"}`, "Content-Type", "text/plain")
	assert.Equal(t, 422, status)
	assert.Equal(t, []string{"body model_attributes_type"}, problems(t, body))
}

func TestRequest_422HasTheAPIsText(t *testing.T) {
	_, body := send(t, newServer(t), "POST", "/v1/calls", `{"toNumber":"+14155551234","modelTier":"x"}`)
	assert.Equal(t, []any{
		map[string]any{"loc": []any{"body", "agentId"}, "msg": "Field required", "type": "missing"},
		map[string]any{"loc": []any{"body", "modelTier"}, "msg": "Input should be 'turbo', 'balanced' or 'max'", "type": "literal_error"},
	}, body["detail"])
}

func TestRequest_UnknownFieldsAreIgnored(t *testing.T) {
	status, _ := send(t, newServer(t), "POST", "/v1/agents?x=1", `{"name":"a","colour":"red"}`)
	assert.Equal(t, 200, status)
}
