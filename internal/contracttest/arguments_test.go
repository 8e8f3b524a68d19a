// The client sends what its caller set and no more. It sends nothing at all without what the API requires, or beyond
// its bounds.

package contracttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// tryMethod calls a method with invoke and returns the requests that it sent. Each gets a good response: a list, and a
// call that is over, so that nothing waits.
func tryMethod(t *testing.T, name string, params reflect.Value, empty int) ([]apitest.Request, error) {
	t.Helper()
	c, s := apitest.NewClient(t, apitest.Always(200, apitest.Result))
	err := invoke(t.Context(), c, name, params, empty)
	return s.Requests(), err
}

// assertInvalid checks that the client refused a field and sent nothing.
func assertInvalid(t *testing.T, field string, requests []apitest.Request, err error, about string) {
	t.Helper()
	var invalid *agentphone.ValidationError
	if assert.ErrorAs(t, err, &invalid, about) {
		assert.Equal(t, field, invalid.Field, about)
	}
	assert.Empty(t, requests, about)
}

// A body has the fields that are set and no others. Without a field that the API requires nothing is sent.
func TestContract_BodiesHaveTheFieldsThatAreSet(t *testing.T) {
	api := readContract(t)
	tried := map[string]bool{}
	for _, x := range recordCalls(t, api) {
		if x.op.Body == nil || tried[x.call] {
			continue // the first call of a method has all fields that go together
		}
		tried[x.call] = true
		t.Run(x.call, func(t *testing.T) {
			try := func() ([]apitest.Request, error) {
				params := newParams(x.call)
				require.NoError(t, json.Unmarshal([]byte(apitest.JSON(t, x.body)), params.Interface()))
				return tryMethod(t, x.call, params, -1)
			}
			requests, _ := try()
			require.NotEmpty(t, requests, "with all fields")
			eachField(x.op.Body, x.body, "", func(typ *apiType, at string, _ any, set func(any)) {
				if strings.HasSuffix(at, ".0") {
					return
				}
				set(missing)
				requests, err := try()
				switch about := "without " + at; {
				case !typ.optional:
					assertInvalid(t, strings.ReplaceAll(at[1:], ".0", ""), requests, err, about)
				case api.exceptions.Needed[x.op.String()+" "+at[1:]] != "" && err != nil:
					assert.Empty(t, requests, about)
				case assert.NotEmpty(t, requests, about):
					assert.JSONEq(t, apitest.JSON(t, x.body), requests[0].Body, about)
				}
			})
		})
	}
}

// A query has the parameters that are set and no others. Without one that the API requires, or without an id or a phone
// number that is an argument of its own, nothing is sent.
func TestContract_QueriesHaveTheParametersThatAreSet(t *testing.T) {
	api := readContract(t)
	for name, op := range operationsOf(t, api) {
		t.Run(name, func(t *testing.T) {
			for i := range stringArguments(name) {
				requests, err := tryMethod(t, name, withQuery(name, op), i)
				assert.ErrorIs(t, err, agentphone.ErrValidation, "without its argument %d", i)
				assert.Empty(t, requests, "without its argument %d", i)
			}
			for parameter, typ := range op.Query {
				params := withQuery(name, op)
				if !params.IsValid() || !queryField(params, parameter).IsValid() {
					continue
				}
				queryField(params, parameter).SetZero()
				requests, err := tryMethod(t, name, params, -1)
				switch about := "without " + parameter; {
				case !typ.optional:
					assertInvalid(t, parameter, requests, err, about)
				case api.exceptions.Needed[op.String()+" "+parameter] != "":
					assert.ErrorIs(t, err, agentphone.ErrValidation, about)
				case strings.Contains(name, ".All") && parameter == "limit": // an iterator requests the largest pages
					assert.Equal(t, fmt.Sprint(*typ.high), requests[0].Query.Get(parameter), about)
				case assert.NotEmpty(t, requests, about):
					assert.False(t, requests[0].Query.Has(parameter), about)
				}
			}
		})
	}
}

// Numbers in a query are sent within their bounds and refused beyond them. 0 leaves a parameter to the API.
func TestContract_QueryNumbersKeepToTheirBounds(t *testing.T) {
	api := readContract(t)
	unbounded := map[string]bool{}
	for name, op := range operationsOf(t, api) {
		for parameter, typ := range op.Query {
			if params := newParams(name); typ.name != "integer" || !params.IsValid() || !queryField(params, parameter).IsValid() {
				continue
			}
			key := op.String() + " " + parameter
			isUnbounded := api.exceptions.Unbounded[key] != "" && typ.high != nil
			unbounded[key] = isUnbounded
			t.Run(name+"/"+parameter, func(t *testing.T) {
				try := func(n int) ([]apitest.Request, error) {
					params := withQuery(name, op)
					setQuery(params, parameter, n)
					return tryMethod(t, name, params, -1)
				}
				low := int(*typ.low)
				refused, accepted := []int{-1, low - 1}, []int{low}
				if typ.high != nil {
					high := int(*typ.high)
					accepted = append(accepted, high)
					if isUnbounded { // otherwise it is no exception any more
						accepted = append(accepted, high+1)
					} else {
						refused = append(refused, high+1)
					}
				}
				for _, n := range refused {
					if n != 0 {
						requests, err := try(n)
						assertInvalid(t, parameter, requests, err, fmt.Sprint(n))
					}
				}
				for _, n := range accepted {
					_, err := try(n)
					assert.NoError(t, err, "%d", n)
				}
			})
		}
	}
	for key := range api.exceptions.Unbounded {
		assert.True(t, unbounded[key], "%s is no exception: there is no such parameter with an upper bound", key)
	}
}
