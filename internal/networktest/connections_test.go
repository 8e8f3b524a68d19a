package networktest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// Not parallel: it wants the machine, and the shared pool, for itself.
func TestWeatherManyGoroutinesShareFewConnections(t *testing.T) {
	for name, test := range map[string]struct {
		requests int
		answer   []string // written one by one
	}{
		"answers with a length": {20_000, []string{
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(weatherOK), weatherOK),
		}},
		"chunked answers": {5_000, []string{
			fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(weatherOK), weatherOK), "0\r\n\r\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			const goroutines, limit = 256, 512
			url, connections := weatherQuickServer(t, test.answer)
			client := weatherClient(t, url)
			var left atomic.Int64
			left.Store(int64(test.requests))
			var failed atomic.Pointer[error]
			var all sync.WaitGroup
			for range goroutines {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := weatherListAgents(context.Background(), client); err != nil {
							failed.Store(&err)
						}
					}
				})
			}
			all.Wait()
			if err := failed.Load(); err != nil {
				require.NoError(t, *err)
			}
			assert.LessOrEqual(t, connections.Load(), int64(limit))
			t.Logf("%d requests over %d connections", test.requests, connections.Load())
		})
	}
}

// weatherQuickServer gives every request the same answer, does as little else as can be,
// and counts its connections.
func weatherQuickServer(t *testing.T, answer []string) (url string, connections *atomic.Int64) {
	t.Helper()
	l := weatherListen(t)
	connections = new(atomic.Int64)
	var running sync.WaitGroup
	var conns sync.Map
	serve := func(c net.Conn) {
		conns.Store(c, nil)
		for in := bufio.NewReader(c); ; {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) > len("\r\n") {
				continue
			}
			for _, part := range answer {
				_, _ = io.WriteString(c, part)
			}
		}
	}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			running.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil })
		running.Wait()
	})
	return "http://" + l.Addr().String(), connections
}

// An answer that is not read to its end costs its connection.
func TestWeatherAConnectionOutlivesErrorAnswers(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<p>", 10_000)
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(page), page)
	for name, answer := range map[string]weatherAnswer{
		"404":     weatherSays(404, page),
		"429":     weatherSays(429, page),
		"500":     weatherSays(500, page),
		"no JSON": weatherSays(200, page),
		"chunked 502": func(c net.Conn, _ *weatherRequest) bool {
			_, err := io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n"+chunked)
			return err == nil
		},
		"redirect": weatherSays(302, page, "Location: https://example.com/"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWeatherHTTP1(t, answer)
			client := s.client(t)
			for range 3 {
				assert.Error(t, weatherListAgents(context.Background(), client))
				assert.Error(t, weatherSend("hello")(context.Background(), client))
			}
			assert.Equal(t, 1, s.connections())
		})
	}
}

func TestWeatherTheUsersHTTPClientIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	app := newWeatherHTTP1(t, weatherFine)
	hc := weatherHTTPClient(t, nil)
	hc.Timeout = 10 * time.Second
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return assert.AnError }
	before := *hc
	appGet := func() {
		resp, err := hc.Get(app.url + "/app")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	appGet()
	for name, answer := range map[string]weatherAnswer{
		"gives up":         weatherSays(429, ""),
		"server error":     weatherSays(500, ""),
		"not found":        weatherSays(404, ""),
		"redirect":         weatherSays(302, "", "Location: /v1/agents"),
		"reset":            weatherResets,
		"cut":              weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
		"time-out":         weatherHangs(""),
		"waits for nobody": weatherSays(429, "", "Retry-After: 86400"),
	} {
		s := newWeatherHTTP1(t, answer)
		client := s.client(t, agentphone.WithHTTPClient(hc), agentphone.WithTimeout(50*time.Millisecond))
		assert.Error(t, weatherListAgents(context.Background(), client), name)
		assert.Error(t, weatherSend("hello")(context.Background(), client), name)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(2*time.Millisecond, cancel) // in a wait, or in an attempt
		assert.Error(t, weatherListAgents(ctx, client), name)
		appGet()
		assert.Equal(t, 1, app.connections(), "%s: the user's idle connection is closed", name)
	}
	assert.Same(t, before.Transport, hc.Transport)
	assert.Equal(t, before.Timeout, hc.Timeout)
	assert.Equal(t, before.Jar, hc.Jar)
	assert.Equal(t, reflect.ValueOf(before.CheckRedirect).Pointer(), reflect.ValueOf(hc.CheckRedirect).Pointer())
}

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
