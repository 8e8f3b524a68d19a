package networktest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

const apiKey = "sk_live_network_test_key"

// newClient returns a client of the API at url that waits a few milliseconds at most between attempts.
func newClient(t testing.TB, url string, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(apiKey, append([]agentphone.Option{
		agentphone.WithBaseURL(url),
		agentphone.WithRetryWait(time.Millisecond, 5*time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// server is the server of a test, whatever protocol it speaks.
type server interface {
	// client returns a client of the server.
	client(t testing.TB, opts ...agentphone.Option) *agentphone.Client
	// closeAndCount waits for requests that are sent late, closes the server, and returns the number of deliveries: of
	// requests that the server read to their end.
	closeAndCount() int
}

// result is the outcome of an operation's call.
type result struct {
	err        error
	response   agentphone.Response
	deliveries int
	took       time.Duration
}

// callLimit is longer than any call takes, however busy the machine is.
const callLimit = 20 * time.Second

// promptly is how soon a call ends once its context is done, on a busy machine.
const promptly = 3 * time.Second

// callEach calls the operations concurrently, each on a server of its own, and then checks each result in a subtest
// that is named after the operation. The servers close together: that they wait for late requests costs little time.
func callEach[S server](t *testing.T, ops []operation, newServer func() S,
	check func(*testing.T, S, result), opts ...agentphone.Option,
) {
	t.Helper()
	servers := make([]S, len(ops))
	results := make([]chan result, len(ops))
	for i, op := range ops {
		servers[i] = newServer()
		results[i] = make(chan result, 1)
		client := servers[i].client(t, opts...)
		go func() {
			var r result
			began := time.Now()
			r.err = op.call(context.Background(), client, agentphone.WithResponse(&r.response))
			r.took = time.Since(began)
			r.deliveries = servers[i].closeAndCount()
			results[i] <- r
		}()
	}
	limit := time.After(callLimit)
	for i, op := range ops {
		var r result
		select {
		case r = <-results[i]:
		case <-limit:
			require.Fail(t, "the call does not end", op.name)
		}
		t.Run(op.name, func(t *testing.T) { check(t, servers[i], r) })
	}
}
