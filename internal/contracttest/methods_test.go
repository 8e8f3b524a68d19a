// The list of all methods of all services, in parts in the other methods_*_test.go files. It is complete, and each
// method sends the request that the list says.

package contracttest

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// methodCall is a call of a method.
type methodCall struct {
	name  string // service and method: Agents.List
	sends string // the request with the ids of newSession: method, path with query and, if there is one, body
	call  func(ctx context.Context, x *session) (any, error)
}

// session is what the calls share: the client, and the ids that earlier ones have got.
type session struct {
	c   *agentphone.Client
	srv *agentphonetest.Server // nil if c is connected to something else

	verification, agent, number, call, group, message, contact, sub string
	groupAddress, personal, phoneCheck, liveCall, recordedCall      string
}

func newSession(c *agentphone.Client, srv *agentphonetest.Server) *session {
	return &session{c, srv, "v", "a", "n", "c", "g", "m", "ct", "s", "grp_1", "pc", "p", "c", "c"}
}

// methodCalls calls every method, in an order in which the API in memory has what they need. The first call of a method
// has all parameters that go together. Later ones have the rest, or almost none, so that the responses have nulls.
var methodCalls = slices.Concat(agentCalls, messageCalls, callCalls, contactCalls, webhookCalls, accountCalls)

// first returns the first item of an iterator, as a page.
func first[T any](seq iter.Seq2[T, error]) (any, error) {
	items, err := agentphone.Collect(seq, 1)
	return agentphone.Page[T]{Data: items}, err
}

// keep stores an id of a result, unless the call failed.
func keep[T any](id *string, of func(*T) string) func(*T, error) (any, error) {
	return func(v *T, err error) (any, error) {
		if err == nil {
			*id = of(v)
		}
		return v, err
	}
}

// No method of any service is missing in the list.
func TestContract_EveryMethodIsCalled(t *testing.T) {
	called := map[string]bool{}
	for _, call := range methodCalls {
		called[call.name] = true
	}
	for _, name := range []string{"Messages.FindSent", "Calls.FindPlaced", "Numbers.FindBought", "Calls.SaveRecording"} {
		called[name] = true // they consist of methods that are called by themselves
	}
	assert.Equal(t, keys(methods), keys(called))
}

// Every method sends one request, which is that of the list.
func TestContract_MethodsSendTheirRequests(t *testing.T) {
	api := readContract(t)
	for _, call := range methodCalls {
		t.Run(call.name, func(t *testing.T) {
			c, s := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				if media := api.operation(t, r.Method, r.Path).Media; media != "" {
					return apitest.Response(200, "event: ended\ndata: {}\n\n", "Content-Type", media), nil
				}
				return apitest.Response(200, `{"data":[],"id":"c","status":"completed"}`), nil
			})
			_, err := call.call(t.Context(), newSession(c, nil))
			require.NoError(t, err)
			require.Len(t, s.Requests(), 1)
			r := s.Requests()[0]
			method, rest, _ := strings.Cut(call.sends, " ")
			target, body, _ := strings.Cut(rest, " ")
			assert.Equal(t, method, r.Method)
			assert.Equal(t, target, strings.TrimSuffix(r.Path+"?"+r.Query.Encode(), "?"))
			if body == "" {
				assert.Empty(t, r.Body)
			} else {
				assert.JSONEq(t, body, r.Body)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			}
			assert.Equal(t, cmp.Or(api.operation(t, r.Method, r.Path).Media, "application/json"), r.Header.Get("Accept"))
		})
	}
}
