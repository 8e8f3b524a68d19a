// How the published API is written down in testdata, and how the tests read it.

package contracttest

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apiContract is the published API, as testdata has it in the words of this project:
//
//	operations.json  the operations, each with its query, its body and its response
//	shapes.json      the objects that bodies and responses consist of
//	enums.json       the values of strings that are enums; a name with a capital is that of the SDK's type
//	exceptions.json  what does not follow the rules of these tests, each with the reason
//
// A type is the name of a kind, a shape or an enum. A suffix says whether it may be absent: with ? it may be null or
// missing, with * it may be missing but not null. Bounds follow: "integer 1..5" is a number from 1 to 5, "string 1..5"
// has one to five characters. The prefix [] makes it a list, and [1..5] a list of one to five items. Where the API's
// documents have no bounds and no format, these are the ones of the API in memory.
type apiContract struct {
	operations []*apiOperation
	shapes     map[string]map[string]*apiType
	enums      map[string][]string
	exceptions struct {
		LeftOut    map[string]string // fields that are not in the responses of the API in memory
		Needed     map[string]string // fields and parameters that are optional, but required by others that these tests set
		NeverShown map[string]string // fields that are always null or empty in the responses of the API in memory
		Unbounded  map[string]string // parameters whose upper bound the client does not check
	}
}

// apiOperation is an operation of the API.
type apiOperation struct {
	Method, Path   string
	Status         int  // of a successful response
	Public         bool // takes no key
	Empty          bool // the response may be empty
	Query          map[string]*apiType
	Header         []string
	Body, Response *apiType            // nil if there is none
	Media          string              // of a response that is not JSON
	Events         map[string]*apiType // of a response that is a stream, by event name
}

func (o *apiOperation) String() string { return o.Method + " " + o.Path }

// apiType is the type of a body, a response, a field or a parameter.
type apiType struct {
	name           string              // of the kind, the shape or the enum
	item           *apiType            // of a list
	fields         map[string]*apiType // of a shape
	values         []string            // of an enum
	null, optional bool
	low, high      *float64
}

// kinds are the types that are neither shapes nor enums. Each of the wrong values must be refused with a 422.
var kinds = map[string]struct {
	json  reflect.Kind
	wrong []any
}{
	"string":    {reflect.String, []any{7, true, []any{}, map[string]any{}}},
	"time":      {reflect.String, []any{7, "soon"}},
	"phone":     {reflect.String, []any{7, "(415) 555-0124"}},
	"recipient": {reflect.String, []any{7, "415-555-0124"}}, // of a message
	"person":    {reflect.String, []any{7, "55555"}},        // a member of a group: not a short code
	"email":     {reflect.String, []any{7, "nobody"}},
	"url":       {reflect.String, []any{7, "ftp://example.com"}},
	"httpsURL":  {reflect.String, []any{7, "ftp://example.com", "http://example.com"}},
	"areaCode":  {reflect.String, []any{7, "41", "4a5", "4155"}},
	"code":      {reflect.String, []any{7, "12345", "1234567", "12345x"}},
	"phones":    {reflect.String, []any{"(415) 555-0124", somePhone + ",", strings.Repeat(somePhone+",", 25) + somePhone}}, // 1 to 25
	"timeZone":  {reflect.String, []any{7, "Mars/Olympus"}},
	"integer":   {reflect.Float64, []any{"many", 1.5, true}},
	"number":    {reflect.Float64, []any{"many", true}},
	"boolean":   {reflect.Bool, []any{"perhaps", 7}},
	"any":       {reflect.Invalid, nil},
	"object":    {reflect.Map, []any{"x", []any{}}},                         // with any fields
	"texts":     {reflect.Map, []any{"x", []any{}, map[string]any{"k": 7}}}, // with any fields that are strings or null
	"counts":    {reflect.Map, []any{"x", map[string]any{"k": 7}}},          // with any fields whose own fields are numbers
}

func readContract(t testing.TB) *apiContract {
	t.Helper()
	read := func(name string, to any) {
		data, err := os.ReadFile("../../testdata/" + name)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, to), name)
	}
	api := &apiContract{shapes: map[string]map[string]*apiType{}}
	read("enums.json", &api.enums)
	read("exceptions.json", &api.exceptions)
	var shapes map[string]map[string]string
	read("shapes.json", &shapes)
	for name := range shapes { // first, for a shape may refer to one that follows
		api.shapes[name] = map[string]*apiType{}
	}
	for name, fields := range shapes {
		for field, notation := range fields {
			api.shapes[name][field] = api.typeOf(t, notation)
		}
	}
	var ops []struct {
		apiOperation
		Query, Events  map[string]string
		Body, Response string
	}
	read("operations.json", &ops)
	require.Len(t, ops, 72)
	for _, raw := range ops {
		op := raw.apiOperation
		op.Query, op.Events = map[string]*apiType{}, map[string]*apiType{}
		for name, notation := range raw.Query {
			op.Query[name] = api.typeOf(t, notation)
		}
		for name, notation := range raw.Events {
			op.Events[name] = api.typeOf(t, notation)
		}
		if raw.Body != "" {
			op.Body = api.typeOf(t, raw.Body)
		}
		switch {
		case strings.Contains(raw.Response, "/"):
			op.Media = raw.Response
		case raw.Response != "":
			op.Response = api.typeOf(t, raw.Response)
		}
		api.operations = append(api.operations, &op)
	}
	return api
}

var typeNotation = regexp.MustCompile(`^(\[(?:(.*)\.\.(.*))?\])?(\w+)([?*])?(?: (.*)\.\.(.*))?$`)

// typeOf returns the type that a notation of testdata stands for.
func (api *apiContract) typeOf(t testing.TB, notation string) *apiType {
	t.Helper()
	parts := typeNotation.FindStringSubmatch(notation)
	require.NotNil(t, parts, "%q is not a type", notation)
	bound := func(s string) *float64 {
		if s == "" {
			return nil
		}
		n, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err, "%q is not a type", notation)
		return &n
	}
	name := parts[4]
	typ := &apiType{name: name, fields: api.shapes[name], values: api.enums[name], low: bound(parts[6]), high: bound(parts[7])}
	if _, ok := kinds[name]; !ok && typ.fields == nil && typ.values == nil {
		require.Fail(t, "no such type", name)
	}
	if parts[1] != "" {
		typ = &apiType{name: "[]" + name, item: typ, low: bound(parts[2]), high: bound(parts[3])}
	}
	typ.null, typ.optional = parts[5] == "?", parts[5] != ""
	return typ
}

// operation returns the operation whose path template fits a path: of several, the one with the fewest placeholders.
func (api *apiContract) operation(t testing.TB, method, path string) *apiOperation {
	t.Helper()
	var found []*apiOperation
	got := strings.Split(path, "/")
	for _, op := range api.operations {
		want := strings.Split(op.Path, "/")
		if op.Method == method && slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") }) {
			found = append(found, op)
		}
	}
	require.NotEmpty(t, found, "%s %s is not an operation of the API", method, path)
	return slices.MinFunc(found, func(a, b *apiOperation) int { return strings.Count(a.Path, "{") - strings.Count(b.Path, "{") })
}

// keys returns the keys of a map, sorted.
func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
