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

func TestWeatherARequestWithAnEffectFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	for _, status := range weatherRedirects {
		for name, location := range map[string]func(string) string{
			"same server":  func(string) string { return "/v1/elsewhere" },
			"other server": func(other string) string { return other + "/v1/agents" },
			"no address":   func(string) string { return "http://[::1" },
		} {
			t.Run(strconv.Itoa(status)+"/"+name, func(t *testing.T) {
				t.Parallel()
				newPair := func() weatherPair { return newWeatherPair(t, status, location) }
				check := func(once bool) func(*testing.T, weatherPair, weatherResult) {
					return func(t *testing.T, p weatherPair, r weatherResult) {
						assert.Equal(t, 1, r.deliveries, "deliveries")
						assert.Empty(t, p.other.requests(), "deliveries to the other server")
						assertStatus(t, r, status, false)
						assert.Equal(t, once && (status == 302 || status == 303), errors.Is(r.err, agentphone.ErrOutcomeUnknown), "303 is: done, see there; many say 302 for it")
					}
				}
				weatherEach(t, weatherOnce, newPair, check(true))
				weatherEach(t, weatherSafe[1:], newPair, check(false))
			})
		}
	}
}

func TestWeatherAReadFollowsARedirectWithinTheOrigin(t *testing.T) {
	t.Parallel()
	for _, status := range weatherRedirects {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			p := newWeatherPair(t, status, func(string) string { return "/v2/agents?page=1" })
			var response agentphone.Response
			err := weatherListAgents(context.Background(), p.client(t), agentphone.WithRequestQuery("phone", "+14155550100"), agentphone.WithResponse(&response))
			require.NoError(t, err)
			p.settle()
			got := p.requests()
			require.Len(t, got, 2)
			assert.Equal(t, "/v2/agents?page=1", got[1].RequestURI)
			assert.Equal(t, "Bearer "+weatherKey, got[1].Header.Get("Authorization"))
			assert.Empty(t, got[1].Header.Get("Referer"), "it would hold the query")
			assert.Equal(t, 1, response.Attempts)
			assert.Equal(t, 200, response.Status)
		})
	}
}

func TestWeatherAReadDoesNotFollowRedirectsForEver(t *testing.T) {
	t.Parallel()
	s := newWeatherHTTP1(t, weatherSays(302, "", "Location: /v1/agents"))
	r := weatherResult{}
	r.err = weatherListAgents(context.Background(), s.client(t), agentphone.WithResponse(&r.response))
	assertStatus(t, r, 302, false)
	assert.Equal(t, 6, s.settle())
}

func TestWeatherTheKeyGoesToTheOriginOnly(t *testing.T) {
	t.Parallel()
	for _, status := range weatherRedirects {
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
				w := newWeatherCross(t, weatherInTurn(weatherSays(status, "", "Location: "+location), weatherFine))
				var r weatherResult
				r.err = weatherListAgents(context.Background(), w.client, agentphone.WithResponse(&r.response))
				assertStatus(t, r, status, false)
				assert.NotContains(t, r.err.Error(), "example.com")
				for _, got := range append(w.other.requests(), w.plain.requests()...) {
					assert.Fail(t, "another server was asked", "%s %s %v", got.Method, got.Host, got.Header)
				}
				require.Len(t, w.api.requests(), 1)
				assert.Equal(t, []string{"Bearer " + weatherKey}, w.api.requests()[0].Header["Authorization"])
			})
		}
	}
}

func TestWeatherTheOriginIsTheSameWithItsPortSpeltOut(t *testing.T) {
	t.Parallel()
	w := newWeatherCross(t, weatherInTurn(weatherSays(307, "", "Location: https://api.example.com:443/v2/agents"), weatherFine))
	require.NoError(t, weatherListAgents(context.Background(), w.client))
	require.Len(t, w.api.requests(), 2)
	assert.Equal(t, []string{"Bearer " + weatherKey}, w.api.requests()[1].Header["Authorization"])
}
