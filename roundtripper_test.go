package agentphone_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// wrapFunc returns a wrapper whose RoundTripper is f.
func wrapFunc(f func(next http.RoundTripper, r *http.Request) (*http.Response, error)) agentphone.Option {
	return agentphone.WithRoundTripper(func(next http.RoundTripper) http.RoundTripper {
		return apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) { return f(next, r) })
	})
}

// naming returns a wrapper that adds its name to a header.
func naming(name string) agentphone.Option {
	return wrapFunc(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Add("Via", name)
		return next.RoundTrip(r)
	})
}

// It wraps the Transport of WithHTTPClient, in whichever order the options stand, and one wraps the other.
func TestWithRoundTripper_WrapsTheTransportOfTheHTTPClient(t *testing.T) {
	s := &apitest.Stub{Respond: apitest.Always(200, `{"id":"x_1"}`)}
	client := &http.Client{Transport: s}
	for _, opts := range [][]agentphone.Option{
		{agentphone.WithHTTPClient(client), naming("inner"), naming("outer")},
		{naming("inner"), naming("outer"), agentphone.WithHTTPClient(client)},
	} {
		c, err := agentphone.NewClient(apitest.Key, opts...)
		require.NoError(t, err)
		require.NoError(t, apitest.CreateCall(t.Context(), c))
		require.NoError(t, apitest.CreateCall(t.Context(), c.ForSubAccount("sub_1")))
	}
	requests := s.Requests()
	require.Len(t, requests, 4)
	for _, r := range requests {
		assert.Equal(t, []string{"outer", "inner"}, r.Header["Via"])
		assert.Equal(t, "Bearer "+apitest.Key, r.Header.Get("Authorization"))
	}
}

func TestWithRoundTripper_WorksWithTheAPIInMemory(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client(naming("recorder"))
	require.NoError(t, apitest.Err(c.Usage.Get(t.Context())))
	assert.Equal(t, "recorder", srv.Requests()[0].Header.Get("Via"))
}

// The Transport is read for each request: httpmock can be activated at any time, in each of its ways.
func TestWithRoundTripper_HTTPMockWorksWithinIt(t *testing.T) {
	respond := func(mock *httpmock.MockTransport) {
		mock.RegisterResponder("POST", "https://api.agentphone.to/v1/calls", httpmock.NewStringResponder(200, `{"id":"call_mock"}`))
	}
	t.Run("Activate", func(t *testing.T) {
		c, err := agentphone.NewClient(apitest.Key, naming("x"))
		require.NoError(t, err)
		httpmock.Activate(t)
		respond(httpmock.DefaultTransport)
		require.NoError(t, apitest.CreateCall(t.Context(), c))
	})
	t.Run("ActivateNonDefault", func(t *testing.T) {
		client := &http.Client{}
		c, err := agentphone.NewClient(apitest.Key, naming("x"), agentphone.WithHTTPClient(client))
		require.NoError(t, err)
		httpmock.ActivateNonDefault(client)
		defer httpmock.DeactivateAndReset()
		respond(httpmock.DefaultTransport)
		require.NoError(t, apitest.CreateCall(t.Context(), c))
	})
}

func TestWithRoundTripper_RefusesWhatCannotWork(t *testing.T) {
	for name, opt := range map[string]agentphone.Option{
		"nil":         agentphone.WithRoundTripper(nil),
		"returns nil": agentphone.WithRoundTripper(func(http.RoundTripper) http.RoundTripper { return nil }),
		"nil pointer": agentphone.WithRoundTripper(func(http.RoundTripper) http.RoundTripper { return (*apitest.Stub)(nil) }),
		"retries":     agentphone.WithRoundTripper(func(http.RoundTripper) http.RoundTripper { return &retryablehttp.RoundTripper{} }),
	} {
		_, err := agentphone.NewClient(apitest.Key, opt)
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
	}
}

// What a RoundTripper does to the proof that a request was not sent: only a dial that failed, with the body unread, is one.
func TestWithRoundTripper_EvidenceIsConservative(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	readBody := func(r *http.Request) *http.Request {
		body, _ := io.ReadAll(r.Body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		return r
	}
	for name, tc := range map[string]struct {
		wrap           func(next http.RoundTripper, r *http.Request) (*http.Response, error)
		inner          func(n int, r *http.Request) (*http.Response, error) // what is wrapped
		unknown        bool
		attempts, sent int
	}{
		"passes a failed dial on": {
			wrap:  func(next http.RoundTripper, r *http.Request) (*http.Response, error) { return next.RoundTrip(r) },
			inner: func(int, *http.Request) (*http.Response, error) { return nil, refused }, attempts: 3,
		},
		"has read the body before a failed dial": {
			wrap: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				return next.RoundTrip(readBody(r))
			},
			inner: func(int, *http.Request) (*http.Response, error) { return nil, refused }, unknown: true, attempts: 1,
		},
		"returns an error of its own and sends nothing": {
			wrap:    func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errors.New("not allowed") },
			unknown: true, attempts: 1,
		},
		"replaces the error of a lost response by that of a dial": {
			wrap: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				_, _ = next.RoundTrip(r)
				return nil, refused
			},
			inner:   func(_ int, r *http.Request) (*http.Response, error) { return deliver(r, nil, io.ErrUnexpectedEOF) },
			unknown: true, attempts: 1, sent: 1,
		},
		"sends twice, the second time in vain": {
			wrap: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if resp, err := next.RoundTrip(r); err == nil {
					return resp, nil
				}
				return next.RoundTrip(r)
			},
			inner: func(n int, r *http.Request) (*http.Response, error) {
				if n == 1 {
					return deliver(r, nil, io.ErrUnexpectedEOF)
				}
				return nil, refused
			},
			unknown: true, attempts: 1, sent: 1,
		},
		"swallows the response": {
			wrap: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				_, _ = next.RoundTrip(r)
				return nil, nil
			},
			inner: func(_ int, r *http.Request) (*http.Response, error) {
				return deliver(r, apitest.Response(200, `{"id":"x"}`), nil)
			},
			unknown: true, attempts: 1, sent: 1,
		},
		"swallows the request": {
			wrap:    func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, nil },
			unknown: true, attempts: 1,
		},
		"passes a refused HTTP/2 stream on, which it may have made up": {
			wrap: func(next http.RoundTripper, r *http.Request) (*http.Response, error) { return next.RoundTrip(r) },
			inner: func(_ int, r *http.Request) (*http.Response, error) {
				return deliver(r, nil, errors.New("http2: Transport: cannot retry err [stream error: stream ID 3; REFUSED_STREAM; received from peer] after Request.Body was written; define Request.GetBody to avoid this error"))
			},
			unknown: true, attempts: 1, sent: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			attempts, calls := 0, 0
			delivered.Store(0)
			c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				calls++
				return tc.inner(calls, r)
			}), apitest.NoWait, agentphone.WithMaxRetries(2), wrapFunc(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				attempts++
				return tc.wrap(next, r)
			}))
			err := apitest.CreateCall(t.Context(), c)
			require.Error(t, err)
			assert.Equal(t, tc.unknown, errors.Is(err, agentphone.ErrOutcomeUnknown), "%v", err)
			assert.Equal(t, !tc.unknown, errors.Is(err, agentphone.ErrTemporary), "%v", err)
			assert.Equal(t, tc.attempts, attempts)
			assert.Equal(t, tc.sent, int(delivered.Load()))
		})
	}
}

// delivered counts the requests whose body was read.
var delivered atomic.Int32

func deliver(r *http.Request, resp *http.Response, err error) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	delivered.Add(1)
	return resp, err
}
