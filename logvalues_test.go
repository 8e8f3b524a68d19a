package agentphone_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
		"v.status=ready v.number=+1415***0123":      agentphone.Location{PhoneNumber: "+14155550123", Status: "ready", Latitude: agentphone.Ptr(48.85)},
		"v.type=turn v.turn.role=user":              agentphone.TranscriptEvent{Type: "turn", Turn: &agentphone.TranscriptEntry{Role: "user"}},
		"v.items=2 v.has_more=true v.total=7":       &agentphone.Page[agentphone.Call]{Data: make([]agentphone.Call, 2), HasMore: true, Total: 7},
		"v.bytes=6":                                 &agentphone.UnknownData{Raw: []byte(`"text"`)},
		"v.event=agent.message v.delivery_id=whd_1": &agentphone.Event{Type: "agent.message", DeliveryID: "whd_1", Raw: []byte(`{"from":"+14155550123"}`)},
	} {
		assert.Equal(t, want, logged(v))
	}
}

// givenTypes returns the types that a program is given: what methods return, what callbacks get, and all that is in these.
func givenTypes() map[reflect.Type]bool {
	home := reflect.TypeFor[agentphone.Client]().PkgPath()
	given := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Func: // a callback, or an iterator with its yield
			for i := range t.NumIn() {
				visit(t.In(i))
			}
			for i := range t.NumOut() {
				visit(t.Out(i))
			}
		case reflect.Struct:
			if given[t] || t.PkgPath() != home {
				return
			}
			given[t] = true
			for _, field := range reflect.VisibleFields(t) {
				if field.IsExported() {
					visit(field.Type)
				}
			}
			for i := range reflect.PointerTo(t).NumMethod() {
				method := reflect.PointerTo(t).Method(i).Type
				for i := range method.NumOut() {
					visit(method.Out(i))
				}
			}
		}
	}
	for _, from := range []reflect.Type{
		reflect.TypeFor[agentphone.Client](), reflect.TypeFor[agentphone.WebhookHandlerConfig](), reflect.TypeFor[agentphone.MemoryStore](),
		reflect.TypeFor[agentphone.Response](), // which a request option fills
	} {
		visit(from)
	}
	return given
}

// publicFields are strings that are logged as they are: ids, states, and what agents, tools, plans and voices are called.
var publicFields = regexp.MustCompile(`(ID|\.(Status|Type|CampaignStatus|Stage|AgentName))$|` +
	`^(Agent\.Name|DeletedAgent\.Name|CustomTool\.(Name|Method)|Plan\.Name|Voice\..*|DayUsage\.Date|MonthUsage\.Month|OperationInfo\..*)$`)

// isPublic reports whether a string may be logged as it is. One of a type of its own is a state, but for a phone number.
func isPublic(of reflect.Type, field reflect.StructField) bool {
	isState := field.Type.PkgPath() != "" && field.Type != reflect.TypeFor[agentphone.E164]()
	return isState || publicFields.MatchString(of.Name()+"."+field.Name)
}

// fill sets what is public in a value to "public", and all other strings in it to a private one.
func fill(v reflect.Value, private string) {
	switch {
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`"` + private + `"`))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte(private))
	case v.Kind() == reflect.String:
		v.SetString(private)
	case v.Kind() == reflect.Pointer && v.Type() != reflect.TypeFor[*slog.Logger]():
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), private)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), private)
	case v.Kind() == reflect.Map:
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, private)
		fill(elem, private)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	case v.Kind() == reflect.Interface && v.Type().NumMethod() == 0:
		v.Set(reflect.ValueOf(private))
	case v.Type() == reflect.TypeFor[agentphone.EventData]():
		v.Set(reflect.ValueOf(&agentphone.UnknownData{Raw: []byte(`"` + private + `"`)}))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case !field.IsExported():
			case field.Type.Kind() == reflect.String && isPublic(v.Type(), field):
				v.Field(i).SetString("public")
			default:
				fill(v.Field(i), private)
			}
		}
	}
}

// No field but ids and states is logged as it is, also of types and fields that there will be.
func TestLogValue_HasNothingPrivate(t *testing.T) {
	types := givenTypes()
	for _, known := range []any{
		agentphone.Call{}, agentphone.TranscriptEntry{}, agentphone.Page[agentphone.Contact]{}, agentphone.EventContact{}, agentphone.HistoryItem{},
		agentphone.MessageData{}, agentphone.VoiceTurnData{}, agentphone.CallEndedData{}, agentphone.ReactionData{}, agentphone.ContactSharedData{},
		agentphone.UnknownData{}, agentphone.Claim{},
	} {
		assert.Contains(t, types, reflect.TypeOf(known))
	}
	for typ := range types {
		for _, private := range []string{"private", "+14155550123"} {
			filled := reflect.New(typ)
			fill(filled.Elem(), private)
			for _, v := range []any{filled.Interface(), filled.Elem().Interface()} {
				var out bytes.Buffer
				slog.New(slog.NewTextHandler(&out, nil)).Info("", "v", v)
				slog.New(slog.NewJSONHandler(&out, nil)).Info("", "v", v)
				for _, printed := range []string{private, strings.Trim(fmt.Sprint([]byte(private)), "[]"), base64.StdEncoding.EncodeToString([]byte(private))} {
					assert.NotContains(t, out.String(), printed, "%T", v)
				}
				for i := range typ.NumField() {
					if strings.HasSuffix(typ.Field(i).Name, "ID") {
						assert.Contains(t, out.String(), "public", "the id of %T", v)
					}
				}
			}
		}
	}
}
