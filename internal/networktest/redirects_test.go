package networktest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestRedirect_WriteFollowsNone(t *testing.T) {
	t.Parallel()
	for _, status := range redirectStatuses {
		for name, location := range map[string]func(string) string{
			"same server":  func(string) string { return "/v1/elsewhere" },
			"other server": func(other string) string { return other + "/v1/agents" },
			"invalid URL":  func(string) string { return "http://[::1" },
		} {
			t.Run(strconv.Itoa(status)+"/"+name, func(t *testing.T) {
				t.Parallel()
				newPair := func() serverPair { return newServerPair(t, status, location) }
				check := func(idempotent bool) func(*testing.T, serverPair, result) {
					return func(t *testing.T, p serverPair, r result) {
						assert.Equal(t, 1, r.deliveries, "deliveries")
						assert.Empty(t, p.other.requests(), "deliveries to the other server")
						assertFailedWithStatus(t, r, status, false)
						assert.Equal(t, !idempotent && (status == 302 || status == 303), errors.Is(r.err, agentphone.ErrOutcomeUnknown), "303 says that the request took effect; many servers send 302 for it")
					}
				}
				callEach(t, nonIdempotentOperations, newPair, check(false))
				callEach(t, idempotentOperations[1:], newPair, check(true))
			})
		}
	}
}

func TestRedirect_ReadFollowsWithinTheOrigin(t *testing.T) {
	t.Parallel()
	for _, status := range redirectStatuses {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			p := newServerPair(t, status, func(string) string { return "/v2/agents?page=1" })
			var response agentphone.Response
			err := listAgents(context.Background(), p.client(t), agentphone.WithRequestQuery("phone", "+14155550100"), agentphone.WithResponse(&response))
			require.NoError(t, err)
			p.closeAndCount()
			got := p.requests()
			require.Len(t, got, 2)
			assert.Equal(t, "/v2/agents?page=1", got[1].RequestURI)
			assert.Equal(t, "Bearer "+apiKey, got[1].Header.Get("Authorization"))
			assert.Empty(t, got[1].Header.Get("Referer"), "it would contain the query")
			assert.Equal(t, 1, response.Attempts)
			assert.Equal(t, 200, response.Status)
		})
	}
}

func TestRedirect_ReadStopsAfterFive(t *testing.T) {
	t.Parallel()
	s := newHTTP1Server(t, respondWith(302, "", "Location: /v1/agents"))
	r := result{}
	r.err = listAgents(context.Background(), s.client(t), agentphone.WithResponse(&r.response))
	assertFailedWithStatus(t, r, 302, false)
	assert.Equal(t, 6, s.closeAndCount())
}

func TestRedirect_KeyGoesToTheOriginOnly(t *testing.T) {
	t.Parallel()
	for _, status := range redirectStatuses {
		for _, location := range []string{
			"https://api.example.com:8443/v1/agents",
			"https://www.example.com/v1/agents",
			"https://v2.api.example.com/v1/agents",
			"https://example.com/v1/agents",
			"//www.example.com/v1/agents",
			"http://api.example.com/v1/agents",
			"http://api.example.com:443/v1/agents",
			"https://user:password@api.example.com/v1/agents",
			"https://api.example.com@www.example.com/v1/agents",
			"https://api.example.com.evil.example/v1/agents",
			"ftp://api.example.com/v1/agents",
		} {
			t.Run(strconv.Itoa(status)+" "+location, func(t *testing.T) {
				t.Parallel()
				o := newManyOrigins(t, inTurn(respondWith(status, "", "Location: "+location), respondOK))
				var r result
				r.err = listAgents(context.Background(), o.client, agentphone.WithResponse(&r.response))
				assertFailedWithStatus(t, r, status, false)
				assert.NotContains(t, r.err.Error(), "example.com")
				for _, got := range append(o.other.requests(), o.plain.requests()...) {
					assert.Fail(t, "request to another server", "%s %s %v", got.Method, got.Host, got.Header)
				}
				require.Len(t, o.api.requests(), 1)
				assert.Equal(t, []string{"Bearer " + apiKey}, o.api.requests()[0].Header["Authorization"])
			})
		}
	}
}

func TestRedirect_DefaultPortIsTheSameOrigin(t *testing.T) {
	t.Parallel()
	o := newManyOrigins(t, inTurn(respondWith(307, "", "Location: https://api.example.com:443/v2/agents"), respondOK))
	require.NoError(t, listAgents(context.Background(), o.client))
	require.Len(t, o.api.requests(), 2)
	assert.Equal(t, []string{"Bearer " + apiKey}, o.api.requests()[1].Header["Authorization"])
}
