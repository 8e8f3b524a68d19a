package schema_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// brief writes problems as "body.tags.0 string_type".
func brief(problems []schema.Problem) []string {
	var out []string
	for _, p := range problems {
		loc := strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Loc), " ", "."), "[]")
		out = append(out, loc+" "+p.Type)
	}
	return out
}

func TestFields_ParseBodyChecksEachField(t *testing.T) {
	refuseB := func(s string) string {
		if s == "b" {
			return "no b"
		}
		return ""
	}
	for name, c := range map[string]struct {
		field schema.Field
		valid []string
		wrong map[string]string // value to where it is wrong and how
	}{
		"text": {schema.Text("f"), []string{`"a"`, `""`}, map[string]string{
			`1`: " string_type", `null`: " string_type", `["a"]`: " string_type",
		}},
		"text of two or three characters": {schema.Text("f").Min(2).Max(3), []string{`"ab"`, `"äöü"`}, map[string]string{
			`"a"`: " string_too_short", `"abcd"`: " string_too_long", `2`: " string_type",
		}},
		"text with a format": {schema.Text("f").Format(refuseB), []string{`"a"`}, map[string]string{`"b"`: " value_error"}},
		"enum":               {schema.Enum("f", "a", "b"), []string{`"a"`}, map[string]string{`"c"`: " literal_error", `1`: " literal_error"}},
		"nullable":           {schema.Text("f").Nullable(), []string{`null`, `"a"`}, map[string]string{`1`: " string_type"}},
		"integer": {schema.Integer("f").Min(1).Max(3), []string{`1`, `3`, `2.0`}, map[string]string{
			`0`: " greater_than_equal", `4`: " less_than_equal", `1.5`: " int_from_float", `"1"`: " int_type", `1e999`: " int_type",
		}},
		"number":  {schema.Number("f").Min(0.5), []string{`0.5`, `7`}, map[string]string{`0.4`: " greater_than_equal", `true`: " float_type"}},
		"boolean": {schema.Boolean("f"), []string{`true`, `false`}, map[string]string{`"true"`: " bool_type", `1`: " bool_type"}},
		"time":    {schema.Time("f"), []string{`"2026-01-02"`, `"2026-01-02T03:04:05Z"`}, map[string]string{`"soon"`: " datetime_parsing"}},
		"list": {schema.List("f", schema.Text("")).Min(1).Max(2), []string{`["a"]`}, map[string]string{
			`[]`: " too_short", `["a","b","c"]`: " too_long", `"a"`: " list_type", `["a",1]`: ".1 string_type",
		}},
		"object": {schema.Object("f", schema.Text("a").Required()), []string{`{"a":"b","more":1}`}, map[string]string{
			`{}`: ".a missing", `{"a":1}`: ".a string_type", `[]`: " dict_type",
		}},
		"any object": {schema.Object("f"), []string{`{}`, `{"a":[1]}`}, map[string]string{`1`: " dict_type"}},
		"map":        {schema.Map("f", schema.Text("").Nullable()), []string{`{}`, `{"a":"b","c":null}`}, map[string]string{`{"a":1}`: ".a string_type"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, value := range c.valid {
				_, problems := schema.Fields{c.field}.ParseBody("application/json", []byte(`{"f":`+value+`}`))
				assert.Empty(t, problems, value)
			}
			for value, want := range c.wrong {
				_, problems := schema.Fields{c.field}.ParseBody("application/json", []byte(`{"f":`+value+`}`))
				assert.Equal(t, []string{"body.f" + want}, brief(problems), value)
			}
		})
	}
}

func TestFields_ParseBodyReturnsAllProblems(t *testing.T) {
	fields := schema.Fields{schema.Text("a").Required(), schema.Map("m", schema.Integer("")), schema.Text("b").Required()}
	_, problems := fields.ParseBody("application/json", []byte(`{"m":{"z":"","y":"","x":1}}`))
	assert.Equal(t, []string{"body.a missing", "body.m.y int_type", "body.m.z int_type", "body.b missing"}, brief(problems))
}

func TestFields_ParseBodyNeedsAJSONObject(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, want string }{
		"empty":          {"application/json", " \n", "body missing"},
		"broken":         {"application/json", `{"a":`, "body.0 json_invalid"},
		"more than one":  {"application/json", `{} {}`, "body.4 json_invalid"},
		"list":           {"application/json", `[]`, "body model_attributes_type"},
		"null":           {"application/json", `null`, "body model_attributes_type"},
		"another type":   {"text/plain", `{}`, "body model_attributes_type"},
		"no type":        {"", `{}`, "body model_attributes_type"},
		"with a charset": {"application/json; charset=utf-8", `{}`, ""},
		"a JSON format":  {"application/merge-patch+json", `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := schema.Fields{}.ParseBody(c.contentType, []byte(c.body))
			assert.Equal(t, c.want, strings.Join(brief(problems), ", "))
		})
	}
}

func TestFields_ParseQueryConvertsTexts(t *testing.T) {
	fields := schema.Fields{schema.Integer("n"), schema.Boolean("yes"), schema.Boolean("no"), schema.Text("s"), schema.Time("t")}
	values, problems := fields.ParseQuery(url.Values{"n": {"1", "7"}, "yes": {"ON"}, "no": {"0"}, "s": {"5"}, "t": {""}, "other": {"x"}})
	assert.Empty(t, problems)
	assert.Equal(t, 7, values.Int("n", 0), "the last one counts")
	assert.True(t, values.Bool("yes"))
	assert.False(t, values.Bool("no"))
	assert.Equal(t, "5", values.Text("s"))
	assert.True(t, values.Time("t").IsZero(), "an empty time is none")
	assert.NotContains(t, values, "other")

	_, problems = fields.ParseQuery(url.Values{"n": {"many"}, "yes": {"perhaps"}, "t": {"soon"}})
	assert.Equal(t, []string{"query.n int_type", "query.yes bool_type", "query.t datetime_parsing"}, brief(problems))
}

func TestFields_MessagesAreTheAPIs(t *testing.T) {
	fields := schema.Fields{schema.Enum("e", "a", "b", "c"), schema.Text("t").Min(2), schema.List("l", schema.Text("")).Max(1)}
	_, problems := fields.ParseBody("application/json", []byte(`{"e":"x","t":"","l":["",""]}`))
	var messages []string
	for _, p := range problems {
		messages = append(messages, p.Msg)
	}
	assert.Equal(t, []string{
		"Input should be 'a', 'b' or 'c'",
		"String should have at least 2 characters",
		"List should have at most 1 items after validation, not 2",
	}, messages)
}
