// The API in memory responds as the published API does: with its status, its media type, and every field.

package contracttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The API in memory responds with the published status and shape. Fields that are null are not left out, and each field
// has a value in at least one response.
func TestContract_InMemoryResponsesAreThePublishedOnes(t *testing.T) {
	api := readContract(t)
	shown, listed, shapes := map[string]bool{}, map[*apiOperation]bool{}, map[string]bool{}
	for _, x := range recordCalls(t, api) {
		assert.Equal(t, x.op.Status, x.status, "%s", x.op)
		switch {
		case x.op.Media != "":
			assert.Equal(t, x.op.Media, x.media, "%s", x.op)
			for _, event := range eventsOf(t, x) {
				require.Contains(t, x.op.Events, event.name)
				assert.NoError(t, api.conforms(x.op.Events[event.name], event.data, shown), "event %s: %v", event.name, event.data)
			}
		case x.op.Response == nil:
			assert.Empty(t, x.response, "%s", x.op)
		default:
			assert.Equal(t, "application/json", x.media, "%s", x.op)
			var v any
			require.NoError(t, json.Unmarshal(x.response, &v), "%s", x.op)
			assert.NoError(t, api.conforms(x.op.Response, v, shown), "response of %s: %s", x.op, x.response)
			items, _ := v.([]any)
			listed[x.op] = listed[x.op] || len(items) > 0
		}
	}
	var never []string
	for _, op := range api.operations {
		if op.Response != nil && op.Response.item != nil {
			assert.True(t, listed[op], "%s responds with empty lists only", op)
		}
		for _, response := range append(slices.Collect(maps.Values(op.Events)), op.Response) {
			shapesOf(shapes, response)
		}
	}
	for shape := range shapes {
		for field := range api.shapes[shape] {
			if !shown[shape+"."+field] {
				never = append(never, shape+"."+field)
			}
		}
	}
	// The exceptions, and only these: one that is no exception any more fails too.
	assert.ElementsMatch(t, append(keys(api.exceptions.LeftOut), keys(api.exceptions.NeverShown)...), never, "fields that are never shown")
}

// shapesOf adds the names of the shapes that a type consists of.
func shapesOf(to map[string]bool, t *apiType) {
	switch {
	case t == nil:
	case t.item != nil:
		shapesOf(to, t.item)
	case t.fields != nil:
		to[t.name] = true
		for _, field := range t.fields {
			shapesOf(to, field)
		}
	}
}

// conforms checks a value against its type: no field is missing, none is unknown, and enums have values of the API. It
// adds the fields that have a value to shown, as Agent.name.
func (api *apiContract) conforms(t *apiType, v any, shown map[string]bool) error {
	switch {
	case v == nil && t.null:
		return nil
	case t.item != nil:
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is not a list", v)
		}
		for _, item := range list {
			if err := api.conforms(t.item, item, shown); err != nil {
				return fmt.Errorf("[]: %w", err)
			}
		}
	case t.fields != nil:
		return api.conformsToShape(t, v, shown)
	case t.values != nil:
		if s, ok := v.(string); !ok || !slices.Contains(t.values, s) {
			return fmt.Errorf("%v is not a value of %s", v, t.name)
		}
	default:
		if kinds[t.name].json != reflect.ValueOf(v).Kind() {
			return fmt.Errorf("%v is not of kind %s", v, t.name)
		}
		if n, ok := v.(float64); ok && t.name == "integer" && n != math.Trunc(n) {
			return fmt.Errorf("%v is not an integer", n)
		}
		if t.name == "time" {
			_, err := time.Parse(time.RFC3339, v.(string))
			return err
		}
	}
	return nil
}

func (api *apiContract) conformsToShape(t *apiType, v any, shown map[string]bool) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%v is not an object", v)
	}
	for name := range fields {
		if t.fields[name] == nil {
			return fmt.Errorf("unknown field %q", name)
		}
	}
	for name, field := range t.fields {
		key := t.name + "." + name
		value, there := fields[name]
		switch {
		case there:
			if err := api.conforms(field, value, shown); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if list, ok := value.([]any); value != nil && (!ok || len(list) > 0) {
				shown[key] = true
			}
		case api.exceptions.LeftOut[key] == "":
			return errors.New(key + " is missing")
		}
	}
	return nil
}
