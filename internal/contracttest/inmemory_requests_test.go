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

// strict is an API in memory that is asked without the SDK, which would not ask for what is wrong. The ids of its paths
// are of nothing: input is checked first, so what gets a 404 was in order.
type strict struct {
	t   *testing.T
	srv *agentphonetest.Server
}

func newStrict(t *testing.T) *strict {
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	srv.SetReceiver(http.NotFoundHandler())
	return &strict{t, srv}
}

// refusals are what a 422 names: "body.name missing". There are none for other answers.
type refusals []string

func (s *strict) ask(op *apiOperation, query url.Values, body any, key string) (status int, problems refusals) {
	s.t.Helper()
	path := regexp.MustCompile(`{\w+}`).ReplaceAllString(op.Path, contractNumber)
	var data []byte
	if op.Body != nil {
		data = []byte(apitest.JSON(s.t, body))
	}
	req, err := http.NewRequestWithContext(s.t.Context(), op.Method, agentphone.DefaultBaseURL+path+"?"+query.Encode(), bytes.NewReader(data))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := s.srv.Transport().RoundTrip(req)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, res.Body.Close()) }()
	if res.StatusCode != http.StatusUnprocessableEntity {
		return res.StatusCode, nil
	}
	var answer struct {
		Detail []struct {
			Loc  []any
			Type string
		}
	}
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&answer))
	for _, p := range answer.Detail {
		loc := strings.Trim(fmt.Sprint(p.Loc), "[]")
		problems = append(problems, strings.ReplaceAll(loc, " ", ".")+" "+p.Type)
	}
	require.NotEmpty(s.t, problems)
	return res.StatusCode, problems
}

// refused: there is a 422 for a field, or for what is in it, and for nothing else.
func (s *strict) refused(op *apiOperation, query url.Values, body any, at string, v any) {
	s.t.Helper()
	_, problems := s.ask(op, query, body, s.srv.APIKey())
	assert.NotEmpty(s.t, problems, "%s took %s = %v", op, at, v)
	for _, p := range problems {
		assert.True(s.t, strings.HasPrefix(p, at+" ") || strings.HasPrefix(p, at+"."), "%s: for %s = %v it refused %s", op, at, v, p)
	}
}

func (s *strict) taken(op *apiOperation, query url.Values, body any, at string, v any) {
	s.t.Helper()
	_, problems := s.ask(op, query, body, s.srv.APIKey())
	assert.Empty(s.t, problems, "%s refused %s = %v", op, at, v)
}

// missing stands for a field that is not there.
var missing = any(struct{ missing bool }{})

// eachField visits the fields of a body, those of its objects and the first items of its lists too. set replaces the field; it
// is itself again afterwards.
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

// wrongValues are of other types than t, or beyond its bounds; rightValues are its words and its bounds. now is a
// value that is right.
func wrongValues(t *apiType, now any) (wrong []any) {
	switch {
	case t.item != nil:
		wrong = []any{"x", map[string]any{}}
	case t.fields != nil:
		wrong = []any{"x", []any{}}
	case t.words != nil:
		wrong = []any{"no such word", 7}
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

func rightValues(t *apiType, now any) (right []any) {
	for _, word := range t.words {
		right = append(right, word)
	}
	for _, bound := range []*float64{t.low, t.high} {
		if bound != nil {
			right = append(right, ofSize(t, now, *bound))
		}
	}
	return right
}

// ofSize is a number, or a text or a list of so many characters or items.
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

// Each field of a body is sent to the API in memory with what it must refuse and with what it must take.
func TestContractOfBodiesThatTheAPIInMemoryTakes(t *testing.T) {
	api, s := readContract(t), newStrict(t)
	tried := map[string]bool{}
	for _, x := range runContract(t, api) {
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
				s.refused(x.op, nil, x.body, at, v)
			}
			for _, v := range rightValues(typ, now) {
				set(v)
				s.taken(x.op, nil, x.body, at, v)
			}
			for _, v := range []any{nil, missing} {
				if v == missing && strings.HasSuffix(at, ".0") {
					continue // a list is as long as it is
				}
				set(v)
				switch needed := api.exceptions.Needed[strings.Replace(name, " body.", " ", 1)]; {
				case v == nil && !typ.null, v == missing && !typ.optional:
					s.refused(x.op, nil, x.body, at, v)
				case needed == "":
					s.taken(x.op, nil, x.body, at, v)
				default: // the 422 may be for the other field
					_, problems := s.ask(x.op, nil, x.body, s.srv.APIKey())
					assert.NotEmpty(t, problems, "%s took %s = %v: %s", x.op, at, v, needed)
				}
			}
		})
	}
}

// Each parameter of a query, likewise.
func TestContractOfQueriesThatTheAPIInMemoryTakes(t *testing.T) {
	api, s := readContract(t), newStrict(t)
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
				if _, isText := v.(string); isText || kinds[typ.name].json != reflect.String && typ.words == nil { // a text may be anything
					s.refused(op, with(v), nil, at, v)
				}
			}
			for _, v := range append(rightValues(typ, nil), queryValue(typ, 0)) {
				s.taken(op, with(v), nil, at, v)
			}
			if !typ.optional {
				q := with("")
				q.Del(name)
				s.refused(op, q, nil, at, "missing")
			}
		}
	}
}

// A key is asked for wherever the API does.
func TestContractOfKeysThatTheAPIInMemoryAsksFor(t *testing.T) {
	api, s := readContract(t), newStrict(t)
	for _, op := range api.operations {
		status, _ := s.ask(op, nil, map[string]any{}, "")
		assert.Equal(t, !op.Public, status == http.StatusUnauthorized, "%s", op)
	}
}
