package networktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// operationsOfEachKind are one that is idempotent, one that is not, the same with an idempotency key, and a stream.
func operationsOfEachKind() map[string]func(context.Context, *agentphone.Client) error {
	return map[string]func(context.Context, *agentphone.Client) error{
		"GET":  apitest.GetAgent,
		"POST": apitest.CreateCall,
		"DELETE": func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Numbers.Release(ctx, "num_1"))
		},
		"keyed": func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agent_1", ToNumber: "+14155550123"}, agentphone.WithIdempotencyKey("k"))
			return err
		},
		"recording": func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.DownloadRecording(ctx, "call_1", io.Discard))
		},
	}
}

// assertNoPrinterShows fails if anything that prints, encodes or takes apart an error, or one that it wraps, shows a text.
func assertNoPrinterShows(t *testing.T, err error, text string) {
	t.Helper()
	assert.Empty(t, apitest.Reachable(err, text), "%v", err)
	encoded, _ := json.Marshal(err)
	assert.NotContains(t, string(encoded), text)
	wrapped := []error{err}
	for len(wrapped) > 0 {
		err, wrapped = wrapped[0], wrapped[1:]
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%d"} {
			assert.NotContains(t, fmt.Sprintf(verb, err), text, "%T, %s", err, verb)
		}
		var failed *agentphone.TransportError
		var undecodable *agentphone.DecodeError
		if inner := errors.Unwrap(err); inner != nil {
			wrapped = append(wrapped, inner)
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			wrapped = append(wrapped, many.Unwrap()...)
		}
		if errors.As(err, &failed) {
			assert.NotContains(t, fmt.Sprintf("%#v %#v", failed.Err, failed.Last), text)
		}
		if errors.As(err, &undecodable) {
			assert.NotContains(t, fmt.Sprintf("%#v", undecodable.Err), text)
		}
	}
}

// testify's diffs are made by go-spew, which calls no methods and looks into everything: into the log of a CI.
func TestErrors_HoldNoKeyHoweverDeepAPrinterLooks(t *testing.T) {
	t.Parallel()
	type server struct {
		name    string
		respond responder
		hangs   bool
	}
	servers := []server{{name: "429", respond: respondWith(429, "", "Retry-After: 30")}}
	for _, f := range lostResponses {
		servers = append(servers, server{f.name, f.respond, f.hangs})
	}
	for _, r := range completeResponses {
		servers = append(servers, server{r.name, r.respond, false})
	}
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup
			for name, call := range operationsOfEachKind() {
				all.Go(func() {
					server := newHTTP1Server(t, s.respond)
					c := server.client(t, (&failure[responder]{hangs: s.hangs}).timeout(), agentphone.WithMaxRetries(1))
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					if err := call(ctx, c); err != nil {
						assertNoPrinterShows(t, err, apiKey)
					} else {
						assert.NotEqual(t, "GET", name, "it fails")
					}
				})
			}
			all.Wait()
		})
	}
}

// fieldError is an error of a RoundTripper whose text is harmless, and what it holds is not.
type fieldError struct {
	Header  http.Header
	timeout bool
}

func (e fieldError) Error() string   { return "the gateway is gone" }
func (e fieldError) Timeout() bool   { return e.timeout }
func (e fieldError) Temporary() bool { return false }

type failingBody struct{ err error }

func (b failingBody) Read([]byte) (int, error) { return 0, b.err }
func (b failingBody) Close() error             { return nil }

// Whatever an error of a RoundTripper, of a body or of a dial holds, only its text is shown; errors.Is and errors.As find
// the rest.
func TestErrors_ShowOfOthersErrorsTheTextOnly(t *testing.T) {
	for name, wrap := range map[string]func(error) error{
		"bare":             func(err error) error { return err },
		"wrapped":          func(err error) error { return fmt.Errorf("send: %w", err) },
		"in a net.OpError": func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} },
		"joined":           func(err error) error { return errors.Join(io.ErrUnexpectedEOF, err) },
	} {
		t.Run(name, func(t *testing.T) {
			for where, roundTrip := range map[string]func(*http.Request) (*http.Response, error){
				"round trip": func(r *http.Request) (*http.Response, error) {
					return nil, wrap(fieldError{r.Header, true})
				},
				"body": func(r *http.Request) (*http.Response, error) {
					res := apitest.Response(200, "", "Content-Type", r.Header.Get("Accept"))
					res.Body = failingBody{wrap(&fieldError{r.Header, true})}
					return res, nil
				},
			} {
				c := apitest.NewClientOver(t, apitest.RoundTripFunc(roundTrip), apitest.NoWait, agentphone.WithMaxRetries(1))
				for kind, call := range operationsOfEachKind() {
					err := call(t.Context(), c)
					if !assert.Error(t, err, "%s, %s", where, kind) {
						continue
					}
					assert.ErrorContains(t, err, "the gateway is gone")
					assertNoPrinterShows(t, err, apitest.Key)
					if kind == "keyed" {
						continue // it is pending, whatever the look for its effect found
					}
					var byValue fieldError
					var byPointer *fieldError
					assert.True(t, errors.As(err, &byValue) || errors.As(err, &byPointer), "%s, %s: %v", where, kind, err)
				}
			}
		})
	}
}
