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

// The API's contract is in testdata, in this project's own words:
//
//	operations.json  the operations, with their query and body as the API takes them and their answer as it gives it
//	shapes.json      the objects that are in them
//	enums.json       the words that some texts can be; a name with a capital is that of the SDK's type
//	exceptions.json  what does not keep to the rules of these tests, each with the reason
//
// A type is a kind, a shape or an enum. After it stands ? if it may be null or missing, or * if it may be missing but not
// null, and then 1..5, how large a number or how long a text may be; [] before it makes it a list, [1..5] one of so many.
// Bounds and forms that the API's documents do not give are those of the API in memory.
type apiContract struct {
	operations []*apiOperation
	shapes     map[string]map[string]*apiType
	enums      map[string][]string
	exceptions struct {
		LeftOut    map[string]string // fields that the API in memory does not answer with
		Needed     map[string]string // fields and parameters that are optional, but not beside those of these tests
		NeverShown map[string]string // fields that are always null in its answers, or empty lists
		Unbounded  map[string]string // parameters that the client does not hold to their upper bound
	}
}

type apiOperation struct {
	Method, Path string
	Status       int  // of success
	Public       bool // takes no key
	Empty        bool // may answer with nothing
	Query        map[string]*apiType
	Header       []string
	Body, Answer *apiType            // nil if there is none
	Media        string              // of an answer that is no JSON
	Events       map[string]*apiType // of an answer that is a stream
}

func (o *apiOperation) String() string { return o.Method + " " + o.Path }

type apiType struct {
	name           string              // of the kind, the shape or the enum
	item           *apiType            // of a list
	fields         map[string]*apiType // of a shape
	words          []string            // of an enum
	null, optional bool
	low, high      *float64
}

// kinds are the types that are neither shapes nor enums. What is wrong for a kind is refused with a 422.
var kinds = map[string]struct {
	json  reflect.Kind
	wrong []any
}{
	"string":    {reflect.String, []any{7, true, []any{}, map[string]any{}}},
	"time":      {reflect.String, []any{7, "soon"}},
	"phone":     {reflect.String, []any{7, "(415) 555-0124"}},
	"recipient": {reflect.String, []any{7, "415-555-0124"}}, // of a message
	"person":    {reflect.String, []any{7, "55555"}},        // of a group: no short code
	"email":     {reflect.String, []any{7, "nobody"}},
	"url":       {reflect.String, []any{7, "ftp://example.com"}},
	"areaCode":  {reflect.String, []any{7, "41", "4a5", "4155"}},
	"timeZone":  {reflect.String, []any{7, "Mars/Olympus"}},
	"integer":   {reflect.Float64, []any{"many", 1.5, true}},
	"number":    {reflect.Float64, []any{"many", true}},
	"boolean":   {reflect.Bool, []any{"perhaps", 7}},
	"object":    {reflect.Map, []any{"x", []any{}}},                         // of any fields
	"texts":     {reflect.Map, []any{"x", []any{}, map[string]any{"k": 7}}}, // of any fields that are texts or null
	"counts":    {reflect.Map, []any{"x", map[string]any{"k": 7}}},          // of any fields whose fields are numbers
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
	for name := range shapes {
		api.shapes[name] = map[string]*apiType{}
	}
	for name, fields := range shapes {
		for field, word := range fields {
			api.shapes[name][field] = api.typeOf(t, word)
		}
	}
	var ops []struct {
		apiOperation
		Query, Events map[string]string
		Body, Answer  string
	}
	read("operations.json", &ops)
	require.Len(t, ops, 69)
	for _, raw := range ops {
		op := raw.apiOperation
		op.Query, op.Events = map[string]*apiType{}, map[string]*apiType{}
		for name, word := range raw.Query {
			op.Query[name] = api.typeOf(t, word)
		}
		for name, word := range raw.Events {
			op.Events[name] = api.typeOf(t, word)
		}
		if raw.Body != "" {
			op.Body = api.typeOf(t, raw.Body)
		}
		switch {
		case strings.Contains(raw.Answer, "/"):
			op.Media = raw.Answer
		case raw.Answer != "":
			op.Answer = api.typeOf(t, raw.Answer)
		}
		api.operations = append(api.operations, &op)
	}
	return api
}

func readOperations(t testing.TB) []*apiOperation {
	t.Helper()
	return readContract(t).operations
}

var typeWord = regexp.MustCompile(`^(\[(?:(.*)\.\.(.*))?\])?(\w+)([?*])?(?: (.*)\.\.(.*))?$`)

func (api *apiContract) typeOf(t testing.TB, word string) *apiType {
	t.Helper()
	parts := typeWord.FindStringSubmatch(word)
	require.NotNil(t, parts, "%q is no type", word)
	bound := func(s string) *float64 {
		if s == "" {
			return nil
		}
		n, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err, "%q is no type", word)
		return &n
	}
	name := parts[4]
	typ := &apiType{name: name, fields: api.shapes[name], words: api.enums[name], low: bound(parts[6]), high: bound(parts[7])}
	if _, ok := kinds[name]; !ok && typ.fields == nil && typ.words == nil {
		require.Fail(t, "no such type", name)
	}
	if parts[1] != "" {
		typ = &apiType{name: "[]" + name, item: typ, low: bound(parts[2]), high: bound(parts[3])}
	}
	typ.null, typ.optional = parts[5] == "?", parts[5] != ""
	return typ
}

// findOperation finds whose template a path fits: the one with the fewest placeholders.
func findOperation(t testing.TB, ops []*apiOperation, method, path string) *apiOperation {
	t.Helper()
	var found []*apiOperation
	got := strings.Split(path, "/")
	for _, op := range ops {
		want := strings.Split(op.Path, "/")
		if op.Method == method && slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") }) {
			found = append(found, op)
		}
	}
	require.NotEmpty(t, found, "%s %s is no operation of the API", method, path)
	return slices.MinFunc(found, func(a, b *apiOperation) int { return strings.Count(a.Path, "{") - strings.Count(b.Path, "{") })
}

func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
