package transport_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// failFirst responds to the first n requests with a status, to later ones with 200.
func failFirst(n, status int, header ...string) func(int, apitest.Request) (*http.Response, error) {
	return func(i int, _ apitest.Request) (*http.Response, error) {
		if i <= n {
			return apitest.Response(status, `{"detail":"later"}`, header...), nil
		}
		return apitest.Response(200, `{"id":"x_1"}`), nil
	}
}

const maxJitter = 250 * time.Millisecond // half of the default shortest wait

func TestRetryAfter_IsHonoured(t *testing.T) {
	for name, tc := range map[string]struct {
		header  func() string
		atLeast time.Duration
		atMost  time.Duration
	}{
		"seconds":             {func() string { return "7" }, 7 * time.Second, 7*time.Second + maxJitter},
		"with white space":    {func() string { return " 7 " }, 7 * time.Second, 7*time.Second + maxJitter},
		"fraction":            {func() string { return "1.5" }, 1500 * time.Millisecond, 1500*time.Millisecond + maxJitter},
		"the longest allowed": {func() string { return "60" }, time.Minute, time.Minute + maxJitter},
		"date": {func() string { return time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat) },
			9 * time.Second, 9*time.Second + maxJitter},
		"date in the past": {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, 0, maxJitter},
		"zero":             {func() string { return "0" }, 0, maxJitter},
		"garbage":          {func() string { return "soon" }, 0, 500 * time.Millisecond},
		"negative":         {func() string { return "-5" }, 0, 500 * time.Millisecond},
		"empty":            {func() string { return "" }, 0, 500 * time.Millisecond},
		"points":           {func() string { return "1.2.3" }, 0, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			d := apitest.Took(t, func(t *testing.T) {
				c, s := apitest.NewClient(t, failFirst(1, 429, "Retry-After", tc.header()))
				require.NoError(t, apitest.CreateCall(t.Context(), c))
				assert.Len(t, s.Requests(), 2)
			})
			assert.GreaterOrEqual(t, d, tc.atLeast)
			assert.LessOrEqual(t, d, tc.atMost)
		})
	}
}

func TestRetryAfter_TooLongIsReturnedAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		header string
		want   time.Duration
	}{
		"a day":            {"86400", 24 * time.Hour},
		"over the cap":     {"61", 61 * time.Second},
		"overflowing":      {"9223372037", 10 * 365 * 24 * time.Hour},
		"four hundred 9s":  {string(bytes.Repeat([]byte("9"), 400)), 10 * 365 * 24 * time.Hour},
		"date years ahead": {"Fri, 31 Dec 9999 23:59:59 GMT", 10 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d := apitest.Took(t, func(t *testing.T) {
				for _, status := range []int{429, 503} {
					c, s := apitest.NewClient(t, failFirst(1, status, "Retry-After", tc.header))
					var apiErr *agentphone.APIError
					require.ErrorAs(t, apitest.CreateCall(t.Context(), c), &apiErr)
					assert.Equal(t, tc.want, apiErr.RetryAfter)
					assert.NotErrorIs(t, apiErr, agentphone.ErrOutcomeUnknown)
					assert.Len(t, s.Requests(), 1)
				}
			})
			assert.Zero(t, d)
		})
	}
}

func TestRetryAfter_BeyondTheDeadlineIsReturnedAtOnce(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		c, s := apitest.NewClient(t, failFirst(1, 429, "Retry-After", "6"))
		err := apitest.CreateCall(ctx, c)
		require.ErrorIs(t, err, agentphone.ErrRateLimited)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, s.Requests(), 1)
	})
	assert.Zero(t, d)
}

func TestRetryAfter_CapCanBeSet(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, failFirst(1, 429, "Retry-After", "600"), agentphone.WithMaxRetryAfter(time.Hour))
		require.NoError(t, apitest.CreateCall(t.Context(), c))
	})
	assert.GreaterOrEqual(t, d, 10*time.Minute)
}

func TestRetryWait_ContextThatEndsTellsBothCauses(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		c, s := apitest.NewClient(t, failFirst(9, 503, "Retry-After", "20"))
		err := apitest.CreateCall(ctx, c)
		require.ErrorIs(t, err, context.Canceled)
		var apiErr *agentphone.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, 503, apiErr.StatusCode)
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown, "nothing was under way")
		assert.EqualError(t, err, "agentphone: POST /v1/calls: context canceled while waiting to retry after 503 Service Unavailable: later (attempts=1)")
		assert.Len(t, s.Requests(), 1)
	})
	assert.Equal(t, 3*time.Second, d)

	d = apitest.Took(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
		defer cancel()
		c, _ := apitest.NewClient(t, apitest.Always(429, ``), agentphone.WithRetryWait(time.Hour, time.Hour))
		err := apitest.CreateCall(ctx, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, agentphone.ErrRateLimited)
	})
	assert.Equal(t, 3*time.Millisecond, d)
}

// A deadline ends a wait of our own making too, at the deadline.
func TestRetryWait_DeadlineEndsBackoff(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		c := apitest.NewClientOver(t, apitest.Unreachable, agentphone.WithRetryWait(time.Hour, time.Hour))
		err := apitest.CreateCall(ctx, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.EqualError(t, err, "agentphone: POST /v1/calls: context deadline exceeded while waiting to retry after dial tcp: connection refused (attempts=1)")
	})
	assert.Equal(t, 10*time.Millisecond, d)
}

func TestContext_EndedOneSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	err := apitest.CreateCall(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.Empty(t, s.Requests())
}

func TestRetryWait_GrowsAtRandomToItsBound(t *testing.T) {
	var waits []time.Duration
	apitest.Took(t, func(t *testing.T) {
		var last time.Time
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			if n > 1 {
				waits = append(waits, time.Since(last))
			}
			last = time.Now()
			return apitest.Response(500, ""), nil
		}, agentphone.WithRetryWait(time.Second, 6*time.Second), agentphone.WithMaxRetries(40))
		require.ErrorIs(t, apitest.GetAgent(t.Context(), c), agentphone.ErrServer)
	})
	require.Len(t, waits, 40)
	different := map[time.Duration]bool{}
	longest := time.Duration(0)
	for i, wait := range waits {
		bound := 6 * time.Second
		if i < 3 {
			bound = min(bound, time.Second<<i)
		}
		assert.LessOrEqual(t, wait, bound, "wait %d", i)
		different[wait] = true
		longest = max(longest, wait)
	}
	assert.Greater(t, len(different), 30)
	assert.Greater(t, longest, 3*time.Second)
}

func TestRetry_AttemptsAreCounted(t *testing.T) {
	for i, tc := range []struct {
		opts []agentphone.Option
		call []agentphone.RequestOption
		want int
	}{
		{nil, nil, 4},
		{[]agentphone.Option{agentphone.WithMaxRetries(0)}, nil, 1},
		{[]agentphone.Option{agentphone.WithMaxRetries(1)}, nil, 2},
		{[]agentphone.Option{agentphone.WithMaxRetries(1)}, []agentphone.RequestOption{agentphone.WithRequestMaxRetries(2)}, 3},
		{nil, []agentphone.RequestOption{agentphone.WithRequestMaxRetries(0)}, 1},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(500, ``), append(tc.opts, apitest.NoWait)...)
			_, err := c.Agents.Get(t.Context(), "agt_1", tc.call...)
			var apiErr *agentphone.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, tc.want, apiErr.Attempts)
			assert.Len(t, s.Requests(), tc.want)
		})
	}
}

func TestLog_NamesTheOperationAndNothingPrivate(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	apitest.Took(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
			switch n {
			case 1:
				return apitest.Response(503, `{"detail":"body of +14155559999"}`, "X-Request-Id", "req_7", "Retry-After", "2"), nil
			case 2:
				return nil, errors.New("at https://x/?phone=+14155559999 " + r.Header.Get("Authorization"))
			case 3:
				return nil, context.DeadlineExceeded
			}
			return apitest.Response(200, `{"id":"agt_secret"}`), nil
		}, agentphone.WithLogger(logger))
		_, err := c.Agents.Get(t.Context(), "agt_secret", agentphone.WithRequestQuery("phone", "+14155559999"), agentphone.WithRequestHeader("X-Private", "private"))
		require.NoError(t, err)
	})
	log := out.String()
	for _, leak := range []string{"4155559999", "agt_secret", "private", "https://", "sk_live", "Bearer", "body of"} {
		assert.NotContains(t, log, leak)
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 7, "one per attempt and one per retry:\n%s", log)
	assert.Contains(t, string(lines[0]), `level=DEBUG msg="agentphone: attempt" operation="GET /v1/agents/{agent_id}" attempt=1`)
	assert.Contains(t, string(lines[0]), `status=503 request_id=req_7`)
	assert.Contains(t, string(lines[1]), `level=WARN msg="agentphone: retrying"`)
	assert.Contains(t, string(lines[1]), `wait=2.`)
	assert.Contains(t, string(lines[3]), `failure=connection`)
	assert.Contains(t, string(lines[5]), `failure=timeout`)
	assert.Contains(t, string(lines[6]), `attempt=4`)
	assert.Contains(t, string(lines[6]), `status=200`)
	assert.Equal(t, 3, bytes.Count(out.Bytes(), []byte("level=WARN")), strconv.Itoa(len(lines)))
}

// What is added to a Retry-After, so that clients do not come back all at once, leaves the deadline time.
func TestRetryAfter_SpreadDoesNotOverrunTheDeadline(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5100*time.Millisecond)
			defer cancel()
			c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
				if n == 1 {
					return apitest.Response(429, ``, "Retry-After", "5"), nil
				}
				return apitest.Response(200, `{"id":"call_1"}`), nil
			})
			require.NoError(t, apitest.CreateCall(ctx, c))
		})
	}
}
