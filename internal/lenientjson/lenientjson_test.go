package lenientjson_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

type target struct {
	Name  string   `json:"name,omitempty"`
	Count int      `json:"count"`
	Tags  []string `json:"tags"`
}

func TestReadFields(t *testing.T) {
	for name, tc := range map[string]struct {
		object string
		want   target
		rest   []string // members that are left in the object
	}{
		"all fields":           {`{"name":"a","count":1,"tags":["x"]}`, target{"a", 1, []string{"x"}}, nil},
		"absent":               {`{"count":1}`, target{Name: "before", Count: 1}, nil},
		"null":                 {`{"name":null,"tags":null}`, target{Name: "before"}, nil},
		"unknown member":       {`{"name":"a","other":1}`, target{Name: "a"}, []string{"other"}},
		"other type":           {`{"name":7,"count":1}`, target{Count: 1}, []string{"name"}},
		"partly decodable":     {`{"name":"a","tags":["x",7]}`, target{Name: "a"}, []string{"tags"}},
		"case is significant":  {`{"NAME":"a"}`, target{Name: "before"}, []string{"NAME"}},
		"number out of bounds": {`{"count":1e99,"name":"a"}`, target{Name: "a"}, []string{"count"}},
	} {
		t.Run(name, func(t *testing.T) {
			var object map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(tc.object), &object))
			got := target{Name: "before"}
			lenientjson.ReadFields(object, &got)
			assert.Equal(t, tc.want, got)
			var rest []string
			for member := range object {
				rest = append(rest, member)
			}
			assert.ElementsMatch(t, tc.rest, rest)
		})
	}
}
