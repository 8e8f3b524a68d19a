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
func TestWeatherNothingIsLeftBehind(t *testing.T) {
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
	for _, b := range weatherBreaks {
		s := newWeatherTLS(t, b.answer)
		weatherAllFail(t, s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1)))
		s.close()
	}
	for _, b := range weatherH2Breaks {
		if b.name == "RST_STREAM PROTOCOL_ERROR" {
			continue // net/http makes a connection for each of its own retries
		}
		s := newWeatherHTTP2(t, false, b.answer)
		weatherAllFail(t, s.client(t, agentphone.WithTimeout(30*time.Millisecond), agentphone.WithMaxRetries(1)))
		s.close()
	}
	for _, status := range []int{302, 404, 429, 500} {
		s := newWeatherTLS(t, weatherSays(status, "{}", "Location: /v1/agents"))
		weatherAllFail(t, s.client(t, agentphone.WithMaxRetries(1)))
		s.close()
	}
	s := newWeatherTLS(t, weatherFine)
	client := s.client(t)
	for range 10 {
		assert.NoError(t, weatherListAgents(weatherContext{context.Background()}, client))
		assert.NoError(t, weatherSend("hello")(weatherContext{context.Background()}, client))
	}
	s.close()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 5*time.Second, 10*time.Millisecond)
	if n := runtime.NumGoroutine(); n > before+2 {
		stacks := make([]byte, 1<<16)
		t.Logf("%d goroutines, %d before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// weatherAllFail makes calls that fail, one of them as its context ends.
func weatherAllFail(t *testing.T, client *agentphone.Client) {
	t.Helper()
	for _, op := range []weatherOperation{weatherSafe[0], weatherOnce[5]} {
		ctx, cancel := context.WithTimeout(context.Background(), weatherPrompt)
		assert.Error(t, op.call(ctx, client))
		assert.NoError(t, ctx.Err(), "the call went on without end")
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
		assert.Error(t, op.call(ctx, client))
		cancel()
	}
}

// weatherContext is a context of a type that package context does not know: it starts a
// goroutine for each that is derived from it, which goes when that is released.
type weatherContext struct{ context.Context }

func (weatherContext) Done() <-chan struct{} { return weatherNever }

var weatherNever = make(chan struct{})
