package agentphone_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// observation is what the hooks of a test saw of one operation or attempt.
type observation[I, R any] struct {
	Info   I
	Result *R // nil until it has ended
}

// observer records what hooks see.
type observer struct {
	mu         sync.Mutex
	operations []*observation[agentphone.OperationInfo, agentphone.OperationResult]
	attempts   []*observation[agentphone.AttemptInfo, agentphone.AttemptResult]
	deliveries []*observation[agentphone.DeliveryInfo, agentphone.DeliveryResult]
}

// observe returns a hook that adds to a list.
func observe[I, R any](t *testing.T, o *observer, list *[]*observation[I, R]) func(context.Context, I) (context.Context, func(R)) {
	return func(_ context.Context, info I) (context.Context, func(R)) {
		seen := &observation[I, R]{Info: info}
		o.mu.Lock()
		*list = append(*list, seen)
		o.mu.Unlock()
		return nil, func(result R) {
			o.mu.Lock()
			defer o.mu.Unlock()
			assert.Nil(t, seen.Result, "it ended twice: %v", info)
			seen.Result = &result
		}
	}
}

func (o *observer) hooks(t *testing.T) agentphone.Hooks {
	return agentphone.Hooks{
		Operation: observe(t, o, &o.operations), Attempt: observe(t, o, &o.attempts), Delivery: observe(t, o, &o.deliveries),
	}
}

// results returns the results of all operations, without their durations.
func (o *observer) results() (out []agentphone.OperationResult) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, op := range o.operations {
		if op.Result == nil {
			out = append(out, agentphone.OperationResult{Failure: "not ended"})
			continue
		}
		r := *op.Result
		r.Duration = 0
		out = append(out, r)
	}
	return out
}

// attemptsOf returns the operations of all attempts.
func (o *observer) attemptsOf() (out []string) {
	for _, a := range o.attempts {
		out = append(out, a.Info.Operation.String())
	}
	return out
}

// The outcome of an operation, and the attempts that it took.
func TestHooks_OperationHasItsOutcome(t *testing.T) {
	const ok, refused, temporary, unknown, canceled = agentphone.OutcomeOK, agentphone.OutcomeRefused, agentphone.OutcomeTemporary, agentphone.OutcomeUnknown, agentphone.OutcomeCanceled
	status := func(status int, body string, header ...string) apitest.Responder {
		return apitest.Always(status, body, header...)
	}
	type result = agentphone.OperationResult
	for name, tc := range map[string]struct {
		respond             apitest.Responder
		idempotent, another result
	}{
		"success":         {status(200, `{"id":"x_1"}`), result{ok, "", 200, 1, 0, false, false}, result{ok, "", 200, 1, 0, false, false}},
		"success at last": {failAtFirst(2, 429, ""), result{ok, "", 200, 3, 0, false, false}, result{ok, "", 200, 3, 0, false, false}},
		"404":             {status(404, ``), result{refused, "status", 404, 1, 0, false, false}, result{refused, "status", 404, 1, 0, false, false}},
		"429":             {status(429, ``), result{temporary, "status", 429, 3, 0, false, false}, result{temporary, "status", 429, 3, 0, false, false}},
		"429 for the day": {status(429, `{"error":{"code":"OUTBOUND_LIMIT_REACHED"}}`), result{temporary, "status", 429, 1, 0, false, false}, result{refused, "status", 429, 1, 0, false, false}},
		"500":             {status(500, ``), result{temporary, "status", 500, 3, 0, false, false}, result{unknown, "status", 500, 1, 0, false, false}},
		"501":             {status(501, ``), result{refused, "status", 501, 1, 0, false, false}, result{refused, "status", 501, 1, 0, false, false}},
		"no JSON":         {status(200, `<html>`), result{refused, "response", 200, 1, 0, false, false}, result{unknown, "response", 200, 1, 0, false, false}},
		"a broken connection": {func(int, apitest.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
			result{temporary, "connection", 0, 3, 0, false, false}, result{unknown, "connection", 0, 1, 0, false, false}},
		"no response in time": {func(int, apitest.Request) (*http.Response, error) {
			time.Sleep(time.Hour)
			return nil, context.DeadlineExceeded
		},
			result{temporary, "timeout", 0, 3, 0, false, false}, result{unknown, "timeout", 0, 1, 0, false, false}},
		"a context that ends": {func(n int, _ apitest.Request) (*http.Response, error) {
			return apitest.Response(503, "", "Retry-After", "40"), nil
		},
			result{canceled, "canceled", 503, 1, 0, false, false}, result{canceled, "canceled", 503, 1, 0, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, call := range []func(context.Context, *agentphone.Client) error{apitest.GetAgent, apitest.CreateCall} {
				synctest.Test(t, func(t *testing.T) {
					o := &observer{}
					c, s := apitest.NewClient(t, tc.respond, apitest.NoWait, agentphone.WithMaxRetries(2), agentphone.WithHooks(o.hooks(t)))
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if name == "a context that ends" {
						time.AfterFunc(20*time.Second, cancel)
					}
					began := time.Now()
					_ = call(ctx, c)
					want := []result{tc.idempotent, tc.another}[i]
					assert.Equal(t, []result{want}, o.results())
					assert.Equal(t, time.Since(began), o.operations[0].Result.Duration)
					assert.Len(t, o.attempts, len(s.Requests()))
				})
			}
		})
	}
}

// failAtFirst responds to the first n requests with an error, to all others with 200.
func failAtFirst(n, status int, body string, header ...string) apitest.Responder {
	return func(i int, _ apitest.Request) (*http.Response, error) {
		if i <= n {
			return apitest.Response(status, body, header...), nil
		}
		return apitest.Response(200, `{"id":"x_1"}`), nil
	}
}

func TestHooks_InfoNamesTheOperation(t *testing.T) {
	o := &observer{}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithHooks(o.hooks(t)))
	require.NoError(t, apitest.CreateCall(t.Context(), c))
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	require.NoError(t, c.Do(t.Context(), "DELETE", "/v1/contacts/%2B14155550123", nil, nil))
	require.Len(t, o.operations, 3)
	for i, want := range []agentphone.OperationInfo{
		{Service: "Calls", Method: "Create", HTTPMethod: "POST", Template: "/v1/calls", Server: "api.agentphone.to"},
		{Service: "Agents", Method: "Get", HTTPMethod: "GET", Template: "/v1/agents/{agent_id}", Server: "api.agentphone.to", Idempotent: true},
		{Method: "Do", HTTPMethod: "DELETE", Template: "{path}", Server: "api.agentphone.to", Idempotent: true},
	} {
		assert.Equal(t, want, o.operations[i].Info)
		assert.Equal(t, agentphone.AttemptInfo{Operation: want, Number: 1}, o.attempts[i].Info)
	}
	assert.Equal(t, "POST /v1/calls", o.operations[0].Info.String())
}

func TestHooks_AttemptsHaveTheirResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func() func(r *http.Request) (*http.Response, error) {
			n := 0
			return func(r *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				switch n++; n {
				case 1:
					return apitest.Unreachable(r)
				case 2:
					return apitest.Response(503, "", "Retry-After", "7"), nil
				}
				_, _ = io.Copy(io.Discard, r.Body)
				return nil, errors.New("broken at https://x/?phone=+14155550123")
			}
		}()), agentphone.WithHooks(o.hooks(t)))
		require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
		require.Len(t, o.attempts, 3)
		var got []agentphone.AttemptResult
		for i, a := range o.attempts {
			assert.Equal(t, i+1, a.Info.Number)
			got = append(got, *a.Result)
		}
		assert.LessOrEqual(t, got[0].Wait, 500*time.Millisecond)
		got[0].Wait = 0
		assert.GreaterOrEqual(t, got[1].Wait, 7*time.Second)
		got[1].Wait = 0
		assert.Equal(t, []agentphone.AttemptResult{
			{Failure: agentphone.FailureConnection, Retry: true, Duration: time.Second},
			{Status: 503, Sent: true, Retry: true, Duration: time.Second},
			{Failure: agentphone.FailureConnection, Sent: true, Duration: time.Second},
		}, got)
		assert.Equal(t, 3, o.operations[0].Result.Attempts)
	})
}

// A request that cannot be sent because of its arguments is no operation; one whose key cannot be had is.
func TestHooks_OperationBeginsWhenTheArgumentsAreChecked(t *testing.T) {
	o := &observer{}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{}`), agentphone.WithHooks(o.hooks(t)), agentphone.WithKeySource(func(context.Context) (string, error) {
		return "", errors.New("the vault is shut")
	}))
	_, err := c.Agents.Get(t.Context(), "")
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = c.Calls.Create(t.Context(), agentphone.CreateCallParams{})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, o.operations)
	require.Error(t, apitest.GetAgent(t.Context(), c))
	assert.Equal(t, []agentphone.OperationResult{{Outcome: agentphone.OutcomeTemporary, Failure: agentphone.FailureOther}}, o.results())
	assert.Empty(t, o.attempts)
}

func TestHooks_LimiterAndPauseAreNoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		c, _ := apitest.NewClient(t, rateLimited("20"), agentphone.WithMaxRetries(0), agentphone.WithHooks(o.hooks(t)),
			agentphone.WithRateLimiter(every(time.Second)))
		require.Error(t, apitest.CreateCall(t.Context(), c))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(t, apitest.CreateCall(ctx, c), agentphone.ErrRateLimited)
		assert.Equal(t, agentphone.OperationResult{Outcome: agentphone.OutcomeTemporary, Failure: agentphone.FailureRateLimit}, o.results()[1])
		require.NoError(t, apitest.CreateCall(t.Context(), c))
		require.Len(t, o.attempts, 2)
		assert.Zero(t, o.attempts[1].Result.Duration, "without the wait")
		assert.Greater(t, o.operations[2].Result.Duration, 19*time.Second, "with it")
	})
}
