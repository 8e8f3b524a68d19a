package networktest

import (
	"context"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/require"
)

const apiKey = "sk_live_weather_key"

// newClient is a client of the server at the URL, which waits next to nothing between
// attempts.
func newClient(t testing.TB, url string, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(apiKey, append([]agentphone.Option{
		agentphone.WithBaseURL(url),
		agentphone.WithRetryWait(time.Millisecond, 5*time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// server is a server of the tests, whatever it speaks.
type server interface {
	client(t testing.TB, opts ...agentphone.Option) *agentphone.Client
	// settle goes on serving for a moment, in which a request that is sent late would come,
	// closes the server and returns how many requests it read whole.
	settle() int
}

// result is what came of a call.
type result struct {
	err        error
	response   agentphone.Response
	deliveries int
	took       time.Duration
}

// callLimit is more than any call takes, on however busy a machine.
const callLimit = 20 * time.Second

// callEach makes the calls, all at once and each to a server of its own, and hands each
// result to check, in a subtest that is named after the operation.
func callEach[H server](t *testing.T, ops []operation, newHost func() H,
	check func(*testing.T, H, result), opts ...agentphone.Option,
) {
	t.Helper()
	hosts := make([]H, len(ops))
	results := make([]chan result, len(ops))
	for i, op := range ops {
		hosts[i] = newHost()
		results[i] = make(chan result, 1)
		client := hosts[i].client(t, opts...)
		go func() {
			var r result
			began := time.Now()
			r.err = op.call(context.Background(), client, agentphone.WithResponse(&r.response))
			r.took = time.Since(began)
			r.deliveries = hosts[i].settle()
			results[i] <- r
		}()
	}
	limit := time.After(callLimit)
	for i, op := range ops {
		var r result
		select {
		case r = <-results[i]:
		case <-limit:
			require.Fail(t, "the call goes on without end", op.name)
		}
		t.Run(op.name, func(t *testing.T) { check(t, hosts[i], r) })
	}
}

// promptly is how soon a call ends when its context does, on a busy machine.
const promptly = 3 * time.Second
