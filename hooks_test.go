package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
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
		"success at last": {failAtFirst(2, 429), result{ok, "", 200, 3, 0, false, false}, result{ok, "", 200, 3, 0, false, false}},
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

func failAtFirst(n, status int) apitest.Responder {
	return func(i int, _ apitest.Request) (*http.Response, error) {
		if i <= n {
			return apitest.Response(status, ``), nil
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
	assert.Equal(t, []agentphone.OperationResult{{Outcome: agentphone.OutcomeRefused, Failure: agentphone.FailureOther}}, o.results())
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

// A call with an idempotency key is one operation, whatever it does.
func TestHooks_KeyedCallIsOneOperation(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		o := &observer{}
		store := agentphone.NewMemoryStore()
		c := srv.Client(agentphone.WithHooks(o.hooks(t)), agentphone.WithStore(store), apitest.NoWait)
		send := func(body, k string) error {
			o.operations, o.attempts = nil, nil
			_, err := c.Messages.Send(t.Context(), text(srv, body), key(k))
			require.Len(t, o.operations, 1, "one for a call of the user")
			assert.True(t, o.operations[0].Info.Keyed)
			assert.Equal(t, "POST /v1/messages", o.operations[0].Info.String())
			return err
		}
		type result = agentphone.OperationResult

		require.NoError(t, send("hi", "k"))
		assert.Equal(t, []result{{Outcome: "ok", Status: 201, Attempts: 1}}, statusOf(o.results(), 201))

		require.NoError(t, send("hi", "k"))
		assert.Equal(t, []result{{Outcome: "ok", Status: 201, Replayed: true}}, statusOf(o.results(), 201), "replayed")
		assert.Empty(t, o.attempts)

		require.ErrorIs(t, send("ho", "k"), agentphone.ErrIdempotencyKeyReused)
		assert.Equal(t, []result{{Outcome: "refused", Failure: "key_reused"}}, o.results())

		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
		require.NoError(t, send("lost", "k2"))
		assert.Equal(t, []result{{Outcome: "ok", Status: 200, Attempts: 1, Reconciled: true}}, o.results(), "found")
		assert.Equal(t, "POST /v1/messages", o.attemptsOf()[0])
		assert.Contains(t, o.attemptsOf(), "GET /v1/numbers/{number_id}/messages", "the attempts of the look are seen")

		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		require.ErrorIs(t, send("perhaps", "k3"), agentphone.ErrOutcomeUnknown)
		assert.Equal(t, []result{{Outcome: "unknown", Failure: "status", Status: 500, Attempts: 1}}, o.results())
		require.ErrorIs(t, send("perhaps", "k3"), agentphone.ErrOutcomeUnknown)
		assert.Equal(t, []result{{Outcome: "unknown", Failure: "other"}}, o.results(), "nothing was sent")

		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Delay: 10 * time.Second})
		other := make(chan error)
		slow := srv.Client(agentphone.WithStore(store))
		go func() {
			_, err := slow.Messages.Send(t.Context(), text(srv, "slow"), key("k4"))
			other <- err
		}()
		synctest.Wait()
		require.ErrorIs(t, send("slow", "k4"), agentphone.ErrIdempotencyKeyInUse)
		assert.Equal(t, []result{{Outcome: "temporary", Failure: "key_in_use"}}, o.results())
		require.NoError(t, <-other)
	})
}

// statusOf makes results of 200 those of a status: which 2xx the API in memory sends is not the subject.
func statusOf(results []agentphone.OperationResult, status int) []agentphone.OperationResult {
	for i := range results {
		if results[i].Status/100 == 2 {
			results[i].Status = status
		}
	}
	return results
}

type downStore struct{ agentphone.Store }

func (downStore) Claim(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) {
	return nil, errors.New("the store is down")
}

func TestHooks_StoreThatFailsIsTemporary(t *testing.T) {
	o := &observer{}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{}`), agentphone.WithHooks(o.hooks(t)), agentphone.WithStore(downStore{}))
	_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
	require.ErrorIs(t, err, agentphone.ErrTemporary)
	assert.Equal(t, []agentphone.OperationResult{{Outcome: "temporary", Failure: "store"}}, o.results())
}

func TestHooks_IteratorReportsEachPage(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		o := &observer{}
		c := srv.Client(agentphone.WithHooks(o.hooks(t)))
		for range 5 {
			_, err := c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "a"})
			require.NoError(t, err)
		}
		o.operations = nil
		for _, err := range c.Agents.All(t.Context(), agentphone.ListAgentsParams{Limit: 2}) {
			require.NoError(t, err)
		}
		require.Len(t, o.operations, 3, "of the six agents")
		for _, op := range o.operations {
			assert.Equal(t, "Agents.List", op.Info.Service+"."+op.Info.Method)
			assert.Equal(t, agentphone.OutcomeOK, op.Result.Outcome)
		}
	})
}

// The operation of what is read while it is received ends with the reading.
func TestHooks_OperationOfAStreamEndsWithTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			if n == 1 {
				return eventStream(strings.NewReader(sseConnected + sseTurn(0))), nil
			}
			return eventStream(strings.NewReader(sseConnected + sseTurn(0) + sseTurn(1) + sseEnded)), nil
		}, agentphone.WithHooks(o.hooks(t)))
		turns := 0
		for event, err := range c.Calls.StreamTranscript(t.Context(), "call_1") {
			require.NoError(t, err)
			time.Sleep(time.Minute) // the work of the loop's body
			assert.Nil(t, o.operations[len(o.operations)-1].Result, "it has not ended")
			if event.Turn != nil {
				turns++
			}
		}
		assert.Equal(t, 2, turns)
		ok := agentphone.OperationResult{Outcome: "ok", Status: 200, Attempts: 1}
		assert.Equal(t, []agentphone.OperationResult{ok, ok}, o.results(), "one for each connection")
		assert.GreaterOrEqual(t, o.operations[0].Result.Duration, 2*time.Minute)
		assert.Zero(t, o.attempts[0].Result.Duration, "an attempt ends with the header")
		assert.Equal(t, "StreamTranscript", o.operations[0].Info.Method)

		*o = observer{}
		for _, err := range c.Calls.StreamTranscript(t.Context(), "call_1") {
			require.NoError(t, err)
			break
		}
		assert.Equal(t, []agentphone.OperationResult{ok}, o.results(), "one that is not read on")
	})
}

// brokenBody is a body that breaks off after a time.
type brokenBody struct{ after time.Duration }

func (b brokenBody) Read([]byte) (int, error) {
	time.Sleep(b.after)
	return 0, io.ErrUnexpectedEOF
}

func TestHooks_OperationOfARecordingEndsWithTheDownload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			resp := apitest.Response(200, "RIFF", "Content-Type", "audio/wav")
			if n == 2 {
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("RIFF"), brokenBody{9 * time.Second}))
			}
			if n == 3 {
				return apitest.Response(404, ""), nil
			}
			return resp, nil
		}, agentphone.WithHooks(o.hooks(t)))
		for range 3 {
			_, _ = c.Calls.DownloadRecording(t.Context(), "call_1", io.Discard)
		}
		assert.Equal(t, []agentphone.OperationResult{
			{Outcome: "ok", Status: 200, Attempts: 1},
			{Outcome: "temporary", Failure: "connection", Status: 200, Attempts: 1},
			{Outcome: "refused", Failure: "status", Status: 404, Attempts: 1},
		}, o.results())
		assert.GreaterOrEqual(t, o.operations[1].Result.Duration, 9*time.Second)
		assert.Zero(t, o.attempts[1].Result.Duration)
	})
}

type ctxKey string

// The context of an operation is that of what is done for it, that of an attempt what the RoundTripper gets.
func TestHooks_ContextsReachWhatTheyAreFor(t *testing.T) {
	withValue := func(ctx context.Context, k string) context.Context { return context.WithValue(ctx, ctxKey(k), k) }
	has := func(ctx context.Context, k string) bool { return ctx.Value(ctxKey(k)) == k }
	var inTransport, inLimiter, inKeySource int
	hooks := agentphone.Hooks{
		Operation: func(ctx context.Context, _ agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
			assert.True(t, has(ctx, "user"))
			return withValue(ctx, "operation"), nil
		},
		Attempt: func(ctx context.Context, _ agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
			assert.True(t, has(ctx, "operation"))
			assert.False(t, has(ctx, "attempt"), "attempts do not follow from each other")
			return withValue(ctx, "attempt"), nil
		},
	}
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		inTransport++
		assert.True(t, has(r.Context(), "attempt") && has(r.Context(), "operation") && has(r.Context(), "user"))
		if inTransport == 1 {
			return apitest.Response(500, ""), nil
		}
		return apitest.Response(200, `{"id":"x"}`), nil
	}), apitest.NoWait, agentphone.WithHooks(hooks), agentphone.WithRateLimiter(limiterFunc(func(ctx context.Context) error {
		inLimiter++
		assert.True(t, has(ctx, "operation") && !has(ctx, "attempt"))
		return nil
	})), agentphone.WithKeySource(func(ctx context.Context) (string, error) {
		inKeySource++
		assert.True(t, has(ctx, "operation"))
		return apitest.Key, nil
	}))
	require.NoError(t, apitest.GetAgent(withValue(t.Context(), "user"), c))
	assert.Equal(t, []int{2, 2, 1}, []int{inTransport, inLimiter, inKeySource})
}

// A context of a hook that ends, ends what it is for.
func TestHooks_ContextOfAHookEndsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), agentphone.WithMaxRetries(0), agentphone.WithHooks(agentphone.Hooks{
			Attempt: func(ctx context.Context, _ agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
				ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
				return ctx, func(agentphone.AttemptResult) { cancel() }
			},
		}))
		require.ErrorIs(t, apitest.GetAgent(t.Context(), c), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestOperationFromContext_TellsRoundTripperAndLimiter(t *testing.T) {
	_, ok := agentphone.OperationFromContext(t.Context())
	assert.False(t, ok)
	var seen []agentphone.OperationInfo
	note := func(ctx context.Context) {
		info, ok := agentphone.OperationFromContext(ctx)
		assert.True(t, ok)
		seen = append(seen, info)
	}
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		note(r.Context())
		return apitest.Response(200, `{"id":"x"}`), nil
	}), agentphone.WithRateLimiter(limiterFunc(func(ctx context.Context) error {
		note(ctx)
		return nil
	})))
	_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
	require.NoError(t, err)
	want := agentphone.OperationInfo{Service: "Messages", Method: "Send", HTTPMethod: "POST", Template: "/v1/messages", Server: "api.agentphone.to", Keyed: true}
	assert.Equal(t, []agentphone.OperationInfo{want, want}, seen)
}

// A hook that panics, at the beginning or the end, takes nothing down, and the log says so.
func TestHooks_PanicIsLoggedAndNothingElse(t *testing.T) {
	for _, at := range []string{"the beginning", "the end"} {
		t.Run(at, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			c, s := apitest.NewClient(t, failAtFirst(1, 500), apitest.NoWait, agentphone.WithLogger(logger), agentphone.WithHooks(panickyHooks(at)))
			require.NoError(t, apitest.GetAgent(t.Context(), c))
			assert.Len(t, s.Requests(), 2)
			handled := false
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logger, Hooks: panickyHooks(at), OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
				handled = true
				return nil
			}})
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
			assert.True(t, handled)
			for hook, n := range map[string]int{"Operation": 1, "Attempt": 2, "Delivery": 1} {
				assert.Equal(t, n, strings.Count(log.String(), `level=ERROR msg="agentphone: a hook panicked" hook=`+hook+` panic="my mistake" stack=`), log.String())
			}
			assert.Contains(t, log.String(), "panickyHooks", "the stack")
		})
	}
}

func panickyHooks(at string) agentphone.Hooks {
	return agentphone.Hooks{
		Operation: panickyHook[agentphone.OperationInfo, agentphone.OperationResult](at),
		Attempt:   panickyHook[agentphone.AttemptInfo, agentphone.AttemptResult](at),
		Delivery:  panickyHook[agentphone.DeliveryInfo, agentphone.DeliveryResult](at),
	}
}

func panickyHook[I, R any](at string) func(context.Context, I) (context.Context, func(R)) {
	return func(ctx context.Context, _ I) (context.Context, func(R)) {
		if at == "the beginning" {
			panic("my mistake")
		}
		return ctx, func(R) { panic("my mistake") }
	}
}

// Without hooks nothing is allocated for them, nor for OperationFromContext.
func TestHooks_NoneCostNothing(t *testing.T) {
	allocations := func(opts ...agentphone.Option) float64 {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			_ = r.Body.Close()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":"x"}`)), ContentLength: 10}, nil
		}), opts...)
		ctx := t.Context()
		return testing.AllocsPerRun(200, func() {
			if err := apitest.CreateCall(ctx, c); err != nil {
				t.Error(err)
			}
		})
	}
	none := allocations()
	assert.Equal(t, none, allocations(agentphone.WithHooks(agentphone.Hooks{})))
	assert.Equal(t, none, allocations(agentphone.WithHooks(agentphone.Hooks{Delivery: panickyHook[agentphone.DeliveryInfo, agentphone.DeliveryResult]("")})))
	noop := func(ctx context.Context, _ agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
		return ctx, nil
	}
	assert.Greater(t, allocations(agentphone.WithHooks(agentphone.Hooks{Operation: noop})), none, "the measurement notices what a hook costs")
}
