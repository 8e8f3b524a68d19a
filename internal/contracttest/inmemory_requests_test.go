// The API in memory accepts what the published API does: it refuses every wrong field and parameter, and nothing else.

package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// direct sends requests to an API in memory without the client, which would not send invalid ones. No id in their paths
// exists: input is checked first, so a response of 404 means that it was valid.
type direct struct {
	t   *testing.T
	srv *agentphonetest.Server
}

func newDirect(t *testing.T) *direct {
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	srv.SetReceiver(http.NotFoundHandler())
	return &direct{t, srv}
}

// refusals are what a 422 names: "body.name missing". There are none for other responses.
type refusals []string

func (d *direct) send(op *apiOperation, query url.Values, body any, key string) (status int, problems refusals) {
	d.t.Helper()
	path := regexp.MustCompile(`{\w+}`).ReplaceAllString(op.Path, somePhone)
	var data []byte
	if op.Body != nil {
		data = []byte(apitest.JSON(d.t, body))
	}
	req, err := http.NewRequestWithContext(d.t.Context(), op.Method, agentphone.DefaultBaseURL+path+"?"+query.Encode(), bytes.NewReader(data))
	require.NoError(d.t, err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := d.srv.Transport().RoundTrip(req)
	require.NoError(d.t, err)
	defer func() { require.NoError(d.t, res.Body.Close()) }()
	if res.StatusCode != http.StatusUnprocessableEntity {
		return res.StatusCode, nil
	}
	var response struct {
		Detail []struct {
			Loc  []any
			Type string
		}
	}
	require.NoError(d.t, json.NewDecoder(res.Body).Decode(&response))
	for _, p := range response.Detail {
		loc := strings.Trim(fmt.Sprint(p.Loc), "[]")
		problems = append(problems, strings.ReplaceAll(loc, " ", ".")+" "+p.Type)
	}
	require.NotEmpty(d.t, problems)
	return res.StatusCode, problems
}

// assertRefused sends a request, whose field or parameter at has the value v. The response must be a 422 that names it,
// or what is in it, and nothing else.
func (d *direct) assertRefused(op *apiOperation, query url.Values, body any, at string, v any) {
	d.t.Helper()
	_, problems := d.send(op, query, body, d.srv.APIKey())
	assert.NotEmpty(d.t, problems, "%s accepted %s = %v", op, at, v)
	for _, p := range problems {
		assert.True(d.t, strings.HasPrefix(p, at+" ") || strings.HasPrefix(p, at+"."), "%s: for %s = %v it refused %s", op, at, v, p)
	}
}

// assertAccepted sends such a request, whose response must not be a 422.
func (d *direct) assertAccepted(op *apiOperation, query url.Values, body any, at string, v any) {
	d.t.Helper()
	_, problems := d.send(op, query, body, d.srv.APIKey())
	assert.Empty(d.t, problems, "%s refused %s = %v", op, at, v)
}

// missing stands for a field that is left out.
var missing = any(struct{ missing bool }{})

// eachField visits the fields of a body, those of its objects, and the first items of its lists. A visitor may set the
// field to something else, or to missing; it is restored afterwards.
func eachField(t *apiType, v any, at string, visit func(t *apiType, at string, now any, set func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range keys(t.fields) {
			now, there := v[name]
			if !there {
				continue
			}
			visit(t.fields[name], at+"."+name, now, func(value any) {
				if v[name] = value; value == missing {
					delete(v, name)
				}
			})
			v[name] = now
			eachField(t.fields[name], now, at+"."+name, visit)
		}
	case []any:
		if t.item != nil && len(v) > 0 {
			now := v[0]
			visit(t.item, at+".0", now, func(value any) { v[0] = value })
			v[0] = now
			eachField(t.item, now, at+".0", visit)
		}
	}
}

// wrongValues returns values of other types than t, and beyond its bounds. now is a valid value.
func wrongValues(t *apiType, now any) (wrong []any) {
	switch {
	case t.item != nil:
		wrong = []any{"x", map[string]any{}}
	case t.fields != nil:
		wrong = []any{"x", []any{}}
	case t.values != nil:
		wrong = []any{"no such value", 7}
	default:
		wrong = slices.Clone(kinds[t.name].wrong)
		if n, ok := now.(float64); ok && t.name == "integer" {
			wrong = append(wrong, n+0.5) // which is within its bounds
		}
	}
	isNumber := kinds[t.name].json == reflect.Float64
	if t.low != nil && (isNumber || *t.low > 0) {
		wrong = append(wrong, ofSize(t, now, *t.low-1))
	}
	if t.high != nil {
		wrong = append(wrong, ofSize(t, now, *t.high+1))
	}
	return wrong
}

// rightValues returns the values of an enum, or those at the bounds of t. now is a valid value.
func rightValues(t *apiType, now any) (right []any) {
	for _, value := range t.values {
		right = append(right, value)
	}
	for _, bound := range []*float64{t.low, t.high} {
		if bound != nil {
			right = append(right, ofSize(t, now, *bound))
		}
	}
	return right
}

// ofSize returns the number n, a string of n characters, or a list of n items.
func ofSize(t *apiType, now any, n float64) any {
	switch {
	case t.item != nil:
		return slices.Repeat(now.([]any)[:1], int(n))
	case kinds[t.name].json == reflect.String:
		return strings.Repeat("x", int(n))
	case t.name == "integer":
		return int(n)
	}
	return n
}

// Each field of each body is set to what must be refused and to what must be accepted, null and missing included.
func TestContract_InMemoryAPIChecksBodies(t *testing.T) {
	api, d := readContract(t), newDirect(t)
	tried := map[string]bool{}
	for _, x := range recordCalls(t, api) {
		if x.op.Body == nil {
			continue
		}
		eachField(x.op.Body, x.body, "body", func(typ *apiType, at string, now any, set func(any)) {
			name := x.op.String() + " " + at // POST /v1/agents body.name
			if tried[name] {
				return
			}
			tried[name] = true
			for _, v := range wrongValues(typ, now) {
				set(v)
				d.assertRefused(x.op, nil, x.body, at, v)
			}
			for _, v := range rightValues(typ, now) {
				set(v)
				d.assertAccepted(x.op, nil, x.body, at, v)
			}
			for _, v := range []any{nil, missing} {
				if v == missing && strings.HasSuffix(at, ".0") {
					continue // an item of a list cannot be missing
				}
				set(v)
				switch needed := api.exceptions.Needed[strings.Replace(name, " body.", " ", 1)]; {
				case v == nil && !typ.null, v == missing && !typ.optional:
					d.assertRefused(x.op, nil, x.body, at, v)
				case needed == "":
					d.assertAccepted(x.op, nil, x.body, at, v)
				default: // the 422 may name the field that needs this one
					_, problems := d.send(x.op, nil, x.body, d.srv.APIKey())
					assert.NotEmpty(t, problems, "%s accepted %s = %v: %s", x.op, at, v, needed)
				}
			}
		})
	}
}

// Each parameter of each query, likewise.
func TestContract_InMemoryAPIChecksQueries(t *testing.T) {
	api, d := readContract(t), newDirect(t)
	for _, op := range api.operations {
		needed := url.Values{}
		for name, typ := range op.Query {
			if !typ.optional {
				needed.Set(name, fmt.Sprint(queryValue(typ, 0)))
			}
		}
		for name, typ := range op.Query {
			at := "query." + name
			with := func(v any) url.Values {
				q := url.Values{name: {fmt.Sprint(v)}}
				for other := range needed {
					if other != name {
						q[other] = needed[other]
					}
				}
				return q
			}
			for _, v := range wrongValues(typ, nil) {
				// In a query everything is a string, so that only a string can be wrong for one.
				if _, isString := v.(string); isString || kinds[typ.name].json != reflect.String && typ.values == nil {
					d.assertRefused(op, with(v), nil, at, v)
				}
			}
			for _, v := range append(rightValues(typ, nil), queryValue(typ, 0)) {
				d.assertAccepted(op, with(v), nil, at, v)
			}
			if !typ.optional {
				q := with("")
				q.Del(name)
				d.assertRefused(op, q, nil, at, "missing")
			}
		}
	}
}

// Every operation requires a key, but for the public ones.
func TestContract_InMemoryAPIRequiresAKey(t *testing.T) {
	api, d := readContract(t), newDirect(t)
	for _, op := range api.operations {
		status, _ := d.send(op, nil, map[string]any{}, "")
		assert.Equal(t, !op.Public, status == http.StatusUnauthorized, "%s", op)
	}
}
