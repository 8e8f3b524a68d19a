package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestTimeout_IsPerAttempt(t *testing.T) {
	hang := func(n int, ctx context.Context) error {
		if n < 3 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	for name, tc := range map[string]struct {
		client *http.Client
		opts   []agentphone.Option
		call   []agentphone.RequestOption
		want   time.Duration
	}{
		"default":                        {&http.Client{}, nil, nil, time.Minute},
		"of the client":                  {&http.Client{}, []agentphone.Option{agentphone.WithTimeout(time.Second)}, nil, 2 * time.Second},
		"of the call":                    {&http.Client{}, nil, []agentphone.RequestOption{agentphone.WithRequestTimeout(3 * time.Second)}, 6 * time.Second},
		"of the user's http.Client":      {&http.Client{Timeout: 2 * time.Second}, nil, nil, 4 * time.Second},
		"of the user's, without our own": {&http.Client{Timeout: 2 * time.Second}, []agentphone.Option{agentphone.WithTimeout(0)}, nil, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			d := apitest.Took(t, func(t *testing.T) {
				n := 0
				tc.client.Transport = apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					n++
					if err := hang(n, r.Context()); err != nil {
						return nil, err
					}
					return apitest.Response(200, `{"id":"agt_1"}`), nil
				})
				c, err := agentphone.NewClient(apitest.Key, append(tc.opts, apitest.NoWait, agentphone.WithHTTPClient(tc.client))...)
				require.NoError(t, err)
				_, err = c.Agents.Get(t.Context(), "agt_1", tc.call...)
				require.NoError(t, err)
			})
			assert.Equal(t, tc.want, d)
		})
	}
}

func TestTimeout_IsADeadlineAndUnknownIfNotIdempotent(t *testing.T) {
	apitest.Took(t, func(t *testing.T) {
		hang := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: hang}))
		require.NoError(t, err)
		err = apitest.CreateCall(t.Context(), c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.EqualError(t, err, "agentphone: POST /v1/calls: no response within 30s (attempts=1); it may have taken effect: check before retrying")
		var timeout net.Error
		require.True(t, errors.As(err, &timeout))
		assert.True(t, timeout.Timeout())
	})
}

// A server-side wait may take longer than an attempt usually may.
func TestTimeout_GetThatWaitsHasTimeForIt(t *testing.T) {
	d := apitest.Took(t, func(t *testing.T) {
		slow := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(299 * time.Second):
				return apitest.Response(200, `{"id":"call_1","status":"completed"}`), nil
			}
		})
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: slow}))
		require.NoError(t, err)
		_, err = c.Calls.Get(t.Context(), "call_1", agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 300})
		require.NoError(t, err)
	})
	assert.Equal(t, 299*time.Second, d)
}
