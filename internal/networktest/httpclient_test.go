package networktest

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestWithHTTPClient_ClientIsNotChanged(t *testing.T) {
	t.Parallel()
	app := newHTTP1Server(t, respondOK)
	hc := newHTTPClient(t, nil)
	hc.Timeout = 10 * time.Second
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return assert.AnError }
	before := *hc
	appGet := func(t *testing.T) {
		resp, err := hc.Get(app.url + "/app")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	appGet(t)
	for name, respond := range map[string]responder{
		"gives up":         respondWith(429, ""),
		"server error":     respondWith(500, ""),
		"not found":        respondWith(404, ""),
		"redirect":         respondWith(302, "", "Location: /v1/agents"),
		"reset":            resetConn,
		"cut":              writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
		"timeout":          writeAndHang(""),
		"long Retry-After": respondWith(429, "", "Retry-After: 86400"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newHTTP1Server(t, respond)
			client := s.client(t, agentphone.WithHTTPClient(hc), agentphone.WithTimeout(50*time.Millisecond))
			assert.Error(t, listAgents(context.Background(), client))
			assert.Error(t, sendMessage("hello")(context.Background(), client))
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(2*time.Millisecond, cancel) // during an attempt, or between two
			assert.Error(t, listAgents(ctx, client))
			appGet(t)
			assert.Equal(t, 1, app.connections(), "the user's idle connection is closed")
		})
	}
	assert.Same(t, before.Transport, hc.Transport)
	assert.Equal(t, before.Timeout, hc.Timeout)
	assert.Equal(t, before.Jar, hc.Jar)
	assert.Equal(t, reflect.ValueOf(before.CheckRedirect).Pointer(), reflect.ValueOf(hc.CheckRedirect).Pointer())
}

// The user's http.Client may have a shorter timeout than the SDK's.
func TestWithHTTPClient_TimeoutLimitsEachAttempt(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := newHTTP1Server(t, inTurn(writeAndHang(""), respondOK))
	client := s.client(t, agentphone.WithHTTPClient(&http.Client{Timeout: 250 * time.Millisecond}))
	require.NoError(t, listAgents(context.Background(), client), "the second attempt has a timeout of its own")

	s = newHTTP1Server(t, writeAndHang(""))
	client = s.client(t, agentphone.WithHTTPClient(&http.Client{Timeout: 250 * time.Millisecond}))
	err := sendMessage("hello")(context.Background(), client)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.Equal(t, 1, s.closeAndCount())
	assert.Less(t, time.Since(began), promptly)
}
