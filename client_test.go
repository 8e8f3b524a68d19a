package agentphone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestNewClient_RefusesBadInputAtOnce(t *testing.T) {
	for name, opt := range map[string]agentphone.Option{
		"http to a remote host":    agentphone.WithBaseURL("http://api.agentphone.to"),
		"ftp":                      agentphone.WithBaseURL("ftp://api.agentphone.to"),
		"no scheme":                agentphone.WithBaseURL("api.agentphone.to"),
		"empty URL":                agentphone.WithBaseURL(""),
		"port only":                agentphone.WithBaseURL("https://:443"),
		"user information":         agentphone.WithBaseURL("https://user:pass@api.agentphone.to"),
		"query":                    agentphone.WithBaseURL("https://api.agentphone.to?x=1"),
		"empty query":              agentphone.WithBaseURL("https://api.agentphone.to?"),
		"fragment":                 agentphone.WithBaseURL("https://api.agentphone.to/#x"),
		"empty fragment":           agentphone.WithBaseURL("https://api.agentphone.to/#"),
		"loopback look-alike":      agentphone.WithBaseURL("http://127.0.0.1.example.com"),
		"nil HTTP client":          agentphone.WithHTTPClient(nil),
		"negative retries":         agentphone.WithMaxRetries(-1),
		"negative wait":            agentphone.WithRetryWait(-1, time.Second),
		"bounds reversed":          agentphone.WithRetryWait(2*time.Second, time.Second),
		"negative retry-after":     agentphone.WithMaxRetryAfter(-1),
		"negative timeout":         agentphone.WithTimeout(-1),
		"user agent of 2 lines":    agentphone.WithUserAgent("a\r\nX-Evil: 1"),
		"empty sub-account":        agentphone.WithSubAccount(""),
		"sub-account of 2 lines":   agentphone.WithSubAccount("a\nb"),
		"sub-account of a space":   agentphone.WithSubAccount(" "),
		"sub-account with spaces":  agentphone.WithSubAccount(" sub_1 "),
		"empty sub-account header": agentphone.WithHeader("x-sub-account-id", ""),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := agentphone.NewClient(apitest.Key, opt)
			var invalid *agentphone.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Nil(t, c)
		})
	}
	for _, key := range []string{" ", "sk live", "sk_live\n", "\tsk", "sk\x00", "sk\u00e9", "sk\x7f", `sk_"live`, `sk\live`, "sk_<b>", "sk&amp", "sk%20", "sk=live", "sk:live"} {
		_, err := agentphone.NewClient(key)
		var invalid *agentphone.ValidationError
		require.ErrorAs(t, err, &invalid, "%q", key)
		assert.Equal(t, "API key", invalid.Field)
	}
}

func TestWithBaseURL_AcceptsLoopbackHTTPAndPaths(t *testing.T) {
	for _, base := range []string{
		agentphone.DefaultBaseURL, agentphone.AltBaseURL, "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1",
		"https://gateway.example.com/agentphone/",
	} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(base), nil)
		assert.NoError(t, err, base)
	}
}

func TestWithBaseURL_RequestsGoBelowItsPath(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1"}`), agentphone.WithBaseURL("https://gateway.example.com/agent%2Fphone/"))
	_, err := c.Agents.Get(t.Context(), "a b")
	require.NoError(t, err)
	assert.Equal(t, "/agent%2Fphone/v1/agents/a%20b", s.Requests()[0].Path)
}

func TestNewClientFromEnv_ReadsKeyAndBaseURL(t *testing.T) {
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

func TestClientKey_WithoutOneOnlySignupIsSent(t *testing.T) {
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

func TestClientKey_IsSentAsBearerButNotForSignup(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, apitest.Result))
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

func TestClientKey_NoPrinterShowsIt(t *testing.T) {
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

func TestSecretsOfResponses_NoPrinterShowsThem(t *testing.T) {
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

func TestForSubAccount_IsNeverLeftOut(t *testing.T) {
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

func TestClientZeroValue_IsAnErrorAndNotAPanic(t *testing.T) {
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

// With -race: one client, one handler and one server in memory, used by all at once in every way.
func TestClient_ServesManyGoroutinesWithOneHandlerAndOneServer(t *testing.T) {
	const goroutines, rounds = 32, 5
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client()
	hook, err := c.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://example.com/hook"})
	require.NoError(t, err)
	var mu sync.Mutex
	received := map[string]int{}
	handler, err := agentphone.NewWebhookHandler([]string{hook.Secret}, agentphone.WebhookHandlerConfig{
		Logger: quiet,
		OnMessage: func(_ context.Context, _ *agentphone.Event, m *agentphone.MessageData) error {
			mu.Lock()
			defer mu.Unlock()
			received[m.Message]++
			return nil
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Say(turn.Transcript)
		},
	})
	require.NoError(t, err)
	srv.SetReceiver(handler)
	sub, err := c.SubAccounts.Create(t.Context(), agentphone.CreateSubAccountParams{Name: "sub"})
	require.NoError(t, err)

	for range goroutines * rounds {
		srv.NextCall(agentphonetest.CallScript{Duration: time.Hour}) // on a busy machine it would be over before it is ended
	}
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			ctx := context.Background()
			for i := range rounds {
				text := fmt.Sprintf("text %d of %d", i, g)
				_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550100", Body: text})
				assert.NoError(t, err)
				srv.ReceiveMessage("+14155550101", srv.PhoneNumber(), text)
				call, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550102", SystemPrompt: "Hi."}, agentphone.WithRequestHeader("X-Round", text))
				assert.NoError(t, err)
				_, err = c.Calls.End(ctx, call.ID)
				assert.NoError(t, err)
				in := srv.ReceiveCall("+14155550103", srv.PhoneNumber())
				_, err = srv.CallerSays(in, text)
				assert.NoError(t, err)
				assert.NoError(t, srv.EndCall(in))
				_, err = c.ForSubAccount(sub.ID).Agents.List(ctx, agentphone.ListAgentsParams{})
				assert.NoError(t, err)
				_, err = agentphone.Collect(c.Numbers.AllMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{Limit: 50}), 10)
				assert.NoError(t, err)
				if i == rounds-1 {
					_, _, _, _ = srv.Requests(), srv.Calls(), srv.Messages(), srv.Deliveries()
				}
				_ = fmt.Sprintf("%+v", c)
			}
		})
	}
	all.Wait()
	srv.WaitDeliveries()
	assert.Equal(t, 2*goroutines*rounds, len(srv.Messages()), "messages")
	assert.Equal(t, 2*goroutines*rounds, len(srv.Calls()), "calls, half of which were received")
	assert.Equal(t, goroutines*rounds, len(received), "messages handed to the callback")
	for text, n := range received {
		assert.Equal(t, 1, n, text)
	}
}

// As httpmock does it, between calls and in the middle of a program's life.
func TestWithHTTPClient_TransportMayChangeBetweenCalls(t *testing.T) {
	hc := &http.Client{}
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(hc))
	require.NoError(t, err)
	for i := range 100 {
		s := &apitest.Stub{Respond: apitest.Always(200, `{"id":"agt_1"}`)}
		hc.Transport = s
		require.NoError(t, apitest.GetAgent(t.Context(), c))
		require.Len(t, s.Requests(), 1, "change %d", i)
	}
}

func TestNewClient_RefusesARetentionShorterThanTwiceTheSettleTime(t *testing.T) {
	for retention, ok := range map[time.Duration]bool{time.Minute: false, 19 * time.Minute: false, 20 * time.Minute: true} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithKeyRetention(retention))
		if ok {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, agentphone.ErrValidation)
		}
	}
}
