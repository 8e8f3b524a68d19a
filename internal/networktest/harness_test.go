package networktest

import (
	"context"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/require"
)

const weatherKey = "sk_live_weather_key"

// weatherClient is a client of the server at the URL, which waits next to nothing between
// attempts.
func weatherClient(t testing.TB, url string, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(weatherKey, append([]agentphone.Option{
		agentphone.WithBaseURL(url),
		agentphone.WithRetryWait(time.Millisecond, 5*time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// weatherHost is a server of the tests, whatever it speaks.
type weatherHost interface {
	client(t testing.TB, opts ...agentphone.Option) *agentphone.Client
	// settle goes on serving for a moment, in which a request that is sent late would come,
	// closes the server and returns how many requests it read whole.
	settle() int
}

// weatherResult is what came of a call.
type weatherResult struct {
	err        error
	response   agentphone.Response
	deliveries int
	took       time.Duration
}

// weatherEndless is more than any call takes, on however busy a machine.
const weatherEndless = 20 * time.Second

// weatherEach makes the calls, all at once and each to a server of its own, and hands each
// result to check, in a subtest that is named after the operation.
func weatherEach[H weatherHost](t *testing.T, ops []weatherOperation, newHost func() H,
	check func(*testing.T, H, weatherResult), opts ...agentphone.Option,
) {
	t.Helper()
	hosts := make([]H, len(ops))
	results := make([]chan weatherResult, len(ops))
	for i, op := range ops {
		hosts[i] = newHost()
		results[i] = make(chan weatherResult, 1)
		client := hosts[i].client(t, opts...)
		go func() {
			var r weatherResult
			began := time.Now()
			r.err = op.call(context.Background(), client, agentphone.WithResponse(&r.response))
			r.took = time.Since(began)
			r.deliveries = hosts[i].settle()
			results[i] <- r
		}()
	}
	endless := time.After(weatherEndless)
	for i, op := range ops {
		var r weatherResult
		select {
		case r = <-results[i]:
		case <-endless:
			require.Fail(t, "the call goes on without end", op.name)
		}
		t.Run(op.name, func(t *testing.T) { check(t, hosts[i], r) })
	}
}

// weatherPrompt is how soon a call ends when its context does, on a busy machine.
const weatherPrompt = 3 * time.Second
