package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestWebhookHandler_CallsBackOnlyForGenuineRequests(t *testing.T) {
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { calls++; return nil }})
	request := func(body string, change func(*http.Request)) *http.Request {
		r := apitest.SignedRequest(body, fmt.Sprint("whd_", time.Now().UnixNano()))
		if change != nil {
			change(r)
		}
		return r
	}
	for name, tc := range map[string]struct {
		r      *http.Request
		status int
		calls  int
	}{
		"genuine": {request(apitest.TextEvent, nil), 200, 1},
		"by the old secret": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), "whsec_old", time.Now())
		}), 200, 1},
		"forged": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), "whsec_forged", time.Now())
		}), 401, 0},
		"unsigned": {request(apitest.TextEvent, func(r *http.Request) { r.Header = http.Header{} }), 401, 0},
		"stale": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(-6*time.Minute))
		}), 401, 0},
		"of the future": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(6*time.Minute))
		}), 401, 0},
		"tampered":        {request(apitest.TextEvent, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(apitest.TextEvent + " ")) }), 401, 0},
		"not an event":    {request(`{"hello":1}`, nil), 400, 0},
		"not JSON":        {request(`hello`, nil), 400, 0},
		"empty":           {request(``, nil), 400, 0},
		"GET":             {request(apitest.TextEvent, func(r *http.Request) { r.Method = "GET" }), 405, 0},
		"40 MiB":          {request(strings.Repeat("x", 40<<20), nil), 413, 0},
		"body broken off": {request(apitest.TextEvent, func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)) }), 503, 0},
		"unknown event":   {request(`{"event":"agent.dreamt"}`, nil), 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			calls = 0
			w := apitest.Serve(h, tc.r)
			assert.Equal(t, tc.status, w.Code)
			assert.Equal(t, tc.calls, calls)
			assert.NotContains(t, w.Body.String(), apitest.Secret)
			if tc.status == 405 {
				assert.Equal(t, "POST", w.Header().Get("Allow"))
			}
		})
	}
}

// Each tenant has a path and secrets of its own, which change while the handler runs.
func TestWebhookHandler_SecretsFuncDecidesByRequest(t *testing.T) {
	secrets := map[string][]string{"ada": {"whsec_ada"}, "bob": {"whsec_bob"}}
	var got []string
	h, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{
		Logger:      quiet,
		SecretsFunc: func(r *http.Request) ([]string, error) { return secrets[r.PathValue("tenant")], nil },
		OnMessage: func(_ context.Context, e *agentphone.Event, _ *agentphone.MessageData) error {
			got = append(got, e.DeliveryID)
			return nil
		},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/hook/{tenant}", h)
	statusOf := func(tenant, secret string) int {
		r := httptest.NewRequest(http.MethodPost, "/hook/"+tenant, strings.NewReader(apitest.TextEvent))
		r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), secret, time.Now())
		r.Header.Set(agentphone.WebhookIDHeader, tenant+secret+fmt.Sprint(len(got)))
		return apitest.Serve(mux, r).Code
	}
	assert.Equal(t, 200, statusOf("ada", "whsec_ada"))
	assert.Equal(t, 200, statusOf("bob", "whsec_bob"))
	assert.Equal(t, 401, statusOf("ada", "whsec_bob"))
	secrets["ada"] = []string{"whsec_new", "whsec_ada"}
	assert.Equal(t, 200, statusOf("ada", "whsec_ada"))
	assert.Equal(t, 200, statusOf("ada", "whsec_new"))
	secrets["ada"] = []string{"whsec_new"}
	assert.Equal(t, 401, statusOf("ada", "whsec_ada"))
	assert.Equal(t, 200, statusOf("ada", "whsec_new"))
	assert.Len(t, got, 5)
	for _, printed := range []string{fmt.Sprintf("%v", h), fmt.Sprintf("%+v", h), fmt.Sprintf("%#v", h)} {
		assert.NotContains(t, printed, "whsec_")
	}
}

// A tenant knows the id and the body of a delivery to another one, and signs it with a secret of its own: the other is still to handle its own.
func TestWebhookHandler_TenantsDoNotHandleDeliveriesOfOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		url    string
		tenant func(*http.Request) string // of which SecretsFunc returns the secret
		set    bool                       // as the TenantFunc
	}{
		"told apart by the path":  {"http://x/hook/%s", func(r *http.Request) string { return path.Base(r.URL.Path) }, false},
		"told apart by the query": {"http://x/hook?tenant=%s", func(r *http.Request) string { return r.FormValue("tenant") }, false},
		"told apart by the host":  {"http://%s.x/hook", func(r *http.Request) string { return r.Host }, true},
	} {
		t.Run(name, func(t *testing.T) {
			secretOf := func(r *http.Request) string { return "whsec_" + tc.tenant(r) }
			var got []string
			failure := errors.New("not yet")
			config := agentphone.WebhookHandlerConfig{
				Logger:      quiet,
				SecretsFunc: func(r *http.Request) ([]string, error) { return []string{secretOf(r)}, nil },
			}
			if tc.set {
				config.TenantFunc = tc.tenant
			}
			handlerOf := map[string]http.Handler{}
			config.Store = agentphone.NewMemoryStore()
			for _, tenant := range []string{"ada", "bob"} { // one handler, but for the callback
				config.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
					got = append(got, tenant)
					return failure
				}
				h, err := agentphone.NewWebhookHandler(nil, config)
				require.NoError(t, err)
				handlerOf[tenant] = h
			}
			deliver := func(tenant string) int {
				r := httptest.NewRequest(http.MethodPost, fmt.Sprintf(tc.url, tenant), strings.NewReader(apitest.TextEvent))
				r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), secretOf(r), time.Now())
				r.Header.Set(agentphone.WebhookIDHeader, "whd_1")
				return apitest.Serve(handlerOf[tenant], r).Code
			}
			assert.Equal(t, 500, deliver("ada"))
			failure = nil
			assert.Equal(t, 200, deliver("bob"))
			for range 2 {
				assert.Equal(t, 200, deliver("ada"))
				assert.Equal(t, 200, deliver("bob"))
			}
			assert.Equal(t, []string{"ada", "bob", "ada"}, got)
		})
	}
}

// A handler for each tenant, or each purpose, and one Store: each handles its own deliveries, once, whatever middleware makes of the URL.
func TestWebhookHandler_HandlersThatShareAStoreAreToldApart(t *testing.T) {
	type config = agentphone.WebhookHandlerConfig
	stripped := func(name string, h http.Handler) http.Handler { return http.StripPrefix("/"+name, h) }
	rewritten := func(name string, h http.Handler) http.Handler { // to what is not in the request line
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/" + name
			h.ServeHTTP(w, r)
		})
	}
	asItIs := func(_ string, h http.Handler) http.Handler { return h }
	named := func(name string, c *config) {
		c.TenantFunc = func(*http.Request) string { return name }
	}
	for what, tc := range map[string]struct {
		path      func(name string) string
		wrap      func(name string, h http.Handler) http.Handler
		configure func(name string, c *config)
		secret    func(name string) string
		fixed     bool
	}{
		"SecretsFunc, by the prefix that is stripped":      {path: func(name string) string { return "/" + name + "/hook" }, wrap: stripped},
		"SecretsFunc, by the path that is put in":          {wrap: rewritten},
		"SecretsFunc and TenantFunc":                       {configure: named},
		"fixed secrets and TenantFunc":                     {configure: named, fixed: true},
		"the same secret for two purposes, and TenantFunc": {configure: named, fixed: true, secret: func(string) string { return "whsec_x" }},
	} {
		t.Run(what, func(t *testing.T) {
			if tc.path == nil {
				tc.path = func(string) string { return "/hook" }
			}
			if tc.wrap == nil {
				tc.wrap = asItIs
			}
			if tc.secret == nil {
				tc.secret = func(name string) string { return "whsec_" + name }
			}
			var got []string
			store := agentphone.NewMemoryStore()
			deliver := func(name, signedWith string, secrets ...string) int {
				c := onMessage(func(context.Context) error { got = append(got, name); return nil })
				c.Store, c.Logger = store, quiet
				if tc.configure != nil {
					tc.configure(name, &c)
				}
				if !tc.fixed {
					known := secrets
					secrets, c.SecretsFunc = nil, func(*http.Request) ([]string, error) { return known, nil }
				}
				h, err := agentphone.NewWebhookHandler(secrets, c)
				require.NoError(t, err)
				r := httptest.NewRequest(http.MethodPost, tc.path(name), strings.NewReader(apitest.TextEvent))
				r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), signedWith, time.Now())
				r.Header.Set(agentphone.WebhookIDHeader, "whd_1")
				return apitest.Serve(tc.wrap(name, h), r).Code
			}
			ada, bob := tc.secret("ada"), tc.secret("bob")
			assert.Equal(t, 200, deliver("ada", ada, ada)) // what Bob is about to get
			assert.Equal(t, 200, deliver("bob", bob, bob))
			assert.Equal(t, []string{"ada", "bob"}, got)
			assert.Equal(t, 200, deliver("bob", bob, bob, "whsec_new"))
			assert.Equal(t, 200, deliver("bob", "whsec_new", "whsec_new"))
			assert.Equal(t, []string{"ada", "bob"}, got, "a redelivery is one, also after a rotation")
		})
	}
}

// Redeliveries may be signed with the secret of the time of the event, or with the present one.
func TestWebhookHandler_RedeliveryAfterARotationIsADuplicate(t *testing.T) {
	store, calls := agentphone.NewMemoryStore(), 0
	config := onMessage(func(context.Context) error { calls++; return nil })
	config.Store = store
	for name, handler := range map[string]func(secrets ...string) (http.Handler, error){
		"fixed secrets": func(secrets ...string) (http.Handler, error) { return agentphone.NewWebhookHandler(secrets, config) },
		"SecretsFunc": func(secrets ...string) (http.Handler, error) {
			config := config
			config.SecretsFunc = func(*http.Request) ([]string, error) { return secrets, nil }
			return agentphone.NewWebhookHandler(nil, config)
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls = 0
			deliver := func(id, signer string, secrets ...string) {
				h, err := handler(secrets...)
				require.NoError(t, err)
				r := apitest.SignedRequest(apitest.TextEvent, name+id)
				maps.Copy(r.Header, agentphone.SignWebhook([]byte(apitest.TextEvent), signer, time.Now()))
				assert.Equal(t, 200, apitest.Serve(h, r).Code)
			}
			deliver("before", "whsec_old", "whsec_old")
			deliver("before", "whsec_old", "whsec_new", "whsec_old")
			deliver("before", "whsec_new", "whsec_new", "whsec_old")
			deliver("before", "whsec_new", "whsec_new")
			assert.Equal(t, 1, calls)
			deliver("meanwhile", "whsec_old", "whsec_new", "whsec_old")
			deliver("meanwhile", "whsec_new", "whsec_new")
			assert.Equal(t, 2, calls)
		})
	}
}

// The event may be genuine: it comes again. With an empty secret anybody could sign.
func TestWebhookHandler_SecretsThatCannotBeHadGet503(t *testing.T) {
	for name, failing := range map[string]func() ([]string, error){
		"error":            func() ([]string, error) { return nil, errors.New("database is down") },
		"error with some":  func() ([]string, error) { return []string{apitest.Secret}, errors.New("database is down") },
		"none":             func() ([]string, error) { return nil, nil },
		"an empty one":     func() ([]string, error) { return []string{""}, nil },
		"an empty one too": func() ([]string, error) { return []string{apitest.Secret, ""}, nil },
		"an invalid one":   func() ([]string, error) { return []string{"whsec_a\n"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			down, calls := true, 0
			h, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{
				Logger: logs.logger(),
				SecretsFunc: func(*http.Request) ([]string, error) {
					if down {
						return failing()
					}
					return []string{apitest.Secret}, nil
				},
				OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { calls++; return nil },
			})
			require.NoError(t, err)
			for _, secret := range []string{apitest.Secret, ""} {
				r := apitest.SignedRequest(apitest.TextEvent, "x")
				maps.Copy(r.Header, agentphone.SignWebhook([]byte(apitest.TextEvent), secret, time.Now()))
				w := apitest.Serve(h, r)
				assert.Equal(t, 503, w.Code)
				assert.NotEmpty(t, w.Header().Get("Retry-After"))
			}
			assert.Zero(t, calls)
			assert.Contains(t, logs.String(), "getting the secrets failed")
			assert.NotContains(t, logs.String(), "whsec_")
			down = false
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
			assert.Equal(t, 1, calls)
		})
	}
}

// Who sends just anything does not have secrets looked up.
func TestWebhookHandler_SecretsFuncIsNotAskedForPlainlyBadRequests(t *testing.T) {
	h, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{Logger: quiet, SecretsFunc: func(*http.Request) ([]string, error) {
		t.Error("asked")
		return nil, nil
	}})
	require.NoError(t, err)
	for name, header := range map[string]http.Header{
		"unsigned": {}, "stale": agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(-time.Hour)),
		"malformed": {agentphone.WebhookSignatureHeader: {"sha256=zz"}},
	} {
		r := apitest.SignedRequest(apitest.TextEvent, "x")
		r.Header = header
		assert.Equal(t, 401, apitest.Serve(h, r).Code, name)
	}
	for method, body := range map[string]string{"GET": apitest.TextEvent, "POST": strings.Repeat("x", 2<<20)} {
		r := apitest.SignedRequest(body, "x")
		r.Method = method
		assert.Contains(t, []int{405, 413}, apitest.Serve(h, r).Code)
	}
}

func TestWebhookHandler_MistypedFieldLosesNoMessage(t *testing.T) {
	var logs strings.Builder
	got := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger:    slog.New(slog.NewTextHandler(&logs, nil)),
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { got++; return nil },
	})
	w := apitest.Serve(h, apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":{"message":"help!","replyTo":"msg_1"}}`, "1"))
	assert.Falsef(t, w.Code == 200 && got == 0 && logs.Len() == 0, "status 200 without a callback or a log record")
}

func TestWebhookHandler_LimitsTheBody(t *testing.T) {
	of := func(size int) string {
		const head, tail = `{"event":"agent.dreamt","data":"`, `"}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	for _, tc := range []struct{ config, limit int }{{100, 100}, {1 << 20, 1 << 20}, {3 << 20, 3 << 20}, {0, 1 << 20}} {
		t.Run(fmt.Sprint("MaxBodyBytes ", tc.config), func(t *testing.T) {
			h := newHandler(t, agentphone.WebhookHandlerConfig{MaxBodyBytes: int64(tc.config)})
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(of(tc.limit), "")).Code)
			assert.Equal(t, 413, apitest.Serve(h, apitest.SignedRequest(of(tc.limit+1), "")).Code)
		})
	}
}

// The length that a request says its body has is believed as a hint only.
func TestWebhookHandler_ReadsTheBodyToItsEnd(t *testing.T) {
	body := `{"event":"agent.dreamt","data":"` + strings.Repeat("x", 100_000) + `"}`
	for _, length := range []int64{-1, 0, 1, 600, int64(len(body)), 1 << 40} {
		t.Run(fmt.Sprint("Content-Length ", length), func(t *testing.T) {
			var got string
			h := newHandler(t, agentphone.WebhookHandlerConfig{OnUnknown: func(_ context.Context, e *agentphone.Event, _ *agentphone.UnknownData) error {
				got = string(e.Raw)
				return nil
			}})
			r := apitest.SignedRequest(body, "")
			r.Body, r.ContentLength = io.NopCloser(iotest.OneByteReader(strings.NewReader(body))), length
			assert.Equal(t, 200, apitest.Serve(h, r).Code)
			assert.Equal(t, body, got)
		})
	}
}

func TestWebhookHandler_LimitsTheAgeOfATimestamp(t *testing.T) {
	for _, tolerance := range []time.Duration{time.Minute, time.Hour} {
		for age, want := range map[time.Duration]int{
			tolerance: 200, -tolerance: 200, tolerance + time.Second: 401, -tolerance - time.Second: 401,
		} {
			t.Run(fmt.Sprintf("%v of %v", age, tolerance), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // time stands still
					h := newHandler(t, agentphone.WebhookHandlerConfig{Tolerance: tolerance})
					r := apitest.SignedRequest(apitest.TextEvent, "")
					r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(-age))
					assert.Equal(t, want, apitest.Serve(h, r).Code)
				})
			})
		}
	}
}

func TestWebhookHandler_OtherMethodsGet405(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "PURGE", ""} {
		t.Run(method, func(t *testing.T) {
			h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
				t.Error("called back")
				return nil
			}})
			r := apitest.SignedRequest(apitest.TextEvent, "whd_1") // only the method is wrong
			r.Method = method
			w := apitest.Serve(h, r)
			assert.Equal(t, 405, w.Code)
			assert.Equal(t, "POST", w.Header().Get("Allow"))
		})
	}
}

// Ids are not signed: without a limit anybody who captured a request could fill a store, or confuse it.
func TestWebhookHandler_StoreSeesShortPlainKeys(t *testing.T) {
	var got []string
	var key string
	store := newTestStore()
	store.claim = func(ctx context.Context, k string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
		key = k
		return store.Store.Claim(ctx, k, opts)
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{Store: store, OnMessage: func(_ context.Context, e *agentphone.Event, _ *agentphone.MessageData) error {
		got = append(got, e.DeliveryID)
		return nil
	}})
	other := strings.Replace(apitest.TextEvent, "hi", "ho", 1)
	long := strings.Repeat("x", 4000)
	for _, tc := range []struct {
		name, body, id string
		handled        bool
	}{
		{"of the maximum length", apitest.TextEvent, long[:128], true},
		{"again", apitest.TextEvent, long[:128], false},
		{"another body", other, long[:128], true},
		{"one byte longer", apitest.TextEvent, long[:129], true},
		{"much longer", apitest.TextEvent, long, true},
		{"much longer, again", apitest.TextEvent, long, false},
		{"much longer, again with another body", other, long, true},
		{"none", apitest.TextEvent, "", true},
		{"none, again", apitest.TextEvent, "", false},
		{"none, but another body", other, "", true},
		{"none, again with the other body", other, "", false},
		{"not ASCII", apitest.TextEvent, "é", true},
		{"not ASCII, again", apitest.TextEvent, "é", false},
		{"not UTF-8", apitest.TextEvent, "\xff", true},
		{"with a line break", apitest.TextEvent, "a\nb", true},
		{"with a NUL", apitest.TextEvent, "a\x00b", true},
		{"with a colon", apitest.TextEvent, "a:b", true},
	} { // in this order: each depends on those before it
		before := len(got)
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(tc.body, tc.id)).Code, tc.name)
		assert.Regexp(t, "^delivery:[!-~]{0,200}:[0-9a-f]{64}$", key, tc.name)
		assert.LessOrEqual(t, len(key), 255, tc.name)
		if len(tc.id) <= 128 && !strings.ContainsFunc(tc.id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			assert.Equal(t, tc.id, idOf(key), tc.name)
		}
		require.Equal(t, tc.handled, len(got) > before, tc.name)
		if tc.handled {
			assert.Equal(t, tc.id, got[before], "the callback gets the id of the request: %s", tc.name)
		}
	}
}

func TestWebhookHandler_NilBodyGets400(t *testing.T) {
	r := apitest.SignedRequest("", "whd_1")
	r.Body = nil
	assert.Equal(t, 400, apitest.Serve(newHandler(t, agentphone.WebhookHandlerConfig{}), r).Code)
}
