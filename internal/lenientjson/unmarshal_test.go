package lenientjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

type enum string

type inner struct {
	Confidence *float64 `json:"confidence"`
	Message    string   `json:"message"`
}

type value struct {
	inner
	N        int                       `json:"n"`
	F        float64                   `json:"f"`
	B        bool                      `json:"b"`
	Flag     *bool                     `json:"flag"`
	Enum     enum                      `json:"enum"`
	AgentID  string                    `json:"agentId"`
	MediaURL string                    `json:"mediaUrl"`
	Media    []string                  `json:"mediaUrls"`
	From     string                    `json:"from"`
	ToNumber string                    `json:"to_number"`
	Email    string                    `json:"email"`
	List     []inner                   `json:"list"`
	Map      map[string]int            `json:"map"`
	Any      any                       `json:"any"`
	Object   *inner                    `json:"object"`
	Raw      json.RawMessage           `json:"raw"`
	Counts   map[string]map[string]int `json:"counts"`
}

func ptr[T any](v T) *T { return &v }

func TestUnmarshal_ReadsWhatHasBeenSeenInsteadOfThePublishedTypes(t *testing.T) {
	for in, want := range map[string]value{
		`{"n":"7","f":"0.5","b":"true","flag":"False"}`: {N: 7, F: 0.5, B: true, Flag: ptr(false)},
		`{"n":" 7 ","f":"1e3"}`:                         {N: 7, F: 1000},
		`{"n":"None","f":"None","b":"None","flag":"None","enum":"None","list":"None","map":"None","object":"None"}`: {},
		`{"n":"","f":" ","b":"","flag":"","list":"","map":"","object":""}`:                                          {},
		`{"confidence":"0.97","message":"None"}`:                                                                    {inner: inner{ptr(0.97), "None"}},
		`{"list":[{"confidence":"1"},{"confidence":"None","message":"7"},{"confidence":null}]}`:                     {List: []inner{{ptr(1.0), ""}, {nil, "7"}, {}}},
		`{"map":{"a":"1","b":2},"counts":{"x":{"y":"3"}}}`:                                                          {Map: map[string]int{"a": 1, "b": 2}, Counts: map[string]map[string]int{"x": {"y": 3}}},
		`{"object":{"confidence":"0.5"}}`:                                                                           {Object: &inner{Confidence: ptr(0.5)}},
		`{"agentId":"None","mediaUrl":"None","email":"None","from":"None","to_number":"None"}`:                      {},
		`{"from":"tel:+14155550124","to_number":"4155550124"}`:                                                      {From: "+14155550124", ToNumber: "+14155550124"},
		`{"from":"TEL:+1-415-555-0124","to_number":"tel:(415)555.0124"}`:                                            {From: "+14155550124", ToNumber: "+14155550124"},
		`{"from":"tel:911"}`:                                       {From: "911"},
		`{"mediaUrls":["None","x"],"email":"x"}`:                   {Media: []string{"", "x"}, Email: "x"},
		`{"mediaUrls":[ null, "None" ],"email":"x"}`:               {Media: []string{"", ""}, Email: "x"},
		"{ \"message\" : \":\",\n\t\"agentId\" :\t\r\n \"None\" }": {inner: inner{Message: ":"}},
		// What is as it should be, or cannot be repaired with certainty, stays.
		`{"from":"+14155550124","to_number":"55555","agentId":"4155550124","email":"tel:+14155550124"}`: {From: "+14155550124", ToNumber: "55555", AgentID: "4155550124", Email: "tel:+14155550124"},
		`{"from":"4930901820","to_number":"1234567890"}`:                                                {From: "4930901820", ToNumber: "1234567890"}, // Berlin without its +, and no number
		`{"from":"tel:","to_number":"tel:ada@example.com"}`:                                             {From: "tel:", ToNumber: "tel:ada@example.com"},
		`{"any":"7","raw":"None"}`:                                                                      {Any: "7", Raw: json.RawMessage(`"None"`)},
		`{"any":{"n":"7","from":"4155550124"}}`:                                                         {Any: map[string]any{"n": "7", "from": "4155550124"}},
		`{"enum":"none","message":"4155550124"}`:                                                        {Enum: "none", inner: inner{Message: "4155550124"}},
		`{"n":7,"new":"None"}`:                                                                          {N: 7},
	} {
		t.Run(in, func(t *testing.T) {
			var got value
			require.NoError(t, lenientjson.Unmarshal([]byte(in), &got))
			assert.Equal(t, want, got)

			var list []value
			require.NoError(t, lenientjson.Unmarshal([]byte(" [ "+in+" ]"), &list))
			assert.Equal(t, []value{want}, list)

			var object map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(in), &object))
			want.inner, got = inner{}, value{} // fields of embedded structs are not for ReadFields
			lenientjson.ReadFieldsRepaired(object, &got, 1)
			assert.Equal(t, want, got)
		})
	}
}

func TestReadFieldsRepaired_LeavesOutWhatIsHeavy(t *testing.T) {
	items := "[" + strings.Repeat("{},", 50_000) + "{}]"
	for limit, want := range map[int]int{1 << 20: 0, 1 << 30: 50_001} {
		object := map[string]json.RawMessage{"n": json.RawMessage("7"), "list": json.RawMessage(items)}
		var got value
		lenientjson.ReadFieldsRepaired(object, &got, limit)
		assert.Equal(t, 7, got.N)
		assert.Len(t, got.List, want)
	}
}

func TestUnmarshal_FailsWhereNothingCanBeRepaired(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `[]`, `"None"x`, `{"n":"seven"}`, `{"n":"7x"}`, `{"n":"0x7"}`, `{"n":"NaN"}`, `{"n":"1.5"}`, `{"b":"1"}`, `{"b":"yes"}`,
		`{"n":true}`, `{"n":"true"}`, `{"b":"7"}`, `{"agentId":7}`, `{"list":{}}`, `{"list":"x"}`, `{"n":{}}`, `{"n":"\ud800"}`,
	} {
		t.Run(in, func(t *testing.T) { assert.Error(t, lenientjson.Unmarshal([]byte(in), &value{})) })
	}
}

// A value that is set before, as a default, is what it was if the first way of decoding fails.
func TestUnmarshal_KeepsDefaults(t *testing.T) {
	got := value{B: true, N: 3}
	require.NoError(t, lenientjson.Unmarshal([]byte(`{"n":"7"}`), &got))
	assert.Equal(t, value{B: true, N: 7}, got)
}

// Repairing takes memory, so that it is not for texts of many MiB. Those are decoded as they are.
func TestUnmarshal_RepairsNothingLarge(t *testing.T) {
	large := `{"message":"` + strings.Repeat("x", 8<<20) + `","from":"4155550124","n":%}`
	var got value
	require.NoError(t, lenientjson.Unmarshal([]byte(strings.Replace(large, "%", "7", 1)), &got))
	assert.Equal(t, "4155550124", got.From)
	require.Error(t, lenientjson.Unmarshal([]byte(strings.Replace(large, "%", `"7"`, 1)), &got))
}

// Unmarshal reads whatever encoding/json reads.
func FuzzUnmarshal(f *testing.F) {
	for _, in := range []string{`{"n":"7","list":[{"confidence":"0.97"}]}`, `{"from":"tel:+14155550124"}`, `{"enum":"None","map":{"a":""}}`, `[]`, "{\"n\":\"\xff\"}"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var strict, lenient value
		err := lenientjson.Unmarshal(in, &lenient)
		if json.Unmarshal(in, &strict) == nil && err != nil {
			t.Fatalf("%q: %v", in, err)
		}
	})
}
