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

// tryMethod calls a method whose requests are answered well, and returns these.
func tryMethod(t *testing.T, name string, params reflect.Value, empty int) ([]apitest.Request, error) {
	t.Helper()
	c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[],"status":"completed"}`)) // a list, and a call that is over: nothing waits
	err := invoke(t.Context(), c, name, params, empty)
	return s.Requests(), err
}

// requireRefused: the client itself refuses a field.
func requireRefused(t *testing.T, field string, requests []apitest.Request, err error, about string) {
	t.Helper()
	var invalid *agentphone.ValidationError
	if assert.ErrorAs(t, err, &invalid, about) {
		assert.Equal(t, field, invalid.Field, about)
	}
	assert.Empty(t, requests, about)
}

// What is set is apitest.Request, and nothing else. Without a field that the API needs nothing is.
func TestContractOfFieldsThatTheClientSends(t *testing.T) {
	api := readContract(t)
	tried := map[string]bool{}
	for _, x := range runContract(t, api) {
		if x.op.Body == nil || tried[x.call] {
			continue // of the calls of one method the first has all that it needs and no more than goes together
		}
		tried[x.call] = true
		try := func() ([]apitest.Request, error) {
			params := newParams(x.call)
			require.NoError(t, json.Unmarshal([]byte(apitest.JSON(t, x.body)), params.Interface()), x.call)
			return tryMethod(t, x.call, params, -1)
		}
		requests, _ := try()
		require.NotEmpty(t, requests, "%s with all fields", x.call)
		eachField(x.op.Body, x.body, "", func(typ *apiType, at string, _ any, set func(any)) {
			if strings.HasSuffix(at, ".0") {
				return
			}
			set(missing)
			requests, err := try()
			switch about := x.call + " without " + at; {
			case !typ.optional:
				requireRefused(t, strings.ReplaceAll(at[1:], ".0", ""), requests, err, about)
			case api.exceptions.Needed[x.op.String()+" "+at[1:]] != "" && err != nil:
				assert.Empty(t, requests, about)
			case assert.NotEmpty(t, requests, about):
				assert.JSONEq(t, apitest.JSON(t, x.body), requests[0].Body, about)
			}
		})
	}
}

// The same of the parameters of a query; and nothing is sent without an id or a phone number that stands by itself.
func TestContractOfArgumentsThatTheClientSends(t *testing.T) {
	api := readContract(t)
	for name, op := range operationsOf(t, api) {
		for i := range textArguments(name) {
			requests, err := tryMethod(t, name, withQuery(name, op), i)
			assert.ErrorIs(t, err, agentphone.ErrValidation, "%s without its argument %d", name, i)
			assert.Empty(t, requests, "%s without its argument %d", name, i)
		}
		for parameter, typ := range op.Query {
			params := withQuery(name, op)
			if !params.IsValid() || !queryField(params, parameter).IsValid() {
				continue
			}
			queryField(params, parameter).SetZero()
			requests, err := tryMethod(t, name, params, -1)
			switch about := name + " without " + parameter; {
			case !typ.optional:
				requireRefused(t, parameter, requests, err, about)
			case api.exceptions.Needed[op.String()+" "+parameter] != "":
				assert.ErrorIs(t, err, agentphone.ErrValidation, about)
			case strings.Contains(name, ".All") && parameter == "limit": // an iterator asks for the largest page
				assert.Equal(t, fmt.Sprint(*typ.high), requests[0].Query.Get(parameter), about)
			case assert.NotEmpty(t, requests, about):
				assert.False(t, requests[0].Query.Has(parameter), about)
			}
		}
	}
}

// Numbers in a query are held to their bounds. 0 is to leave them to the API.
func TestContractOfBoundsThatTheClientKeepsTo(t *testing.T) {
	api := readContract(t)
	unbounded := map[string]bool{}
	for name, op := range operationsOf(t, api) {
		for parameter, typ := range op.Query {
			if params := newParams(name); typ.name != "integer" || !params.IsValid() || !queryField(params, parameter).IsValid() {
				continue
			}
			try := func(n int) ([]apitest.Request, error) {
				params := withQuery(name, op)
				setQuery(params, parameter, n)
				return tryMethod(t, name, params, -1)
			}
			low := int(*typ.low)
			refused, taken := []int{-1, low - 1}, []int{low}
			if typ.high != nil {
				high := int(*typ.high)
				refused, taken = append(refused, high+1), append(taken, high)
			}
			for _, n := range refused {
				if n == 0 {
					continue
				}
				requests, err := try(n)
				if key := op.String() + " " + parameter; n > low && api.exceptions.Unbounded[key] != "" {
					unbounded[key] = unbounded[key] || err == nil
					continue
				}
				requireRefused(t, parameter, requests, err, fmt.Sprint(name, " with ", parameter, " = ", n))
			}
			for _, n := range taken {
				_, err := try(n)
				assert.NoError(t, err, "%s with %s = %d", name, parameter, n)
			}
		}
	}
	for key := range api.exceptions.Unbounded {
		assert.True(t, unbounded[key], "%s is no exception", key)
	}
}
