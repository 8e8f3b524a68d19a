package agentphonetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

const createCall = "POST /v1/calls"

// onBoth runs a test in memory and over a port.
func onBoth(t *testing.T, test func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client)) {
	t.Run("in memory", func(t *testing.T) {
		srv := newServer(t)
		test(t, srv, srv.Client(agentphone.WithMaxRetries(0)))
	})
	t.Run("over a port", func(t *testing.T) {
		srv := newServer(t)
		pool := &http.Transport{}
		t.Cleanup(pool.CloseIdleConnections)
		test(t, srv, srv.Client(agentphone.WithMaxRetries(0), agentphone.WithBaseURL(srv.Start()), agentphone.WithHTTPClient(&http.Client{Transport: pool})))
	})
}

func call(client *agentphone.Client, srv *agentphonetest.Server) error {
	_, err := client.Calls.Create(context.Background(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person})
	return err
}

func TestFault_StatusPreventsTheEffect(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 429, Header: http.Header{"retry-after": {"7"}}})
		err := call(client, srv)
		var apiErr *agentphone.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, 7*time.Second, apiErr.RetryAfter)
		assert.Equal(t, "Too Many Requests", apiErr.Message)
		assert.Empty(t, srv.Calls())
		assert.Equal(t, 429, srv.Requests()[0].Status)
		require.NoError(t, call(client, srv), "a fault is met once")
	})
}

func TestFault_CodeIsThatOfTheError(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		for _, c := range []struct {
			status    int
			code      string
			temporary bool
		}{
			{429, agentphone.CodeConversationStreakLimit, false}, {429, agentphone.CodeConversationAwaitingReply, false},
			{429, agentphone.CodeConversationInactive, false}, {429, agentphone.CodeOutboundLimitReached, false},
			{429, agentphone.CodeNewConversationLimitReached, false}, {429, agentphone.CodeRateLimited, true},
			{403, agentphone.CodeWhatsAppNotEnabled, false}, {402, agentphone.CodeInsufficientBalance, false},
		} {
			srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: c.status, Code: c.code})
			err := call(client, srv)
			var apiErr *agentphone.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, c.status, apiErr.StatusCode)
			assert.Equal(t, c.code, apiErr.Code)
			assert.NotEmpty(t, apiErr.Message)
			assert.Equal(t, c.temporary, errors.Is(err, agentphone.ErrTemporary), c.code)
		}
		assert.Empty(t, srv.Calls())
	})
}

func TestInjectFault_PanicsIfTheFaultContradictsItself(t *testing.T) {
	srv := newServer(t)
	for name, f := range map[string]agentphonetest.Fault{
		"a code without a status": {Code: agentphone.CodeRateLimited},
		"a code with a success":   {Code: agentphone.CodeRateLimited, Status: 200},
		"a code with a body":      {Code: agentphone.CodeRateLimited, Status: 429, Body: "{}"},
		"before without a reset":  {BeforeEffect: true},
		"before and after":        {BeforeEffect: true, AfterEffect: true, Reset: true},
		"every minus one":         {Every: -1},
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, func() { srv.InjectFault(f) }) })
	}
}

func TestFault_AfterEffectLetsARequestTakeEffect(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 502, Body: "<html>Bad Gateway</html>", AfterEffect: true})
		err := call(client, srv)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		var apiErr *agentphone.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, "<html>Bad Gateway</html>", string(apiErr.Body))
		assert.Len(t, srv.Calls(), 1)
	})
}

func TestFault_ResetBreaksTheConnectionAfterTheEffect(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Reset: true, Status: 500})
		err := call(client, srv)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		var failed *net.OpError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "read", failed.Op)
		assert.Len(t, srv.Calls(), 1)
		assert.Zero(t, srv.Requests()[0].Status)
	})
}

func TestFault_ResetBeforeTheEffectPreventsIt(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Reset: true, BeforeEffect: true})
		require.ErrorIs(t, call(client, srv), agentphone.ErrOutcomeUnknown)
		assert.Empty(t, srv.Calls())
	})
}

func TestFault_MatchesTheBodyOrThePath(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Matching: person, Status: 503, Times: -1})
		srv.InjectFault(agentphonetest.Fault{Matching: srv.AgentID() + "/calls", Status: 501})
		require.NoError(t, client.Do(t.Context(), "GET", "/v1/calls", nil, nil))
		var apiErr *agentphone.APIError
		for range 2 {
			require.ErrorAs(t, call(client, srv), &apiErr, "the body has the number")
			assert.Equal(t, 503, apiErr.StatusCode)
		}
		require.ErrorAs(t, client.Do(t.Context(), "GET", "/v1/agents/"+srv.AgentID()+"/calls", nil, nil), &apiErr)
		assert.Equal(t, 501, apiErr.StatusCode)
		srv.ClearFaults()
		require.NoError(t, call(client, srv))
	})
}

func TestFault_EveryCountsTheRequestsThatItIsFor(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 503, Every: 3, Times: 2})
		var failed []int
		for i := 1; i <= 12; i++ {
			require.NoError(t, client.Do(t.Context(), "GET", "/v1/calls", nil, nil))
			if call(client, srv) != nil {
				failed = append(failed, i)
			}
		}
		assert.Equal(t, []int{3, 6}, failed)
	})
}

func TestFault_BodyAloneIsA200AfterTheEffect(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Body: "<html>"})
		err := call(client, srv)
		var failed *agentphone.DecodeError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, 200, failed.StatusCode)
		assert.Len(t, srv.Calls(), 1)
	})
}

func TestFault_ContentLengthBeyondTheBodyBreaksTheResponseOff(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *agentphonetest.Server, client *agentphone.Client) {
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Body: `{"id":`, Header: http.Header{"Content-Length": {"100"}}})
		err := call(client, srv)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.Len(t, srv.Calls(), 1)
	})
}

func TestFault_HeaderAloneIsAddedToTheResponse(t *testing.T) {
	srv := newServer(t)
	srv.InjectFault(agentphonetest.Fault{Header: http.Header{"X-Request-Id": {"req_mine"}}})
	var response agentphone.Response
	_, err := srv.Client().Usage.Get(t.Context(), agentphone.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, "req_mine", response.RequestID)
}

func TestFault_DelayHoldsTheResponseBackAfterTheEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client(agentphone.WithTimeout(time.Second))
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Delay: time.Minute, Times: 2})
		began := time.Now()
		require.ErrorIs(t, call(client, srv), agentphone.ErrOutcomeUnknown)
		assert.Equal(t, time.Second, time.Since(began))
		assert.Len(t, srv.Calls(), 1)

		began = time.Now()
		require.NoError(t, call(srv.Client(agentphone.WithTimeout(0)), srv))
		assert.Equal(t, time.Minute, time.Since(began))
		require.NoError(t, call(client, srv), "both are used up")
	})
}

func TestFault_DelayedStatusPreventsTheEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.InjectFault(agentphonetest.Fault{Status: 503, Delay: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := srv.Client().Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, srv.Calls())
	})
}

func TestFault_DelayOverAPortEndsWithTheClient(t *testing.T) {
	srv := newServer(t)
	srv.InjectFault(agentphonetest.Fault{Delay: time.Hour})
	client := srv.Client(agentphone.WithBaseURL(srv.Start()), agentphone.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}),
		agentphone.WithTimeout(20*time.Millisecond), agentphone.WithMaxRetries(0))
	_, err := client.Usage.Get(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestFault_AppliesInOrderToItsOperation(t *testing.T) {
	srv := newServer(t)
	client := srv.Client(agentphone.WithMaxRetries(0))
	srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 500})
	srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 502, Times: 2})
	srv.InjectFault(agentphonetest.Fault{Status: 418, Times: -1})
	status := func(err error) int {
		var apiErr *agentphone.APIError
		if errors.As(err, &apiErr) {
			return apiErr.StatusCode
		}
		return 0
	}
	_, err := client.Usage.Get(t.Context())
	assert.Equal(t, 418, status(err))
	for _, want := range []int{500, 502, 502, 418, 418} {
		assert.Equal(t, want, status(call(client, srv)))
	}
}

func TestFault_UnknownOperationPanics(t *testing.T) {
	srv := newServer(t)
	assert.Panics(t, func() { srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/calls/call_1"}) })
}

func TestFault_RetriedCallIsPlacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		srv.InjectFault(agentphonetest.Fault{Operation: createCall, Status: 429, Header: http.Header{"Retry-After": {"30"}}, Times: 2})
		began := time.Now()
		require.NoError(t, call(srv.Client(), srv))
		assert.GreaterOrEqual(t, time.Since(began), time.Minute)
		assert.Len(t, srv.Calls(), 1)
		assert.Len(t, srv.Requests(), 3)
	})
}

func TestFault_ResetWorksOverTLSAndHTTP2(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			srv := newServer(t)
			mounted := httptest.NewUnstartedServer(srv)
			mounted.EnableHTTP2 = http2
			mounted.StartTLS()
			defer mounted.Close()
			client := srv.Client(agentphone.WithMaxRetries(0), agentphone.WithBaseURL(mounted.URL), agentphone.WithHTTPClient(mounted.Client()))
			srv.InjectFault(agentphonetest.Fault{Operation: createCall, Reset: true})
			require.ErrorIs(t, call(client, srv), agentphone.ErrOutcomeUnknown)
			assert.Len(t, srv.Calls(), 1)
			require.NoError(t, call(client, srv))
		})
	}
}
