package agentphone_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// tryMethod calls a method whose requests are answered well, and says whether it sent any.
func tryMethod(t *testing.T, name string, params reflect.Value, empty int) (sent bool, err error) {
	t.Helper()
	c, s := newStub(t, always(200, `{"data":[]}`))
	err = invoke(t.Context(), c, name, params, empty)
	return len(s.requests()) > 0, err
}

// requireRefused: the client itself refuses a field.
func requireRefused(t *testing.T, field string, sent bool, err error, about string) {
	t.Helper()
	var invalid *agentphone.ValidationError
	if assert.ErrorAs(t, err, &invalid, about) {
		assert.Equal(t, field, invalid.Field, about)
	}
	assert.False(t, sent, "%s was sent", about)
}

// Without a field that the API needs nothing is sent.
func TestContractOfFieldsThatTheClientRequires(t *testing.T) {
	api := readContract(t)
	tried := map[string]bool{}
	for _, x := range runContract(t, api) {
		if x.op.Body == nil || tried[x.call] {
			continue // of the calls of one method the first has all that it needs and no more than goes together
		}
		tried[x.call] = true
		try := func() (sent bool, err error) {
			params := newParams(x.call)
			require.NoError(t, json.Unmarshal([]byte(toJSON(t, x.body)), params.Interface()), x.call)
			return tryMethod(t, x.call, params, -1)
		}
		eachField(x.op.Body, x.body, "", func(typ *apiType, at string, _ any, set func(any)) {
			if typ.optional || strings.HasSuffix(at, ".0") {
				return
			}
			set(missing)
			sent, err := try()
			requireRefused(t, strings.ReplaceAll(at[1:], ".0", ""), sent, err, x.call+" without "+at)
		})
		sent, err := try()
		assert.NotErrorIs(t, err, agentphone.ErrValidation, "%s with all fields", x.call)
		assert.True(t, sent, "%s with all fields", x.call)
	}
}

// Nor without an id or a phone number that stands by itself, or a parameter of the query.
func TestContractOfArgumentsThatTheClientRequires(t *testing.T) {
	api := readContract(t)
	for name, op := range operationsOf(t, api) {
		for i := range textArguments(name) {
			sent, err := tryMethod(t, name, withQuery(name, op), i)
			assert.ErrorIs(t, err, agentphone.ErrValidation, "%s without its argument %d", name, i)
			assert.False(t, sent, "%s without its argument %d", name, i)
		}
		for parameter, typ := range op.Query {
			params := withQuery(name, op)
			if typ.optional || !params.IsValid() {
				continue
			}
			queryField(params, parameter).SetZero()
			sent, err := tryMethod(t, name, params, -1)
			requireRefused(t, parameter, sent, err, name+" without "+parameter)
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
			try := func(n int) (bool, error) {
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
				sent, err := try(n)
				if key := op.String() + " " + parameter; n > low && api.exceptions.Unbounded[key] != "" {
					unbounded[key] = unbounded[key] || sent && err == nil
					continue
				}
				requireRefused(t, parameter, sent, err, fmt.Sprint(name, " with ", parameter, " = ", n))
			}
			for _, n := range taken {
				sent, err := try(n)
				assert.True(t, sent && err == nil, "%s with %s = %d: %v", name, parameter, n, err)
			}
		}
	}
	for key := range api.exceptions.Unbounded {
		assert.True(t, unbounded[key], "%s is no exception", key)
	}
}
