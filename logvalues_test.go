package agentphone_test

import (
	"bytes"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// logged returns what a handler of slog writes of a value.
func logged(v any) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key != "v" {
			return slog.Attr{}
		}
		return a
	}})).Info("", "v", v)
	return strings.TrimSpace(out.String())
}

func TestLogValue_HasIDsStatesAndRedactedNumbers(t *testing.T) {
	for want, v := range map[string]any{
		"v=+1415***0123": agentphone.E164("+14155550123"),
		"v.id=call_1 v.agent_id=agt_1 v.direction=outbound v.status=ringing v.from=+1415***0100 v.to=+1415***0123": &agentphone.Call{
			ID: "call_1", AgentID: "agt_1", Direction: "outbound", Status: "ringing", FromNumber: "+14155550100", ToNumber: "+14155550123",
			LastTranscriptSnippet: "I said something"},
		"v.id=msg_1 v.status=queued v.channel=sms v.from=+1415***0100 v.to=***": agentphone.SentMessage{
			ID: "msg_1", Status: "queued", Channel: "sms", FromNumber: "+14155550100", ToNumber: "ada@example.com"},
		"v.id=msg_1 v.to=grp_1":                     agentphone.SentMessage{ID: "msg_1", ToNumber: "grp_1"},
		"v.id=msg_1 v.to=***":                       agentphone.SentMessage{ID: "msg_1", ToNumber: "12345"},
		"v.id=num_1 v.number=+1415***0123":          agentphone.PhoneNumber{ID: "num_1", PhoneNumber: "+14155550123"},
		"v.id=msg_2 v.from=+1415***0123":            agentphone.NumberMessage{ID: "msg_2", From: "tel:+14155550123", Body: "hi"},
		"v.event=agent.message v.delivery_id=whd_1": &agentphone.Event{Type: "agent.message", DeliveryID: "whd_1", Raw: []byte(`{"from":"+14155550123"}`)},
	} {
		assert.Equal(t, want, logged(v))
	}
}

// No field but ids and states is logged as it is, also of fields that the types will gain.
func TestLogValue_HasNothingPrivate(t *testing.T) {
	public := regexp.MustCompile(`ID$|^(Status|Channel|Direction|Type|Country|OutboundSMS|ReactionType)$`)
	for _, v := range []any{
		agentphone.Call{}, agentphone.SentMessage{}, agentphone.NumberMessage{}, agentphone.ConversationMessage{}, agentphone.Conversation{},
		agentphone.PhoneNumber{}, agentphone.Contact{}, agentphone.Event{}, agentphone.MessageData{}, agentphone.VoiceTurnData{},
		agentphone.CallEndedData{}, agentphone.ReactionData{},
	} {
		filled := reflect.New(reflect.TypeOf(v))
		for _, field := range reflect.VisibleFields(filled.Elem().Type()) {
			switch value := filled.Elem().FieldByIndex(field.Index); {
			case value.Kind() == reflect.String && public.MatchString(field.Name):
				value.SetString("public")
			case value.Kind() == reflect.String:
				value.SetString("private")
			case value.Type() == reflect.TypeFor[[]string]():
				value.Set(reflect.ValueOf([]string{"private"}))
			case value.Type() == reflect.TypeFor[map[string]any]():
				value.Set(reflect.ValueOf(map[string]any{"private": "private"}))
			}
		}
		for _, v := range []any{filled.Interface(), filled.Elem().Interface()} {
			out := logged(v)
			assert.Contains(t, out, "=public", "%T", v)
			assert.NotContains(t, out, "private", "%T", v)
		}
	}
}
