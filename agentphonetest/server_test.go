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

func TestANewServerIsAsAfterSignUp(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()

	agents, err := client.Agents.List(ctx, agentphone.ListAgentsParams{})
	require.NoError(t, err)
	require.Len(t, agents.Data, 1)
	agent := agents.Data[0]
	assert.Equal(t, srv.AgentID(), agent.ID)
	assert.Equal(t, agentphone.VoiceModeHosted, agent.VoiceMode)
	assert.Equal(t, agentphone.DefaultVoice, agent.Voice)
	require.Len(t, agent.Numbers, 1)
	assert.Equal(t, srv.NumberID(), agent.Numbers[0].ID)
	assert.Equal(t, srv.PhoneNumber(), agent.Numbers[0].PhoneNumber)

	numbers, err := client.Numbers.List(ctx, agentphone.ListNumbersParams{})
	require.NoError(t, err)
	require.Len(t, numbers.Data, 1)
	assert.Equal(t, agentphone.CountryUS, numbers.Data[0].Country)
	_, err = agentphone.ParseE164(srv.PhoneNumber())
	require.NoError(t, err)

	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, agentphone.NumberLimits{Used: 1, Limit: 10, Remaining: 9}, usage.Numbers)
	assert.Equal(t, "payg", usage.Plan.Name)
}

func TestARequestWithoutTheRightKeyIs401(t *testing.T) {
	srv := newServer(t)
	for _, header := range []string{"", "Bearer", "Bearer sk_live_wrong", "Basic " + srv.APIKey()} {
		status, body := send(t, srv, "GET", "/v1/agents", "", "Authorization", header)
		assert.Equal(t, 401, status, header)
		assert.IsType(t, "", body["detail"])
	}
	_, err := clientFor(t, srv, "sk_live_other").Agents.List(t.Context(), agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrUnauthorized)
}

func TestTheKeyIsLookedAtBeforeTheInput(t *testing.T) {
	status, _ := send(t, newServer(t), "POST", "/v1/calls", `{`, "Authorization", "")
	assert.Equal(t, 401, status)
}

func TestWhatTheAPIDoesNotHaveIs404AndAnotherMethod405(t *testing.T) {
	srv := newServer(t)
	for _, path := range []string{"/", "/v1", "/v1/nothing", "/v1/agents/", "/v1//agents", "/v1/x/../agents", "/v1/agents/agt_none", "/v1/agents/a%2Fb"} {
		status, body := send(t, srv, "GET", path, "")
		assert.Equal(t, 404, status, path)
		assert.IsType(t, "", body["detail"], path)
	}
	for _, method := range []string{"PUT", "DELETE", "HEAD"} {
		req, err := http.NewRequestWithContext(t.Context(), method, agentphone.DefaultBaseURL+"/v1/agents", nil)
		require.NoError(t, err)
		resp, err := srv.Transport().RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 405, resp.StatusCode, method)
		require.NoError(t, resp.Body.Close())
	}
}

func TestAPortIsTheSameServer(t *testing.T) {
	srv := newServer(t)
	url := srv.Start()
	assert.Equal(t, url, srv.Start())
	assert.Equal(t, url, srv.Start())
	over, err := agentphone.NewClient(srv.APIKey(), agentphone.WithBaseURL(url))
	require.NoError(t, err)
	call, err := over.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: human})
	require.NoError(t, err)
	same, err := srv.Client().Calls.Get(t.Context(), call.ID)
	require.NoError(t, err)
	assert.Equal(t, human, same.ToNumber)
	resp, err := http.Get(url + "/v1/agents")
	require.NoError(t, err)
	assert.Equal(t, 401, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

func TestAClosedServerRefusesConnections(t *testing.T) {
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

func TestCloseEndsWhatWaits(t *testing.T) {
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

func TestABadClientOptionPanics(t *testing.T) {
	srv := newServer(t)
	assert.PanicsWithValue(t, "agentphonetest: Client: agentphone: base URL: is not an absolute URL such as "+agentphone.DefaultBaseURL,
		func() { srv.Client(agentphone.WithBaseURL("x")) })
}

func TestClientOptionsComeLast(t *testing.T) {
	srv, other := newServer(t), newServer(t)
	placeCall(t, other, human)
	client := srv.Client(agentphone.WithHTTPClient(&http.Client{Transport: other.Transport()}))
	calls, err := client.Calls.List(t.Context(), agentphone.ListCallsParams{})
	require.NoError(t, err)
	assert.Len(t, calls.Data, 1)
}

func TestRequestsAreRecordedWithoutTheKey(t *testing.T) {
	srv := newServer(t)
	call := placeCall(t, srv, human)
	_, err := srv.Client().Calls.List(t.Context(), agentphone.ListCallsParams{Limit: 3})
	require.NoError(t, err)
	_, err = srv.Client(agentphone.WithMaxRetries(0)).Calls.Get(t.Context(), "call_none")
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	send(t, srv, "GET", "/nothing", "")

	requests := srv.Requests()
	require.Len(t, requests, 4)
	assert.Equal(t, "POST /v1/calls", requests[0].Operation)
	assert.Contains(t, string(requests[0].Body), human)
	assert.Equal(t, 200, requests[0].Status)
	assert.Equal(t, "3", requests[1].Query.Get("limit"))
	assert.Equal(t, "GET /v1/calls/{call_id}", requests[2].Operation)
	assert.Equal(t, "/v1/calls/call_none", requests[2].Path)
	assert.Equal(t, 404, requests[2].Status)
	assert.Empty(t, requests[3].Operation)
	for _, r := range requests {
		assert.Equal(t, "REDACTED", r.Header.Get("Authorization"))
	}
	requests[0].Header.Set("X", "changed")
	requests[0].Body[0] = 'x'
	assert.Empty(t, srv.Requests()[0].Header.Get("X"))
	assert.Equal(t, byte('{'), srv.Requests()[0].Body[0])
	assert.Equal(t, call.ID, srv.Calls()[0].ID)
}

func TestTheTransportKeepsTheRulesOfRoundTripper(t *testing.T) {
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

type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error { c.closed = true; return nil }

func TestManyGoroutinesMayUseOneServer(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				_, err := client.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: human, Body: "hi"})
				assert.NoError(t, err)
				_, err = client.Conversations.List(t.Context(), agentphone.ListConversationsParams{})
				assert.NoError(t, err)
				srv.Messages()
				srv.Requests()
			}
		})
	}
	all.Wait()
	assert.Len(t, srv.Messages(), 160)
}

func TestTheStarterIDsOutliveWhatTheyName(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	agent, number, phone := srv.AgentID(), srv.NumberID(), srv.PhoneNumber()
	c := srv.Client()
	_, err := c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "another"})
	require.NoError(t, err)
	_, err = c.Agents.Delete(t.Context(), agent)
	require.NoError(t, err)
	_, err = c.Numbers.Release(t.Context(), number)
	require.NoError(t, err)
	assert.Equal(t, agent, srv.AgentID())
	assert.Equal(t, number, srv.NumberID())
	assert.Equal(t, phone, srv.PhoneNumber())
}
