package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

type contextKey struct{}

// send sends a signed event and returns the status, or 0 if the context ends first.
func send(ctx context.Context, t *testing.T, transport http.RoundTripper, url, body, id string) int {
	t.Helper()
	res, err := transport.RoundTrip(signedTo(ctx, url, body, id))
	if err != nil {
		require.Error(t, ctx.Err(), "%v", err)
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// A model needs 20 seconds, the sender gives up after 5: there is one callback and one reply nevertheless.
func TestWebhookHandler_CallbackOutlivesTheSender(t *testing.T) {
	for name, version := range map[string]*http.Protocols{"HTTP/1.1": protocols(true, false), "HTTP/2": protocols(false, true)} {
		for kind, body := range map[string]string{
			"message": apitest.TextEvent, "sent": `{"event":"agent.message","channel":"sms","data":{"direction":"outbound"}}`,
			"reaction": `{"event":"agent.reaction","data":{}}`, "end of a call": `{"event":"agent.call_ended","data":{}}`, "unknown": `{"event":"agent.dreamt"}`,
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				begun, finish, gone := make(chan bool), make(chan bool), make(chan bool, 1000)
				var calls atomic.Int32
				use := func(ctx context.Context) error {
					calls.Add(1)
					begun <- true
					<-finish
					assert.Equal(t, "kept", ctx.Value(contextKey{}))
					return ctx.Err()
				}
				config := onMessage(use)
				config.OnSent = func(ctx context.Context, _ *agentphone.Event, _ agentphone.EventData) error { return use(ctx) }
				config.OnReaction = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.ReactionData) error { return use(ctx) }
				config.OnCallEnded = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.CallEndedData) error { return use(ctx) }
				config.OnUnknown = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.UnknownData) error { return use(ctx) }
				h := newHandler(t, config)
				srv := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					context.AfterFunc(r.Context(), func() { gone <- true })
					h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, "kept")))
				}))
				transport := &http.Transport{Protocols: version}
				defer transport.CloseIdleConnections()

				ctx, giveUp := context.WithCancel(t.Context())
				var sender sync.WaitGroup
				sender.Go(func() { assert.Zero(t, send(ctx, t, transport, srv.URL, body, "whd_1")) })
				<-begun
				giveUp()
				sender.Wait()
				<-gone // the server knows
				assert.Equal(t, 503, send(t.Context(), t, transport, srv.URL, body, "whd_1"))
				close(finish)
				require.Eventually(t, func() bool { return send(t.Context(), t, transport, srv.URL, body, "whd_1") == 200 }, 5*time.Second, time.Millisecond)
				assert.EqualValues(t, 1, calls.Load())
			})
		}
	}
}

// Behind middleware that gives up, too.
func TestWebhookHandler_CallbackOutlivesTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		h := newHandler(t, onMessage(func(ctx context.Context) error { calls++; time.Sleep(20 * time.Second); return ctx.Err() }))
		hasty := http.TimeoutHandler(h, 5*time.Second, "")
		for _, want := range []int{503, 503, 503, 200} {
			assert.Equal(t, want, apitest.Serve(hasty, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
			time.Sleep(6 * time.Second)
		}
		assert.Equal(t, 1, calls)
	})
}

// A voice turn is another matter: nobody listens any more.
func TestWebhookHandler_VoiceTurnEndsWithTheSender(t *testing.T) {
	for name, version := range map[string]*http.Protocols{"HTTP/1.1": protocols(true, false), "HTTP/2": protocols(false, true)} {
		t.Run(name, func(t *testing.T) {
			begun, ended := make(chan bool), make(chan error)
			srv := serveHTTP(t, voiceHandler(t, func(ctx context.Context, _ *agentphone.VoiceResponse) error {
				begun <- true
				<-ctx.Done()
				ended <- ctx.Err()
				return ctx.Err()
			}))
			transport := &http.Transport{Protocols: version}
			defer transport.CloseIdleConnections()
			ctx, hangUp := context.WithCancel(t.Context())
			var sender sync.WaitGroup
			sender.Go(func() { assert.Zero(t, send(ctx, t, transport, srv.URL, apitest.TurnEvent, "whd_1")) })
			<-begun
			hangUp()
			require.ErrorIs(t, <-ended, context.Canceled)
			sender.Wait()
		})
	}
}

func TestWebhookHandlerShutdown_WaitsForCallbacksAndRefusesDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := onMessage(func(ctx context.Context) error { time.Sleep(20 * time.Second); return ctx.Err() })
		config.OnVoiceTurn = sleepyTurn(10 * time.Second)
		h := newHandler(t, config)
		statuses := make(chan int, 3)
		ctx, giveUp := context.WithCancel(t.Context())
		go func() {
			statuses <- apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "1").WithContext(ctx)).Code
		}()
		go func() { statuses <- apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "2")).Code }()
		go func() { statuses <- apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "3")).Code }()
		synctest.Wait()
		giveUp() // nobody waits for the first one any more
		began := time.Now()
		var all sync.WaitGroup
		for range 3 { // more than once, and at once
			all.Go(func() { assert.NoError(t, h.Shutdown(t.Context())) })
		}
		synctest.Wait()
		for _, body := range []string{apitest.TextEvent, apitest.TurnEvent} {
			w := apitest.Serve(h, apitest.SignedRequest(body, "new"))
			assert.Equal(t, 503, w.Code)
			assert.NotEmpty(t, w.Header().Get("Retry-After"))
		}
		all.Wait()
		assert.Equal(t, 20*time.Second, time.Since(began))
		assert.Equal(t, []int{200, 200, 200}, []int{<-statuses, <-statuses, <-statuses})
		assert.NoError(t, h.Shutdown(t.Context()), "there is nothing left")
		assert.Equal(t, 20*time.Second, time.Since(began))
	})
}

// Which http.Server.Shutdown does not wait for: the connection is gone.
func TestWebhookHandlerShutdown_WaitsForCallbacksOfClosedConnections(t *testing.T) {
	begun, finish := make(chan bool), make(chan bool)
	var done atomic.Bool
	h := newHandler(t, onMessage(func(context.Context) error {
		begun <- true
		<-finish
		time.Sleep(50 * time.Millisecond)
		done.Store(true)
		return nil
	}))
	gone := make(chan bool)
	srv := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { close(gone) })
		h.ServeHTTP(w, r)
	}))
	conns := make(chan net.Conn, 1)
	transport := &http.Transport{Protocols: protocols(false, true), DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		conns <- conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	var sender sync.WaitGroup
	sender.Go(func() {
		_, err := transport.RoundTrip(signedTo(t.Context(), srv.URL, apitest.TextEvent, "whd_1"))
		assert.Error(t, err)
	})
	<-begun
	require.NoError(t, (<-conns).Close())
	sender.Wait()
	<-gone
	require.NoError(t, srv.Config.Shutdown(t.Context()))
	assert.False(t, done.Load())
	close(finish)
	require.NoError(t, h.Shutdown(t.Context()))
	assert.True(t, done.Load())
}

func TestWebhookHandlerShutdown_EndsContextsWhenItsOwnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var causes []error
		store := agentphone.NewMemoryStore()
		use := func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			causes = append(causes, context.Cause(ctx))
			return ctx.Err()
		}
		config := onMessage(use)
		config.OnVoiceTurn = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			return use(ctx)
		}
		config.Store = store
		h := newHandler(t, config)
		statuses := make(chan int, 2)
		for _, body := range []string{apitest.TextEvent, apitest.TurnEvent} {
			go func() { statuses <- apitest.Serve(h, apitest.SignedRequest(body, "x")).Code }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, h.Shutdown(ctx), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Equal(t, []int{500, 500}, []int{<-statuses, <-statuses}, "they come again")
		assert.Equal(t, []error{http.ErrServerClosed, http.ErrServerClosed}, causes)
		require.NoError(t, h.Shutdown(t.Context()))

		config = onMessage(func(context.Context) error { return nil })
		config.Store = store
		assert.Equal(t, 200, apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "x")).Code, "at once: it was released")
	})
}

// A callback that takes no notice of its context cannot hold a process for good.
func TestWebhookHandlerShutdown_DoesNotWaitLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, onMessage(func(context.Context) error { time.Sleep(time.Hour); return nil }))
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		require.ErrorIs(t, h.Shutdown(ended), context.Canceled)
		assert.Zero(t, time.Since(began))
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Equal(t, time.Hour, time.Since(began))
		require.NoError(t, h.Shutdown(ended), "all is done")
	})
}

// A callback that panics or ends its goroutine is over.
func TestWebhookHandlerShutdown_WaitsForNoCallbackThatIsGone(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("x") }, "goexit": runtime.Goexit, "error": func() {}} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(t, onMessage(func(context.Context) error { end(); return errors.New("x") }))
			var wg sync.WaitGroup
			wg.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")) })
			wg.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			assert.NoError(t, h.Shutdown(ended))
		})
	}
}

func TestWebhookHandlerShutdown_UnderLoadLosesNothing(t *testing.T) {
	var begun, done atomic.Int32
	h := newHandler(t, onMessage(func(context.Context) error {
		begun.Add(1)
		time.Sleep(time.Millisecond)
		done.Add(1)
		return nil
	}))
	var senders sync.WaitGroup
	var ok atomic.Int32
	for i := range 32 {
		senders.Go(func() {
			for j := range 1000 {
				switch apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, fmt.Sprint(i, "/", j))).Code {
				case 200:
					ok.Add(1)
				case 503:
					return
				}
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, h.Shutdown(t.Context()))
	atEnd := begun.Load()
	assert.Equal(t, atEnd, done.Load())
	senders.Wait()
	assert.Equal(t, atEnd, begun.Load(), "nothing began after Shutdown had returned")
	assert.Equal(t, atEnd, ok.Load())
}

func TestWebhookHandler_ZeroValueHandlesNothing(t *testing.T) {
	for _, h := range []*agentphone.WebhookHandler{nil, {}} {
		assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		require.NoError(t, h.Shutdown(t.Context()))
		var none context.Context
		require.ErrorIs(t, h.Shutdown(none), agentphone.ErrValidation)
	}
}
