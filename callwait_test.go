package agentphone_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// callOver responds with a call that is in progress, completed after a while, and has its transcript after another.
func callOver(after, transcriptAfter time.Duration) func(int, apitest.Request) (*http.Response, error) {
	start := time.Now()
	return func(int, apitest.Request) (*http.Response, error) {
		body := `{"id":"call_1","status":"in-progress","transcripts":[]}`
		switch since := time.Since(start); {
		case since >= transcriptAfter:
			body = `{"id":"call_1","status":"completed","endedAt":"2026-01-01T00:00:00Z","transcripts":[{"id":"t","transcript":"hi","response":"hello"}]}`
		case since >= after:
			body = `{"id":"call_1","status":"completed","endedAt":"2026-01-01T00:00:00Z","transcripts":[]}`
		}
		return apitest.Response(200, body), nil
	}
}

func TestCallsWait_PollsFasterAtFirstThenEveryFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var polls []time.Time
		respond := callOver(time.Minute, time.Minute)
		c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
			polls = append(polls, time.Now())
			return respond(n, r)
		})
		call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, call.Status)
		assert.Len(t, call.Dialogue(), 2)
		for i := 1; i < len(polls); i++ {
			gap := polls[i].Sub(polls[i-1])
			assert.GreaterOrEqual(t, gap, 1800*time.Millisecond)
			assert.LessOrEqual(t, gap, 5500*time.Millisecond)
		}
		assert.Less(t, polls[1].Sub(polls[0]), 2300*time.Millisecond)
		assert.Greater(t, polls[len(polls)-1].Sub(polls[len(polls)-2]), 4400*time.Millisecond)
		assert.InDelta(t, 15, len(polls), 3)
	})
}

func TestCallsWait_CallsOnUpdateOncePerChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, apitest.InTurn(
			`{"id":"call_1","status":"queued"}`, `{"id":"call_1","status":"queued"}`, `{"id":"call_1","status":"in-progress"}`,
			`{"id":"call_1","status":"in-progress","transcripts":[{"id":"t1"}]}`, `{"id":"call_1","status":"in-progress","transcripts":[{"id":"t1"}]}`,
			`{"id":"call_1","status":"hung-up-by-cat","endedAt":"2026-01-01T00:00:00Z"}`))
		var got []string
		call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{OnUpdate: func(c *agentphone.Call) {
			got = append(got, fmt.Sprint(c.Status, " ", len(c.Transcripts)))
		}})
		require.NoError(t, err)
		assert.Equal(t, []string{"queued 0", "in-progress 0", "in-progress 1", "hung-up-by-cat 0"}, got)
		assert.True(t, call.Final(), "a call that has ended is final, whatever its status")
		assert.Len(t, s.Requests(), 6)
	})
}

func TestCallsWait_RidesOutTransientErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			switch n {
			case 1:
				return apitest.Response(429, ``, "Retry-After", "100"), nil
			case 2:
				return apitest.Response(502, `<html>`), nil
			case 3:
				return apitest.Response(408, ``), nil
			case 4:
				return nil, syscall.ECONNRESET
			}
			return apitest.Response(200, `{"id":"call_1","status":"completed"}`), nil
		}, agentphone.WithMaxRetries(0))
		call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
		require.NoError(t, err)
		assert.True(t, call.Final())
		assert.Len(t, s.Requests(), 5)
		assert.Greater(t, time.Since(start), 100*time.Second, "Retry-After is honored")
	})
}

func TestCallsWait_EndsOnPermanentErrors(t *testing.T) {
	for status, kind := range map[int]error{401: agentphone.ErrUnauthorized, 404: agentphone.ErrNotFound, 501: agentphone.ErrServer} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(status, ``))
			call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
			require.ErrorIs(t, err, kind)
			assert.Nil(t, call)
			assert.Len(t, s.Requests(), 1)
		})
	}
	t.Run("Retry-After of a day", func(t *testing.T) {
		c, s := apitest.NewClient(t, apitest.Always(429, ``, "Retry-After", "86400"))
		_, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, agentphone.ErrRateLimited)
		assert.Len(t, s.Requests(), 1)
	})
}

func TestCallsWait_RefusesInvalidParamsBeforeSending(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	for _, p := range []agentphone.WaitParams{{Interval: -1}, {MaxInterval: -1}, {TranscriptGrace: -1}, {Interval: 2, MaxInterval: 1}} {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			_, err := c.Calls.Wait(t.Context(), "call_1", p)
			require.ErrorIs(t, err, agentphone.ErrValidation)
			_, err = c.Calls.CreateAndWait(t.Context(), agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999"}, p)
			require.ErrorIs(t, err, agentphone.ErrValidation)
		})
	}
	_, err := c.Calls.Wait(t.Context(), "", agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests(), "no call is placed if it cannot be waited for")
}

func TestCallsWait_PollsAtMostTenTimesASecond(t *testing.T) {
	for _, p := range []agentphone.WaitParams{
		{Interval: 1}, {MaxInterval: 1}, {Interval: 1, MaxInterval: 1}, {Interval: time.Microsecond, MaxInterval: 99 * time.Millisecond},
		{Interval: 100 * time.Millisecond, MaxInterval: 100 * time.Millisecond}, {Interval: 1, MaxInterval: 1, TranscriptGrace: time.Minute},
		{TranscriptGrace: 1}, {Interval: 1, TranscriptGrace: 250 * time.Millisecond},
	} {
		for name, respond := range map[string]apitest.Responder{
			"in progress": apitest.Always(200, `{"id":"call_1","status":"in-progress"}`),
			"failing":     apitest.Always(503, ``, "Retry-After", "0"),
			"over":        apitest.Always(200, `{"id":"call_1","status":"completed","endedAt":"2026-01-01T00:00:00Z"}`),
		} {
			t.Run(fmt.Sprintf("%s, %+v", name, p), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					var polls []time.Time
					c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
						if polls = append(polls, time.Now()); n == 1000 {
							cancel()
						}
						return respond(n, r)
					}, agentphone.WithMaxRetries(0))
					_, err := c.Calls.Wait(ctx, "call_1", p)
					if name != "over" {
						require.ErrorIs(t, err, context.DeadlineExceeded)
						assert.Greater(t, len(polls), 2)
					}
					for i := 1; i < len(polls); i++ {
						assert.GreaterOrEqual(t, polls[i].Sub(polls[i-1]), 100*time.Millisecond)
					}
				})
			})
		}
	}
}

func TestCallsWait_WaitErrorHasTheLastStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1","status":"ringing"}`))
		call, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		assert.Equal(t, 30*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var waitErr *agentphone.WaitError
		require.ErrorAs(t, err, &waitErr)
		assert.Equal(t, agentphone.CallStatusRinging, waitErr.Status)
		assert.Equal(t, "call_1", waitErr.CallID)
		assert.Equal(t, agentphone.CallStatusRinging, call.Status)
		assert.EqualError(t, err, "agentphone: waiting for the call to end: context deadline exceeded (last seen status: ringing)")
	})
}

func TestCallsWait_WaitErrorHasTheLastPollError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		c, _ := apitest.NewClient(t, apitest.Always(503, ``), agentphone.WithMaxRetries(0))
		call, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var waitErr *agentphone.WaitError
		require.ErrorAs(t, err, &waitErr)
		require.ErrorIs(t, waitErr.Last, agentphone.ErrServer)
		assert.Nil(t, call)
		assert.EqualError(t, err, "agentphone: waiting for the call to end: context deadline exceeded; the last poll failed: agentphone: GET /v1/calls/{call_id}: 503 Service Unavailable (attempts=1)")
	})
}

func TestCallsWait_EndsWithItsContextDuringARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		hang := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		c := apitest.NewClientOver(t, hang)
		start := time.Now()
		_, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestCallsWait_TranscriptGrace(t *testing.T) {
	for name, tc := range map[string]struct {
		grace, transcript time.Duration
		want              int
		atMost            time.Duration
	}{
		"no grace":                 {0, 13 * time.Second, 0, 16 * time.Second},
		"comes in time":            {20 * time.Second, 18 * time.Second, 1, 24 * time.Second},
		"does not come":            {10 * time.Second, time.Hour, 0, 26 * time.Second},
		"there when the call ends": {time.Hour, 10 * time.Second, 1, 16 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c, _ := apitest.NewClient(t, callOver(10*time.Second, tc.transcript))
				call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{TranscriptGrace: tc.grace})
				require.NoError(t, err)
				assert.Len(t, call.Transcripts, tc.want)
				assert.LessOrEqual(t, time.Since(start), tc.atMost)
			})
		})
	}
}

func TestCallsWait_ContextThatEndsDuringTheGraceIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c, _ := apitest.NewClient(t, callOver(10*time.Second, time.Hour))
		call, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{TranscriptGrace: time.Hour})
		require.NoError(t, err, "the call is over; only its transcript is missing")
		assert.True(t, call.Final())
	})
}

var createAndWaitParams = agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999", SystemPrompt: "p"}

// callOverAt4 responds with a call that is in progress, and from the fourth request on with the status and a completed
// call.
func callOverAt4(status int) apitest.Responder {
	return func(n int, r apitest.Request) (*http.Response, error) {
		switch {
		case r.Method == "POST":
			return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
		case n < 4:
			return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
		}
		return apitest.Response(status, `{"id":"call_1","status":"completed"}`), nil
	}
}

func TestCallsCreateAndWait_PlacesOneCallAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var updates []agentphone.CallStatus
		c, s := apitest.NewClient(t, callOverAt4(200))
		call, err := c.Calls.CreateAndWait(t.Context(), createAndWaitParams, agentphone.WaitParams{
			Interval: time.Second,
			OnUpdate: func(c *agentphone.Call) { updates = append(updates, c.Status) },
		})
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, call.Status)
		assert.Equal(t, []agentphone.CallStatus{"in-progress", "completed"}, updates)
		posts := 0
		for _, r := range s.Requests() {
			if r.Method == "POST" {
				posts++
			}
		}
		assert.Equal(t, 1, posts)
	})
}

func TestCallsCreateAndWait_ReturnsThePlacedCallIfTheWaitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, callOverAt4(403))
		call, err := c.Calls.CreateAndWait(t.Context(), createAndWaitParams, agentphone.WaitParams{})
		var stopped *agentphone.WaitError
		require.ErrorAs(t, err, &stopped)
		require.ErrorIs(t, stopped.Last, agentphone.ErrForbidden)
		require.NotNil(t, call)
		assert.Equal(t, "call_1", call.ID)
	})
}

func TestCallsCreateAndWait_CallWithoutIDIsErrOutcomeUnknown(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{}`))
	_, err := c.Calls.CreateAndWait(t.Context(), createAndWaitParams, agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, "the call was placed")
	require.NotErrorIs(t, err, agentphone.ErrValidation)
}

func TestCallsCreateAndWait_RefusedCallIsNotWaitedFor(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(402, ``))
	call, err := c.Calls.CreateAndWait(t.Context(), createAndWaitParams, agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrPaymentRequired)
	assert.Nil(t, call)
}

func TestCallsWait_RidesOutATruncatedResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		c := srv.Client(agentphone.WithMaxRetries(0))
		call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"})
		require.NoError(t, err)
		srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/calls/{call_id}", Status: 200, Header: http.Header{"Content-Length": {"500"}}, Body: `{"id":`})
		_, err = c.Calls.Wait(t.Context(), call.ID, agentphone.WaitParams{})
		require.NoError(t, err)
	})
}

func TestCallsWait_NoGraceForACallThatNobodyAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1","status":"no-answer"}`))
		_, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{TranscriptGrace: time.Minute})
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}

func TestCallsWait_EndOnCancelHangsUp(t *testing.T) {
	for name, tc := range map[string]struct {
		endOnCancel bool
		fault       *agentphonetest.Fault
		ended       bool
		text        string
	}{
		"ended":     {true, nil, true, "agentphone: waiting for the call to end: context deadline exceeded (last seen status: in-progress); the call was ended"},
		"not asked": {false, nil, false, "agentphone: waiting for the call to end: context deadline exceeded (last seen status: in-progress)"},
		"refused": {
			true, &agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Status: 403, Times: -1}, false,
			"agentphone: waiting for the call to end: context deadline exceeded (last seen status: in-progress); ending it failed: " +
				"agentphone: POST /v1/calls/{call_id}/end: 403 Forbidden: Forbidden (request_id=",
		},
		"over already": {true, &agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Status: 409, Times: -1}, true, "agentphone: waiting for the call to end: context deadline exceeded (last seen status: in-progress); the call was ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := agentphonetest.NewServer()
				defer srv.Close()
				srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
				if tc.fault != nil {
					srv.InjectFault(*tc.fault)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				call, err := srv.Client().Calls.CreateAndWait(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"},
					agentphone.WaitParams{EndOnCancel: tc.endOnCancel})
				var stopped *agentphone.WaitError
				require.ErrorAs(t, err, &stopped)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, tc.ended, stopped.Ended)
				assert.True(t, err.Error() == tc.text || strings.HasSuffix(tc.text, "=") && strings.HasPrefix(err.Error(), tc.text), "%v", err)
				got, err := srv.Client().Calls.Get(t.Context(), call.ID)
				require.NoError(t, err)
				assert.Equal(t, tc.ended && tc.fault == nil, got.Final())
			})
		})
	}
}

// A request to hang up that hangs does not hold the caller for long.
func TestCallsWait_EndOnCancelIsBounded(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
		call, err := srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"})
		require.NoError(t, err)
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Delay: time.Hour, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = srv.Client().Calls.Wait(ctx, call.ID, agentphone.WaitParams{EndOnCancel: true}, agentphone.GetCallOptions{})
		var stopped *agentphone.WaitError
		require.ErrorAs(t, err, &stopped)
		assert.False(t, stopped.Ended)
		assert.ErrorIs(t, stopped.EndErr, context.DeadlineExceeded)
	})
	assert.Equal(t, 11*time.Second, d)
}

// No interval overflows.
func TestCallsWait_AnyInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			polls++
			return apitest.Response(200, `{"id":"call_1","status":"`+map[bool]string{true: "completed", false: "in-progress"}[polls > 2]+`"}`), nil
		})
		_, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{Interval: math.MaxInt64, MaxInterval: math.MaxInt64})
		require.NoError(t, err)
	})
}
