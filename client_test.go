package agentphone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestNewClientRefusesBadInputAtOnce(t *testing.T) {
	for name, opt := range map[string]agentphone.Option{
		"http to a remote host":  agentphone.WithBaseURL("http://api.agentphone.to"),
		"ftp":                    agentphone.WithBaseURL("ftp://api.agentphone.to"),
		"no scheme":              agentphone.WithBaseURL("api.agentphone.to"),
		"empty URL":              agentphone.WithBaseURL(""),
		"port only":              agentphone.WithBaseURL("https://:443"),
		"user information":       agentphone.WithBaseURL("https://user:pass@api.agentphone.to"),
		"query":                  agentphone.WithBaseURL("https://api.agentphone.to?x=1"),
		"empty query":            agentphone.WithBaseURL("https://api.agentphone.to?"),
		"fragment":               agentphone.WithBaseURL("https://api.agentphone.to/#x"),
		"empty fragment":         agentphone.WithBaseURL("https://api.agentphone.to/#"),
		"loopback look-alike":    agentphone.WithBaseURL("http://127.0.0.1.example.com"),
		"nil HTTP client":        agentphone.WithHTTPClient(nil),
		"negative retries":       agentphone.WithMaxRetries(-1),
		"negative wait":          agentphone.WithRetryWait(-1, time.Second),
		"bounds reversed":        agentphone.WithRetryWait(2*time.Second, time.Second),
		"negative retry-after":   agentphone.WithMaxRetryAfter(-1),
		"negative timeout":       agentphone.WithTimeout(-1),
		"user agent of 2 lines":  agentphone.WithUserAgent("a\r\nX-Evil: 1"),
		"empty sub-account":      agentphone.WithSubAccount(""),
		"sub-account of 2 lines": agentphone.WithSubAccount("a\nb"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := agentphone.NewClient(apitest.Key, opt)
			var invalid *agentphone.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Nil(t, c)
		})
	}
	for _, key := range []string{" ", "sk live", "sk_live\n", "\tsk", "sk\x00", "sk\u00e9", "sk\x7f"} {
		_, err := agentphone.NewClient(key)
		var invalid *agentphone.ValidationError
		require.ErrorAs(t, err, &invalid, "%q", key)
		assert.Equal(t, "API key", invalid.Field)
	}
}

func TestNewClientAcceptsLoopbackHTTPAndPaths(t *testing.T) {
	for _, base := range []string{
		agentphone.DefaultBaseURL, agentphone.AltBaseURL, "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1",
		"https://gateway.example.com/agentphone/",
	} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(base), nil)
		assert.NoError(t, err, base)
	}
}

func TestRequestsGoBelowTheBasePath(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1"}`), agentphone.WithBaseURL("https://gateway.example.com/agent%2Fphone/"))
	_, err := c.Agents.Get(t.Context(), "a/b")
	require.NoError(t, err)
	assert.Equal(t, "/agent%2Fphone/v1/agents/a%2Fb", s.Requests()[0].Path)
}

func TestNewClientFromEnv(t *testing.T) {
	t.Setenv("AGENTPHONE_API_KEY", "")
	_, err := agentphone.NewClientFromEnv()
	require.ErrorIs(t, err, agentphone.ErrNoAPIKey)

	t.Setenv("AGENTPHONE_API_KEY", apitest.Key)
	t.Setenv("AGENTPHONE_BASE_URL", "http://not-loopback.example.com")
	_, err = agentphone.NewClientFromEnv()
	require.ErrorIs(t, err, agentphone.ErrValidation)

	t.Setenv("AGENTPHONE_BASE_URL", agentphone.AltBaseURL)
	c, err := agentphone.NewClientFromEnv()
	require.NoError(t, err)
	assert.Contains(t, c.String(), agentphone.AltBaseURL)
}

func TestWithoutAKeyOnlySignUpIsSent(t *testing.T) {
	s := &apitest.Stub{Respond: apitest.Always(200, `{"verification_id":"ver_1"}`)}
	c, err := agentphone.NewClient("", agentphone.WithHTTPClient(&http.Client{Transport: s}))
	require.NoError(t, err)

	_, err = c.Agents.List(t.Context(), agentphone.ListAgentsParams{})
	require.ErrorIs(t, err, agentphone.ErrNoAPIKey)
	assert.EqualError(t, err, "agentphone: GET /v1/agents: agentphone: no API key")
	require.ErrorIs(t, c.Do(t.Context(), "GET", "/v1/x", nil, nil), agentphone.ErrNoAPIKey)
	assert.Empty(t, s.Requests())

	_, err = c.Signup.Start(t.Context(), agentphone.SignupParams{HumanEmail: "a@example.com"})
	require.NoError(t, err)
	assert.Empty(t, s.Requests()[0].Header.Values("Authorization"))
}

func TestTheKeyIsSentAsABearerButNotForSignUp(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	_, err := c.Usage.Get(t.Context())
	require.NoError(t, err)
	_, err = c.Signup.Verify(t.Context(), agentphone.VerifySignupParams{VerificationID: "ver_1", OTPCode: "123456"})
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer " + apitest.Key}, s.Requests()[0].Header.Values("Authorization"))
	assert.Empty(t, s.Requests()[1].Header.Values("Authorization"))
}

// secretHolder is a user's struct with clients in places that fmt prints without calling their
// methods.
type secretHolder struct {
	Exported   *agentphone.Client
	unexported *agentphone.Client
	value      agentphone.Client
	any        any
}

func TestNoPrinterShowsTheKey(t *testing.T) {
	c, err := agentphone.NewClient(apitest.Key)
	require.NoError(t, err)
	sub := c.ForSubAccount("sub_1")
	h := secretHolder{c, c, *c, *sub}

	var printed bytes.Buffer
	for _, v := range []any{c, *c, sub, h, &h, []any{c, h}, map[string]any{"c": *c}, c.Calls, *c.Calls} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		text := slog.New(slog.NewTextHandler(&printed, nil))
		text.Info("x", "v", v)
		logger := slog.New(slog.NewJSONHandler(&printed, nil))
		logger.Info("x", "v", v)
		_ = json.NewEncoder(&printed).Encode(v)
	}
	// testify's diff looks into everything with reflection and calls no methods.
	other, err := agentphone.NewClient("sk_live_another")
	require.NoError(t, err)
	diff := &recorder{}
	assert.Equal(diff, secretHolder{Exported: c}, secretHolder{Exported: other})
	assert.Equal(diff, h, secretHolder{})
	require.Contains(t, diff.text, "userAgent", "the diff shows a client's inside")
	printed.WriteString(diff.text)

	for _, secret := range []string{apitest.Key, "sk_live", fmt.Sprintf("%x", apitest.Key), fmt.Sprintf("%v", []byte(apitest.Key))} {
		assert.NotContains(t, printed.String(), secret)
	}
	assert.Equal(t, "agentphone.Client{https://api.agentphone.to}", fmt.Sprintf("%+v", c))
	assert.Equal(t, "agentphone.Client{https://api.agentphone.to sub-account sub_1}", fmt.Sprintf("%#v", *sub))
	assert.Equal(t, `{"c":"agentphone.Client{https://api.agentphone.to}"}`, apitest.JSON(t, map[string]any{"c": c}))
}

type recorder struct{ text string }

func (r *recorder) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

func TestNoPrinterShowsTheSecretsOfAnswers(t *testing.T) {
	account := agentphone.Account{AccountID: "acct_1", APIKey: "sk_live_secret"}
	webhook := agentphone.Webhook{ID: "wh_1", Secret: "whsec_secret"}
	var printed bytes.Buffer
	for _, v := range []any{account, &account, webhook, &webhook, []any{account, webhook}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
	}
	slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "a", account, "w", &webhook)
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "a", account, "w", &webhook)
	assert.NotContains(t, printed.String(), "secret")
	assert.Contains(t, printed.String(), "acct_1")
	// To store them is what JSON is for.
	assert.Contains(t, apitest.JSON(t, account), "sk_live_secret")
	assert.Contains(t, apitest.JSON(t, webhook), "whsec_secret")
}

func TestSubAccountsAreNeverLeftOut(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[],"total":0}`))
	ctx := t.Context()
	list := func(c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Agents.List(ctx, agentphone.ListAgentsParams{}, opts...)
		return err
	}
	require.NoError(t, list(c))
	require.NoError(t, list(c.ForSubAccount("sub_1")))
	require.NoError(t, list(c.ForSubAccount("sub_1"), agentphone.WithRequestSubAccount("sub_2")))
	require.NoError(t, list(c, agentphone.WithRequestSubAccount("sub_3")))
	var got []string
	for _, r := range s.Requests() {
		got = append(got, r.Header.Get("X-Sub-Account-Id"))
	}
	assert.Equal(t, []string{"", "sub_1", "sub_2", "sub_3"}, got)

	for _, id := range []string{"", "a\r\nb", ".."} {
		require.ErrorIs(t, list(c.ForSubAccount(id)), agentphone.ErrValidation, "%q", id)
		require.ErrorIs(t, list(c, agentphone.WithRequestSubAccount(id)), agentphone.ErrValidation, "%q", id)
	}
	assert.Len(t, s.Requests(), 4)
}

func TestZeroValuesAreErrorsAndNotPanics(t *testing.T) {
	ctx := t.Context()
	var zero agentphone.Client
	_, err := zero.Calls.Get(ctx, "call_1")
	require.Error(t, err)
	_, err = new(agentphone.CallsService).Get(ctx, "call_1")
	require.Error(t, err)
	require.Error(t, zero.Do(ctx, "GET", "/v1/x", nil, nil))
	_, err = zero.ForSubAccount("sub_1").Usage.Get(ctx)
	require.Error(t, err)
	assert.Equal(t, "agentphone.Client{}", zero.String())

	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	var nilContext context.Context
	_, err = c.Calls.Get(nilContext, "call_1")
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = c.Calls.Wait(nilContext, "call_1", agentphone.WaitParams{})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())

	_, err = c.Usage.Get(ctx, nil, agentphone.WithResponse(nil))
	require.NoError(t, err)

	for _, err := range []error{
		&agentphone.APIError{}, &agentphone.TransportError{}, &agentphone.DecodeError{}, &agentphone.ValidationError{}, &agentphone.WaitError{},
	} {
		assert.NotEmpty(t, fmt.Sprintf("%v %+v", err, err))
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.NotErrorIs(t, err, agentphone.ErrNotFound)
	}
	var voice agentphone.VoiceResponse
	for _, err := range []error{voice.Say("x"), voice.Interim("x"), voice.Hangup(), voice.Transfer(), voice.Stream(tokens("x. y"))} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
	}
	assert.False(t, new(agentphone.Call).Final())
	assert.Empty(t, new(agentphone.Call).Dialogue())
}

func TestRequestOptions(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1"}`, "X-Request-Id", "req_1"))
	var meta agentphone.Response
	_, err := c.Calls.Get(t.Context(), "call_1", agentphone.WithResponse(&meta),
		agentphone.WithRequestHeader("x-trace", "t1"), agentphone.WithRequestQuery("a", "1"), agentphone.WithRequestQuery("a", "2"),
		agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 30})
	require.NoError(t, err)
	r := s.Requests()[0]
	assert.Equal(t, "t1", r.Header.Get("X-Trace"))
	assert.Equal(t, "a=1&a=2&timeout=30&wait=true", r.Query.Encode())
	assert.Contains(t, r.Header.Get("User-Agent"), "agentphone-go/"+agentphone.Version)
	assert.Equal(t, 200, meta.Status)
	assert.Equal(t, "req_1", meta.RequestID)
	assert.Equal(t, 1, meta.Attempts)
	assert.Equal(t, `{"id":"call_1"}`, string(meta.Body))

	c, _ = apitest.NewClient(t, apitest.Always(404, `{"detail":"gone"}`, "X-Request-Id", "req_2"))
	_, err = c.Calls.Get(t.Context(), "call_1", agentphone.WithResponse(&meta))
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Equal(t, 404, meta.Status)
	assert.Equal(t, "req_2", meta.RequestID)
}

func TestRequestOptionsThatDoHarmAreRefused(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	for _, opt := range []agentphone.RequestOption{
		agentphone.WithRequestHeader("Idempotency-Key", "1"), agentphone.WithRequestHeader("x-idempotency-key", "1"),
		agentphone.WithRequestHeader("authorization", "Bearer x"), agentphone.WithRequestHeader("Host", "x"),
		agentphone.WithRequestHeader("Content-Length", "1"), agentphone.WithRequestHeader("transfer-encoding", "chunked"),
		agentphone.WithRequestHeader("Accept-Encoding", "gzip"),
		agentphone.WithRequestHeader("", "x"), agentphone.WithRequestHeader("a b", "x"), agentphone.WithRequestHeader("a\r\nb", "x"), agentphone.WithRequestHeader("é", "x"),
		agentphone.WithRequestHeader("X-A", "1\r\nX-Evil: 1"), agentphone.WithRequestHeader("X-A", "\x00"),
		agentphone.WithRequestTimeout(-1), agentphone.WithRequestMaxRetries(-1),
		agentphone.GetCallOptions{TimeoutSeconds: 30}, agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 9},
		agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 301}, agentphone.GetConversationOptions{MessageLimit: -1},
	} {
		_, err := c.Calls.Get(t.Context(), "call_1", opt)
		require.ErrorIs(t, err, agentphone.ErrValidation)
		assert.NotContains(t, err.Error(), "Evil")
	}
	assert.Empty(t, s.Requests())
}

func TestDoReachesOtherEndpointsUnderTheSameRules(t *testing.T) {
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
	assert.Len(t, s.Requests(), 1, "a POST through Do acts once")
	err = c.Do(ctx, "POST", "/v1/secret-id", nil, nil)
	assert.False(t, strings.Contains(err.Error(), "secret-id"))
	var apiErr *agentphone.APIError
	require.True(t, errors.As(err, &apiErr))
	assert.Equal(t, "POST {path}", apiErr.Operation)
}

func TestWithOptionsOfOneMethod_AreRefusedByOthers(t *testing.T) {
	options := map[string]agentphone.RequestOption{
		"GetCallOptions":         agentphone.GetCallOptions{Wait: true},
		"GetConversationOptions": agentphone.GetConversationOptions{MessageLimit: 5},
		"TestWebhookOptions":     agentphone.TestWebhookOptions{AgentID: "agt_1"},
	}
	for name, option := range options {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
			for operation, err := range map[string]error{
				"GET /v1/agents/{agent_id}": apitest.Err(c.Agents.Get(t.Context(), "agt_1", option)),
				"GET {path}":                c.Do(t.Context(), "GET", "/v1/calls/call_1", nil, nil, option),
			} {
				var invalid *agentphone.ValidationError
				require.ErrorAs(t, err, &invalid)
				assert.Equal(t, &agentphone.ValidationError{Field: name, Reason: "is not an option of " + operation}, invalid)
			}
			assert.Empty(t, s.Requests())
		})
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	_, err := c.Calls.Get(t.Context(), "call_1", options["GetCallOptions"])
	require.NoError(t, err)
	_, err = c.Conversations.Get(t.Context(), "conv_1", options["GetConversationOptions"])
	require.NoError(t, err)
	_, err = c.Webhooks.Test(t.Context(), options["TestWebhookOptions"])
	require.NoError(t, err)
}
