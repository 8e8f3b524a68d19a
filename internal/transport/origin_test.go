package transport_test

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A RoundTripper should not change a request, but many do, to send it to a test server or through a gateway.
func TestRetry_IsNotWhatARoundTripperMadeOfTheRequest(t *testing.T) {
	type sent struct{ method, url, host, authorization, body string }
	spoil := func(r *http.Request) {
		r.Method, r.Host, r.Body, r.ContentLength = "PUT", "gateway.example", http.NoBody, 0
		r.URL.Scheme, r.URL.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "http", "gateway.example", "/gw"+r.URL.Path, "", "spoiled=1"
		r.URL.User = url.User("spoiled")
		clear(r.Header)
	}
	for name, first := range map[string]*http.Response{
		"429":                    apitest.Response(429, ""),
		"503":                    apitest.Response(503, "", "Retry-After", "0"),
		"redirect to a path":     apitest.Response(307, "", "Location", "/v1/agents/agent_1?x=1"),
		"redirect to an address": apitest.Response(308, "", "Location", agentphone.DefaultBaseURL+"/v1/agents/agent_1?x=1"),
	} {
		t.Run(name, func(t *testing.T) {
			calls := map[string]func(c *agentphone.Client) error{
				"GET": func(c *agentphone.Client) error {
					return apitest.Err(c.Agents.Get(t.Context(), "agent_1", agentphone.WithRequestQuery("x", "1")))
				},
			}
			if first.StatusCode/100 != 3 {
				calls["POST"] = func(c *agentphone.Client) error { return apitest.CreateCall(t.Context(), c) }
			}
			for method, call := range calls {
				var seen []sent
				c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					request := sent{method: r.Method, url: r.URL.String(), host: cmp.Or(r.Host, r.URL.Host), authorization: r.Header.Get("Authorization")}
					if r.Body != nil {
						body, err := io.ReadAll(r.Body)
						if err != nil {
							return nil, err
						}
						request.body = string(body)
					}
					seen = append(seen, request)
					spoil(r)
					if len(seen) == 1 {
						response := *first
						response.Body = http.NoBody
						return &response, nil
					}
					return apitest.Response(200, `{"id":"x_1"}`), nil
				}), apitest.NoWait)
				require.NoError(t, call(c), method)
				require.Len(t, seen, 2, method)
				assert.Equal(t, seen[0], seen[1], method)
				assert.Equal(t, "Bearer "+apitest.Key, seen[1].authorization)
			}
		})
	}
}

func TestRetry_HeaderIsTheSameOnEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		base, err := url.Parse(agentphone.DefaultBaseURL)
		require.NoError(t, err)
		jar.SetCookies(base, []*http.Cookie{{Name: "jar", Value: "2"}})
		var seen []http.Header
		client, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{
			Jar: jar,
			Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				seen = append(seen, r.Header.Clone())
				for name := range r.Header {
					r.Header.Add(name, "spoiled")
				}
				if len(seen) < 3 {
					return apitest.Response(503, ""), nil
				}
				return apitest.Response(200, `{"id":"num_1"}`), nil
			}),
		}))
		require.NoError(t, err)
		_, err = client.Numbers.Get(t.Context(), "num_1",
			agentphone.WithRequestHeader("Cookie", "own=1"), agentphone.WithRequestHeader("X-Trace", "t"), agentphone.WithRequestHeader("Accept", "application/vnd.x+json"))
		require.NoError(t, err)
		require.Len(t, seen, 3)
		for _, h := range seen {
			require.Equal(t, []string{"own=1; jar=2"}, h["Cookie"])
			require.Equal(t, []string{"t"}, h["X-Trace"])
			require.Equal(t, []string{"application/vnd.x+json"}, h["Accept"])
			require.Equal(t, []string{"Bearer " + apitest.Key}, h["Authorization"])
			require.Len(t, h["User-Agent"], 1)
			require.Len(t, h, 5)
		}
	})
}

// Without TLS whoever carries a request sees the key, so a plain http request, which is for loopback addresses, passes
// no proxy.
func TestProxy_PlainHTTPNeverGoesThroughOne(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)

	t.Run("environment", func(t *testing.T) { // net/http reads it once per process
		if os.Getenv("AGENTPHONE_TEST_PROXIED") == "" {
			cmd := exec.Command(os.Args[0], "-test.run=^TestProxy_PlainHTTPNeverGoesThroughOne$/^environment$")
			cmd.Env = append(os.Environ(), "AGENTPHONE_TEST_PROXIED=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Zero(t, proxied.Load())
			return
		}
		for _, base := range []string{"http://LOCALHOST:1", "http://LocalHost:1/v", "http://127.0.0.1:1", "http://[::1]:1"} {
			c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(base), apitest.NoWait)
			require.NoError(t, err)
			require.ErrorIs(t, apitest.GetAgent(t.Context(), c), syscall.ECONNREFUSED, base)
		}
	})
	t.Run("transport of the user's", func(t *testing.T) {
		transport := &http.Transport{Proxy: http.ProxyURL(address)}
		defer transport.CloseIdleConnections()
		c := apitest.NewClientOver(t, transport, apitest.NoWait, agentphone.WithBaseURL("http://localhost:1"))
		err := apitest.CreateCall(t.Context(), c)
		require.EqualError(t, err, "agentphone: POST /v1/calls: a plain http request does not go through a proxy: it would show the key (attempts=1)")
		require.Error(t, apitest.GetAgent(t.Context(), c))
		assert.Zero(t, proxied.Load())
	})
}

// A Proxy may say that there is no proxy when it is asked first, and name one when the request is sent, or for every
// other request.
func TestProxy_PlainHTTPGoesThroughNoneThatAlternates(t *testing.T) {
	var seen atomic.Int32
	spy := func(name string) *url.URL {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if name == "proxy" && (r.Header.Get("Authorization") != "" || len(body) > 0) {
				seen.Add(1)
			}
			_, _ = io.WriteString(w, `{"id":"x_1"}`)
		}))
		t.Cleanup(server.Close)
		address, err := url.Parse(server.URL)
		require.NoError(t, err)
		return address
	}
	api, proxy := spy("api"), spy("proxy")
	for name, warm := range map[string]bool{"no connection": false, "idle connection to the proxy": true} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			transport := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
				if asked.Add(1)%2 == 1 {
					return nil, nil
				}
				return proxy, nil
			}}
			defer transport.CloseIdleConnections()
			c := apitest.NewClientOver(t, transport, agentphone.WithMaxRetries(0), agentphone.WithBaseURL(api.String()))
			for _, call := range []func(context.Context, *agentphone.Client) error{
				apitest.CreateCall, apitest.GetAgent, func(ctx context.Context, c *agentphone.Client) error {
					return apitest.Err(c.Agents.Update(ctx, "agt_1", agentphone.UpdateAgentParams{Name: agentphone.Value("Ada")}))
				},
			} {
				for range 20 {
					if warm {
						asked.Store(1)
						resp, err := transport.RoundTrip(httptest.NewRequest("GET", api.String(), nil))
						require.NoError(t, err)
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					asked.Store(0)
					require.ErrorContains(t, call(t.Context(), c), "a plain http request does not go through a proxy")
				}
			}
			assert.Zero(t, seen.Load(), "requests with the key or a body")
			asked.Store(0)
			transport.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
			require.NoError(t, apitest.CreateCall(t.Context(), c))
		})
	}
}
