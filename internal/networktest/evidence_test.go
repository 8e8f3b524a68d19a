package networktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func lookUp(ctx context.Context, c *agentphone.Client) error {
	return apitest.Err(c.Numbers.Lookup(ctx, agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550123"}}))
}

// A plain *http.Transport that carries http by a registered protocol, which sends the GET on a connection of its own, gets no response, and cannot
// dial another one (as net/http's own would for a GET: nothing there is a retry of a POST).
func TestRetryEvidence_RegisteredProtocolIsDeliveredOnce(t *testing.T) {
	var acted atomic.Int32
	tr := &http.Transport{}
	tr.RegisterProtocol("http", apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		acted.Add(1)
		return nil, fmt.Errorf("reconnecting after EOF: %w", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")})
	}))
	c := apitest.NewClientOver(t, tr, apitest.NoWait, agentphone.WithBaseURL("http://127.0.0.1:1"))
	err := lookUp(t.Context(), c)
	if acted.Load() > 1 {
		t.Errorf("looked up (billed) %d times", acted.Load())
	}
	if errors.Is(err, agentphone.ErrTemporary) {
		t.Errorf("ErrTemporary: %v", err)
	}
}

// The RoundTripper returns a dial error, and reads and sends the body a moment later (hedging, a queue, "in a separate goroutine even after RoundTrip returns").
func TestRetryEvidence_BodyReadAfterTheErrorIsDeliveredOnce(t *testing.T) {
	var acted atomic.Int32
	n := 0
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		if n++; n > 1 {
			_, _ = io.Copy(io.Discard, r.Body)
			acted.Add(1)
			return apitest.Response(200, `{"id":"call_1"}`), nil
		}
		go func() {
			time.Sleep(5 * time.Millisecond)
			if b, err := io.ReadAll(r.Body); err == nil && len(b) > 0 {
				acted.Add(1)
			}
			_ = r.Body.Close()
		}()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	}), apitest.NoWait)
	err := apitest.CreateCall(t.Context(), c)
	time.Sleep(50 * time.Millisecond)
	if acted.Load() > 1 {
		t.Errorf("rang %d times, %v", acted.Load(), err)
	}
}

// "certainly had no effect", although an earlier attempt of the same call acted.
func TestErrTemporary_NotAfterAnAttemptThatMayHaveActed(t *testing.T) {
	for name, second := range map[string]func() (*http.Response, error){
		"429": func() (*http.Response, error) { return apitest.Response(429, "{}"), nil },
		"503": func() (*http.Response, error) { return apitest.Response(503, "{}", "Retry-After", "0"), nil },
		"dial": func() (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
		},
	} {
		n := 0
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return nil, io.ErrUnexpectedEOF // it was released
			}
			return second()
		}), apitest.NoWait)
		err := apitest.Err(c.Numbers.Release(t.Context(), "num_1"))
		if errors.Is(err, agentphone.ErrTemporary) {
			t.Errorf("%s: released, but %v is ErrTemporary: nothing happened", name, err)
		}
	}
}

func TestErrors_URLErrorWithoutACause(t *testing.T) {
	own := apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, &url.Error{Op: "Get", URL: "http://x"} })
	registered := &http.Transport{}
	registered.RegisterProtocol("http", own)
	for name, rt := range map[string]http.RoundTripper{"own": own, "registered": registered} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			c := apitest.NewClientOver(t, rt, apitest.NoWait, agentphone.WithBaseURL("http://127.0.0.1:1"))
			err := apitest.GetAgent(t.Context(), c)
			var te *agentphone.TransportError
			if errors.As(err, &te) && te.Err == nil {
				t.Errorf("TransportError without a cause: %v", err)
			}
		})
	}
}
