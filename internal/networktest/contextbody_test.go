package networktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// bodyOperations are one of each way to read a body.
var bodyOperations = []struct {
	name, contentType, begin string
	notIdempotent            bool
	call                     func(context.Context, *agentphone.Client) error
}{
	{"recording", "audio/wav", "RIFF", false, func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Calls.DownloadRecording(ctx, "call_1", io.Discard)
		return err
	}},
	{"transcript stream", "text/event-stream", "event: connected\ndata: {}\n\n", false, func(ctx context.Context, c *agentphone.Client) (last error) {
		for _, err := range c.Calls.StreamTranscript(ctx, "call_1") {
			last = err
		}
		return last
	}},
	{"idempotent", "application/json", `{"data":[`, false, func(ctx context.Context, c *agentphone.Client) error { return listAgents(ctx, c) }},
	{"not idempotent", "application/json", `{"id":"`, true, func(ctx context.Context, c *agentphone.Client) error { return apitest.CreateCall(ctx, c) }},
}

// deadlineAtWill is a context whose deadline comes when done is closed, however busy the machine is.
type deadlineAtWill struct {
	context.Context
	done chan struct{}
}

func (c deadlineAtWill) Done() <-chan struct{} { return c.done }

func (c deadlineAtWill) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// A body is cut by the end of its context, whatever the connection makes of that.
func TestContext_ThatEndsWithinABodyIsTheError(t *testing.T) {
	t.Parallel()
	custom := errors.New("the user went away")
	ends := []struct {
		name string
		want error
		ctx  func() (ctx context.Context, end func())
	}{
		{"canceled", context.Canceled, func() (context.Context, func()) { return context.WithCancel(context.Background()) }},
		{"deadline", context.DeadlineExceeded, func() (context.Context, func()) {
			ctx := deadlineAtWill{context.Background(), make(chan struct{})}
			return ctx, func() { close(ctx.done) }
		}},
		{"canceled with a cause", context.Canceled, func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(context.Background())
			return ctx, func() { cancel(custom) }
		}},
	}
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for _, framing := range []string{"chunked", "Content-Length", "close"} {
			for _, flowing := range []bool{false, true} {
				for _, op := range bodyOperations {
					for _, end := range ends {
						if protocol == "HTTP/2.0" && framing == "close" {
							continue // there is no such thing
						}
						t.Run(fmt.Sprintf("%s, %s, flowing %t, %s, %s", protocol, framing, flowing, op.name, end.name), func(t *testing.T) {
							t.Parallel()
							began := make(chan struct{}, 100)
							srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
								_, _ = io.Copy(io.Discard, r.Body)
								assert.Equal(t, protocol, r.Proto)
								out := io.Writer(w)
								flush, hang := http.NewResponseController(w).Flush, func() { <-r.Context().Done() }
								w.Header().Set("Content-Type", op.contentType)
								switch framing {
								case "Content-Length":
									w.Header().Set("Content-Length", "100000000")
								case "close":
									conn, _, err := http.NewResponseController(w).Hijack()
									if !assert.NoError(t, err) {
										return
									}
									defer func() { _ = conn.Close() }()
									_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", op.contentType)
									out, flush, hang = conn, func() error { return nil }, func() { _, _ = conn.Read(make([]byte, 1)) }
								}
								_, err := io.WriteString(out, op.begin)
								for i := 0; err == nil && i < 3000; i++ { // the client goes before that
									if i == 20 || !flowing {
										began <- struct{}{}
									}
									_ = flush()
									if !flowing {
										hang()
										return
									}
									time.Sleep(100 * time.Microsecond)
									_, err = io.WriteString(out, ":      \n")
								}
							}))
							srv.EnableHTTP2 = true
							srv.StartTLS()
							defer srv.Close()
							transport := srv.Client().Transport.(*http.Transport).Clone()
							transport.ForceAttemptHTTP2 = protocol == "HTTP/2.0"
							if protocol == "HTTP/1.1" {
								transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
							}
							defer transport.CloseIdleConnections()
							c := newClient(t, srv.URL, agentphone.WithHTTPClient(&http.Client{Transport: transport}), agentphone.WithMaxRetries(0))
							ctx, cancel := end.ctx()
							go func() { <-began; cancel() }()
							err := op.call(ctx, c)
							require.ErrorIs(t, err, end.want)
							for _, other := range ends {
								if other.want != end.want {
									assert.NotErrorIs(t, err, other.want)
								}
							}
							assert.Equal(t, op.notIdempotent, errors.Is(err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", err)
							assert.Contains(t, err.Error(), end.want.Error())
						})
					}
				}
			}
		}
	}
}

// A server that sees the connection close may end the body well, so that it looks whole.
func TestContext_ThatEndsABodyEarlyIsTheError(t *testing.T) {
	for _, op := range bodyOperations {
		for _, byTimeout := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by the timeout %t", op.name, byTimeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
						if r.Body != nil {
							_, _ = io.Copy(io.Discard, r.Body)
						}
						pr, pw := io.Pipe()
						go func() {
							_, _ = io.WriteString(pw, op.begin)
							<-r.Context().Done()
							_ = pw.Close()
						}()
						response := apitest.Response(200, "", "Content-Type", op.contentType)
						response.Body = pr
						return response, nil
					}), agentphone.WithMaxRetries(0), agentphone.WithTimeout(time.Minute))
					want := context.DeadlineExceeded
					if !byTimeout || op.name == "transcript stream" { // which is reconnected after it was silent
						time.AfterFunc(time.Second, cancel)
						want = context.Canceled
					}
					err := op.call(ctx, c)
					require.ErrorIs(t, err, want)
					assert.Equal(t, op.notIdempotent, errors.Is(err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", err)
				})
			})
		}
	}
}
