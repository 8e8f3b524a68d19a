package agentphone_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestWebhookHandler_SlowClaimOutlastsWriteTimeout(t *testing.T) {
	config := onMessage(func(context.Context) error { return nil })
	config.Store = slowToClaim(300 * time.Millisecond)
	h := newHandler(t, config)
	srv := httptest.NewUnstartedServer(h)
	srv.Config.WriteTimeout = 100 * time.Millisecond
	srv.Start()
	defer srv.Close()
	for range 2 {
		res, err := http.DefaultClient.Do(signedTo(t.Context(), srv.URL, apitest.TextEvent, "whd_1")) // the second one is a redelivery
		require.NoError(t, err)
		res.Body.Close()
	}
}

func TestVoiceResponse_InterimEndsWithTheTurnIfNobodyReads(t *testing.T) {
	took := make(chan time.Duration, 1)
	h := newHandler(t, agentphone.WebhookHandlerConfig{TurnTimeout: time.Second, OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		began := time.Now()
		for v.Interim(strings.Repeat("x", 1<<20)) == nil {
		}
		took <- time.Since(began)
		return nil
	}})
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", len(apitest.TurnEvent))
	_ = apitest.SignedRequest(apitest.TurnEvent, "1").Header.Write(conn)
	fmt.Fprintf(conn, "\r\n%s", apitest.TurnEvent)
	assert.Less(t, <-took, 3*time.Second)
}

// deadlineWriter has a write deadline, as a connection does.
type deadlineWriter struct {
	*httptest.ResponseRecorder
	t        *testing.T
	deadline time.Time
	writes   int
}

func (w *deadlineWriter) SetWriteDeadline(at time.Time) error { w.deadline = at; return nil }

func (w *deadlineWriter) WriteHeader(status int) {
	w.inTime()
	w.ResponseRecorder.WriteHeader(status)
}

func (w *deadlineWriter) Write(p []byte) (int, error) {
	w.inTime()
	return w.ResponseRecorder.Write(p)
}

func (w *deadlineWriter) inTime() {
	w.writes++
	require.False(w.t, w.deadline.IsZero(), "without a deadline the WriteTimeout of the server holds")
	assert.Greater(w.t, time.Until(w.deadline), 4*time.Second, "time left for the response")
}

// The store and the callback take all their time, and the callback some more to clean up.
func TestWebhookHandler_ResponseHasTimeAfterSlowCallbackAndStore(t *testing.T) {
	failure := errors.New("x")
	for name, tc := range map[string]struct {
		body  string
		claim time.Duration
		err   error
		want  int
	}{
		"handled":      {apitest.TextEvent, 4900 * time.Millisecond, nil, 200},
		"failed":       {apitest.TextEvent, 4900 * time.Millisecond, failure, 500},
		"turn":         {apitest.TurnEvent, 4900 * time.Millisecond, nil, 200},
		"failed turn":  {apitest.TurnEvent, 4900 * time.Millisecond, failure, 500},
		"store broken": {apitest.TextEvent, time.Hour, nil, 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				use := func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(5 * time.Second)
					return tc.err
				}
				h := newHandler(t, agentphone.WebhookHandlerConfig{
					Store:     late(tc.claim),
					OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return use(ctx) },
					OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
						return use(ctx)
					},
				})
				w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder(), t: t}
				h.ServeHTTP(w, apitest.SignedRequest(tc.body, "whd_1"))
				defer func() { require.NoError(t, h.Shutdown(t.Context())) }()
				assert.Equal(t, tc.want, w.Code)
				assert.NotZero(t, w.writes)
				assert.True(t, w.deadline.IsZero(), "a deadline would hold for the next request")
			})
		})
	}
}

// late returns a store that takes a time to claim, and settles just before the timeout.
func late(claim time.Duration) *testStore {
	s := slowToClaim(claim)
	s.complete = func(ctx context.Context, c *agentphone.Claim) error {
		time.Sleep(4900 * time.Millisecond)
		return s.Store.Complete(ctx, c, nil)
	}
	s.release = func(ctx context.Context, c *agentphone.Claim) error {
		time.Sleep(4900 * time.Millisecond)
		return s.Store.Release(ctx, c)
	}
	return s
}

// pipes is a net.Listener with connections in memory, for a synctest bubble.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error { close(p.conns); return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// As long as anybody likes is what the largest durations are for.
func TestWebhookHandler_AnyDurationsWork(t *testing.T) {
	for _, most := range []time.Duration{math.MaxInt64, math.MaxInt64 - time.Second, 200 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		for over, version := range map[string]*http.Protocols{"HTTP/1.1": protocols(true, false), "HTTP/2": protocols(false, true)} {
			t.Run(fmt.Sprint(most, " over ", over), func(t *testing.T) {
				store := newTestStore()
				store.renew = func(context.Context, *agentphone.Claim, time.Duration) error {
					t.Error("renewed at once")
					return nil
				}
				h := newHandler(t, agentphone.WebhookHandlerConfig{
					Store: store, Lease: most, StoreTimeout: most, CallbackTimeout: most, TurnTimeout: most, Tolerance: most,
					OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
						return wait(ctx, 20*time.Millisecond)
					},
					OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
						return errors.Join(v.Interim("One moment."), wait(ctx, 20*time.Millisecond), v.Say("Hi."))
					},
				})
				srv := serveHTTP(t, h)
				transport := &http.Transport{Protocols: version}
				defer transport.CloseIdleConnections()
				for kind, body := range map[string]string{"message": apitest.TextEvent, "turn": apitest.TurnEvent} {
					for range 2 {
						res, err := transport.RoundTrip(signedTo(t.Context(), srv.URL, body, "whd_"+kind))
						require.NoError(t, err, kind)
						_, err = io.ReadAll(res.Body)
						require.NoError(t, err, kind)
						require.NoError(t, res.Body.Close())
						assert.Equal(t, 200, res.StatusCode, kind)
					}
				}
			})
		}
	}
}

// A server without a WriteTimeout sets no deadline of its own for the next request: one left behind would cut it.
func TestWebhookHandler_ClearsTheWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quickly := newHandler(t, agentphone.WebhookHandlerConfig{OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("One moment."), v.Say("Done."))
		}})
		mux := http.NewServeMux()
		mux.Handle("/hook", quickly)
		mux.HandleFunc("/other", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
		transport := &http.Transport{DialContext: servePipes(t, &http.Server{Handler: mux}).dial}
		defer transport.CloseIdleConnections()
		for i, path := range []string{"/hook", "/other", "/hook", "/hook"} {
			var reused bool
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
			res, err := transport.RoundTrip(signedTo(ctx, "http://pipe"+path, apitest.TurnEvent, path+time.Now().String()))
			require.NoError(t, err)
			var lines int
			scanner := bufio.NewScanner(res.Body)
			for scanner.Scan() {
				lines++
			}
			require.NoError(t, scanner.Err())
			require.NoError(t, res.Body.Close())
			assert.Equal(t, 200, res.StatusCode)
			assert.NotZero(t, lines)
			assert.Equal(t, i > 0, reused, path)
			time.Sleep(3 * time.Hour)
		}
	})
}
