package networktest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

var weatherRedirects = []int{301, 302, 303, 307, 308}

// weatherPair is a server and another to which it may send its clients.
type weatherPair struct {
	*weatherHTTP1
	other *weatherHTTP1
}

func (p weatherPair) settle() int {
	n := p.weatherHTTP1.settle()
	p.other.settle()
	return n
}

// newWeatherPair: the first server redirects once and then answers well. location gets the
// other server's URL.
func newWeatherPair(t testing.TB, status int, location func(other string) string) weatherPair {
	t.Helper()
	other := newWeatherHTTP1(t, weatherFine)
	redirect := weatherSays(status, "<a>moved</a>", "Location: "+location(other.url))
	return weatherPair{newWeatherHTTP1(t, weatherInTurn(redirect, weatherFine)), other}
}

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

// weatherCross is an API at https://api.example.com, and another server at every other address
// there is, which takes requests with and without TLS.
type weatherCross struct {
	api, other, plain *weatherHTTP1
	client            *agentphone.Client
}

func newWeatherCross(t *testing.T, answer weatherAnswer) *weatherCross {
	w := &weatherCross{api: newWeatherTLS(t, answer), other: newWeatherTLS(t, weatherFine), plain: newWeatherHTTP1(t, weatherFine)}
	hc := weatherHTTPClient(t, weatherCertificate().roots)
	weatherTransport(hc).DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		to := w.other
		switch {
		case strings.EqualFold(addr, "api.example.com:443"):
			to = w.api
		case strings.HasSuffix(addr, ":80"):
			to = w.plain
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.listener.Addr().String())
	}
	w.client = weatherClient(t, "https://api.example.com", agentphone.WithHTTPClient(hc))
	return w
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

// Signing up is for those who have no key; one that a client has all the same is not sent.
func TestWeatherTheKeyIsSentOnEachAttemptButNotToSignUp(t *testing.T) {
	t.Parallel()
	refusal := weatherSays(429, "")
	newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, weatherInTurn(refusal, refusal, weatherFine)) }
	weatherEach(t, append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...), newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
		assertLanded(t, r, 2)
		for _, got := range s.requests() {
			if strings.HasPrefix(got.URL.Path, "/v0/agent/") {
				assert.NotContains(t, got.body, weatherKey)
				for name, values := range got.Header {
					assert.NotContains(t, strings.Join(values, " "), weatherKey, name)
				}
				continue
			}
			assert.Equal(t, []string{"Bearer " + weatherKey}, got.Header["Authorization"])
		}
	})
}

func TestWeatherACookieIsSentOnceHoweverOftenTheRequestIsTried(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"retries":              "",
		"retries and redirect": "/v2/agents",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := []weatherAnswer{}
			for range 3 {
				answers = append(answers, weatherSays(503, "", "Retry-After: 0", "Set-Cookie: session=1; Path=/"))
			}
			if target != "" {
				answers = append(answers, weatherSays(307, "", "Location: "+target))
			}
			s := newWeatherHTTP1(t, weatherInTurn(append(answers, weatherFine)...))
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			client := s.client(t, agentphone.WithHTTPClient(&http.Client{Jar: jar}))
			require.NoError(t, weatherListAgents(context.Background(), client))
			require.NoError(t, weatherSend("hello")(context.Background(), client))
			s.settle()
			require.Len(t, s.requests(), len(answers)+2)
			for i, got := range s.requests() {
				if i == 0 {
					assert.Empty(t, got.Header["Cookie"])
					continue
				}
				assert.Equal(t, []string{"session=1"}, got.Header["Cookie"], "request %d", i+1)
			}
		})
	}
}
