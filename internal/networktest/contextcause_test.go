package networktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// errgroup.WithContext does exactly this: cancel(cause) with the error of a sibling.
func inFlightCanceledWith(t *testing.T, cause error, call func(context.Context, *agentphone.Client) error) error {
	return inFlightCanceled(t, cause, func(ctx context.Context) context.Context { return ctx }, call)
}

func inFlightCanceled(t *testing.T, cause error, makeContext func(context.Context) context.Context, call func(context.Context, *agentphone.Client) error) error {
	arrived := make(chan struct{}, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer srv.Close()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	c := apitest.NewClientOver(t, tr, apitest.NoWait, agentphone.WithBaseURL(srv.URL))
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-arrived; time.Sleep(20 * time.Millisecond); cancel(cause) }()
	return call(makeContext(ctx), c)
}

func siblingError(t *testing.T, status int, header ...string) error {
	c, _ := apitest.NewClient(t, apitest.Always(status, `{}`, header...), apitest.NoWait, agentphone.WithMaxRetries(0))
	return apitest.CreateCall(t.Context(), c)
}

func TestContextCause_TemporaryErrorOfASiblingIsNotOurs(t *testing.T) {
	sibling := siblingError(t, 429)
	err := inFlightCanceledWith(t, sibling, apitest.CreateCall)
	if !errors.Is(err, agentphone.ErrOutcomeUnknown) {
		t.Errorf("the phone may ring, but the error is not ErrOutcomeUnknown: %v", err)
	}
	if errors.Is(err, agentphone.ErrTemporary) {
		t.Error("ErrTemporary (nothing happened) although the request was delivered")
	}
	if errors.Is(err, agentphone.ErrRateLimited) {
		t.Error("is ErrRateLimited of another call")
	}
	var a *agentphone.APIError
	if errors.As(err, &a) {
		t.Errorf("is another call's APIError: %v", a)
	}
}

// A sibling (any HTTP client) whose HTTP/2 stream was refused.
func TestContextCause_RefusedStreamOfASiblingIsNoEvidence(t *testing.T) {
	sibling := errors.New("http2: Transport: cannot retry err [stream error: stream ID 1; REFUSED_STREAM; received from peer] after Request.Body was written; define Request.GetBody to avoid this error")
	err := inFlightCanceledWith(t, sibling, apitest.CreateCall)
	if !errors.Is(err, agentphone.ErrOutcomeUnknown) || errors.Is(err, agentphone.ErrTemporary) {
		t.Errorf("unknown %t, temporary %t: %v", errors.Is(err, agentphone.ErrOutcomeUnknown), errors.Is(err, agentphone.ErrTemporary), err)
	}
}

// A sibling's 2xx that was cut makes a DecodeError, "the request took effect", of a call that was never sent.
func TestContextCause_CutResponseOfASiblingIsNotOurs(t *testing.T) {
	cutSrv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Header().Set("X-Request-Id", "sibling")
		_, _ = io.WriteString(w, `{"id":`)
	}))
	defer cutSrv.Close()
	c0 := apitest.NewClientOver(t, &http.Transport{DisableKeepAlives: true}, apitest.NoWait, agentphone.WithBaseURL(cutSrv.URL), agentphone.WithMaxRetries(0))
	sibling := apitest.GetAgent(t.Context(), c0)

	ctx, cancel := context.WithCancelCause(t.Context())
	tr := hangingDials(func() { cancel(sibling) })
	c := apitest.NewClientOver(t, tr, apitest.NoWait, agentphone.WithBaseURL("http://127.0.0.1:1"))
	var r agentphone.Response
	_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999"}, agentphone.WithResponse(&r))
	var d *agentphone.DecodeError
	if errors.As(err, &d) {
		t.Errorf("nothing was sent, but: %v", err)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("not context.Canceled: %v", err)
	}
	if r.Status != 0 {
		t.Errorf("WithResponse: status %d of another call", r.Status)
	}
}

// A sibling whose outcome is unknown must not make that of a call that was not sent unknown.
func TestContextCause_UnknownOutcomeOfASiblingIsNotOurs(t *testing.T) {
	sibling := siblingError(t, 500)
	ctx, cancel := context.WithCancelCause(t.Context())
	tr := hangingDials(func() { cancel(sibling) })
	c := apitest.NewClientOver(t, tr, apitest.NoWait, agentphone.WithBaseURL("http://127.0.0.1:1"))
	err := apitest.CreateCall(ctx, c)
	if errors.Is(err, agentphone.ErrOutcomeUnknown) {
		t.Errorf("nothing was sent, but the outcome is said to be unknown: %v", err)
	}
	if errors.Is(err, agentphone.ErrTemporary) && errors.Is(err, agentphone.ErrOutcomeUnknown) {
		t.Error("both ErrTemporary and ErrOutcomeUnknown")
	}
	if strings.Contains(err.Error(), "may have taken effect") {
		t.Errorf("text of the sibling: %v", err)
	}
}

// ... also in a transcript stream, where the sibling's 404 ends it, and in the text: a typed 404 for a live agent.
func TestContextCause_StatusOfASiblingIsNotOurs(t *testing.T) {
	sibling := siblingError(t, 404)
	err := inFlightCanceledWith(t, sibling, apitest.GetAgent)
	if errors.Is(err, agentphone.ErrNotFound) {
		t.Errorf("ErrNotFound of another call: %v", err)
	}
}

// causeContext breaks the contract of context.Context: its Err is the cause of its end. opaque hides what is known of
// the context that it is made of, as one that a program makes from nothing does.
type causeContext struct {
	context.Context
	opaque bool
}

func (c causeContext) Err() error { return context.Cause(c.Context) }

func (c causeContext) Value(key any) any {
	if c.opaque {
		return nil
	}
	return c.Context.Value(key)
}

func TestContextCause_ErrOfTheContextIsNotOurs(t *testing.T) {
	for name, sibling := range map[string]error{
		"429":            siblingError(t, 429),
		"404":            siblingError(t, 404),
		"dial":           &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"refused stream": errors.New("http2: Transport: cannot retry err [stream error: stream ID 3; REFUSED_STREAM; received from peer] after Request.Body was written; define Request.GetBody to avoid this error"),
		"deadline":       fmt.Errorf("the job: %w", context.DeadlineExceeded),
	} {
		for _, opaque := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, opaque %t", name, opaque), func(t *testing.T) {
				makeContext := func(ctx context.Context) context.Context { return causeContext{ctx, opaque} }
				err := inFlightCanceled(t, sibling, makeContext, apitest.CreateCall)
				require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				require.NotErrorIs(t, err, agentphone.ErrTemporary)
				assert.NotErrorIs(t, err, agentphone.ErrRateLimited)
				assert.NotErrorIs(t, err, agentphone.ErrNotFound)
				assert.True(t, errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded), "%v", err)

				err = inFlightCanceled(t, sibling, makeContext, apitest.GetAgent)
				require.NotErrorIs(t, err, agentphone.ErrTemporary)
				assert.NotErrorIs(t, err, agentphone.ErrNotFound)
			})
		}
	}

	// Before anything is sent, and in a wait.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(siblingError(t, 404))
	c, s := apitest.NewClient(t, apitest.Always(500, `{}`))
	for _, opaque := range []bool{false, true} {
		err := apitest.GetAgent(causeContext{ctx, opaque}, c)
		require.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, agentphone.ErrNotFound)
		assert.Empty(t, s.Requests())
	}
	waiting, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(siblingError(t, 404)) })
	c, _ = apitest.NewClient(t, apitest.Always(500, `{}`), agentphone.WithRetryWait(time.Hour, time.Hour))
	err := apitest.GetAgent(causeContext{waiting, false}, c)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, agentphone.ErrNotFound)
}

// ... nor what a context returns that a hook has made.
func TestContextCause_ErrOfAHooksContextIsNotOurs(t *testing.T) {
	refused := errors.New("http2: Transport: cannot retry err [stream error: stream ID 3; REFUSED_STREAM; received from peer] after Request.Body was written; define Request.GetBody to avoid this error")
	for name, sibling := range map[string]error{
		"429":            siblingError(t, 429),
		"500":            siblingError(t, 500),
		"dial":           &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"refused stream": refused,
	} {
		for _, opaque := range []bool{false, true} {
			for _, hook := range []string{"Operation", "Attempt"} {
				t.Run(fmt.Sprintf("%s, opaque %t, %s", name, opaque, hook), func(t *testing.T) {
					arrived := make(chan struct{}, 10)
					makeContext := func(ctx context.Context) context.Context {
						ctx, cancel := context.WithCancelCause(ctx)
						go func() { <-arrived; cancel(sibling) }()
						return causeContext{ctx, opaque}
					}
					var hooks agentphone.Hooks
					if hook == "Operation" {
						hooks.Operation = func(ctx context.Context, _ agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
							return makeContext(ctx), nil
						}
					} else {
						hooks.Attempt = func(ctx context.Context, _ agentphone.AttemptInfo) (context.Context, func(agentphone.AttemptResult)) {
							return makeContext(ctx), nil
						}
					}
					s := newHTTP1Server(t, func(_ net.Conn, r *request) bool {
						arrived <- struct{}{}
						time.Sleep(300 * time.Millisecond)
						return false
					})
					err := apitest.CreateCall(t.Context(), s.client(t, agentphone.WithHooks(hooks)))
					assert.Equal(t, 1, s.closeAndCount(), "deliveries")
					require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
					require.NotErrorIs(t, err, agentphone.ErrTemporary)
					assert.NotErrorIs(t, err, agentphone.ErrRateLimited)
				})
			}
		}
	}
}

// A store, a limiter and a source of keys are asked with the context of the Operation hook.
func TestContextCause_ErrOfAHooksContextIsNotThatOfAStore(t *testing.T) {
	sibling := siblingError(t, 500)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(sibling)
	returnErr := func(ctx context.Context) error { return ctx.Err() }
	for name, opts := range map[string][]agentphone.Option{
		"limiter":    {agentphone.WithRateLimiter(limiterFunc(returnErr))},
		"key source": {agentphone.WithKeySource(func(ctx context.Context) (string, error) { return "", returnErr(ctx) })},
	} {
		for _, call := range operationsOfEachKind() {
			c, s := apitest.NewClient(t, apitest.Always(200, `{}`), append(opts, agentphone.WithHooks(agentphone.Hooks{
				Operation: func(context.Context, agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
					return causeContext{ended, true}, nil
				},
			}))...)
			err := call(t.Context(), c)
			require.ErrorIs(t, err, context.Canceled, name)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown, name)
			assert.NotErrorIs(t, err, agentphone.ErrServer, name)
			assert.Empty(t, s.Requests())
		}
	}
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }
