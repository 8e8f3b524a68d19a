package agentphonetest_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestServer_StartServesTheSameState(t *testing.T) {
	srv := newServer(t)
	url := srv.Start()
	assert.Equal(t, url, srv.Start())
	assert.Equal(t, url, srv.Start())
	over, err := agentphone.NewClient(srv.APIKey(), agentphone.WithBaseURL(url))
	require.NoError(t, err)
	call, err := over.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person})
	require.NoError(t, err)
	same, err := srv.Client().Calls.Get(t.Context(), call.ID)
	require.NoError(t, err)
	assert.Equal(t, person, same.ToNumber)
	resp, err := http.Get(url + "/v1/agents")
	require.NoError(t, err)
	assert.Equal(t, 401, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

func TestServer_ClosedOneRefusesConnections(t *testing.T) {
	srv := agentphonetest.NewServer()
	url := srv.Start()
	srv.Close()
	srv.Close()
	_, err := srv.Client(agentphone.WithMaxRetries(0)).Usage.Get(t.Context())
	var failed *net.OpError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "dial", failed.Op)
	_, err = http.Get(url) //nolint:bodyclose // there is none
	require.Error(t, err)
	assert.Panics(t, func() { srv.Start() })
}

func TestServer_CloseEndsRequestsThatWait(t *testing.T) {
	srv := agentphonetest.NewServer()
	srv.InjectFault(agentphonetest.Fault{Delay: 1 << 40, Times: 2})
	over, err := agentphone.NewClient(srv.APIKey(), agentphone.WithBaseURL(srv.Start()), agentphone.WithMaxRetries(0))
	require.NoError(t, err)
	var done sync.WaitGroup
	for _, client := range []*agentphone.Client{over, srv.Client(agentphone.WithMaxRetries(0))} {
		done.Go(func() {
			_, err := client.Usage.Get(context.Background())
			assert.Error(t, err)
		})
	}
	assert.Eventually(t, func() bool { return len(srv.Requests()) == 2 }, 5e9, 1e6)
	srv.Close()
	done.Wait()
}

func TestTransport_KeepsTheRulesOfRoundTripper(t *testing.T) {
	srv := newServer(t)
	body := &closed{Reader: strings.NewReader(`{}`)}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://example.com/v1/calls", body)
	require.NoError(t, err)
	header := req.Header.Clone()
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.True(t, body.closed, "the body is closed")
	assert.Equal(t, header, req.Header, "the request is not changed")
	assert.Empty(t, req.PathValue("agent_id"))
	assert.Same(t, req, resp.Request)
	assert.NotEmpty(t, resp.Header.Get("X-Request-Id"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = srv.Transport().RoundTrip(req.WithContext(ctx)) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, srv.Requests(), 1, "a request whose context is over is not sent")
}

// closed is a body that notes whether it was closed.
type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error { c.closed = true; return nil }
