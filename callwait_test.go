package agentphone_test

import (
	"context"
	"fmt"
	"net/http"
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

// callOver is a call that is in progress for a while and then completed.
func callOver(after time.Duration, transcriptAfter time.Duration) func(int, apitest.Request) (*http.Response, error) {
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

func TestWaitPollsFasterAtFirstThenEveryFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks []time.Time
		answer := callOver(time.Minute, time.Minute)
		c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
			looks = append(looks, time.Now())
			return answer(n, r)
		})
		call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, call.Status)
		assert.Len(t, call.Dialogue(), 2)
		for i := 1; i < len(looks); i++ {
			gap := looks[i].Sub(looks[i-1])
			assert.GreaterOrEqual(t, gap, 1800*time.Millisecond)
			assert.LessOrEqual(t, gap, 5500*time.Millisecond)
		}
		assert.Less(t, looks[1].Sub(looks[0]), 2300*time.Millisecond)
		assert.Greater(t, looks[len(looks)-1].Sub(looks[len(looks)-2]), 4400*time.Millisecond)
		assert.InDelta(t, 15, len(looks), 3)
	})
}

func TestWaitCallsOnUpdateOncePerChange(t *testing.T) {
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
		assert.True(t, call.Final(), "a call with an end is over, whatever its status is called")
		assert.Len(t, s.Requests(), 6)
	})
}

func TestWaitRidesOutWhatMayPass(t *testing.T) {
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
		assert.Greater(t, time.Since(start), 100*time.Second, "a Retry-After is kept to")
	})
}

func TestWaitEndsOnWhatWillNotPass(t *testing.T) {
	for status, kind := range map[int]error{401: agentphone.ErrUnauthorized, 404: agentphone.ErrNotFound, 501: agentphone.ErrServer} {
		c, s := apitest.NewClient(t, apitest.Always(status, ``))
		call, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, kind)
		assert.Nil(t, call)
		assert.Len(t, s.Requests(), 1)
	}
	tomorrow, asked := apitest.NewClient(t, apitest.Always(429, ``, "Retry-After", "86400"))
	_, err := tomorrow.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrRateLimited)
	assert.Len(t, asked.Requests(), 1)

	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	for _, p := range []agentphone.WaitParams{{Interval: -1}, {MaxInterval: -1}, {TranscriptGrace: -1}, {Interval: 2, MaxInterval: 1}} {
		_, err := c.Calls.Wait(t.Context(), "call_1", p)
		require.ErrorIs(t, err, agentphone.ErrValidation)
		_, err = c.Calls.CreateAndWait(t.Context(), agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999"}, p)
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
	_, err = c.Calls.Wait(t.Context(), "", agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests(), "no phone rings for a wait that cannot be")
}

func TestWaitEndsWithItsContextAndTellsTheLastStatus(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		c, _ := apitest.NewClient(t, apitest.Always(503, ``), agentphone.WithMaxRetries(0))
		call, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, agentphone.ErrServer)
		assert.Nil(t, call)
		assert.EqualError(t, err, "agentphone: waiting for the call to end: context deadline exceeded; the last poll failed: agentphone: GET /v1/calls/{call_id}: 503 Service Unavailable (attempts=1)")
	})
	// In the middle of a request.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		hang := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: hang}))
		require.NoError(t, err)
		start := time.Now()
		_, err = c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestWaitGivesTheTranscriptItsGrace(t *testing.T) {
	for name, tc := range map[string]struct {
		grace, transcript time.Duration
		want              int
		atMost            time.Duration
	}{
		"none asked for":           {0, 13 * time.Second, 0, 16 * time.Second},
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
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c, _ := apitest.NewClient(t, callOver(10*time.Second, time.Hour))
		call, err := c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{TranscriptGrace: time.Hour})
		require.NoError(t, err, "the call is over: that its transcript is not there is no failure")
		assert.True(t, call.Final())
	})
}

func TestCreateAndWait(t *testing.T) {
	params := agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999", SystemPrompt: "p"}
	answer := func(getStatus int) func(int, apitest.Request) (*http.Response, error) {
		return func(n int, r apitest.Request) (*http.Response, error) {
			switch {
			case r.Method == "POST":
				return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
			case n < 4:
				return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
			}
			return apitest.Response(getStatus, `{"id":"call_1","status":"completed"}`), nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var updates []agentphone.CallStatus
		c, s := apitest.NewClient(t, answer(200))
		call, err := c.Calls.CreateAndWait(t.Context(), params, agentphone.WaitParams{
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
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, answer(403))
		call, err := c.Calls.CreateAndWait(t.Context(), params, agentphone.WaitParams{})
		require.ErrorIs(t, err, agentphone.ErrForbidden)
		require.NotNil(t, call, "the call was placed: it is returned")
		assert.Equal(t, "call_1", call.ID)
	})
	c, _ := apitest.NewClient(t, apitest.Always(200, `{}`))
	_, err := c.Calls.CreateAndWait(t.Context(), params, agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, "a call without an id was placed all the same")
	require.NotErrorIs(t, err, agentphone.ErrValidation)
	c, _ = apitest.NewClient(t, apitest.Always(402, ``))
	call, err := c.Calls.CreateAndWait(t.Context(), params, agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrPaymentRequired)
	assert.Nil(t, call)
}

func TestWaitRidesOutAnAnswerThatIsCutShort(t *testing.T) {
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

func TestWaitGivesNoGraceToACallThatNobodyTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1","status":"no-answer"}`))
		_, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{TranscriptGrace: time.Minute})
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}
