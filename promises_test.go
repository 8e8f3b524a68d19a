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
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// The first host cannot be dialled, the second gets the request, in a context that has no trace hooks.
func TestATransportThatFallsBackToAnotherHostPlacesOneCall(t *testing.T) {
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

func TestAClientThatRetriesByItselfIsRefused(t *testing.T) {
	_, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(retryablehttp.NewClient().StandardClient()))
	require.ErrorIs(t, err, agentphone.ErrValidation)
}

func TestAnErrorsBodyBehindA200IsNoResult(t *testing.T) {
	for _, body := range []string{`{"detail":"down for maintenance"}`, `{"error":{"message":"no","code":"CARRIER_ERROR"}}`} {
		c, _ := apitest.NewClient(t, apitest.Always(200, body))
		err := apitest.CreateCall(t.Context(), c)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, body)
		var unread *agentphone.DecodeError
		require.ErrorAs(t, apitest.GetAgent(t.Context(), c), &unread, body)
		assert.NotContains(t, err.Error(), "maintenance")
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"success":false,"error":"timed out"}`))
	test, err := c.Webhooks.Test(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "timed out", test.Error)

	c, _ = apitest.NewClient(t, apitest.Always(200, `{"detail":""}`))
	var own struct{ Detail string }
	require.NoError(t, c.Do(t.Context(), "GET", "/v1/things", nil, &own), "what is asked for is no error")
}

func TestDoSendsNothingIfItCannotKeepTheAnswer(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	var out struct{ ID string }
	require.ErrorIs(t, c.Do(t.Context(), "POST", "/v1/calls", nil, out), agentphone.ErrValidation)
	require.ErrorIs(t, c.Do(t.Context(), "POST", "/v1/calls", nil, (*agentphone.Call)(nil)), agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
}

func TestWithResponseHoldsNothingOfAnEarlierCall(t *testing.T) {
	c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return apitest.Response(200, `{"id":"x"}`), nil
		}
		return nil, errors.New("reset")
	}, agentphone.WithMaxRetries(0))
	var response agentphone.Response
	_, err := c.Agents.Get(t.Context(), "a", agentphone.WithResponse(&response))
	require.NoError(t, err)
	_, err = c.Agents.Get(t.Context(), "a", agentphone.WithResponse(&response))
	require.Error(t, err)
	assert.Zero(t, response.Status)
}

// What is added to a Retry-After, so that clients do not come back all at once, leaves the deadline time.
func TestTheSpreadOfRetryAfterDoesNotOverrunTheDeadline(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5100*time.Millisecond)
			defer cancel()
			c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
				if n == 1 {
					return apitest.Response(429, ``, "Retry-After", "5"), nil
				}
				return apitest.Response(200, `{"id":"call_1"}`), nil
			})
			require.NoError(t, apitest.CreateCall(ctx, c))
		})
	}
}
