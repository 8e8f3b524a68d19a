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
			"no address":   func(string) string { return "http://[::1" },
		} {
			t.Run(strconv.Itoa(status)+"/"+name, func(t *testing.T) {
				t.Parallel()
				newPair := func() serverPair { return newServerPair(t, status, location) }
				check := func(once bool) func(*testing.T, serverPair, result) {
					return func(t *testing.T, p serverPair, r result) {
						assert.Equal(t, 1, r.deliveries, "deliveries")
						assert.Empty(t, p.other.requests(), "deliveries to the other server")
						assertStatus(t, r, status, false)
						assert.Equal(t, once && (status == 302 || status == 303), errors.Is(r.err, agentphone.ErrOutcomeUnknown), "303 is: done, see there; many say 302 for it")
					}
				}
				callEach(t, nonIdempotentOperations, newPair, check(true))
				callEach(t, idempotentOperations[1:], newPair, check(false))
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
			p.settle()
			got := p.requests()
			require.Len(t, got, 2)
			assert.Equal(t, "/v2/agents?page=1", got[1].RequestURI)
			assert.Equal(t, "Bearer "+apiKey, got[1].Header.Get("Authorization"))
			assert.Empty(t, got[1].Header.Get("Referer"), "it would hold the query")
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
	assertStatus(t, r, 302, false)
	assert.Equal(t, 6, s.settle())
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
				w := newManyOrigins(t, inTurn(respondWith(status, "", "Location: "+location), respondOK))
				var r result
				r.err = listAgents(context.Background(), w.client, agentphone.WithResponse(&r.response))
				assertStatus(t, r, status, false)
				assert.NotContains(t, r.err.Error(), "example.com")
				for _, got := range append(w.other.requests(), w.plain.requests()...) {
					assert.Fail(t, "another server was asked", "%s %s %v", got.Method, got.Host, got.Header)
				}
				require.Len(t, w.api.requests(), 1)
				assert.Equal(t, []string{"Bearer " + apiKey}, w.api.requests()[0].Header["Authorization"])
			})
		}
	}
}

func TestRedirect_DefaultPortIsTheSameOrigin(t *testing.T) {
	t.Parallel()
	w := newManyOrigins(t, inTurn(respondWith(307, "", "Location: https://api.example.com:443/v2/agents"), respondOK))
	require.NoError(t, listAgents(context.Background(), w.client))
	require.Len(t, w.api.requests(), 2)
	assert.Equal(t, []string{"Bearer " + apiKey}, w.api.requests()[1].Header["Authorization"])
}
