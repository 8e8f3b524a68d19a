package agentphone_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

type patch struct {
	Text agentphone.Optional[string]         `json:"text,omitzero"`
	N    agentphone.Optional[int]            `json:"n,omitzero"`
	List agentphone.Optional[[]string]       `json:"list,omitzero"`
	Map  agentphone.Optional[map[string]any] `json:"map,omitzero"`
	Ptr  agentphone.Optional[*int]           `json:"ptr,omitzero"`
}

func TestOptional_HasThreeStates(t *testing.T) {
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
		t.Run(want, func(t *testing.T) {
			assert.Equal(t, want, apitest.JSON(t, in))
			var decoded patch
			require.NoError(t, json.Unmarshal([]byte(want), &decoded))
			assert.Equal(t, in, decoded)
		})
	}
}

func TestOptional_EncodesNilSlicesAndMapsAsEmpty(t *testing.T) {
	assert.Equal(t, `{"list":[]}`, apitest.JSON(t, patch{List: agentphone.Value([]string(nil))}), "null would clear the field")
	assert.Equal(t, `{"list":[]}`, apitest.JSON(t, patch{List: agentphone.Value([]string{})}))
	assert.Equal(t, `{"map":{}}`, apitest.JSON(t, patch{Map: agentphone.Value(map[string]any(nil))}))
	assert.Equal(t, `{"ptr":null}`, apitest.JSON(t, patch{Ptr: agentphone.Value[*int](nil)}))
}

func TestOptional_GetAndIsNull(t *testing.T) {
	v, ok := agentphone.Value(3).Get()
	assert.Equal(t, 3, v)
	assert.True(t, ok)
	_, ok = agentphone.Null[int]().Get()
	assert.False(t, ok)
	assert.True(t, agentphone.Null[int]().IsNull())
	assert.False(t, agentphone.Value(0).IsNull())
}

func TestOptional_StaysAbsentIfItCannotBeDecoded(t *testing.T) {
	var into agentphone.Optional[int]
	assert.Error(t, json.Unmarshal([]byte(`"x"`), &into))
	assert.True(t, into.IsZero())
}

func FuzzOptional_RoundTrip(f *testing.F) {
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
			t.Fatalf("%s decodes and encodes to %s", out, again)
		}
	})
}
