package networktest

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// Not parallel: it counts goroutines.
func TestConnections_NothingIsLeftBehind(t *testing.T) {
	settled := func() int { // goroutines of earlier tests may still be ending
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
	for _, f := range lostResponses {
		s := newHTTPSServer(t, f.respond)
		client := s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1))
		t.Run("HTTP/1.1/"+f.name, func(t *testing.T) { failCalls(t, client) })
		s.close()
	}
	for _, f := range lostResponsesHTTP2 {
		if f.name == "RST_STREAM PROTOCOL_ERROR" {
			continue // net/http makes a connection for each of its own retries
		}
		s := newHTTP2Server(t, false, f.respond)
		client := s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1))
		t.Run("HTTP/2/"+f.name, func(t *testing.T) { failCalls(t, client) })
		s.close()
	}
	for _, status := range []int{302, 404, 429, 500} {
		s := newHTTPSServer(t, respondWith(status, "{}", "Location: /v1/agents"))
		client := s.client(t, agentphone.WithMaxRetries(1))
		t.Run(strconv.Itoa(status), func(t *testing.T) { failCalls(t, client) })
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

// failCalls calls operations that fail, also because their context ends.
func failCalls(t *testing.T, client *agentphone.Client) {
	t.Helper()
	for _, op := range []operation{idempotentOperations[0], nonIdempotentOperations[6]} {
		ctx, cancel := context.WithTimeout(context.Background(), promptly)
		assert.Error(t, op.call(ctx, client))
		assert.NoError(t, ctx.Err(), "the call does not end")
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
		assert.Error(t, op.call(ctx, client))
		cancel()
	}
}

// foreignContext is of a type that package context does not know, so that each context which is derived from it has a
// goroutine until it is canceled.
type foreignContext struct{ context.Context }

func (foreignContext) Done() <-chan struct{} { return never }

var never = make(chan struct{})
