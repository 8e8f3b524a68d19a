package agentphone_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestTimestampReadsWhatTheAPIWrites(t *testing.T) {
	at := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	for in, want := range map[string]time.Time{
		`"2026-04-19T17:20:11Z"`:             at,
		`"2026-04-19t17:20:11z"`:             at,
		`"2026-04-19T19:20:11+02:00"`:        at,
		`"2026-04-19T17:20:11+0000"`:         at,
		`"2026-04-19T17:20:11+00"`:           at,
		`"2026-04-19T17:20:11"`:              at,
		`"2026-04-19 17:20:11"`:              at,
		`"2026-04-19 17:20:11+00:00"`:        at,
		`" 2026-04-19T17:20:11Z "`:           at,
		`"2026-04-19T17:20:11.123456"`:       at.Add(123456 * time.Microsecond),
		`"2026-04-19T17:20:11.5Z"`:           at.Add(500 * time.Millisecond),
		`"2026-04-19T17:20"`:                 at.Add(-11 * time.Second),
		`"2026-04-19"`:                       time.Date(2026, 4, 19, 0, 0, 0, 0, time.UTC),
		fmt.Sprint(at.Unix()):                at,
		fmt.Sprint(at.UnixMilli()):           at,
		fmt.Sprintf("%d.25", at.Unix()):      at.Add(250 * time.Millisecond),
		fmt.Sprintf("%de0", at.UnixMilli()):  at,
		`null`:                               {},
		`""`:                                 {},
		`"  "`:                               {},
		`0`:                                  {},
		`"\u0032026-04-19T17:20:11\u005a"`:   at,
		`"2026-04-19T17:20:11.123456789012"`: at.Add(123456789),
	} {
		got := agentphone.NewTimestamp(time.Unix(1, 0)) // a null must not keep what was there
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		assert.True(t, got.Equal(want), "%s: %s", in, got)
		assert.Equal(t, time.UTC, got.Location(), in)
	}
	for _, in := range []string{`"soon"`, `"2026-13-01T00:00:00Z"`, `true`, `{}`, `[]`, `-1`, `1e300`, `"T"`, `"0000-01-01T00:00:00+00:01"`, `"9999-12-31T23:59:59-00:01"`, `"2026-04-19X17:20:11"`} {
		var got agentphone.Timestamp
		assert.Error(t, json.Unmarshal([]byte(in), &got), in)
	}
}

func TestTimestampWritesRFC3339OrNull(t *testing.T) {
	zone := time.FixedZone("", 7200)
	ts := agentphone.NewTimestamp(time.Date(2026, 4, 19, 19, 20, 11, 500, zone))
	assert.Equal(t, `"2026-04-19T17:20:11.0000005Z"`, apitest.JSON(t, ts))
	assert.Equal(t, `null`, apitest.JSON(t, agentphone.Timestamp{}))
	assert.Equal(t, `{}`, apitest.JSON(t, struct {
		At agentphone.Timestamp `json:"at,omitzero"`
	}{}))
}

func FuzzTimestamp(f *testing.F) {
	for _, in := range []string{`"2026-04-19T17:20:11Z"`, `"2026-04-19 17:20:11.123"`, `1776619211`, `1776619211000`, `null`, `""`, `"z"`, `1e99`, `"2026-04-19"`, `"0000-01-01T00:00:00+00:01"`, `"9999-12-31T23:59:59-00:01"`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second agentphone.Timestamp
		if !json.Valid(in) || json.Unmarshal(in, &first) != nil {
			return
		}
		out, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%q was read as %v, which cannot be written: %v", in, first, err)
		}
		if err := json.Unmarshal(out, &second); err != nil || !first.Equal(second.Time) {
			t.Fatalf("%q: %v became %s: %v (%v)", in, first, out, second, err)
		}
	})
}

type patch struct {
	Text agentphone.Optional[string]         `json:"text,omitzero"`
	N    agentphone.Optional[int]            `json:"n,omitzero"`
	List agentphone.Optional[[]string]       `json:"list,omitzero"`
	Map  agentphone.Optional[map[string]any] `json:"map,omitzero"`
	Ptr  agentphone.Optional[*int]           `json:"ptr,omitzero"`
}

func TestOptionalHasThreeStates(t *testing.T) {
	for want, in := range map[string]patch{
		`{}`:              {},
		`{"text":null}`:   {Text: agentphone.Null[string]()},
		`{"text":""}`:     {Text: agentphone.Value("")},
		`{"text":"x"}`:    {Text: agentphone.Value("x")},
		`{"n":0}`:         {N: agentphone.Value(0)},
		`{"list":null}`:   {List: agentphone.Null[[]string]()},
		`{"list":["a"]}`:  {List: agentphone.Value([]string{"a"})},
		`{"map":{"a":1}}`: {Map: agentphone.Value(map[string]any{"a": 1.0})},
	} {
		assert.Equal(t, want, apitest.JSON(t, in))
		var back patch
		require.NoError(t, json.Unmarshal([]byte(want), &back))
		assert.Equal(t, in, back, want)
	}
	assert.Equal(t, `{"list":[]}`, apitest.JSON(t, patch{List: agentphone.Value([]string(nil))}), "an empty list is never null")
	assert.Equal(t, `{"list":[]}`, apitest.JSON(t, patch{List: agentphone.Value([]string{})}))
	assert.Equal(t, `{"map":{}}`, apitest.JSON(t, patch{Map: agentphone.Value(map[string]any(nil))}))
	assert.Equal(t, `{"ptr":null}`, apitest.JSON(t, patch{Ptr: agentphone.Value[*int](nil)}))

	v, ok := agentphone.Value(3).Get()
	assert.Equal(t, 3, v)
	assert.True(t, ok)
	_, ok = agentphone.Null[int]().Get()
	assert.False(t, ok)
	assert.True(t, agentphone.Null[int]().IsNull())
	assert.False(t, agentphone.Value(0).IsNull())
	var into agentphone.Optional[int]
	assert.Error(t, json.Unmarshal([]byte(`"x"`), &into))
	assert.True(t, into.IsZero())
}

func FuzzOptionalRoundTrip(f *testing.F) {
	for _, in := range []string{`{}`, `{"text":null}`, `{"text":"a\u2028"}`, `{"n":-1}`, `{"list":[]}`, `{"map":{"a":[null]}}`, `{"ptr":3}`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second patch
		if json.Unmarshal(in, &first) != nil {
			return
		}
		out, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &second); err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(second)
		if string(again) != string(out) {
			t.Fatalf("%s became %s", out, again)
		}
	})
}

func TestE164IsStrict(t *testing.T) {
	for _, s := range []string{"+14155551234", "+442079460958", "+6834000", "+123456789012345"} {
		n, err := agentphone.ParseE164(s)
		require.NoError(t, err, s)
		assert.Equal(t, s, n.String())
	}
	for _, s := range []string{"", "+", "14155551234", "+04155551234", "+1415555", "+1 4155551234", "+1-415-555-1234", "(415) 555-1234", "+1234567890123456", "+1415555123a", "+１４１５５５５１２３４", "++14155551234", " +14155551234", "+14155551234\n"} {
		n, err := agentphone.ParseE164(s)
		if s == "+1415555" {
			require.NoError(t, err) // seven digits: short, but some countries have them
			continue
		}
		var invalid *agentphone.ValidationError
		require.ErrorAs(t, err, &invalid, "%q", s)
		assert.Empty(t, n)
		assert.Equal(t, "agentphone: phone number: not in E.164 form (+ and 7 to 15 digits, such as +14155551234)", err.Error(), "it does not hold the number")
	}
}

func TestNormalizeE164ReadsWhatAPersonTypes(t *testing.T) {
	for _, tc := range []struct{ in, code, want string }{
		{"(415) 555-1234", "1", "+14155551234"},
		{"415-555-1234", "1", "+14155551234"},
		{"4155551234", "+1", "+14155551234"},
		{"1 415 555 1234", "1", "+14155551234"},
		{"+1 (415) 555-1234", "44", "+14155551234"},
		{"415.555.1234", "1", "+14155551234"},
		{"415\u00a0555\u20111234", "1", "+14155551234"},
		{"tel:+1-415-555-1234", "1", "+14155551234"},
		{"011 44 20 7946 0958", "1", "+442079460958"},
		{"0044 20 7946 0958", "44", "+442079460958"},
		{"+44 (0)20 7946 0958", "1", "+442079460958"},
		{"020 7946 0958", "44", "+442079460958"},
		{"06 6982 1234", "39", "+390669821234"},
		{"0170 1234567", "49", "+491701234567"},
		{" +14155551234 ", "1", "+14155551234"},
		{"0049 (0)30 901820", "1", "+4930901820"},
		{"011 44 (0)20 7946 0958", "1", "+442079460958"},
		{"+39 (0)6 698 12345", "1", "+390669812345"},
		{"8 (495) 123-45-67", "7", "+74951234567"},
		{"(495) 123-45-67", "7", "+74951234567"},
		{"800 555 35 35", "7", "+78005553535"},
		{"06 1 234 5678", "36", "+3612345678"},
		{"07 07 12 34 56", "225", "+2250707123456"},
		{"0549 882914", "378", "+3780549882914"},
		{"06 612 3456", "242", "+242066123456"},
	} {
		got, err := agentphone.NormalizeE164(tc.in, tc.code)
		require.NoError(t, err, tc.in)
		assert.Equal(t, tc.want, got.String(), tc.in)
	}
	for _, tc := range []struct{ in, code string }{
		{"", "1"}, {"555-1234", "1"}, {"415 555 12345", "1"}, {"1-800-FLOWERS", "1"}, {"415-555-1234 x5", "1"},
		{"415-555-1234;ext=5", "1"}, {"1+4155551234", "1"}, {"４１５5551234", "1"}, {"+", "1"}, {"+0", "1"},
		{"4155551234", ""}, {"4155551234", "0"}, {"4155551234", "US"}, {"4155551234", "1234"}, {"00", "44"},
		{"+1 555-1234", "1"}, {"+1 415 555 12345", "44"}, {"0011 415 555 1234", "44"},
	} {
		got, err := agentphone.NormalizeE164(tc.in, tc.code)
		require.ErrorIs(t, err, agentphone.ErrValidation, "%q", tc.in)
		assert.Empty(t, got)
	}
}

func TestE164RedactedKeepsTheNumberPrivate(t *testing.T) {
	for n, want := range map[agentphone.E164]string{
		"+14155551234": "+1415***1234", "+442079460958": "+4420***0958", "+6834000": "***00", "+6591234567": "***67", "": "", "+1": "***",
	} {
		assert.Equal(t, want, n.Redacted())
	}
}

func FuzzNormalizeE164(f *testing.F) {
	for _, in := range []string{"(415) 555-1234", "+44 (0)20 7946 0958", "011 44", "tel:", "+", "00", "\xff"} {
		f.Add(in, "1")
		f.Add(in, "44")
	}
	f.Fuzz(func(t *testing.T, in, code string) {
		n, err := agentphone.NormalizeE164(in, code)
		if err != nil {
			return
		}
		if again, err := agentphone.ParseE164(string(n)); err != nil || again != n {
			t.Fatalf("%q, %q: %q is not E.164", in, code, n)
		}
		if again, err := agentphone.NormalizeE164(string(n), code); err != nil || again != n {
			t.Fatalf("%q, %q: %q is not stable: %q, %v", in, code, n, again, err)
		}
	})
}

func TestUnknownEnumWordsAreKept(t *testing.T) {
	var call agentphone.Call
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c","status":"teleported","direction":"sideways","new":{"x":1}}`), &call))
	assert.Equal(t, agentphone.CallStatus("teleported"), call.Status)
	assert.False(t, call.Final())
	require.NoError(t, json.Unmarshal([]byte(`{"endedAt":"2026-01-01T00:00:00Z"}`), &call))
	assert.True(t, call.Final(), "a call with an end is over, whatever its status is called")
	for status, final := range map[agentphone.CallStatus]bool{
		agentphone.CallStatusCompleted: true, agentphone.CallStatusFailed: true, agentphone.CallStatusBusy: true,
		agentphone.CallStatusNoAnswer: true, agentphone.CallStatusCanceled: true, agentphone.CallStatusError: true,
		agentphone.CallStatusInProgress: false, agentphone.CallStatusQueued: false, agentphone.CallStatusRinging: false,
		agentphone.CallStatusRegistered: false, "": false,
	} {
		assert.Equal(t, final, status.Final(), status)
	}
}

func TestCustomToolKeepsFieldsItDoesNotKnow(t *testing.T) {
	in := `{"name":"n","description":"d","url":"https://x","method":"POST","retries":3,"auth":{"kind":"none"}}`
	var tool agentphone.CustomTool
	require.NoError(t, json.Unmarshal([]byte(in), &tool))
	assert.Equal(t, "POST", tool.Method)
	assert.Len(t, tool.Extra, 2)
	assert.JSONEq(t, in, apitest.JSON(t, tool))
	tool.Extra = map[string]any{"name": "not this one"}
	assert.Contains(t, apitest.JSON(t, tool), `"name":"n"`)
}

// The API's answers leave tools untyped.
func TestAnOddCustomToolHidesNothing(t *testing.T) {
	for _, odd := range []string{
		`{"name":7,"description":null,"url":["x"]}`, `{"name":"n","description":"d","url":"u","headers":{"A":1}}`,
		`{"name":"n","description":"d","url":"u","headers":{"A":null,"B":"b"}}`, `{"name":"n","description":"d","url":"u","headers":[]}`,
		`{"name":"n","description":"d","url":"u","parameters":"{}","timeoutMs":1500.5,"speakDuringExecution":"yes"}`,
	} {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[{"id":"agt_1","customTools":[`+odd+`]},{"id":"agt_2"}],"total":2}`))
		page, err := c.Agents.List(t.Context(), agentphone.ListAgentsParams{})
		require.NoError(t, err, odd)
		require.Len(t, page.Data, 2)
		var want map[string]any
		require.NoError(t, json.Unmarshal([]byte(odd), &want))
		if want["description"] == nil {
			want["description"] = "" // it is always sent
		}
		assert.JSONEq(t, apitest.JSON(t, want), apitest.JSON(t, page.Data[0].CustomTools[0]), "what was read can be written")
	}
	var plain agentphone.CustomTool
	require.NoError(t, json.Unmarshal([]byte(`{"headers":{"A":"","B":"null"}}`), &plain))
	assert.Equal(t, map[string]string{"A": "", "B": "null"}, plain.Headers, "these are texts")
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1","customTools":["odd",null,7]}`))
	agent, err := c.Agents.Get(t.Context(), "agt_1")
	require.NoError(t, err)
	assert.Len(t, agent.CustomTools, 3)
}

func TestSuccessIsTrueUnlessTheAPISaysOtherwise(t *testing.T) {
	for body, want := range map[string]bool{``: true, `null`: true, `{}`: true, `{"success":true}`: true, `{"success":false}`: false, `{"message":"ok"}`: true} {
		c, _ := apitest.NewClient(t, apitest.Always(200, body))
		err := c.Agents.DetachNumber(t.Context(), "agt_1", "num_1")
		assert.Equal(t, want, err == nil, body)
		if err != nil {
			var unreadable *agentphone.DecodeError
			assert.ErrorAs(t, err, &unreadable, body)
		}
		released, err := c.Numbers.Release(t.Context(), "num_1")
		require.NoError(t, err, body)
		assert.Equal(t, want, released.Success, body)
	}
}
