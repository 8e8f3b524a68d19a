package lenientjson_test

import (
	"encoding/json"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

const noLimit = 1 << 30

type tree struct {
	Name     string           `json:"name"`
	Children []tree           `json:"children"`
	Next     *tree            `json:"next"`
	Numbers  map[string]int64 `json:"numbers"`
	Any      any              `json:"any"`
	Raw      json.RawMessage  `json:"raw"`
	Own      ownList          `json:"own"`
	Untagged [3]int
}

// ownList decodes itself.
type ownList struct{ items []tree }

func (o *ownList) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.items) }

// What is decoded takes no more memory than its weight, nor a small part of it.
func TestWeigh_IsWhatDecodingTakes(t *testing.T) {
	const n, slack = 20_000, 64 << 10
	many := func(item string) string { return strings.Repeat(item+",", n-1) + item }
	var numbered strings.Builder
	for i := range n {
		numbered.WriteString(`"` + strconv.Itoa(1e6+i) + `":0,`)
	}
	names := numbered.String() + `"":0`
	for in, max := range map[string]float64{
		`{"children":[` + many(`{}`) + `]}`:                     5,
		`{"CHILDREN":[` + many(`{}`) + `]}`:                     5,
		`{"\u0063hildren":[` + many(`{}`) + `]}`:                5,
		`{"children":[` + many(`{"next":{"next":{}}}`) + `]}`:   5,
		`{"children":[` + many(`{"name":"a long name"}`) + `]}`: 5,
		`{"numbers":{` + names + `}}`:                           5,
		`{"any":{` + names + `}}`:                               5,
		`{"any":[` + many(`[]`) + `]}`:                          5,
		`{"any":[` + many(`{}`) + `]}`:                          5,
		`{"any":[` + many(`{"a":"b"}`) + `]}`:                   5,
		`{"any":[` + many(`[1,"a"]`) + `]}`:                     5,
		`{"raw":[` + many(`{}`) + `]}`:                          5,
		`{"own":[` + many(`{}`) + `]}`:                          16,
		`{"name":"` + many(`x`) + `"}`:                          5,
	} {
		t.Run(in[:20], func(t *testing.T) {
			var v tree
			weight := lenientjson.Weigh([]byte(in), reflect.TypeFor[tree](), noLimit)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			if err := json.Unmarshal([]byte(in), &v); err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			taken := int(after.HeapAlloc) - int(before.HeapAlloc)
			assert.Greater(t, weight, taken-slack)
			assert.Less(t, float64(weight), max*float64(taken)+slack)
			runtime.KeepAlive(v)
		})
	}
}

func TestWeigh_WhatIsSkippedHasNoWeight(t *testing.T) {
	for _, in := range []string{
		``, ` `, `null`, `7`, `true`, `"x"`, `{}`, `{"other":[{},{"a":[1,2]}]}`, `{"hidden":[1,2,3]}`, `{"untagged":null}`, `{"name":{"a":1}}`,
		`{"children":{"a":1}}`, ` { "children" : null } `, `x`, `}`, `]`, `{"children":x`, `{"a`, `{"a":"\`,
	} {
		assert.Zero(t, lenientjson.Weigh([]byte(in), reflect.TypeFor[tree](), noLimit), in)
	}
}

func TestWeigh_StopsAtTheLimit(t *testing.T) {
	in := `{"children":[` + strings.Repeat("{},", 1000) + `{}]}`
	assert.Less(t, lenientjson.Weigh([]byte(in), reflect.TypeFor[tree](), 10_000), 20_000)
	for depth, want := range map[int]int{199: 0, 200: 10_001} {
		deep := `{"other":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
		assert.Equal(t, want, lenientjson.Weigh([]byte(deep), reflect.TypeFor[tree](), 10_000), depth)
	}
}

// Whatever the text is, it is weighed, and what can be decoded weighs no less than its strings.
func FuzzWeigh(f *testing.F) {
	for _, in := range []string{`{"children":[{"name":"a"}],"any":{"a":[1,"b",null]}}`, `[`, `{"a"`, `{"\u006eame":"x"}`, "{\"\xff\":1}", `"`, `{,}`, `[}`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		weight := lenientjson.Weigh(in, reflect.TypeFor[any](), noLimit)
		var v any
		if json.Unmarshal(in, &v) != nil || weight > noLimit {
			return
		}
		if least := leastWeight(v); weight < least {
			t.Fatalf("%q weighs %d, at least %d", in, weight, least)
		}
	})
}

func leastWeight(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			n += 16 + leastWeight(item)
		}
	case []any:
		for _, item := range v {
			n += 16 + leastWeight(item)
		}
	case float64:
		n = 8
	}
	return n
}
