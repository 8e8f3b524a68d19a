package agentphone_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestClientDo_SendsNothingIfOutIsNoPointer(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	var out struct{ ID string }
	require.ErrorIs(t, c.Do(t.Context(), "POST", "/v1/calls", nil, out), agentphone.ErrValidation)
	require.ErrorIs(t, c.Do(t.Context(), "POST", "/v1/calls", nil, (*agentphone.Call)(nil)), agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
}

func TestClientDo_ReachesOtherEndpointsUnderTheSameRules(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"ok":true}`))
	var out struct{ OK bool }
	in := map[string]int{"a": 1}
	ctx := t.Context()
	require.NoError(t, c.Do(ctx, "POST", "/v2/things%2Fx/1", in, &out, agentphone.WithRequestQuery("q", "1")))
	assert.True(t, out.OK)
	require.NoError(t, c.Do(ctx, "GET", "/v2/things", nil, nil))
	require.NoError(t, c.Do(ctx, "POST", "/v2/things", nil, nil))
	r := s.Requests()
	assert.Equal(t, "/v2/things%2Fx/1", r[0].Path)
	assert.Equal(t, `{"a":1}`, r[0].Body)
	assert.Equal(t, "1", r[0].Query.Get("q"))
	assert.Equal(t, "", r[1].Body)
	assert.Equal(t, "{}", r[2].Body)

	for _, path := range []string{"", "v1/x", "//evil.example.com/x", "/v1/../x", "/v1/%2e%2e/x", "/v1/.", "/x?y=1", "/x#y", "/x\n", "/%zz", `/\evil`, "@evil.example.com/"} {
		err := c.Do(ctx, "GET", path, nil, nil)
		require.ErrorIs(t, err, agentphone.ErrValidation, path)
	}
	require.ErrorIs(t, c.Do(ctx, "get", "/x", nil, nil), agentphone.ErrValidation)
	require.ErrorIs(t, c.Do(ctx, "GET", "/x", in, nil), agentphone.ErrValidation)
	require.ErrorIs(t, c.Do(ctx, "POST", "/x", (*agentphone.CreateCallParams)(nil), nil), agentphone.ErrValidation)
	err := c.Do(ctx, "POST", "/x", func() {}, nil)
	require.Error(t, err)
	assert.Len(t, s.Requests(), 3)

	c, s = apitest.NewClient(t, apitest.Always(500, ``))
	require.ErrorIs(t, c.Do(ctx, "POST", "/v1/secret-id", nil, nil), agentphone.ErrOutcomeUnknown)
	assert.Len(t, s.Requests(), 1, "a POST through Do is not idempotent")
	err = c.Do(ctx, "POST", "/v1/secret-id", nil, nil)
	assert.False(t, strings.Contains(err.Error(), "secret-id"))
	var apiErr *agentphone.APIError
	require.True(t, errors.As(err, &apiErr))
	assert.Equal(t, "POST {path}", apiErr.Operation)
}

// A deletion whose response was lost is repeated, and then finds nothing: that is what it was to achieve.
func TestRetry_DeleteThatFindsNothingHasSucceeded(t *testing.T) {
	lost := map[string]func() (*http.Response, error){
		"reset": func() (*http.Response, error) { return nil, errors.New("connection reset by peer") },
		"502":   func() (*http.Response, error) { return apitest.Response(502, ""), nil },
		"503":   func() (*http.Response, error) { return apitest.Response(503, ""), nil },
	}
	certain := map[string]func() (*http.Response, error){
		"429":                  func() (*http.Response, error) { return apitest.Response(429, ""), nil },
		"503 with Retry-After": func() (*http.Response, error) { return apitest.Response(503, "", "Retry-After", "0"), nil },
	}
	run := func(t *testing.T, first func() (*http.Response, error)) (deleted, done, gone error) {
		client := func() *agentphone.Client {
			c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
				if n == 1 {
					return first()
				}
				return apitest.Response(404, `{"detail":"Not found"}`), nil
			}, apitest.NoWait)
			return c
		}
		agent, deleted := client().Agents.Delete(t.Context(), "agt_1")
		if deleted == nil {
			assert.True(t, agent.Success)
		}
		return deleted, client().Contacts.Delete(t.Context(), "con_1"), apitest.Err(client().Agents.Get(t.Context(), "agt_1"))
	}
	for name, first := range lost {
		t.Run(name, func(t *testing.T) {
			deleted, done, gone := run(t, first)
			require.NoError(t, deleted)
			require.NoError(t, done)
			require.ErrorIs(t, gone, agentphone.ErrNotFound, "only a DELETE")
		})
	}
	for name, first := range certain {
		t.Run(name, func(t *testing.T) {
			deleted, done, gone := run(t, first)
			require.ErrorIs(t, deleted, agentphone.ErrNotFound, "it was not there")
			require.ErrorIs(t, done, agentphone.ErrNotFound)
			require.ErrorIs(t, gone, agentphone.ErrNotFound)
		})
	}
}

// Only the API knows that there is nothing. During a deployment the gateway in front of it responds with a 502, and then, for
// it knows no backend, with a 404 of its own: the number would go on being billed.
func TestRetry_DeleteThatAGatewayRefusesHasNotSucceeded(t *testing.T) {
	for body, api := range map[string]bool{
		`{"detail":"Number not found"}`:                        true,
		`{"detail":[{"loc":["path","id"],"msg":"not found"}]}`: true,
		`{"error":{"message":"Not found","code":"NOT_FOUND"}}`: true,
		``:                       false,
		`{}`:                     false,
		`null`:                   false,
		`"detail"`:               false,
		`{"detail":null}`:        false,
		`{"error":null}`:         false,
		`{"detail":"cut`:         false,
		`default backend - 404`:  false,
		`404 page not found`:     false,
		`<h1>404 Not Found</h1>`: false,
		`{"message":"no Route matched with those values"}`:                        false,
		`{"timestamp":"2026-01-01","status":404,"error":"Not Found","path":"/x"}`: false,
	} {
		client := func() *agentphone.Client {
			c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
				if n == 1 {
					return apitest.Response(502, ""), nil
				}
				return apitest.Response(404, body, "Content-Type", "text/plain"), nil
			}, apitest.NoWait)
			return c
		}
		for name, remove := range map[string]func() error{
			"release":     func() error { return apitest.Err(client().Numbers.Release(t.Context(), "num_1")) },
			"sub-account": func() error { return client().SubAccounts.Delete(t.Context(), "sub_1") },
			"Do":          func() error { return client().Do(t.Context(), "DELETE", "/v1/x", nil, nil) },
		} {
			err := remove()
			if api {
				assert.NoError(t, err, "%s: %s", name, body)
				continue
			}
			assert.ErrorIs(t, err, agentphone.ErrNotFound, "%s: %s", name, body)
			assert.NotErrorIs(t, err, agentphone.ErrTemporary, "the first attempt may have deleted it")
		}
	}
}
