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

// The API in memory answers with the published status and shape. No field is missing where it is null, and each is seen
// with a value at least once.
func TestContractOfAnswersOfTheAPIInMemory(t *testing.T) {
	api := readContract(t)
	shown, listed, shapes := map[string]bool{}, map[*apiOperation]bool{}, map[string]bool{}
	for _, x := range runContract(t, api) {
		assert.Equal(t, x.op.Status, x.status, "%s", x.op)
		switch {
		case x.op.Media != "":
			assert.Equal(t, x.op.Media, x.media, "%s", x.op)
			for _, event := range eventsOf(t, x) {
				require.Contains(t, x.op.Events, event.name)
				assert.NoError(t, api.conforms(x.op.Events[event.name], event.data, shown), "event %s: %v", event.name, event.data)
			}
		case x.op.Answer == nil:
			assert.Empty(t, x.answer, "%s", x.op)
		default:
			assert.Equal(t, "application/json", x.media, "%s", x.op)
			var v any
			require.NoError(t, json.Unmarshal(x.answer, &v), "%s", x.op)
			assert.NoError(t, api.conforms(x.op.Answer, v, shown), "answer of %s: %s", x.op, x.answer)
			items, _ := v.([]any)
			listed[x.op] = listed[x.op] || len(items) > 0
		}
	}
	var never []string
	for _, op := range api.operations {
		if op.Answer != nil && op.Answer.item != nil {
			assert.True(t, listed[op], "%s answers with empty lists only", op)
		}
		for _, answer := range append(slices.Collect(maps.Values(op.Events)), op.Answer) {
			shapesOf(shapes, answer)
		}
	}
	for shape := range shapes {
		for field := range api.shapes[shape] {
			if !shown[shape+"."+field] {
				never = append(never, shape+"."+field)
			}
		}
	}
	// Neither is an exception that is none any more.
	assert.ElementsMatch(t, append(keys(api.exceptions.LeftOut), keys(api.exceptions.NeverShown)...), never, "fields that are never shown")
}

// shapesOf adds the names of the shapes that a type is made of.
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

// conforms checks an answer against its type: no field missing, none unknown, no word that the API does not have. It adds
// the fields that have a value to shown, as Agent.name.
func (api *apiContract) conforms(t *apiType, v any, shown map[string]bool) error {
	switch {
	case v == nil && t.null:
		return nil
	case t.item != nil:
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", v)
		}
		for _, item := range list {
			if err := api.conforms(t.item, item, shown); err != nil {
				return fmt.Errorf("[]: %w", err)
			}
		}
	case t.fields != nil:
		return api.conformsToShape(t, v, shown)
	case t.words != nil:
		if word, ok := v.(string); !ok || !slices.Contains(t.words, word) {
			return fmt.Errorf("%v is no %s", v, t.name)
		}
	default:
		if kinds[t.name].json != reflect.ValueOf(v).Kind() {
			return fmt.Errorf("%v is no %s", v, t.name)
		}
		if n, ok := v.(float64); ok && t.name == "integer" && n != math.Trunc(n) {
			return fmt.Errorf("%v is no integer", n)
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
		return fmt.Errorf("%v is no object", v)
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
