// The list of all methods of all services (package methodcalls) is complete, and each method sends the request that the
// list says.

package contracttest

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

// No method of any service is missing in the list.
func TestContract_EveryMethodIsCalled(t *testing.T) {
	called := map[string]bool{}
	for _, call := range methodcalls.All {
		called[call.Name] = true
	}
	for _, name := range []string{"Messages.FindSent", "Calls.FindPlaced", "Numbers.FindBought", "Calls.SaveRecording"} {
		called[name] = true // they consist of methods that are called by themselves
	}
	assert.Equal(t, keys(methods), keys(called))
}

// Every method sends one request, which is that of the list.
func TestContract_MethodsSendTheirRequests(t *testing.T) {
	api := readContract(t)
	for _, call := range methodcalls.All {
		t.Run(call.Name, func(t *testing.T) {
			c, s := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				if media := api.operation(t, r.Method, r.Path).Media; media != "" {
					return apitest.Response(200, "event: ended\ndata: {}\n\n", "Content-Type", media), nil
				}
				return apitest.Response(200, apitest.Result), nil
			})
			_, err := call.Make(t.Context(), methodcalls.NewSession(c, nil))
			require.NoError(t, err)
			require.Len(t, s.Requests(), 1)
			r := s.Requests()[0]
			method, rest, _ := strings.Cut(call.Sends, " ")
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
