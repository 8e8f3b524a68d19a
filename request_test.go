package agentphone_test

import (
	"errors"
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
