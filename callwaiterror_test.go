package agentphone_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// pollsThatFail are responses to polls, and what their errors are. The call is there all the while.
var pollsThatFail = map[string]apitest.Responder{
	"no connection":   func(int, apitest.Request) (*http.Response, error) { return nil, errors.New("no route to host") },
	"no call":         apitest.Always(200, `{"detail":"down for maintenance"}`),
	"no JSON":         apitest.Always(200, `<html>`),
	"an empty body":   apitest.Always(200, ``),
	"Retry-After":     apitest.Always(503, ``, "Retry-After", "2"),
	"a day's wait":    apitest.Always(429, ``, "Retry-After", "86400"),
	"balance used up": apitest.Always(403, `{"detail":{"code":"INSUFFICIENT_BALANCE"}}`),
	"a limit of days": apitest.Always(429, `{"detail":{"code":"OUTBOUND_LIMIT_REACHED"}}`),
}

func init() {
	for _, status := range []int{400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 501, 502, 503} {
		pollsThatFail[fmt.Sprint(status)] = apitest.Always(status, `{"detail":"not now"}`)
	}
}

// A program that sorts errors by kind places the call again after ErrTemporary and gives up after ErrUnauthorized. What is wrong with a
// poll is no reason for either: the phone rings.
func TestCallsCreateAndWait_IsOfNoKindOfAPollsError(t *testing.T) {
	for name, poll := range pollsThatFail {
		for _, opt := range [][]agentphone.Option{nil, {agentphone.WithMaxRetries(0)}} {
			t.Run(fmt.Sprint(name, len(opt)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
						if r.Method == http.MethodPost {
							return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
						}
						return poll(n, r)
					}, opt...)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					call, err := c.Calls.CreateAndWait(ctx, createAndWaitParams, agentphone.WaitParams{})
					assertPlacedAndNoKind(t, call, err)
				})
			})
		}
	}
}

// What keeps a poll from being sent is no reason to place the call again either.
func TestCallsCreateAndWait_IsOfNoKindOfAPollThatIsNotSent(t *testing.T) {
	placed := func(id string) apitest.Responder {
		return apitest.Always(200, fmt.Sprintf(`{"id":%q,"status":"in-progress"}`, id))
	}
	second := func(err error) func() error {
		n := 0
		return func() error {
			if n++; n > 1 {
				return err
			}
			return nil
		}
	}
	limited, failed, noKey := second(agentphone.ErrTemporary), second(agentphone.ErrNoAPIKey), second(agentphone.ErrNoAPIKey)
	for name, tc := range map[string]struct {
		respond apitest.Responder
		opt     agentphone.Option
	}{
		"an id that no path can have": {placed("call/1"), agentphone.WithMaxRetries(3)},
		"the limiter":                 {placed("call_1"), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return limited() }))},
		"the key source": {placed("call_1"), agentphone.WithKeySource(func(context.Context) (string, error) {
			return "sk_live_1", failed()
		})},
		"no key": {placed("call_1"), agentphone.WithKeySource(func(context.Context) (string, error) {
			if noKey() != nil {
				return "", nil
			}
			return "sk_live_1", nil
		})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := apitest.NewClient(t, tc.respond, tc.opt)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				call, err := c.Calls.CreateAndWait(ctx, createAndWaitParams, agentphone.WaitParams{})
				assertPlacedAndNoKind(t, call, err)
			})
		})
	}
}

func assertPlacedAndNoKind(t *testing.T, call *agentphone.Call, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotNil(t, call, "the call that was placed")
	assert.Empty(t, kindsOf(err), "%v", err)
	assertNo[*agentphone.APIError](t, err)
	assertNo[*agentphone.TransportError](t, err)
	assertNo[*agentphone.DecodeError](t, err)
	assertNo[*agentphone.ValidationError](t, err)
	assert.LessOrEqual(t, len(err.Error()), 1024)
	assert.NotContains(t, err.Error(), "\n")
	var stopped *agentphone.WaitError
	require.ErrorAs(t, err, &stopped)
	assert.Equal(t, call.ID, stopped.CallID)
	assert.Equal(t, agentphone.CallStatusInProgress, stopped.Status)
	require.Error(t, stopped.Last, "why the last poll failed")
	assert.Equal(t, 1, strings.Count(err.Error(), stopped.Last.Error()), "the text says why, once: %v", err)
	if errors.Is(err, context.DeadlineExceeded) {
		assert.ErrorIs(t, stopped.Err, context.DeadlineExceeded)
	} else {
		assert.Equal(t, stopped.Last, stopped.Err)
	}
}

// Wait places nothing: its error is that of the poll that ended it. Whose context ended did not get its 429, and is told by Last.
func TestWaitError_IsOfNoKindOfThePollsBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, apitest.Always(429, `{"detail":"slow down"}`, "Retry-After", "1"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, kindsOf(err), "%v", err)
		var stopped *agentphone.WaitError
		require.ErrorAs(t, err, &stopped)
		assert.ErrorIs(t, stopped.Last, agentphone.ErrRateLimited)
		var apiErr *agentphone.APIError
		require.ErrorAs(t, stopped.Last, &apiErr)
		assert.Equal(t, "slow down", apiErr.Message)
	})
}

// Another call's WaitError, which a RoundTripper returns for a poll, is neither the end of this call's wait nor a reason to hang up.
func TestCallsWait_OfAnotherCallIsNotTheEndOfThisOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		another := &agentphone.WaitError{CallID: "another", Err: context.Canceled, Last: &agentphone.APIError{StatusCode: 429}}
		var ended bool
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			switch {
			case r.Path == "/v1/calls":
				return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
			case r.Method == http.MethodPost:
				ended = true
				return apitest.Response(200, `{"id":"call_1"}`), nil
			}
			return nil, errors.Join(&tls.CertificateVerificationError{Err: errors.New("expired")}, another) // not transient
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		call, err := c.Calls.CreateAndWait(ctx, createAndWaitParams, agentphone.WaitParams{EndOnCancel: true})
		assertPlacedAndNoKind(t, call, err)
		assert.False(t, ended)
	})
}

// A WaitError made by a program, such as for its tests.
func TestWaitError_WithoutErrorsIsHarmless(t *testing.T) {
	err := &agentphone.WaitError{}
	assert.NotPanics(t, func() {
		assert.Contains(t, err.Error(), "waiting for the call to end")
		assert.NotErrorIs(t, err, agentphone.ErrTemporary)
	})
	mine := errors.New("mine")
	assert.ErrorIs(t, &agentphone.WaitError{Last: mine}, mine)
}
