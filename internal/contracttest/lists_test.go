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
