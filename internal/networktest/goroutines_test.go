package networktest

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/assert"
)

// Not parallel: it counts goroutines.
func TestConnections_NothingIsLeftBehind(t *testing.T) {
	settled := func() int { // other tests' last goroutines may be on their way out
		n := runtime.NumGoroutine()
		for range 20 {
			time.Sleep(10 * time.Millisecond)
			if now := runtime.NumGoroutine(); now >= n {
				return now
			} else {
				n = now
			}
		}
		return n
	}
	before := settled()
	for _, b := range lostResponses {
		s := newHTTPSServer(t, b.respond)
		failCalls(t, s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1)))
		s.close()
	}
	for _, b := range lostResponsesHTTP2 {
		if b.name == "RST_STREAM PROTOCOL_ERROR" {
			continue // net/http makes a connection for each of its own retries
		}
		s := newHTTP2Server(t, false, b.respond)
		failCalls(t, s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1)))
		s.close()
	}
	for _, status := range []int{302, 404, 429, 500} {
		s := newHTTPSServer(t, respondWith(status, "{}", "Location: /v1/agents"))
		failCalls(t, s.client(t, agentphone.WithMaxRetries(1)))
		s.close()
	}
	s := newHTTPSServer(t, respondOK)
	client := s.client(t)
	for range 10 {
		assert.NoError(t, listAgents(foreignContext{context.Background()}, client))
		assert.NoError(t, sendMessage("hello")(foreignContext{context.Background()}, client))
	}
	s.close()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 5*time.Second, 10*time.Millisecond)
	if n := runtime.NumGoroutine(); n > before+2 {
		stacks := make([]byte, 1<<16)
		t.Logf("%d goroutines, %d before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// failCalls makes calls that fail, one of them as its context ends.
func failCalls(t *testing.T, client *agentphone.Client) {
	t.Helper()
	for _, op := range []operation{idempotentOperations[0], nonIdempotentOperations[5]} {
		ctx, cancel := context.WithTimeout(context.Background(), promptly)
		assert.Error(t, op.call(ctx, client))
		assert.NoError(t, ctx.Err(), "the call went on without end")
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
		assert.Error(t, op.call(ctx, client))
		cancel()
	}
}

// foreignContext is a context of a type that package context does not know: it starts a
// goroutine for each that is derived from it, which goes when that is released.
type foreignContext struct{ context.Context }

func (foreignContext) Done() <-chan struct{} { return never }

var never = make(chan struct{})
