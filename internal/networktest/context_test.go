package networktest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// signalThen sends on read once a request was read, and then responds with then.
func signalThen(read chan<- struct{}, then responder) responder {
	return func(c net.Conn, r *request) bool {
		read <- struct{}{}
		return then(c, r)
	}
}

func TestContext_CancelEndsHangingRequest_HTTP1(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]responder{
		"before the response": writeAndHang(""),
		"within the response": writeAndHang("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, op := range allOperations() {
				t.Run(op.name, func(t *testing.T) {
					t.Parallel()
					read := make(chan struct{}, 10)
					s := newHTTP1Server(t, signalThen(read, hang))
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					ended := make(chan error, 1)
					go func() { ended <- op.call(ctx, s.client(t), agentphone.WithRequestTimeout(time.Minute)) }()
					<-read
					if name != "before the response" {
						time.Sleep(10 * time.Millisecond) // the client reads what there is of the response
					}
					cancel()
					select {
					case err := <-ended:
						require.ErrorIs(t, err, context.Canceled)
						assert.NotErrorIs(t, err, context.DeadlineExceeded)
						assert.Equal(t, !op.idempotent, errors.Is(err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", err)
					case <-time.After(promptly):
						require.Fail(t, "the call does not end")
					}
					assert.Equal(t, 1, len(s.requests()), "deliveries")
				})
			}
		})
	}
}

func TestContext_CancelEndsHangingRequest_HTTP2(t *testing.T) {
	t.Parallel()
	for _, op := range nonIdempotentOperations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			read := make(chan struct{}, 10)
			s := newHTTP2Server(t, false, func(*http2Stream) { read <- struct{}{} })
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- op.call(ctx, s.client(t)) }()
			<-read
			cancel()
			select {
			case err := <-ended:
				require.ErrorIs(t, err, context.Canceled)
				assert.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			case <-time.After(promptly):
				require.Fail(t, "the call does not end")
			}
		})
	}
}

func TestContext_DeadlineEndsHangingRequest(t *testing.T) {
	t.Parallel()
	newServer := func() *http1Server { return newHTTP1Server(t, writeAndHang("")) }
	ops := allOperations()
	for i, op := range ops {
		ops[i].call = func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			ctx, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
			defer cancel()
			err := op.call(ctx, c, opts...)
			assert.Equal(t, !op.idempotent, errors.Is(err, agentphone.ErrOutcomeUnknown), "%s: is the outcome unknown: %v", op.name, err)
			return err
		}
	}
	callEach(t, ops, newServer, func(t *testing.T, _ *http1Server, r result) {
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		assert.Equal(t, 1, r.deliveries, "deliveries")
		assert.Less(t, r.took, promptly)
	})
}

func TestContext_CanceledBeforehandSendsNothing(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	newServer := func() *http1Server { return newHTTP1Server(t, respondOK) }
	ops := allOperations()
	for i, op := range ops {
		ops[i].call = func(_ context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return op.call(cancelled, c, opts...)
		}
	}
	callEach(t, ops, newServer, func(t *testing.T, s *http1Server, r result) {
		require.ErrorIs(t, r.err, context.Canceled)
		assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
		var failed *agentphone.TransportError
		require.ErrorAs(t, r.err, &failed)
		assert.Zero(t, failed.Attempts)
		assert.Zero(t, r.deliveries, "deliveries")
		assert.Zero(t, s.connections(), "connections")
	})
}

// The outcome is known when the context is canceled before there is a connection, or between two attempts.
func TestContext_OutcomeIsKnownWhenCanceledWithNothingInFlight(t *testing.T) {
	t.Parallel()
	for _, op := range nonIdempotentOperations {
		t.Run(op.name+"/dialing", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			client := newClient(t, "http://127.0.0.1:1", agentphone.WithHTTPClient(&http.Client{Transport: hangingDials(cancel)}))
			err := op.call(ctx, client)
			require.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		})
		t.Run(op.name+"/before dialing", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			s := newHTTP1Server(t, respondOK)
			err := op.call(ctx, s.client(t, agentphone.WithHTTPClient(&http.Client{Jar: jarFunc(cancel)})))
			require.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Zero(t, s.connections(), "connections")
		})
		t.Run(op.name+"/between attempts", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s := newHTTP1Server(t, respondWith(429, "", "Retry-After: 30"))
			began := time.Now()
			err := op.call(ctx, s.client(t, agentphone.WithLogger(slog.New(onWarning(cancel)))))
			assert.Less(t, time.Since(began), promptly)
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, err, agentphone.ErrRateLimited)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Len(t, s.requests(), 1)
		})
	}
}

// jarFunc is an http.CookieJar that calls the function when a request is about to be sent.
type jarFunc func()

func (f jarFunc) Cookies(*url.URL) []*http.Cookie   { f(); return nil }
func (jarFunc) SetCookies(*url.URL, []*http.Cookie) {}

// onWarning is a slog.Handler that calls the function on a warning: when a call is about to wait for its next attempt.
type onWarning func()

func (onWarning) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }
func (f onWarning) Handle(context.Context, slog.Record) error  { f(); return nil }
func (f onWarning) WithAttrs([]slog.Attr) slog.Handler         { return f }
func (f onWarning) WithGroup(string) slog.Handler              { return f }
