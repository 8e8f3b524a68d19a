package agentphone_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
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

// hasty is middleware in which the time until a read deadline passes fifty times as fast, and which counts the requests that are being
// handled.
type hasty struct {
	http.Handler
	running atomic.Int32
}

func (h *hasty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.running.Add(1)
	defer h.running.Add(-1)
	h.Handler.ServeHTTP(&hastyWriter{w}, r)
}

type hastyWriter struct{ http.ResponseWriter }

func (w *hastyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *hastyWriter) SetReadDeadline(at time.Time) error {
	if !at.IsZero() {
		at = time.Now().Add(time.Until(at) / 50)
	}
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(at)
}

// serveHTTP serves a handler on a loopback port, over HTTP/1.1 and over HTTP/2 without TLS, with no timeout but that for the header.
func serveHTTP(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ReadHeaderTimeout = time.Minute
	srv.Config.Protocols = protocols(true, true)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

func protocols(http1, http2 bool) *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(http1)
	p.SetUnencryptedHTTP2(http2)
	return p
}

// drip is a body that comes a byte at a time and never ends.
type drip struct{ ctx context.Context }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(20 * time.Millisecond):
		p[0] = ' '
		return 1, nil
	}
}

// Anybody can open connections and send a byte now and then.
func TestWebhookHandler_SlowSendersAreLetGo(t *testing.T) {
	const senders = 200
	for name, version := range map[string]*http.Protocols{"HTTP/1.1": protocols(true, false), "HTTP/2": protocols(false, true)} {
		for kind, change := range map[string]func(*http.Request){
			"of a known length":   func(r *http.Request) { r.ContentLength = 1000 },
			"of unknown length":   func(*http.Request) {},
			"that is too long":    func(r *http.Request) { r.ContentLength = 5 << 20 },
			"of the wrong method": func(r *http.Request) { r.Method, r.ContentLength = http.MethodPut, 1000 },
			"without a signature": func(r *http.Request) { r.Header, r.ContentLength = http.Header{}, 1000 },
		} {
			t.Run(name+" with a body "+kind, func(t *testing.T) {
				t.Parallel()
				h := &hasty{Handler: newHandler(t, agentphone.WebhookHandlerConfig{})}
				srv := serveHTTP(t, h)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				var all sync.WaitGroup
				var letGo atomic.Int32
				for range senders {
					all.Go(func() {
						transport := &http.Transport{Protocols: version} // a connection of its own
						defer transport.CloseIdleConnections()
						r, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, io.NopCloser(drip{ctx}))
						if err != nil {
							t.Error(err)
							return
						}
						r.Header = agentphone.SignWebhook(nil, apitest.Secret, time.Now())
						change(r)
						res, err := transport.RoundTrip(r)
						if ctx.Err() != nil {
							return
						}
						letGo.Add(1)
						if err == nil { // over HTTP/1.1 the connection may break before the response was read
							assert.Contains(t, []int{401, 405, 503}, res.StatusCode)
							_ = res.Body.Close()
						}
					})
				}
				all.Wait()
				assert.EqualValues(t, senders, letGo.Load())
				assert.Eventually(t, func() bool { return h.running.Load() == 0 }, 5*time.Second, 10*time.Millisecond)
			})
		}
	}
}

// servePipes serves over connections in memory until the test ends, in a synctest bubble.
func servePipes(t *testing.T, srv *http.Server) pipes {
	t.Helper()
	network := pipes{make(chan net.Conn, 1)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(network) }()
	t.Cleanup(func() {
		require.NoError(t, srv.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return network
}

func TestWebhookHandler_BodyHasTenSecondsOrTheServersReadTimeout(t *testing.T) {
	for read, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 2 * time.Second: 2 * time.Second, time.Minute: 10 * time.Second} {
		t.Run(fmt.Sprint("ReadTimeout ", read), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := &http.Server{Handler: newHandler(t, agentphone.WebhookHandlerConfig{}), ReadTimeout: read}
				network := servePipes(t, srv)
				conn, err := network.dial(t.Context(), "", "")
				require.NoError(t, err)
				began := time.Now()
				var sender sync.WaitGroup
				sender.Go(func() {
					_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n")
					_ = agentphone.SignWebhook(nil, apitest.Secret, time.Now()).Write(conn)
					_, _ = io.WriteString(conn, "\r\n")
					for {
						if _, err := conn.Write([]byte("x")); err != nil {
							return
						}
						time.Sleep(300 * time.Millisecond)
					}
				})
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				assert.Equal(t, 503, res.StatusCode, "a genuine sender is to come again")
				assert.Equal(t, want, time.Since(began))
				require.NoError(t, conn.Close())
				sender.Wait()
			})
		})
	}
}

// Once net/http has the whole body it reads on, to see the sender hang up: a deadline that stayed, or was set after middleware had read
// the body, would end the context of the callback.
func TestWebhookHandler_ReadDeadlineEndsWithTheBody(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"": func(h http.Handler) http.Handler { return h },
		" behind middleware that reads the body": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				r.Body = io.NopCloser(bytes.NewReader(body))
				h.ServeHTTP(w, r)
			})
		},
	} {
		for _, read := range []time.Duration{0, 5 * time.Second, time.Minute} {
			t.Run(fmt.Sprint("HTTP/1.1 with ReadTimeout ", read, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHandler(t, agentphone.WebhookHandlerConfig{TurnTimeout: time.Hour, OnVoiceTurn: sleepyTurn(2 * time.Minute)})
					network := servePipes(t, &http.Server{Handler: wrap(h), ReadTimeout: read, IdleTimeout: time.Hour})
					transport := &http.Transport{DialContext: network.dial}
					defer transport.CloseIdleConnections()
					turnsOverOneConnection(t, transport, "http://pipe", 30*time.Minute)
				})
			})
		}
		t.Run("HTTP/2"+name, func(t *testing.T) {
			h := newHandler(t, agentphone.WebhookHandlerConfig{OnVoiceTurn: sleepyTurn(300 * time.Millisecond)})
			srv := serveHTTP(t, &hasty{Handler: wrap(h)})
			transport := &http.Transport{Protocols: protocols(false, true)}
			defer transport.CloseIdleConnections()
			turnsOverOneConnection(t, transport, srv.URL, 50*time.Millisecond)
		})
	}
}

// sleepyTurn answers with the error of its context after d.
func sleepyTurn(d time.Duration) func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error {
	return func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		time.Sleep(d)
		return v.Say(fmt.Sprint(ctx.Err()))
	}
}

// turnsOverOneConnection sends three voice turns with pauses, and requires that all are answered over the same connection.
func turnsOverOneConnection(t *testing.T, transport *http.Transport, url string, pause time.Duration) {
	t.Helper()
	for i := range 3 {
		var reused bool
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		res, err := transport.RoundTrip(signedTo(ctx, url, apitest.TurnEvent, fmt.Sprint("whd_", i)))
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.JSONEq(t, `{"text":"<nil>"}`, string(body))
		assert.Equal(t, i > 0, reused)
		time.Sleep(pause)
	}
}
