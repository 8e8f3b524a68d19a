package agentphone_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
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

// limiterFunc is a Limiter that calls itself.
type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// every is a limiter that admits one attempt in each interval, as rate.NewLimiter(rate.Every(interval), 1) does.
func every(interval time.Duration) agentphone.Limiter {
	var mu sync.Mutex
	var next time.Time
	return limiterFunc(func(ctx context.Context) error {
		mu.Lock()
		wait := time.Until(next)
		next = time.Now().Add(max(wait, 0) + interval)
		mu.Unlock()
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return errors.New("rate: Wait(n=1) would exceed context deadline")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(wait, 0)):
			return nil
		}
	})
}

// sendTimes returns when, since the start of the bubble, requests arrive at a stub, which responds as respond does.
func sendTimes(respond apitest.Responder) (apitest.Responder, func() []time.Duration) {
	began := time.Now()
	var mu sync.Mutex
	var times []time.Duration
	return func(n int, r apitest.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(began))
			return respond(n, r)
		}, func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return times
		}
}

func TestWithRateLimiter_IsAskedBeforeEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		respond, times := sendTimes(func(n int, _ apitest.Request) (*http.Response, error) {
			return apitest.Response([]int{200, 500, 200, 429, 200}[n-1], `{"id":"x_1"}`), nil
		})
		c, _ := apitest.NewClient(t, respond, apitest.NoWait, agentphone.WithRateLimiter(every(10*time.Second)))
		require.NoError(t, apitest.GetAgent(t.Context(), c))
		require.NoError(t, apitest.GetAgent(t.Context(), c), "in two attempts")
		require.NoError(t, apitest.CreateCall(t.Context(), c), "in two attempts")
		assert.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second}, times())
	})
}

func TestWithRateLimiter_WaitDoesNotCountTowardsTheTimeoutOfAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithTimeout(time.Second), agentphone.WithRateLimiter(every(time.Hour)))
		require.NoError(t, apitest.CreateCall(t.Context(), c))
		require.NoError(t, apitest.CreateCall(t.Context(), c))
	})
}

func TestWithRateLimiter_ErrorSendsNothingAndSaysSo(t *testing.T) {
	for name, call := range map[string]func(context.Context, *agentphone.Client) error{"idempotent": apitest.GetAgent, "not idempotent": apitest.CreateCall} {
		t.Run(name, func(t *testing.T) {
			refusal := errors.New("the limiter's own error")
			c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return refusal })))
			err := call(t.Context(), c)
			require.ErrorIs(t, err, refusal)
			require.ErrorIs(t, err, agentphone.ErrTemporary)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			var failed *agentphone.TransportError
			require.ErrorAs(t, err, &failed)
			assert.Zero(t, failed.Attempts)
			assert.ErrorContains(t, err, "not sent: the rate limiter: the limiter's own error (attempts=0)")
			assert.Empty(t, s.Requests())
		})
	}
}

// A retry that the limiter refuses is not sent either, and the error tells the failure before it too.
func TestWithRateLimiter_ErrorBeforeARetryTellsBothCauses(t *testing.T) {
	for name, tc := range map[string]struct {
		status    int
		temporary bool // else the first attempt may have had an effect
	}{"429": {429, true}, "500": {500, false}} {
		t.Run(name, func(t *testing.T) {
			refusal := errors.New("no more")
			asked := 0
			c, s := apitest.NewClient(t, apitest.Always(tc.status, `{"detail":"later"}`), apitest.NoWait, agentphone.WithRateLimiter(limiterFunc(func(context.Context) error {
				if asked++; asked > 1 {
					return refusal
				}
				return nil
			})))
			err := apitest.Err(c.Numbers.Release(t.Context(), "num_1"))
			require.ErrorIs(t, err, refusal)
			var response *agentphone.APIError
			require.ErrorAs(t, err, &response)
			assert.Equal(t, tc.status, response.StatusCode)
			var failed *agentphone.TransportError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, 1, failed.Attempts)
			assert.Equal(t, tc.temporary, errors.Is(err, agentphone.ErrTemporary))
			assert.Len(t, s.Requests(), 1)
		})
	}
}

func TestWithRateLimiter_WaitEndsWithTheContext(t *testing.T) {
	for name, limiter := range map[string]agentphone.Limiter{
		"heeds it":         limiterFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }),
		"admits after it":  limiterFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }),
		"fails because it": every(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithRateLimiter(limiter))
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				sent := 0
				if name == "fails because it" {
					require.NoError(t, apitest.CreateCall(ctx, c))
					sent = 1
				}
				began := time.Now()
				err := apitest.CreateCall(ctx, c)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, agentphone.ErrTemporary, "it was not sent")
				assert.Equal(t, 3*time.Second, time.Since(began))
				assert.Len(t, s.Requests(), sent)
			})
		})
	}
}

func TestWithRateLimiter_NilIsRefused(t *testing.T) {
	for _, limiter := range []agentphone.Limiter{nil, (*nilLimiter)(nil)} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithRateLimiter(limiter))
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
}

type nilLimiter struct{}

func (*nilLimiter) Wait(context.Context) error { return nil }

// Calls with an idempotency key are limited too, and one that was refused leaves its key free.
func TestWithRateLimiter_RefusalFreesTheIdempotencyKey(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		refuse := true
		c := srv.Client(agentphone.WithRateLimiter(limiterFunc(func(context.Context) error {
			if refuse {
				return errors.New("not now")
			}
			return nil
		})))
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrTemporary)
		refuse = false
		_, err = c.Messages.Send(t.Context(), text(srv, "other text"), key("k"))
		require.NoError(t, err)
		assert.Len(t, srv.Messages(), 1)
	})
}

// rateLimited responds to the first request with 429 and Retry-After, to all others with 200.
func rateLimited(retryAfter string) apitest.Responder {
	return failAtFirst(1, 429, `{}`, "Retry-After", retryAfter)
}

func TestRateLimitPause_HoldsAllCallsOfTheOperation(t *testing.T) {
	for name, call := range map[string]func(context.Context, *agentphone.Client) error{"idempotent": apitest.GetAgent, "not idempotent": apitest.CreateCall} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				respond, times := sendTimes(rateLimited("20"))
				c, _ := apitest.NewClient(t, respond)
				var all sync.WaitGroup
				for i := range 50 {
					all.Go(func() {
						time.Sleep(time.Duration(i) * 100 * time.Millisecond)
						from := c
						if i%2 == 1 {
							from = c.ForSubAccount("sub_1")
						}
						assert.NoError(t, call(t.Context(), from))
					})
				}
				all.Wait()
				sent := times()
				require.Len(t, sent, 51)
				assert.Zero(t, sent[0])
				for _, at := range sent[1:] {
					assert.GreaterOrEqual(t, at, 20*time.Second)
					assert.LessOrEqual(t, at, 20*time.Second+250*time.Millisecond)
				}
				assert.NotEqual(t, sent[1], sent[50], "they do not come back all at once")
			})
		})
	}
}

func TestRateLimitPause_OtherOperationsAndClientsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, _ := apitest.NewClient(t, rateLimited("20"), agentphone.WithMaxRetries(0))
		other, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`))
		require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrRateLimited)
		require.NoError(t, apitest.GetAgent(t.Context(), c))
		require.NoError(t, apitest.CreateCall(t.Context(), other))
		require.NoError(t, c.Do(t.Context(), "POST", "/v1/calls", nil, nil))
		assert.Zero(t, time.Since(began))
		require.NoError(t, apitest.CreateCall(t.Context(), c))
		assert.GreaterOrEqual(t, time.Since(began), 20*time.Second, "also where the call that got the 429 is not retried")
	})
}

// Each request of Client.Do is an operation of its own.
func TestRateLimitPause_DoesNotHoldClientDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, _ := apitest.NewClient(t, rateLimited("20"), agentphone.WithMaxRetries(0))
		require.ErrorIs(t, c.Do(t.Context(), "POST", "/v1/new", nil, nil), agentphone.ErrRateLimited)
		require.NoError(t, c.Do(t.Context(), "POST", "/v1/other", nil, nil))
		assert.Zero(t, time.Since(began))
	})
}

func TestRateLimitPause_CallWhoseDeadlineIsBeforeItsEndFailsAtOnce(t *testing.T) {
	for name, call := range map[string]func(context.Context, *agentphone.Client) error{"idempotent": apitest.GetAgent, "not idempotent": apitest.CreateCall} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := apitest.NewClient(t, rateLimited("20"), agentphone.WithMaxRetries(0))
				require.ErrorIs(t, call(t.Context(), c), agentphone.ErrRateLimited)
				time.Sleep(5 * time.Second)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 14*time.Second)
				defer cancel()
				var response agentphone.Response
				err := call(ctx, c)
				assert.Zero(t, time.Since(began))
				require.ErrorIs(t, err, agentphone.ErrRateLimited)
				require.ErrorIs(t, err, agentphone.ErrTemporary)
				assert.NotErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, "not sent: the operation is paused for another 15s")
				var apiErr *agentphone.APIError
				require.ErrorAs(t, err, &apiErr)
				assert.Equal(t, 15*time.Second, apiErr.RetryAfter)
				assert.Zero(t, apiErr.Attempts)
				assert.Zero(t, response.Attempts)
				assert.Len(t, s.Requests(), 1)

				longer, cancel := context.WithTimeout(t.Context(), 16*time.Second)
				defer cancel()
				require.NoError(t, call(longer, c), "it waits")
			})
		})
	}
}

func TestRateLimitPause_EndsWithTheContextOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, rateLimited("20"), agentphone.WithMaxRetries(0))
		require.Error(t, apitest.CreateCall(t.Context(), c))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		err := apitest.CreateCall(ctx, c)
		require.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Len(t, s.Requests(), 1)
	})
}

// What a call does not wait for as its own Retry-After holds no other call either.
func TestRateLimitPause_OnlyOfWhatIsWaitedFor(t *testing.T) {
	for name, respond := range map[string]apitest.Responder{
		"too long":                     rateLimited("61"),
		"no Retry-After":               failAtFirst(1, 429, `{}`),
		"what waiting does not clear":  failAtFirst(1, 429, `{"error":{"code":"OUTBOUND_LIMIT_REACHED"}}`, "Retry-After", "9"),
		"503, which is no limit":       failAtFirst(1, 503, `{}`, "Retry-After", "9"),
		"429 that is over by the time": rateLimited("0"),
	} {
		t.Run(name, func(t *testing.T) {
			took := apitest.Took(t, func(t *testing.T) {
				c, _ := apitest.NewClient(t, respond, agentphone.WithMaxRetries(0))
				require.Error(t, apitest.CreateCall(t.Context(), c))
				require.NoError(t, apitest.CreateCall(t.Context(), c))
			})
			assert.Zero(t, took)
		})
	}
}

// A server that limits for ever holds no call longer than WithMaxRetryAfter before an attempt.
func TestRateLimitPause_ThatIsExtendedForEverIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, apitest.Always(429, `{}`, "Retry-After", "7"))
		began := time.Now()
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				err := apitest.CreateCall(t.Context(), c)
				assert.ErrorIs(t, err, agentphone.ErrRateLimited)
				assert.ErrorIs(t, err, agentphone.ErrTemporary)
			})
		}
		all.Wait()
		assert.LessOrEqual(t, time.Since(began), 4*time.Minute+10*time.Second, "a minute for each of four attempts at most")
	})
}

// A pause that begins while a call waits for the limiter holds it too.
func TestRateLimitPause_ThatBeginsWhileTheLimiterWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		respond, times := sendTimes(rateLimited("20"))
		c, _ := apitest.NewClient(t, respond, agentphone.WithRateLimiter(every(time.Second)))
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { assert.NoError(t, apitest.CreateCall(t.Context(), c)) })
		}
		all.Wait()
		sent := times()
		require.Len(t, sent, 3)
		for _, at := range sent[1:] {
			assert.GreaterOrEqual(t, at, 20*time.Second)
		}
	})
}

// Waiting for a call goes on through a pause, as through a 429 of its own.
func TestRateLimitPause_CallsWaitRidesItOut(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client(agentphone.WithMaxRetries(0))
		srv.NextCall(agentphonetest.CallScript{Duration: 10 * time.Second})
		call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"})
		require.NoError(t, err)
		srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/calls/{call_id}", Status: 429, Header: http.Header{"Retry-After": {"50"}}})
		_, err = c.Calls.Get(t.Context(), call.ID)
		require.ErrorIs(t, err, agentphone.ErrRateLimited)
		call, err = c.Calls.Wait(t.Context(), call.ID, agentphone.WaitParams{})
		require.NoError(t, err)
		assert.True(t, call.Final())
	})
}

// A pause holds the other requests of its operation, and one of Client.Do has no others: nothing is to be kept of it.
func TestRateLimitPause_OfClientDoIsNotKept(t *testing.T) {
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		return apitest.Response(429, "", "Retry-After", "60"), nil
	}), agentphone.WithMaxRetries(0))
	do := func() {
		require.ErrorIs(t, c.Do(t.Context(), "GET", "/v1/sip-trunks", nil, nil), agentphone.ErrRateLimited)
	}
	do()
	before := apitest.HeapInUse()
	for range 5_000 {
		do()
	}
	assert.Less(t, apitest.HeapInUse()-before, 500<<10)
	runtime.KeepAlive(c)
}
