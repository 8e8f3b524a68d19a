package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// httpmock has three ways to get between a client and the network, and users activate it
// before or after they make the client.
func TestHTTPMock_WorksInEachWayBeforeAndAfterNewClient(t *testing.T) {
	const url = "https://api.agentphone.to/v1/agents/agt_1"
	respond := func(register func(method, url string, r httpmock.Responder)) {
		register("GET", url, httpmock.NewStringResponder(200, `{"id":"agt_1","name":"mocked"}`))
	}
	newClient := func(t *testing.T, hc *http.Client) *agentphone.Client {
		var opts []agentphone.Option
		if hc != nil {
			opts = append(opts, agentphone.WithHTTPClient(hc))
		}
		c, err := agentphone.NewClient(apitest.Key, opts...)
		require.NoError(t, err)
		return c
	}
	mocked := func(t *testing.T, c *agentphone.Client) {
		agent, err := c.Agents.Get(t.Context(), "agt_1")
		require.NoError(t, err)
		assert.Equal(t, "mocked", agent.Name)
	}

	for _, before := range []bool{true, false} {
		name := map[bool]string{true: "before", false: "after"}[before]
		for clientName, hc := range map[string]func() *http.Client{
			"no http.Client":     func() *http.Client { return nil },
			"an empty one":       func() *http.Client { return &http.Client{} },
			"http.DefaultClient": func() *http.Client { return http.DefaultClient },
		} {
			t.Run("Activate "+name+" with "+clientName, func(t *testing.T) {
				var c *agentphone.Client
				if !before {
					c = newClient(t, hc())
				}
				httpmock.Activate(t)
				respond(httpmock.RegisterResponder)
				if before {
					c = newClient(t, hc())
				}
				mocked(t, c)
				assert.Equal(t, 1, httpmock.GetTotalCallCount())
			})
		}
		for clientName, hc := range map[string]*http.Client{
			"an own http.Client": {}, "one with a transport": {Transport: &http.Transport{}}, "http.DefaultClient": nil,
		} {
			t.Run("ActivateNonDefault "+name+" with "+clientName, func(t *testing.T) {
				activated := hc
				if activated == nil {
					activated = http.DefaultClient
				}
				defer func(old http.RoundTripper) { activated.Transport = old }(activated.Transport)
				var c *agentphone.Client
				if !before {
					c = newClient(t, hc)
				}
				httpmock.ActivateNonDefault(activated)
				defer httpmock.DeactivateAndReset()
				respond(httpmock.RegisterResponder)
				if before {
					c = newClient(t, hc)
				}
				mocked(t, c)
			})
		}
		t.Run("NewMockTransport set "+name, func(t *testing.T) {
			hc, mock := &http.Client{}, httpmock.NewMockTransport()
			respond(mock.RegisterResponder)
			if before {
				hc.Transport = mock
			}
			c := newClient(t, hc)
			hc.Transport = mock
			mocked(t, c)
		})
	}
}

func TestRetry_CallOverAMockIsPlacedOnce(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.agentphone.to/v1/calls",
		httpmock.NewStringResponder(429, `{"detail":"slow down"}`).HeaderSet(http.Header{"Retry-After": {"0"}}).
			Then(httpmock.NewErrorResponder(&net.OpError{Op: "dial", Err: net.ErrClosed})).
			Then(httpmock.NewStringResponder(200, `{"id":"call_1","status":"in-progress"}`)))
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: mock}), apitest.NoWait)
	require.NoError(t, err)
	require.NoError(t, apitest.CreateCall(t.Context(), c))
	assert.Equal(t, 3, mock.GetTotalCallCount())
}

// A mock fires none of net/http's trace hooks, so nothing proves that the request was not sent.
func TestRetry_ErrorOfAMockIsNoProofThatNothingWasSent(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.agentphone.to/v1/calls", httpmock.NewErrorResponder(net.ErrClosed))
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: mock}), apitest.NoWait)
	require.NoError(t, err)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

// A RoundTripper that fails over tells of both hosts, and the first may have acted.
func TestRetry_DialErrorBesideAnotherIsNoProofThatNothingWasSent(t *testing.T) {
	c, s := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
		return nil, errors.Join(&net.OpError{Op: "read", Err: net.ErrClosed}, &net.OpError{Op: "dial", Err: net.ErrClosed})
	}, apitest.NoWait)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
	assert.Len(t, s.Requests(), 1)
}

func TestWithHTTPClient_ReplacedDefaultTransportIsUsed(t *testing.T) {
	old := http.DefaultTransport
	defer func() { http.DefaultTransport = old }()
	c, err := agentphone.NewClient(apitest.Key)
	require.NoError(t, err)
	s := &apitest.Stub{Respond: apitest.Always(200, `{"id":"agt_1"}`)}
	http.DefaultTransport = s
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	assert.Len(t, s.Requests(), 1)
}

func TestWithHTTPClient_IsLeftAsItWas(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }))
	defer srv.Close()
	transport := &http.Transport{}
	hc := &http.Client{Transport: transport, CheckRedirect: nil}
	want := *hc
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(hc), agentphone.WithBaseURL(srv.URL), apitest.NoWait)
	require.NoError(t, err)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrRateLimited)
	assert.Equal(t, want.Timeout, hc.Timeout)
	assert.Same(t, transport, hc.Transport)
	assert.Nil(t, hc.CheckRedirect)
	assert.Nil(t, hc.Jar)
}

// The first host cannot be dialled, the second gets the request, in a context that has no trace hooks.
func TestWithHTTPClient_TransportThatFallsBackPlacesOneCall(t *testing.T) {
	var delivered atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		delivered.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer other.Close()
	first := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}}
	second := &http.Transport{}
	defer second.CloseIdleConnections()
	c, err := agentphone.NewClient(apitest.Key, apitest.NoWait, agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if res, err := first.RoundTrip(r); err == nil {
			return res, nil
		}
		again, _ := http.NewRequest(r.Method, other.URL+r.URL.Path, bytes.NewReader(body))
		return second.RoundTrip(again)
	})}))
	require.NoError(t, err)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
	assert.EqualValues(t, 1, delivered.Load())
}

func TestWithHTTPClient_RefusesOneThatRetriesByItself(t *testing.T) {
	_, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(retryablehttp.NewClient().StandardClient()))
	require.ErrorIs(t, err, agentphone.ErrValidation)
}

func TestWithHeader_IsSentWithAllRequestsToTheOrigin(t *testing.T) {
	c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return apitest.Response(503, ``), nil
		}
		return apitest.Response(200, `{"id":"x_1"}`), nil
	}, apitest.NoWait, agentphone.WithHeader("x-gateway", "one"), agentphone.WithHeader("X-Gateway", "two"), agentphone.WithHeader("Accept", "application/vnd.x+json"))
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	require.NoError(t, apitest.CreateCall(t.Context(), c.ForSubAccount("sub_1")))
	_, err := c.Agents.Get(t.Context(), "agt_1", agentphone.WithRequestHeader("X-Gateway", "three"))
	require.NoError(t, err)
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	want := []string{"two", "two", "two", "three", "two"}
	require.Len(t, s.Requests(), len(want))
	for i, r := range s.Requests() {
		assert.Equal(t, []string{want[i]}, r.Header["X-Gateway"], "request %d", i)
		assert.Equal(t, []string{"application/vnd.x+json"}, r.Header["Accept"], "request %d", i)
	}
}

func TestWithHeader_RefusesWhatWithRequestHeaderRefuses(t *testing.T) {
	for name, value := range map[string]string{"Authorization": "Bearer x", "idempotency-key": "k", "X-Idempotency-Key": "k", "Host": "x", "": "x", "a b": "x", "X-A": "b\r\nc"} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithHeader(name, value))
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
		c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
		_, err = c.Usage.Get(t.Context(), agentphone.WithRequestHeader(name, value))
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
		assert.Empty(t, s.Requests(), name)
	}
}
