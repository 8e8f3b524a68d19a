package agentphonetest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openAPI is a document in OpenAPI 3.1, of which it knows what control.openapi.json uses.
type openAPI struct {
	t    testing.TB
	root map[string]any
}

func readOpenAPI(t testing.TB) openAPI {
	t.Helper()
	text, err := os.ReadFile("control.openapi.json")
	require.NoError(t, err)
	api := openAPI{t: t}
	require.NoError(t, json.Unmarshal(text, &api.root))
	return api
}

// at returns what is at a path of keys, through references.
func (api openAPI) at(from any, keys ...string) any {
	for _, key := range keys {
		next, ok := api.resolved(from)[key]
		if !ok {
			return nil
		}
		from = next
	}
	return from
}

// resolved returns an object, or the one that it refers to.
func (api openAPI) resolved(v any) fields {
	o, ok := v.(fields)
	require.True(api.t, ok, "%v is no object", v)
	if to, ok := o["$ref"].(string); ok {
		found := api.at(api.root, strings.Split(strings.TrimPrefix(to, "#/"), "/")...)
		require.NotNil(api.t, found, to)
		return api.resolved(found)
	}
	return o
}

// controlOperation is an operation of the document.
type controlOperation struct {
	name string // such as "POST /messages"
	spec fields
}

func (api openAPI) operations() (all []controlOperation) {
	paths := api.resolved(api.root["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, spec := range api.resolved(paths[path]) {
			all = append(all, controlOperation{strings.ToUpper(method) + " " + path, api.resolved(spec)})
		}
	}
	return all
}

// bodySchema returns the schema of an operation's request, or nil if it has none.
func (api openAPI) bodySchema(op controlOperation) any {
	if op.spec["requestBody"] == nil {
		return nil
	}
	return api.at(op.spec, "requestBody", "content", "application/json", "schema")
}

// responseSchema returns the schema of an operation's response with a status, or nil if it has none.
func (api openAPI) responseSchema(op controlOperation, status int) any {
	response := api.at(op.spec, "responses", fmt.Sprint(status))
	if response == nil {
		return nil
	}
	return api.at(response, "content", "application/json", "schema")
}

// check returns how a value differs from a schema, or "".
func (api openAPI) check(schema, v any, where string) string {
	s := api.resolved(schema)
	for keyword := range s {
		if !slices.Contains([]string{
			"type", "description", "properties", "required", "additionalProperties", "items", "enum", "oneOf", "format",
			"minimum", "maximum", "minLength", "default",
		}, keyword) {
			return where + ": the test does not know the keyword " + keyword
		}
	}
	if alternatives, ok := s["oneOf"].([]any); ok {
		var problems []string
		for _, alternative := range alternatives {
			problem := api.check(alternative, v, where)
			if problem == "" {
				return ""
			}
			problems = append(problems, problem)
		}
		return strings.Join(problems, "; ")
	}
	types, ok := s["type"].([]any)
	if !ok {
		types = []any{s["type"]}
	}
	if !slices.Contains(types, any(typeOf(v))) && (typeOf(v) != "integer" || !slices.Contains(types, any("number"))) {
		return fmt.Sprintf("%s: is a %s, not %v", where, typeOf(v), types)
	}
	if allowed, ok := s["enum"].([]any); ok && !slices.Contains(allowed, v) {
		return fmt.Sprintf("%s: is %v, not one of %v", where, v, allowed)
	}
	switch v := v.(type) {
	case float64:
		if least, ok := s["minimum"].(float64); ok && v < least {
			return fmt.Sprintf("%s: is %v", where, v)
		}
	case string:
		if s["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
				return where + ": " + err.Error()
			}
		}
	case []any:
		for i, item := range v {
			if problem := api.check(s["items"], item, fmt.Sprint(where, ".", i)); problem != "" {
				return problem
			}
		}
	case fields:
		return api.checkObject(s, v, where)
	}
	return ""
}

func (api openAPI) checkObject(s, v fields, where string) string {
	properties, _ := s["properties"].(fields)
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			return fmt.Sprintf("%s.%s: is missing", where, name)
		}
	}
	for name, value := range v {
		property, described := properties[name]
		if !described {
			property = s["additionalProperties"]
		}
		switch property {
		case true:
			continue
		case false, nil:
			return fmt.Sprintf("%s.%s: is not described", where, name)
		}
		if problem := api.check(property, value, where+"."+name); problem != "" {
			return problem
		}
	}
	return ""
}

// typeOf is the type of a JSON value as schemas name it.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	if reflect.TypeOf(v) == reflect.TypeFor[fields]() {
		return "object"
	}
	panic(fmt.Sprintf("%T is not of JSON", v))
}
