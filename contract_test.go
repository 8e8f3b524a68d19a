package agentphone_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// apiOperation is an entry of testdata/operations.json: the API's own list. A type is a word
// ("string", "time", "object", ...; with ? if it may be null or missing), a list of one element's, or
// an object (a name ends with ? if the field may be null or missing and is a list or an object).
type apiOperation struct {
	Method, Path  string
	Query, Header []string
	Body, Answer  any
}

func (o apiOperation) String() string { return o.Method + " " + o.Path }

func readOperations(t testing.TB) []apiOperation {
	t.Helper()
	data, err := os.ReadFile("testdata/operations.json")
	require.NoError(t, err)
	var ops []apiOperation
	require.NoError(t, json.Unmarshal(data, &ops))
	require.Len(t, ops, 69)
	return ops
}

// matches: does a path fit the operation's template? Templates with fewer placeholders come first.
func (o apiOperation) matches(method, path string) bool {
	want, got := strings.Split(o.Path, "/"), strings.Split(path, "/")
	return o.Method == method && slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") })
}

func findOperation(t testing.TB, ops []apiOperation, method, path string) apiOperation {
	t.Helper()
	var found []apiOperation
	for _, op := range ops {
		if op.matches(method, path) {
			found = append(found, op)
		}
	}
	require.NotEmpty(t, found, "%s %s is no operation of the API", method, path)
	return slices.MinFunc(found, func(a, b apiOperation) int { return strings.Count(a.Path, "{") - strings.Count(b.Path, "{") })
}

// exchanged is what went over the wire for one operation, over all its requests.
type exchanged struct {
	query   map[string]bool
	body    map[string]bool // paths of fields: customTools.[].name
	answers []string
}

// tap records what passes through it.
type tap struct {
	t    *testing.T
	ops  []apiOperation
	next http.RoundTripper
	seen map[string]*exchanged
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	op := findOperation(p.t, p.ops, r.Method, r.URL.Path)
	x := p.seen[op.String()]
	if x == nil {
		x = &exchanged{query: map[string]bool{}, body: map[string]bool{}}
		p.seen[op.String()] = x
	}
	for name := range r.URL.Query() {
		x.query[name] = true
	}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		require.NoError(p.t, err)
		r.Body = io.NopCloser(bytes.NewReader(data))
		var body any
		require.NoError(p.t, json.Unmarshal(data, &body))
		fieldPaths(x.body, "", body)
	}
	res, err := p.next.RoundTrip(r)
	if err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		data, _ := io.ReadAll(res.Body)
		res.Body = io.NopCloser(bytes.NewReader(data))
		x.answers = append(x.answers, string(data))
	}
	return res, err
}

// fieldPaths adds the paths of all fields of a value, or of a type of operations.json.
func fieldPaths(to map[string]bool, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			path := strings.TrimPrefix(at+"."+strings.TrimSuffix(name, "?"), ".")
			to[path] = true
			fieldPaths(to, path, field)
		}
	case []any:
		for _, item := range v {
			fieldPaths(to, at+".[]", item)
		}
	}
}

func keys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

// Every method is called against the API in memory: all operations are reached, with every parameter
// that they have and none that they do not, and the answers are of the published shape.
func TestContractOfRequestsAndOfTheAPIInMemory(t *testing.T) {
	ops := readOperations(t)
	seen := map[string]*exchanged{}
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.SetLocation(contractNumber, 1, 2)
		recorded := &tap{t, ops, srv.Transport(), seen}
		c, err := agentphone.NewClient(srv.APIKey(), agentphone.WithHTTPClient(&http.Client{Transport: recorded}))
		require.NoError(t, err)
		x := newContract(c, srv)
		for _, call := range contractCalls {
			_, err := call.call(t.Context(), x)
			require.NoError(t, err, call.name)
		}
	})
	for _, op := range ops {
		x := seen[op.String()]
		if !assert.NotNil(t, x, "no method calls %s", op) {
			continue
		}
		assert.Equal(t, slices.Sorted(slices.Values(op.Query)), keys(x.query), "query of %s", op)
		want := map[string]bool{}
		fieldPaths(want, "", op.Body)
		for path := range x.body { // within a free-form object anything goes
			if parent, _, ok := cutLast(path, "."); ok && !want[path] && want[parent] && !strings.HasSuffix(parent, "]") {
				delete(x.body, path)
			}
		}
		assert.Equal(t, keys(want), keys(x.body), "body of %s", op)
		for _, answer := range x.answers {
			var v any
			require.NoError(t, json.Unmarshal([]byte(answer), &v))
			assert.NoError(t, conforms(op.Answer, v), "answer of %s: %s", op, answer)
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// conforms checks a value against a type of operations.json: no field missing, none unknown.
func conforms(want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		if got == nil {
			return nil // of a list or object that may be null, which its name tells; see below
		}
		fields, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%v is no object", got)
		}
		for name := range fields {
			if _, ok := want[name]; !ok && want[name+"?"] == nil {
				return fmt.Errorf("unknown field %q", name)
			}
		}
		for name, kind := range want {
			plain, optional := strings.CutSuffix(name, "?")
			value, there := fields[plain]
			if word, ok := kind.(string); ok && strings.HasSuffix(word, "?") {
				optional = true
			}
			if value == nil && optional {
				continue
			}
			if !there {
				return fmt.Errorf("field %q is missing", plain)
			}
			if err := conforms(kind, value); err != nil {
				return fmt.Errorf("%s: %w", plain, err)
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", got)
		}
		for _, item := range list {
			if err := conforms(want[0], item); err != nil {
				return fmt.Errorf("[]: %w", err)
			}
		}
	case string:
		kinds := map[string]reflect.Kind{
			"string": reflect.String, "time": reflect.String, "integer": reflect.Float64, "number": reflect.Float64,
			"boolean": reflect.Bool, "object": reflect.Map,
		}
		if kind := kinds[strings.TrimSuffix(want, "?")]; kind != reflect.ValueOf(got).Kind() {
			return fmt.Errorf("%v is no %s", got, want)
		}
	}
	return nil
}

// Every method is called against a recorder that answers with every field that the API may answer with:
// no field is lost on its way into the result, and the result has none that the API does not.
func TestContractOfAnswers(t *testing.T) {
	ops := readOperations(t)
	// Fields of results that an operation does not answer with: types that serve several operations.
	extra := map[string][]string{
		"GET /v1/agents/{agent_id}/calls":         {"direction", "recordingUrl", "recordingAvailable", "transcripts"},
		"GET /v1/agents/{agent_id}/conversations": {"isGroup", "groupId", "groupName", "groupIconUrl", "participants", "metadata"},
	}
	for _, detail := range []string{"GET", "PATCH"} {
		extra[detail+" /v1/conversations/{conversation_id}"] = []string{"lastMessagePreview"}
	}
	for _, call := range contractCalls {
		if call.name == "Calls.StreamTranscript" || call.name == "Calls.DownloadRecording" {
			continue // no JSON: see streams_test.go
		}
		t.Run(call.name, func(t *testing.T) {
			var last apiOperation
			var answer any
			c, err := agentphone.NewClient(testKey, agentphone.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
				last = findOperation(t, ops, r.Method, r.URL.Path)
				if slices.Contains(last.Header, "X-Sub-Account-Id") {
					assert.Equal(t, "sub_1", r.Header.Get("X-Sub-Account-Id"))
				}
				answer = sample("", last.Answer)
				return reply(200, toJSON(t, answer)), nil
			})}))
			require.NoError(t, err)
			result, err := call.call(t.Context(), newContract(c.ForSubAccount("sub_1"), nil))
			require.NoError(t, err)
			var got any
			require.NoError(t, json.Unmarshal([]byte(toJSON(t, result)), &got))

			want := answer
			if list, ok := want.([]any); ok {
				want = map[string]any{"data": list}
			}
			fields, ok := want.(map[string]any)
			if !ok { // 204
				assert.Equal(t, map[string]any{"success": true}, got)
				return
			}
			if items, ok := fields["items"]; ok { // the page's place is what was asked for
				fields["data"] = items
				delete(fields, "items")
				delete(fields, "offset")
				delete(fields, "limit")
			}
			isPage := strings.HasPrefix(fmt.Sprintf("%T", result), "agentphone.Page") || strings.HasPrefix(fmt.Sprintf("%T", result), "*agentphone.Page")
			assert.Empty(t, difference("", want, got, isPage, extra[last.String()]))
		})
	}
}

// sample is a value of a type of operations.json in which every field is set.
func sample(name string, kind any) any {
	switch kind := kind.(type) {
	case map[string]any:
		out := map[string]any{}
		for field, k := range kind {
			field = strings.TrimSuffix(field, "?")
			out[field] = sample(field, k)
		}
		return out
	case []any:
		return []any{sample(name, kind[0])}
	case string:
		switch strings.TrimSuffix(kind, "?") {
		case "string":
			return "text of " + name
		case "time":
			return someTime.Format(time.RFC3339)
		case "integer":
			return 7.0
		case "number":
			return 1.5
		case "boolean":
			return true
		case "object":
			if name == "byEventType" {
				return map[string]any{"k": map[string]any{"n": 1.0}}
			}
			return map[string]any{"k": "v"}
		}
	}
	return nil
}

var someTime = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)

// difference lists what was lost from want, and what got has beyond it.
func difference(at string, want, got any, isPage bool, extra []string) (out []string) {
	switch want := want.(type) {
	case map[string]any:
		fields, _ := got.(map[string]any)
		for name, value := range want {
			to := name
			switch {
			case name == "from_":
				to = "from"
			case name == "lastUpdated": // a number becomes a time
				if fields[name] == nil {
					out = append(out, at+name+" is lost")
				}
				continue
			case isPage && at == "" && (name == "total" || name == "hasMore") && fields["data"] != nil:
				continue // an iterator's items come without them
			}
			out = append(out, difference(at+name+".", value, fields[to], isPage, extra)...)
		}
		for name := range fields {
			if _, ok := want[name]; ok || slices.Contains(extra, name) || name == "from" || isPage && at == "" {
				continue
			}
			if tool := strings.HasSuffix(at, "customTools."); tool {
				continue // free-form
			}
			out = append(out, at+name+" is not in the API")
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return []string{at + " is lost"}
		}
		for i := range want {
			out = append(out, difference(at, want[i], list[i], isPage, extra)...)
		}
	default:
		if !reflect.DeepEqual(want, got) {
			out = append(out, fmt.Sprintf("%s is %v, was %v", at, got, want))
		}
	}
	return out
}

func TestContractCallsEveryMethod(t *testing.T) {
	called := map[string]bool{}
	for _, call := range contractCalls {
		called[call.name] = true
	}
	want := map[string]bool{}
	client := reflect.TypeFor[agentphone.Client]()
	for _, field := range reflect.VisibleFields(client) {
		for i := range field.Type.NumMethod() {
			if field.IsExported() {
				want[field.Name+"."+field.Type.Method(i).Name] = true
			}
		}
	}
	assert.Equal(t, keys(want), keys(called))
}

// full is a T with all fields set; adjust, if any, then sets those that take only some values.
func full[T any](adjust func(*T)) T {
	var v T
	fill(reflect.ValueOf(&v).Elem())
	if adjust != nil {
		adjust(&v)
	}
	return v
}

func fill(v reflect.Value) {
	if get, ok := v.Type().MethodByName("Get"); ok && v.Kind() == reflect.Struct { // an Optional
		inner := reflect.New(get.Type.Out(0)).Elem()
		fill(inner)
		data, _ := json.Marshal(inner.Interface())
		if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
			panic(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(5)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf("x"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i))
			}
		}
	}
}
