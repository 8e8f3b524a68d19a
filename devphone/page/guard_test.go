package page_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/page"
)

const host = "127.0.0.1:8787"

// paths are one of each part: the page, a file of it, the control API, what was done, the API.
var paths = []string{"/", "/_page/main.js", "/_control/state", page.ScenarioPath, "/v1/agents"}

type request struct {
	method, path string
	header       map[string]string
}

// respond returns the response to a request that a client at host sends with the API's key.
func respond(t *testing.T, guard page.Guard, r request) *http.Response {
	t.Helper()
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	srv.ReceiveMessage(person, srv.PhoneNumber(), "Hi")
	method, body := r.method, ""
	if method == "" {
		method = http.MethodGet
	}
	if method == http.MethodPost {
		body = "{}"
	}
	req := httptest.NewRequest(method, r.path, strings.NewReader(body))
	req.Host = host
	req.Header.Set("Authorization", "Bearer "+srv.APIKey())
	req.Header.Set("Content-Type", "application/json")
	for name, value := range r.header {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	page.Handler(srv, srv, guard).ServeHTTP(w, req)
	return w.Result()
}

// A site can have its name resolve to 127.0.0.1 (DNS rebinding). Its requests have its name as their Host.
func TestGuard_RefusesOtherHostNames(t *testing.T) {
	for name, allowed := range map[string]bool{
		"127.0.0.1:8787": true, "localhost:8787": true, "LOCALHOST": true, "[::1]:8787": true, "devphone.localhost:1": true, "192.168.1.7:8787": true,
		"mine.example:8787": true,
		"evil.example:8787": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "evillocalhost": false, "": false,
	} {
		for _, path := range paths {
			resp := respond(t, page.Guard{Hosts: []string{"mine.example"}}, request{path: path, header: map[string]string{"Host": name}})
			assert.Equal(t, allowed, resp.StatusCode == http.StatusOK, "%s %q: %d", path, name, resp.StatusCode)
		}
	}
}

func TestGuard_RefusesRequestsOfOtherSites(t *testing.T) {
	for name, test := range map[string]struct {
		header  map[string]string
		allowed bool
	}{
		"a program":                        {nil, true},
		"the page":                         {map[string]string{"Origin": "http://" + host, "Sec-Fetch-Site": "same-origin"}, true},
		"the user":                         {map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, true},
		"another site":                     {map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		"another site, only the origin":    {map[string]string{"Origin": "https://evil.example"}, false},
		"another site, without the origin": {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, false},
		"another port":                     {map[string]string{"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}, false},
		"a sandboxed frame":                {map[string]string{"Origin": "null"}, false},
		"a frame":                          {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range paths {
				resp := respond(t, page.Guard{}, request{path: path, header: test.header})
				assert.Equal(t, test.allowed, resp.StatusCode == http.StatusOK, "%s: %d", path, resp.StatusCode)
				assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
			}
			resp := respond(t, page.Guard{}, request{method: http.MethodPost, path: "/_control/faults", header: test.header})
			assert.Equal(t, test.allowed, resp.StatusCode == http.StatusOK)
		})
	}
	link := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	assert.Equal(t, http.StatusOK, respond(t, page.Guard{}, request{path: "/", header: link}).StatusCode, "a link to the page")
	assert.Equal(t, http.StatusForbidden, respond(t, page.Guard{}, request{path: "/_control/state", header: link}).StatusCode)
}

// A preflight gets no permission, so that a browser does not send the key of another site's script.
func TestGuard_AllowsNoPreflight(t *testing.T) {
	for _, path := range paths {
		resp := respond(t, page.Guard{}, request{method: http.MethodOptions, path: path, header: map[string]string{
			"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
		}})
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
}

func TestGuard_TakesTheTokenOnceFromTheURL(t *testing.T) {
	guard := page.Guard{Token: "T0KEN"}
	status := func(r request) int { return respond(t, guard, r).StatusCode }
	for _, path := range paths[:4] {
		assert.Equal(t, http.StatusUnauthorized, status(request{path: path}), path)
		assert.Equal(t, http.StatusUnauthorized, status(request{path: path + "?token=t0ken"}), path)
		assert.Equal(t, http.StatusUnauthorized, status(request{path: path + "?token="}), path)
		assert.Equal(t, http.StatusOK, status(request{path: path, header: map[string]string{"X-Devphone-Token": "T0KEN"}}), path)
	}
	assert.Equal(t, http.StatusUnauthorized, status(request{path: "/_control/state?token=T0KEN"}), "only the page takes it")
	assert.Equal(t, http.StatusOK, status(request{path: "/v1/agents"}), "the API has its key")

	resp := respond(t, guard, request{path: "/?token=T0KEN"})
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, "/", resp.Header.Get("Location"))
	require.Len(t, resp.Cookies(), 1)
	cookie := resp.Cookies()[0]
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	for _, path := range paths[:4] {
		assert.Equal(t, http.StatusOK, status(request{path: path, header: map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}}), path)
		assert.Equal(t, http.StatusUnauthorized, status(request{path: path, header: map[string]string{"Cookie": cookie.Name + "=x"}}), path)
	}
	assert.Equal(t, http.StatusForbidden, status(request{path: "/_control/state", header: map[string]string{
		"Cookie": cookie.Name + "=" + cookie.Value, "Origin": "https://evil.example",
	}}), "the cookie does not help another site")
}

// What needs no key of the API, such as a sign-up, needs the token: or else whoever reaches the address gets a key.
func TestGuard_LetsNothingReachTheAPIWithoutKeyOrToken(t *testing.T) {
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	reached := 0
	body := ""
	api := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached++
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		body = string(text)
	})
	handler := page.Handler(srv, api, page.Guard{Token: "T0KEN"})
	status := func(method, path string, header ...string) int {
		req := httptest.NewRequest(method, path, strings.NewReader("{}"))
		req.Host = host
		for i := 0; i < len(header); i += 2 {
			req.Header.Add(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Code
	}
	key := "Bearer " + srv.APIKey()
	for _, path := range []string{"/v0/agent/sign-up", "/v0/agent/verify", "/v1/agents", "/v1/calls", "/v1/calls/call_1/recording/", "/v1/calls/a/b/recording", "/none", "/_controls"} {
		for _, method := range []string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "NONE"} {
			name := method + " " + path
			assert.Equal(t, http.StatusUnauthorized, status(method, path), name)
			for _, wrong := range []string{"", "Bearer", "Bearer ", "Bearer sk_live_x", "Basic " + srv.APIKey(), srv.APIKey(), key + "x"} {
				assert.Equal(t, http.StatusUnauthorized, status(method, path, "Authorization", wrong), "%s with %q", name, wrong)
			}
			assert.Equal(t, http.StatusUnauthorized, status(method, path, "Authorization", "Bearer x", "Authorization", key), name)
			assert.Equal(t, http.StatusUnauthorized, status(method, path, "X-Devphone-Token", "t0ken"), name)
			require.Zero(t, reached, name)
			status(method, path, "Authorization", key)
			status(method, path, "X-Devphone-Token", "T0KEN")
			require.Equal(t, 2, reached, name)
			reached = 0
		}
	}
	assert.Equal(t, http.StatusUnauthorized, status("POST", "/v1/calls/call_1/recording"))
	status("POST", "/v0//agent/sign-up") // is redirected
	require.Zero(t, reached)
	assert.Equal(t, http.StatusOK, status("GET", "/v1/calls/call_1/recording"), "its address is the secret: the SDK sends no key")
	assert.Empty(t, body, "nor does it send a body, which would take memory")
}

func TestPage_RunsNoCodeButItsOwn(t *testing.T) {
	for _, path := range paths {
		header := respond(t, page.Guard{}, request{path: path}).Header
		policy := header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'")
		assert.Contains(t, policy, "script-src 'self';")
		assert.Contains(t, policy, "frame-ancestors 'none'")
		assert.NotContains(t, policy, "unsafe")
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
	}
}

func TestPage_IsReadOnly(t *testing.T) {
	assert.Equal(t, http.StatusMethodNotAllowed, respond(t, page.Guard{}, request{method: http.MethodPost, path: "/"}).StatusCode)
}
