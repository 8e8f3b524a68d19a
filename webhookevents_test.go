package agentphone_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestParseEvent_ReadsEveryField(t *testing.T) {
	at := agentphone.NewTimestamp(time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC))
	const when = `"2026-04-19T17:20:11"`
	for name, tc := range map[string]struct {
		event, channel, data string
		want                 agentphone.EventData
	}{
		"message": {"agent.message", "imessage", `{"conversationId":"cv","numberId":"n","from":"+1","to":"+2","message":"m","mediaUrl":"u","mediaUrls":["u"],
			"direction":"inbound","receivedAt":` + when + `,"messageId":"msg","contact":{"id":"ct","name":"Ada","email":"e","phoneNumber":"+1"},
			"replyTo":{"messageId":"m0"},"group":{"id":"grp_1"},"senderIdentifier":"s","new":1}`,
			&agentphone.MessageData{
				ConversationID: "cv", NumberID: "n", From: "+1", To: "+2", Message: "m", MediaURL: "u", MediaURLs: []string{"u"},
				Direction: "inbound", ReceivedAt: at, MessageID: "msg", Contact: &agentphone.EventContact{ID: "ct", Name: "Ada", Email: "e", PhoneNumber: "+1"},
				ReplyTo: map[string]any{"messageId": "m0"}, Group: map[string]any{"id": "grp_1"}, SenderIdentifier: "s",
			}},
		"message with nulls": {"agent.message", "sms", `{"message":"m","mediaUrl":null,"mediaUrls":null,"contact":null,"group":null,"receivedAt":null}`, &agentphone.MessageData{Message: "m"}},
		"message, bare":      {"agent.message", "mms", `{}`, &agentphone.MessageData{}},
		"voice turn": {"agent.message", "voice", `{"callId":"c","numberId":"n","from":"+1","to":"+2","status":"in-progress","transcript":"hello","confidence":0,"direction":"inbound"}`,
			&agentphone.VoiceTurnData{CallID: "c", NumberID: "n", From: "+1", To: "+2", Status: "in-progress", Transcript: "hello", Confidence: agentphone.Ptr(0.0), Direction: "inbound"}},
		"call ended": {"agent.call_ended", "voice", `{"callId":"c","numberId":"n","from":"+1","to":"+2","direction":"outbound","status":"completed","startedAt":` + when + `,"endedAt":` + when + `,
			"durationSeconds":3.5,"disconnectionReason":"user_hangup","transcript":[{"role":"agent","content":"hi"}],"summary":"s","userSentiment":"good","callSuccessful":false}`,
			&agentphone.CallEndedData{
				CallID: "c", NumberID: "n", From: "+1", To: "+2", Direction: "outbound", Status: "completed", StartedAt: at, EndedAt: at,
				DurationSeconds: agentphone.Ptr(3.5), DisconnectionReason: "user_hangup", Transcript: []agentphone.TranscriptEntry{{Role: "agent", Content: "hi"}},
				Summary: "s", UserSentiment: "good", CallSuccessful: agentphone.Ptr(false),
			}},
		"call ended with nulls": {"agent.call_ended", "voice", `{"callId":"c","durationSeconds":null,"transcript":null,"callSuccessful":null}`, &agentphone.CallEndedData{CallID: "c"}},
		"reaction": {"agent.reaction", "imessage", `{"conversationId":"cv","numberId":"n","reactionType":"love","fromNumber":"+1","direction":"inbound","messageId":"m","messageBody":"b","messageMediaUrl":null,"createdAt":` + when + `}`,
			&agentphone.ReactionData{ConversationID: "cv", NumberID: "n", ReactionType: "love", FromNumber: "+1", Direction: "inbound", MessageID: "m", MessageBody: "b", CreatedAt: at}},
		"WhatsApp message with null ids": {"agent.message", "whatsapp", `{"conversationId":null,"numberId":null,"from":"+1","message":"m"}`, &agentphone.MessageData{From: "+1", Message: "m"}},
		"call ended with contact": {"agent.call_ended", "voice", `{"callId":"c","numberId":null,"contact":{"id":"ct","name":"Ada","email":null,"phoneNumber":"+1"}}`,
			&agentphone.CallEndedData{CallID: "c", Contact: &agentphone.EventContact{ID: "ct", Name: "Ada", PhoneNumber: "+1"}}},
		"WhatsApp reaction":             {"agent.reaction", "whatsapp", `{"reactionType":"🎉","messageMediaUrls":["u","v"]}`, &agentphone.ReactionData{ReactionType: "🎉", MessageMediaURLs: []string{"u", "v"}}},
		"contact shared":                {"agent.contact_shared", "imessage", `{"of":"any shape"}`, &agentphone.ContactSharedData{Raw: json.RawMessage(`{"of":"any shape"}`)}},
		"contact shared, not an object": {"agent.contact_shared", "sms", `["x"]`, &agentphone.ContactSharedData{Raw: json.RawMessage(`["x"]`)}},
		"unknown event":                 {"agent.dreamt", "sms", `{"of":"sheep"}`, &agentphone.UnknownData{Raw: json.RawMessage(`{"of":"sheep"}`)}},
		"unknown channel":               {"agent.message", "pigeon", `{"message":"coo"}`, &agentphone.UnknownData{Raw: json.RawMessage(`{"message":"coo"}`)}},
		"data of new shape":             {"agent.message", "voice", `{"transcript":["a","list"]}`, &agentphone.VoiceTurnData{}},
		"one odd field":                 {"agent.message", "sms", `{"message":"hi","replyTo":"msg_1","mediaUrls":"x","contact":"c","receivedAt":"soon","from":"+1"}`, &agentphone.MessageData{Message: "hi", From: "+1"}},
		"data null":                     {"agent.reaction", "imessage", `null`, &agentphone.UnknownData{Raw: json.RawMessage(`null`)}},
	} {
		t.Run(name, func(t *testing.T) {
			payload := fmt.Sprintf(`{"event":%q,"channel":%q,"timestamp":%s,"agentId":"a","data":%s,"conversationState":{"step":2},
				"recentHistory":[{"content":"hi","direction":"inbound","channel":"sms","at":%s},{"messageId":"m","senderIdentifier":"+1"}]}`, tc.event, tc.channel, when, tc.data, when)
			e, err := agentphone.ParseEvent([]byte(payload))
			require.NoError(t, err)
			assert.Equal(t, agentphone.EventType(tc.event), e.Type)
			assert.Equal(t, agentphone.Channel(tc.channel), e.Channel)
			assert.Equal(t, at, e.Timestamp)
			assert.Equal(t, "a", e.AgentID)
			assert.Equal(t, map[string]any{"step": 2.0}, e.ConversationState)
			assert.Equal(t, []agentphone.HistoryItem{{Content: "hi", Direction: "inbound", Channel: "sms", At: at}, {MessageID: "m", SenderIdentifier: "+1"}}, e.RecentHistory)
			assert.Equal(t, payload, string(e.Raw))
			assert.Equal(t, tc.want, e.Data)
		})
	}
}

func TestParseEvent_RequiresOnlyAnEventType(t *testing.T) {
	for _, payload := range []string{
		`{"event":"agent.message","channel":"sms","data":{}}`,
		`{"event":"agent.message","channel":"sms","data":{},"conversationState":null,"recentHistory":null}`,
		`{"event":"agent.message","channel":"sms","data":{},"conversationState":"odd","recentHistory":{"odd":true}}`,
	} {
		t.Run(payload, func(t *testing.T) {
			e, err := agentphone.ParseEvent([]byte(payload))
			require.NoError(t, err)
			assert.Equal(t, &agentphone.MessageData{}, e.Data)
			assert.Empty(t, e.ConversationState)
			assert.Empty(t, e.RecentHistory)
		})
	}
	e, err := agentphone.ParseEvent([]byte(`{"event":"agent.message","channel":"sms"}`))
	require.NoError(t, err)
	assert.Equal(t, &agentphone.UnknownData{}, e.Data)

	for _, payload := range []string{``, `null`, `[]`, `{}`, `"x"`, `{"event":""}`, `{"event":7}`, `{"event":"x"`, `{"event":"x"} y`, `{"event":NaN}`, `{"event":"x","data":NaNa}`, "NaN", "\ufeff"} {
		t.Run("malformed "+payload, func(t *testing.T) {
			_, err := agentphone.ParseEvent([]byte(payload))
			require.ErrorIs(t, err, agentphone.ErrWebhookMalformed)
		})
	}
}

func TestParseEvent_AcceptsMistypedEnvelopeFields(t *testing.T) {
	for _, in := range []string{
		`{"event":"agent.message","channel":"sms","timestamp":"yesterday","data":{"message":"hi"}}`,
		`{"event":"agent.new","channel":["sms","voice"],"data":{}}`,
		`{"event":"agent.new","agentId":5,"data":{}}`,
	} {
		t.Run(in, func(t *testing.T) {
			_, err := agentphone.ParseEvent([]byte(in))
			assert.NoError(t, err)
		})
	}
}

// Python's json module writes NaN, unless it is told not to.
func TestParseEvent_ReadsWhatPythonWrites(t *testing.T) {
	for _, confidence := range []string{"NaN", "Infinity", "-Infinity", `"None"`, "null"} {
		payload := "\ufeff" + `{"event":"agent.message","channel":"voice","data":{"transcript":"NaN, \"Infinity\"","confidence":` + confidence + `,"callId":"c"}}`
		e, err := agentphone.ParseEvent([]byte(payload))
		require.NoError(t, err, confidence)
		assert.Equal(t, &agentphone.VoiceTurnData{CallID: "c", Transcript: `NaN, "Infinity"`}, e.Data)
		assert.True(t, json.Valid(e.Raw), "it can be put into a queue")
	}
}

// A partly decoded value would be worse than none: it looks complete.
func TestParseEvent_MistypedFieldIsZeroAndOthersAreRead(t *testing.T) {
	at := agentphone.NewTimestamp(time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC))
	whole := &agentphone.Event{
		Type: "agent.call_ended", Channel: "voice", Timestamp: at, AgentID: "a",
		ConversationState: map[string]any{"step": 2.0}, RecentHistory: []agentphone.HistoryItem{{Content: "hi", At: at}},
		Data: &agentphone.CallEndedData{CallID: "c", Summary: "s", Transcript: []agentphone.TranscriptEntry{{Role: "user", Content: "hi"}}, DurationSeconds: agentphone.Ptr(2.5)},
	}
	fields := map[string]string{
		"event": `"agent.call_ended"`, "channel": `"voice"`, "timestamp": `"2026-04-19T17:20:11Z"`, "agentId": `"a"`,
		"conversationState": `{"step":2}`, "recentHistory": `[{"content":"hi","at":"2026-04-19T17:20:11Z"}]`,
	}
	data := map[string]string{"callId": `"c"`, "summary": `"s"`, "transcript": `[{"role":"user","content":"hi"}]`, "durationSeconds": `2.5`}
	parse := func(name, odd string) *agentphone.Event {
		object := func(of map[string]string) string {
			var parts []string
			for key, value := range of {
				if key == name {
					value = odd
				}
				parts = append(parts, fmt.Sprintf("%q:%s", key, value))
			}
			return "{" + strings.Join(parts, ",") + "}"
		}
		all := maps.Clone(fields)
		all["data"] = object(data)
		e, err := agentphone.ParseEvent([]byte(object(all)))
		require.NoError(t, err, odd)
		e.Raw = nil
		return e
	}
	require.Equal(t, whole, parse("", ""))
	for name, tc := range map[string]struct {
		odd  []string
		zero func(*agentphone.Event, *agentphone.CallEndedData)
	}{
		"timestamp":         {[]string{`"soon"`, `{}`, `true`}, func(e *agentphone.Event, _ *agentphone.CallEndedData) { e.Timestamp = agentphone.Timestamp{} }},
		"agentId":           {[]string{`7`, `["a"]`, `{}`}, func(e *agentphone.Event, _ *agentphone.CallEndedData) { e.AgentID = "" }},
		"channel":           {[]string{`7`, `["voice"]`}, func(e *agentphone.Event, _ *agentphone.CallEndedData) { e.Channel = "" }},
		"conversationState": {[]string{`"x"`, `[{"step":2}]`, `7`}, func(e *agentphone.Event, _ *agentphone.CallEndedData) { e.ConversationState = nil }},
		"recentHistory": {[]string{`"x"`, `{}`, `[{"content":"hi"},7]`, `[{"content":"half"},{"content":7}]`, `[{"content":"half","at":"soon"}]`},
			func(e *agentphone.Event, _ *agentphone.CallEndedData) { e.RecentHistory = nil }},
		"callId":          {[]string{`7`, `{}`}, func(_ *agentphone.Event, d *agentphone.CallEndedData) { d.CallID = "" }},
		"transcript":      {[]string{`"x"`, `[{"role":"user","content":"half"},7]`, `[{"role":"user","content":["half"]}]`}, func(_ *agentphone.Event, d *agentphone.CallEndedData) { d.Transcript = nil }},
		"durationSeconds": {[]string{`"long"`, `[1]`, `1e999`}, func(_ *agentphone.Event, d *agentphone.CallEndedData) { d.DurationSeconds = nil }},
	} {
		for _, odd := range tc.odd {
			t.Run(name+" "+odd, func(t *testing.T) {
				want, data := *whole, *whole.Data.(*agentphone.CallEndedData)
				tc.zero(&want, &data)
				want.Data = &data
				assert.Equal(t, &want, parse(name, odd))
			})
		}
	}
}

// What an event is may be said after its data, twice, or in escapes.
func TestParseEvent_OrderOfMembersDoesNotMatter(t *testing.T) {
	want := &agentphone.VoiceTurnData{CallID: "c", Transcript: "say \"channel\": {", Direction: "inbound"}
	for _, payload := range []string{
		`{"event":"agent.message","channel":"voice","data":%s}`,
		`{"data":%s,"channel":"voice","event":"agent.message"}`,
		` { "recentHistory" : [ { "channel" : "sms" } ] , "conversationState" : { "event":"x" , "channel":"sms" } , "channel" : "voice" , "data" : %s , "event" : "agent.message" } `,
		`{"agentId":"event","timestamp":"channel","event":"agent.message","channel":"voice","data":%s}`,
		`{"event":"agent.call_ended","event":"agent.message","channel":"sms","channel":"voice","data":%s}`,
		`{"\u0065vent":"agent.message","channel":"v\u006fice","data":%s}`,
		`{"event":"agent.dreamt","channel":"voice","data":%s,"event":"agent.message"}`,
	} {
		t.Run(payload, func(t *testing.T) {
			e, err := agentphone.ParseEvent(fmt.Appendf(nil, payload, `{"callId":"c","transcript":"say \"channel\": {","direction":"inbound"}`))
			require.NoError(t, err)
			assert.Equal(t, want, e.Data)
		})
	}
}

// A well-formed event is decoded at once, not field by field.
func TestParseEvent_AllocatesForAWellFormedEventWhatDecodingDoes(t *testing.T) {
	const history = `"recentHistory":[{"content":"hi","direction":"inbound","channel":"sms","at":"2026-04-19T17:20:11Z","messageId":"m"}]`
	for name, payload := range map[string]string{
		"message": `{"event":"agent.message","channel":"sms","timestamp":"2026-04-19T17:20:11Z","agentId":"a","data":{"conversationId":"c","numberId":"n",` +
			`"from":"+14155550124","to":"+14155550123","message":"hi","mediaUrl":null,"mediaUrls":[],"direction":"inbound","receivedAt":"2026-04-19T17:20:11Z"},` + history + `}`,
		"voice turn": `{"event":"agent.message","channel":"voice","timestamp":"2026-04-19T17:20:11Z","agentId":"a","data":{"callId":"c","numberId":"n",` +
			`"from":"+14155550124","to":"+14155550123","status":"in-progress","transcript":"hi","confidence":0.97,"direction":"inbound"},` + history + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			allocs := apitest.FewestAllocs(func() {
				_, err := agentphone.ParseEvent([]byte(payload))
				require.NoError(t, err)
			})
			var e struct {
				Event, Channel, AgentID string
				Timestamp               time.Time
				Data                    map[string]json.RawMessage
				RecentHistory           []struct {
					Content, Direction, Channel, MessageID string
					At                                     time.Time
				}
			}
			plain := apitest.FewestAllocs(func() { require.NoError(t, json.Unmarshal([]byte(payload), &e)) })
			assert.LessOrEqual(t, allocs, plain)
		})
	}
}

// A tenant can sign lists of a million items where none is due: what would take much memory is left out, and the event is not lost.
func TestParseEvent_LeavesOutWhatTakesMuchMemory(t *testing.T) {
	list := func(item string) string {
		return "[" + strings.Repeat(item+",", (1<<20-1000)/(len(item)+1)) + item + "]"
	}
	event := func(data, rest string) string {
		return `{"event":"agent.message","channel":"sms","data":{"message":"hi"` + data + `}` + rest + `}`
	}
	for name, body := range map[string]string{
		"history of objects":           event(``, `,"recentHistory":`+list(`{}`)),
		"history of numbers":           event(``, `,"recentHistory":`+list(`1`)),
		"history of nulls":             event(``, `,"recentHistory":`+list(`null`)),
		"history with wrong members":   event(``, `,"recentHistory":`+list(`{"at":5}`)),
		"URLs":                         event(`,"mediaUrls":`+list(`""`), ``),
		"URLs that are numbers":        event(`,"mediaUrls":`+list(`1`), ``),
		"group":                        event(`,"group":{"a":`+list(`[]`)+`}`, ``),
		"state of lists":               event(``, `,"conversationState":{"a":`+list(`[]`)+`}`),
		"state of objects":             event(``, `,"conversationState":{"a":`+list(`{"a":0}`)+`}`),
		"state of objects and a fault": event(``, `,"conversationState":{"a":`+list(`{"a":0}`)+`,"b":1e999}`),
		"members":                      event(``, strings.Repeat(`,"recentHistory":[{}]`, 50_000)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e, err := agentphone.ParseEvent([]byte(body))
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			assert.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(100), "MiB")
			require.IsType(t, &agentphone.MessageData{}, e.Data)
			assert.Equal(t, "hi", e.Data.(*agentphone.MessageData).Message)
			assert.Len(t, e.Raw, len(body))
		})
	}
}

// A conversation of hours is no such thing.
func TestParseEvent_ReadsLongHonestEvents(t *testing.T) {
	turn := `{"role":"agent","content":"We do have a table for two tonight, at seven or at nine."},`
	entry := `{"content":"Hello, do you have a table tonight?","direction":"inbound","channel":"sms","at":"2026-04-19T17:19:02.5Z","messageId":"msg_1a"},`
	order := `{"id":"o_1","items":[{"sku":"a-1","count":2},{"sku":"b-2","count":1}]},`
	const n = 3000
	e, err := agentphone.ParseEvent([]byte(`{"event":"agent.call_ended","data":{"callId":"c","transcript":[` + strings.TrimSuffix(strings.Repeat(turn, n), ",") + `]},` +
		`"recentHistory":[` + strings.TrimSuffix(strings.Repeat(entry, n), ",") + `],` +
		`"conversationState":{"orders":[` + strings.TrimSuffix(strings.Repeat(order, n), ",") + `]}}`))
	require.NoError(t, err)
	require.IsType(t, &agentphone.CallEndedData{}, e.Data)
	assert.Len(t, e.Data.(*agentphone.CallEndedData).Transcript, n)
	assert.Len(t, e.RecentHistory, n)
	assert.Len(t, e.ConversationState["orders"], n)
}

func TestParseEvent_DoesNotRetainThePayload(t *testing.T) {
	payload := []byte(`{"event":"x","data":{"k":"v"}}`)
	e, err := agentphone.ParseEvent(payload)
	require.NoError(t, err)
	clear(payload)
	assert.Equal(t, `{"event":"x","data":{"k":"v"}}`, string(e.Raw))
	assert.Equal(t, `{"k":"v"}`, string(e.Data.(*agentphone.UnknownData).Raw))
}

func FuzzParseEvent(f *testing.F) {
	for _, in := range []string{
		`{"event":"agent.message","channel":"voice","data":{"transcript":"hi"}}`, `{"event":"agent.call_ended","data":{"transcript":[{}]},"recentHistory":[{}]}`,
		`{"event":"x","data":null,"conversationState":[]}`, `{}`, `[`,
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := agentphone.ParseEvent(in)
		if (err == nil) != (e != nil && e.Data != nil && e.Type != "") {
			t.Fatalf("%q: %+v, %v", in, e, err)
		}
	})
}

// Seen live: numbers in strings, Python's None, tel: URIs and national numbers.
func TestParseEvent_ReadsValuesSeenLive(t *testing.T) {
	for name, tc := range map[string]struct {
		event, channel, data string
		want                 agentphone.EventData
	}{
		"confidence in a string": {"agent.message", "voice", `{"callId":"c","numberId":"None","transcript":"None","confidence":"0.97"}`,
			&agentphone.VoiceTurnData{CallID: "c", Transcript: "None", Confidence: agentphone.Ptr(0.97)}}, // somebody said so
		"no confidence": {"agent.message", "voice", `{"callId":"c","confidence":"None"}`, &agentphone.VoiceTurnData{CallID: "c"}},
		"phones": {"agent.message", "sms", `{"from":"tel:+14155550124","to":"4155550126","message":"4155550126","contact":{"phoneNumber":"tel:+14155550124","name":"Ada"}}`,
			&agentphone.MessageData{From: "+14155550124", To: "+14155550126", Message: "4155550126", Contact: &agentphone.EventContact{PhoneNumber: "+14155550124", Name: "Ada"}}},
		"call ended": {"agent.call_ended", "voice", `{"callId":"c","startedAt":"None","durationSeconds":"3.5","transcript":"","summary":"None","userSentiment":"None","callSuccessful":"None","contact":"None"}`,
			&agentphone.CallEndedData{CallID: "c", DurationSeconds: agentphone.Ptr(3.5)}},
		"reaction": {"agent.reaction", "imessage", `{"fromNumber":"tel:+14155550124","messageMediaUrl":"None","messageMediaUrls":"None","messageBody":"None"}`,
			&agentphone.ReactionData{FromNumber: "+14155550124", MessageBody: "None"}},
	} {
		t.Run(name, func(t *testing.T) {
			payload := fmt.Sprintf(`{"event":%q,"channel":%q,"timestamp":"None","agentId":"None","data":%s,"conversationState":"None",
				"recentHistory":[{"content":"None","messageId":"None","senderIdentifier":"tel:+14155550124"}]}`, tc.event, tc.channel, tc.data)
			e, err := agentphone.ParseEvent([]byte(payload))
			require.NoError(t, err)
			assert.Equal(t, tc.want, e.Data)
			assert.Empty(t, e.AgentID)
			assert.True(t, e.Timestamp.IsZero())
			assert.Nil(t, e.ConversationState)
			assert.Equal(t, []agentphone.HistoryItem{{Content: "None", SenderIdentifier: "+14155550124"}}, e.RecentHistory)
			assert.Equal(t, payload, string(e.Raw), "as it was received")
		})
	}
}
