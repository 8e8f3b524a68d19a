package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

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
			c, s := apitest.NewClient(t, failAtFirst(1, 500, ""), apitest.NoWait, agentphone.WithLogger(logger), agentphone.WithHooks(panickyHooks(at)))
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
	allocations := func(opts ...agentphone.Option) int {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			_ = r.Body.Close()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":"x"}`)), ContentLength: 10}, nil
		}), opts...)
		ctx := t.Context()
		return apitest.FewestAllocs(func() {
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
