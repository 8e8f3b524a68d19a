// The client can send all that the API accepts: every operation with every parameter and field, and no others.

package contracttest

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// All operations are reached: by each method with every query parameter, and in all with every field of the body.
func TestContract_RequestsHaveEveryParameterAndField(t *testing.T) {
	api := readContract(t)
	queries, bodies := map[string]map[string]bool{}, map[string]map[string]bool{}
	reached := map[string]bool{}
	wanted := map[string]*apiOperation{}
	for _, x := range recordCalls(t, api) {
		op := x.op.String()
		reached[op] = true
		assert.Equal(t, cmp.Or(x.op.Media, "application/json"), x.accept, "Accept of %s", op)
		if bodies[op] == nil {
			bodies[op] = map[string]bool{}
		}
		sentFields(bodies[op], "", x.op.Body, x.body)
		if x.call == "Calls.Wait" || x.call == "Calls.CreateAndWait" {
			continue // they poll instead of having the server wait
		}
		by := x.call + ": " + op
		wanted[by] = x.op
		if queries[by] == nil {
			queries[by] = map[string]bool{}
		}
		for name := range x.query {
			queries[by][name] = true
		}
	}
	for by, op := range wanted {
		assert.Equal(t, keys(op.Query), keys(queries[by]), "query of %s", by)
	}
	for _, op := range api.operations {
		assert.True(t, reached[op.String()], "no method calls %s", op)
		want := map[string]bool{}
		fieldsOf(want, "", op.Body)
		assert.Equal(t, keys(want), keys(bodies[op.String()]), "body of %s", op)
	}
}

// fieldsOf adds the paths of all fields of a type: customTools.[].name.
func fieldsOf(to map[string]bool, at string, t *apiType) {
	switch {
	case t == nil:
	case t.item != nil:
		fieldsOf(to, at+"[].", t.item)
	default:
		for name, field := range t.fields {
			to[at+name] = true
			fieldsOf(to, at+name+".", field)
		}
	}
}

// sentFields adds the paths of all fields of a value, but not of those within an object that may have any fields.
func sentFields(to map[string]bool, at string, t *apiType, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if t == nil || t.fields != nil {
				to[at+name] = true
			}
			if t != nil && t.fields[name] != nil {
				sentFields(to, at+name+".", t.fields[name], value)
			}
		}
	case []any:
		for _, item := range v {
			if t != nil && t.item != nil {
				sentFields(to, at+"[].", t.item, item)
			}
		}
	}
}
