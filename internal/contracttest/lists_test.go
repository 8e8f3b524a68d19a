package contracttest

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// queryValue is a value of a parameter. Those of different n differ.
func queryValue(t *apiType, n int) any {
	switch {
	case t.words != nil:
		return t.words[n%len(t.words)]
	case t.name == "time":
		return someTime.Add(time.Duration(n) * time.Hour).Format(time.RFC3339)
	case t.name == "integer":
		low := 1
		if t.low != nil {
			low = max(low, int(*t.low))
		}
		return low + n
	case t.name == "boolean":
		return true
	case t.name == "phone":
		return contractNumber
	case t.name == "timeZone":
		return "America/New_York"
	}
	return fmt.Sprint("text ", n)
}

// queryField finds the field of parameters that is sent as a parameter of a query. Parameters that are a request option have
// no tags: there it is the field whose name begins alike.
func queryField(params reflect.Value, name string) reflect.Value {
	plain := strings.ReplaceAll(name, "_", "")
	for i := range params.Elem().NumField() {
		field := params.Elem().Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("url"), ",")
		if tag == name || tag == "" && field.Tag.Get("json") == "" && strings.HasPrefix(strings.ToLower(field.Name), strings.ToLower(plain)) {
			return params.Elem().Field(i)
		}
	}
	return reflect.Value{}
}

func setQuery(params reflect.Value, name string, v any) {
	switch field := queryField(params, name); v := v.(type) {
	case int:
		field.SetInt(int64(v))
	case bool:
		field.SetBool(v)
	case string:
		if field.Kind() == reflect.String {
			field.SetString(v)
			return
		}
		at, _ := time.Parse(time.RFC3339, v)
		field.Set(reflect.ValueOf(agentphone.NewTimestamp(at)))
	}
}

// withQuery are a method's parameters with all that the operation's query has, each with another value.
func withQuery(name string, op *apiOperation) reflect.Value {
	params := newParams(name)
	if !params.IsValid() {
		return params
	}
	for i, parameter := range keys(op.Query) {
		if queryField(params, parameter).IsValid() {
			setQuery(params, parameter, queryValue(op.Query[parameter], i))
		}
	}
	return params
}

// operationsOf are the operations that methods call, by the method's name.
func operationsOf(t *testing.T, api *apiContract) map[string]*apiOperation {
	t.Helper()
	out := map[string]*apiOperation{}
	for _, x := range runContract(t, api) {
		out[x.call] = x.op
	}
	return out
}

// An iterator asks for each page as its List method does: with all parameters, and only the place in the list moves.
func TestContractOfIterators(t *testing.T) {
	api := readContract(t)
	ops := operationsOf(t, api)
	page := func(n int, _ apitest.Request) (*http.Response, error) {
		at := someTime.Add(-time.Duration(n) * time.Hour).Format(time.RFC3339)
		return apitest.Response(200, fmt.Sprintf(`{"data":[{"id":"%d","receivedAt":%q}],"hasMore":%t,"total":3}`, n, at, n < 3)), nil
	}
	for name, method := range methods {
		if method.Type().Out(0).Kind() != reflect.Func || name == "Calls.StreamTranscript" {
			continue
		}
		op := ops[name]
		queries := func(name string) (out []url.Values) {
			c, s := apitest.NewClient(t, page)
			require.NoError(t, invoke(t.Context(), c, name, withQuery(name, op), -1), name)
			for _, r := range s.Requests() {
				assert.Equal(t, op, findOperation(t, api.operations, r.Method, r.Path), name)
				out = append(out, r.Query)
			}
			return out
		}
		listed, all := queries(strings.Replace(name, ".All", ".List", 1)), queries(name)
		require.Len(t, listed, 1, name)
		require.Len(t, all, 3, name)
		want := url.Values{}
		for i, parameter := range keys(op.Query) {
			want.Set(parameter, fmt.Sprint(queryValue(op.Query[parameter], i)))
		}
		assert.Equal(t, want, listed[0], name)
		assert.Equal(t, want, all[0], name)
		for _, next := range all[1:] {
			for _, place := range []string{"offset", "before"} {
				if want.Has(place) {
					assert.NotEqual(t, want[place], next[place], name)
					next[place] = want[place]
				}
			}
			assert.Equal(t, want, next, name)
		}
	}
}

// A parameter that a method takes for other lists' sake is not sent to a list that would ignore it.
func TestContractOfFiltersThatAListLacks(t *testing.T) {
	api := readContract(t)
	for name, op := range operationsOf(t, api) {
		c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[]}`))
		params := newParams(name)
		if !params.IsValid() {
			continue
		}
		for i := range params.Elem().NumField() {
			parameter, _, _ := strings.Cut(params.Elem().Type().Field(i).Tag.Get("url"), ",")
			if parameter == "" || op.Query[parameter] != nil {
				continue
			}
			params := withQuery(name, op)
			fill(params.Elem().Field(i))
			assert.ErrorIs(t, invoke(t.Context(), c, name, params, -1), agentphone.ErrValidation, "%s took %s", name, parameter)
		}
		assert.Empty(t, s.Requests(), name)
	}
}
