package inmemory_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/inmemory"
)

func newRequest(t *testing.T, ctx context.Context, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", "https://example.com/a%2Fb?c=d", strings.NewReader(body))
	require.NoError(t, err)
	return req
}

func TestRoundTrip_HandlerSeesAServersRequest(t *testing.T) {
	req := newRequest(t, t.Context(), "question")
	resp, err := inmemory.RoundTrip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "question", string(body))
		assert.Equal(t, "example.com", r.Host)
		assert.Equal(t, "/a%2Fb?c=d", r.RequestURI)
		assert.Equal(t, "/a%2Fb?c=d", r.URL.String())
		assert.NotEmpty(t, r.RemoteAddr)
		w.Header().Set("X-Before", "1")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-After", "1")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "reply")
	}), req)
	require.NoError(t, err)
	assert.Equal(t, "418 I'm a teapot", resp.Status)
	assert.Equal(t, "1", resp.Header.Get("X-Before"))
	assert.Empty(t, resp.Header.Get("X-After"), "the head was written before")
	assert.Same(t, req, resp.Request)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "reply", string(body))
	require.NoError(t, resp.Body.Close())
}

func TestRoundTrip_HandlerThatWritesNothingSends200(t *testing.T) {
	resp, err := inmemory.RoundTrip(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), newRequest(t, t.Context(), ""))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, body)
}

func TestRoundTrip_BodyIsReadWhileItIsWritten(t *testing.T) {
	more := make(chan struct{})
	resp, err := inmemory.RoundTrip(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, "two")
	}), newRequest(t, t.Context(), ""))
	require.NoError(t, err)
	first := make([]byte, 3)
	_, err = io.ReadFull(resp.Body, first)
	require.NoError(t, err)
	assert.Equal(t, "one", string(first))
	close(more)
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "two", string(rest))
}

func TestRoundTrip_HandlerThatDoesNotReturnBreaksTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		stop func()
		want string
	}{
		"panic":  {func() { panic("boom") }, "the handler panicked: boom"},
		"abort":  {func() { panic(http.ErrAbortHandler) }, io.ErrUnexpectedEOF.Error()},
		"goexit": {runtime.Goexit, io.ErrUnexpectedEOF.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inmemory.RoundTrip(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "lost")
				c.stop()
			}), newRequest(t, t.Context(), ""))
			require.EqualError(t, err, c.want, "before the first flush there is no response")

			resp, err := inmemory.RoundTrip(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "part")
				_ = http.NewResponseController(w).Flush()
				c.stop()
			}), newRequest(t, t.Context(), ""))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.EqualError(t, err, c.want)
			assert.Equal(t, "part", string(body))
		})
	}
}

func TestRoundTrip_EndsWithTheRequestsContext(t *testing.T) {
	hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("c") {
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})
	synctest.Test(t, func(t *testing.T) { // which also waits for the handler
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := inmemory.RoundTrip(hang, newRequest(t, ctx, ""))
		require.NoError(t, err)
		cancel()
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, context.Canceled)

		_, err = inmemory.RoundTrip(hang, newRequest(t, ctx, ""))
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestRoundTrip_ClosingTheBodyCancelsTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := make(chan error, 1)
		resp, err := inmemory.RoundTrip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			canceled <- r.Context().Err()
		}), newRequest(t, t.Context(), ""))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.ErrorIs(t, <-canceled, context.Canceled)
	})
}

type brokenBody struct{ closed bool }

var errBroken = errors.New("broken")

func (*brokenBody) Read([]byte) (int, error) { return 0, errBroken }
func (b *brokenBody) Close() error           { b.closed = true; return nil }

func TestRoundTrip_BodyThatCannotBeReadIsAnError(t *testing.T) {
	req, body := newRequest(t, t.Context(), ""), &brokenBody{}
	req.Body = body
	_, err := inmemory.RoundTrip(http.NotFoundHandler(), req)
	require.ErrorIs(t, err, errBroken)
	assert.True(t, body.closed)
}
