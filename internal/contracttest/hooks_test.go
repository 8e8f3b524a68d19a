package contracttest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// The hooks see every operation under its template and the name of its method, and nothing of what is in a request or a
// response: no phone number, no id, no text, no key.
func TestContract_HooksSeeEveryOperationAndNothingPrivate(t *testing.T) {
	api := readContract(t)
	var seen strings.Builder
	names := map[string]string{} // method by operation
	exchanges := recordCalls(t, api, agentphone.WithHooks(agentphone.Hooks{
		Operation: func(ctx context.Context, info agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
			names[info.String()] = info.Service + "." + info.Method
			fmt.Fprintf(&seen, "%+v\n", info)
			return ctx, func(r agentphone.OperationResult) { fmt.Fprintf(&seen, "%+v\n", r) }
		},
		Attempt: func(ctx context.Context, info agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
			fmt.Fprintf(&seen, "%+v\n", info)
			return ctx, func(r agentphone.AttemptResult) { fmt.Fprintf(&seen, "%+v\n", r) }
		},
	}))
	operation := map[string]string{} // by method
	for _, op := range api.operations {
		name := names[op.String()]
		require.Contains(t, methods, name, "%s", op)
		assert.Empty(t, operation[name], "%s and %s have one name", operation[name], op)
		operation[name] = op.String()
	}
	assert.Len(t, names, len(api.operations))

	private := map[string]bool{"sk_live": true, "Bearer": true, "+1": true, "415555": true}
	for _, x := range exchanges {
		for _, values := range x.query {
			for _, value := range values {
				private[value] = true
			}
		}
		var response any
		_ = json.Unmarshal(x.response, &response)
		apitest.EachText([]any{x.body, response}, func(text string) { private[text] = true })
	}
	require.Greater(t, len(private), 200)
	for text := range private {
		if (len(text) > 8 || strings.HasPrefix(text, "+")) && text != "agentphone" { // which is in the address of the server
			assert.False(t, strings.Contains(seen.String(), text), "a hook saw %q", text)
		}
	}
}

// A printer that takes a context apart, as some loggers do, finds the same in it: nothing of what is sent.
func TestContract_ContextsHoldNothingPrivate(t *testing.T) {
	api := readContract(t)
	private := []string{"sk_live_", "+1", "header-of-mine", "agentId"}
	found := map[string][]string{}
	look := func(where string, ctx context.Context) {
		for _, text := range private {
			if paths := apitest.Reachable(ctx, text); paths != nil {
				found[where+": "+text] = paths
			}
		}
	}
	limited, seen := 0, 0
	recordCalls(t, api, agentphone.WithHeader("X-Mine", "header-of-mine"),
		agentphone.WithHooks(agentphone.Hooks{
			Operation: func(ctx context.Context, _ agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
				look("Operation hook", ctx)
				return ctx, nil
			},
			Attempt: func(ctx context.Context, _ agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
				look("Attempt hook", ctx)
				return ctx, nil
			},
		}),
		agentphone.WithRateLimiter(limiterFunc(func(ctx context.Context) error {
			limited++
			look("limiter", ctx)
			info, ok := agentphone.OperationFromContext(ctx)
			assert.True(t, ok && info.Template != "" && info.Server != "", "%+v", info)
			return nil
		})),
		agentphone.WithRoundTripper(func(next http.RoundTripper) http.RoundTripper {
			return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				seen++
				look("RoundTripper", r.Context())
				return next.RoundTrip(r)
			})
		}),
	)
	assert.GreaterOrEqual(t, limited, len(api.operations))
	assert.GreaterOrEqual(t, seen, len(api.operations))
	assert.Empty(t, found)
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }
