package contracttest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// exchange is a request and its answer, as they went over the wire.
type exchange struct {
	call   string // service and method
	op     *apiOperation
	query  url.Values
	accept string
	body   any // nil if there was none
	status int
	media  string
	answer []byte
}

// tap records what passes through it.
type tap struct {
	t    *testing.T
	api  *apiContract
	next http.RoundTripper
	call string // under way
	seen []*exchange
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	op := findOperation(p.t, p.api.operations, r.Method, r.URL.Path)
	x := &exchange{call: p.call, op: op, query: r.URL.Query(), accept: r.Header.Get("Accept")}
	p.seen = append(p.seen, x)
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		require.NoError(p.t, err)
		r.Body = io.NopCloser(bytes.NewReader(data))
		require.NoError(p.t, json.Unmarshal(data, &x.body))
	}
	res, err := p.next.RoundTrip(r)
	require.NoError(p.t, err)
	x.status, x.media = res.StatusCode, res.Header.Get("Content-Type")
	x.answer, err = io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(x.answer))
	return res, err
}

// runContract calls every method against the API in memory.
func runContract(t *testing.T, api *apiContract) []*exchange {
	t.Helper()
	recorded := &tap{t: t, api: api}
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.SetLocation(contractNumber, 1, 2)
		srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not now", http.StatusServiceUnavailable) }))
		recorded.next = srv.Transport()
		c, err := agentphone.NewClient(srv.APIKey(), agentphone.WithHTTPClient(&http.Client{Transport: recorded}))
		require.NoError(t, err)
		x := newContract(c, srv)
		for _, call := range contractCalls {
			recorded.call = call.name
			_, err := call.call(t.Context(), x)
			require.NoError(t, err, call.name)
		}
	})
	return recorded.seen
}

// Every method is called against the API in memory: all operations are reached, by each method with every query parameter
// and in all with every field that they have, and with none that they do not.
func TestContractOfRequests(t *testing.T) {
	api := readContract(t)
	queries, bodies := map[string]map[string]bool{}, map[string]map[string]bool{}
	reached := map[string]bool{}
	wanted := map[string]*apiOperation{}
	for _, x := range runContract(t, api) {
		op := x.op.String()
		reached[op] = true
		assert.Equal(t, cmp.Or(x.op.Media, "application/json"), x.accept, "Accept of %s", op)
		if bodies[op] == nil {
			bodies[op] = map[string]bool{}
		}
		sentFields(bodies[op], "", x.op.Body, x.body)
		if x.call == "Calls.Wait" || x.call == "Calls.CreateAndWait" {
			continue // they ask again and again instead of having the server wait
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

func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

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

// sentFields adds the paths of the fields of a value, but for those within an object of any fields.
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
