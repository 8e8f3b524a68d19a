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

// weatherSignal tells, once a request was read, that it was.
func weatherSignal(read chan<- struct{}, then weatherAnswer) weatherAnswer {
	return func(c net.Conn, r *weatherRequest) bool {
		read <- struct{}{}
		return then(c, r)
	}
}

func TestWeatherACancelledContextEndsARequestThatHangsAtOnce(t *testing.T) {
	t.Parallel()
	all := append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...)
	for name, hang := range map[string]weatherAnswer{
		"before the answer": weatherHangs(""),
		"within the answer": weatherHangs("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, op := range all {
				t.Run(op.name, func(t *testing.T) {
					t.Parallel()
					once := i >= len(weatherSafe)
					read := make(chan struct{}, 10)
					s := newWeatherHTTP1(t, weatherSignal(read, hang))
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					ended := make(chan error, 1)
					go func() { ended <- op.call(ctx, s.client(t), agentphone.WithRequestTimeout(time.Minute)) }()
					<-read
					if name != "before the answer" {
						time.Sleep(10 * time.Millisecond) // for the client to read what there is of it
					}
					cancel()
					select {
					case err := <-ended:
						require.ErrorIs(t, err, context.Canceled)
						assert.NotErrorIs(t, err, context.DeadlineExceeded)
						assert.Equal(t, once, errors.Is(err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", err)
					case <-time.After(weatherPrompt):
						require.Fail(t, "the call goes on")
					}
					assert.Equal(t, 1, len(s.requests()), "deliveries")
				})
			}
		})
	}
}

func TestWeatherACancelledContextEndsAnHTTP2RequestThatHangsAtOnce(t *testing.T) {
	t.Parallel()
	for _, op := range weatherOnce {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			read := make(chan struct{}, 10)
			s := newWeatherHTTP2(t, false, func(*weatherStream) { read <- struct{}{} })
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
			case <-time.After(weatherPrompt):
				require.Fail(t, "the call goes on")
			}
		})
	}
}

func TestWeatherADeadlineEndsARequestThatHangs(t *testing.T) {
	t.Parallel()
	newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, weatherHangs("")) }
	ops := append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...)
	for i, op := range ops {
		ops[i].call = func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			ctx, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
			defer cancel()
			err := op.call(ctx, c, opts...)
			assert.Equal(t, i >= len(weatherSafe), errors.Is(err, agentphone.ErrOutcomeUnknown), "%s: is the outcome unknown: %v", op.name, err)
			return err
		}
	}
	weatherEach(t, ops, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		assert.Equal(t, 1, r.deliveries, "deliveries")
		assert.Less(t, r.took, weatherPrompt)
	})
}

func TestWeatherAContextThatHasEndedSendsNothing(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, weatherFine) }
	ops := append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...)
	for i, op := range ops {
		ops[i].call = func(_ context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return op.call(cancelled, c, opts...)
		}
	}
	weatherEach(t, ops, newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
		require.ErrorIs(t, r.err, context.Canceled)
		assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
		var failed *agentphone.TransportError
		require.ErrorAs(t, r.err, &failed)
		assert.Zero(t, failed.Attempts)
		assert.Zero(t, r.deliveries, "deliveries")
		assert.Zero(t, s.connections(), "connections")
	})
}

// A context that ends before there is a connection, or while the call waits to try again,
// leaves nothing open.
func TestWeatherAContextThatEndsWhileNothingIsUnderWayLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	for _, op := range weatherOnce {
		t.Run(op.name+"/dialing", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			client := weatherClient(t, "http://127.0.0.1:1", agentphone.WithHTTPClient(&http.Client{Transport: transport}))
			err := op.call(ctx, client)
			require.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		})
		t.Run(op.name+"/about to look for a connection", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			s := newWeatherHTTP1(t, weatherFine)
			err := op.call(ctx, s.client(t, agentphone.WithHTTPClient(&http.Client{Jar: weatherJar(cancel)})))
			require.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Zero(t, s.connections(), "connections")
		})
		t.Run(op.name+"/waiting", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s := newWeatherHTTP1(t, weatherSays(429, "", "Retry-After: 30"))
			began := time.Now()
			err := op.call(ctx, s.client(t, agentphone.WithLogger(slog.New(weatherOnRetry(cancel)))))
			assert.Less(t, time.Since(began), weatherPrompt)
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, err, agentphone.ErrRateLimited)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Len(t, s.requests(), 1)
		})
	}
}

// weatherJar does something when it is asked for cookies: just before a request is sent.
type weatherJar func()

func (f weatherJar) Cookies(*url.URL) []*http.Cookie   { f(); return nil }
func (weatherJar) SetCookies(*url.URL, []*http.Cookie) {}

// weatherOnRetry is a log that does something when a call is about to wait.
type weatherOnRetry func()

func (weatherOnRetry) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }
func (f weatherOnRetry) Handle(context.Context, slog.Record) error  { f(); return nil }
func (f weatherOnRetry) WithAttrs([]slog.Attr) slog.Handler         { return f }
func (f weatherOnRetry) WithGroup(string) slog.Handler              { return f }
