// Lists: an iterator sends what its List method does, page by page, and no list is sent a filter that it does not have.

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
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

// An iterator requests each page as its List method does, with all parameters. Only the position in the list advances.
func TestContract_IteratorsSendAllParametersForEachPage(t *testing.T) {
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
		t.Run(name, func(t *testing.T) {
			op := ops[name]
			queries := func(name string) (out []url.Values) {
				c, s := apitest.NewClient(t, page)
				require.NoError(t, invoke(t.Context(), c, name, withQuery(name, op), -1))
				for _, r := range s.Requests() {
					assert.Equal(t, op, api.operation(t, r.Method, r.Path))
					out = append(out, r.Query)
				}
				return out
			}
			listed, all := queries(strings.Replace(name, ".All", ".List", 1)), queries(name)
			require.Len(t, listed, 1)
			require.Len(t, all, 3)
			want := url.Values{}
			for i, parameter := range keys(op.Query) {
				want.Set(parameter, fmt.Sprint(queryValue(op.Query[parameter], i)))
			}
			assert.Equal(t, want, listed[0])
			assert.Equal(t, want, all[0])
			for _, next := range all[1:] {
				for _, position := range []string{"offset", "before"} {
					if want.Has(position) {
						assert.NotEqual(t, want[position], next[position])
						next[position] = want[position]
					}
				}
				assert.Equal(t, want, next)
			}
		})
	}
}

// Parameters that serve several lists are refused by a list that would ignore them.
func TestContract_FiltersThatAListLacksAreRefused(t *testing.T) {
	api := readContract(t)
	for name, op := range operationsOf(t, api) {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[]}`))
			params := newParams(name)
			if !params.IsValid() {
				return
			}
			for i := range params.Elem().NumField() {
				field := params.Elem().Type().Field(i)
				parameter, _, _ := strings.Cut(field.Tag.Get("url"), ",")
				if parameter == "" || op.Query[parameter] != nil {
					continue
				}
				params := withQuery(name, op)
				methodcalls.Fill(params.Elem().Field(i), field.Name)
				assert.ErrorIs(t, invoke(t.Context(), c, name, params, -1), agentphone.ErrValidation, "%s is sent", parameter)
			}
			assert.Empty(t, s.Requests())
		})
	}
}
