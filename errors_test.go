package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestErrors_TextsAreOneCleanLine(t *testing.T) {
	html := strings.Repeat("<html><body>bad gateway at https://internal.example.com/?token=t</body></html>", 10)
	for name, tc := range map[string]struct {
		call     func(context.Context, *agentphone.Client) error
		response func(int, apitest.Request) (*http.Response, error)
		want     string
	}{
		"list of invalid fields": {
			apitest.CreateCall, apitest.Always(422, `{"detail":[{"loc":["body","toNumber"],"msg":"field required","type":"missing"}]}`),
			"agentphone: POST /v1/calls: 422 VALIDATION_ERROR: toNumber: field required (attempts=1)",
		},
		"two invalid fields": {
			apitest.CreateCall, apitest.Always(422, `{"detail":[{"loc":["body","variables",0,"x"],"msg":"bad","type":"t"},{"loc":["body"],"msg":"worse","type":"t"}]}`),
			"agentphone: POST /v1/calls: 422 VALIDATION_ERROR: variables.0.x: bad; body: worse (attempts=1)",
		},
		"detail text": {
			apitest.GetAgent, apitest.Always(404, `{"detail":"Agent not found"}`),
			"agentphone: GET /v1/agents/{agent_id}: 404 Not Found: Agent not found (attempts=1)",
		},
		"envelope": {
			apitest.CreateCall, apitest.Always(402, `{"error":{"message":"add credit","code":"INSUFFICIENT_BALANCE","type":"billing"}}`, "X-Request-Id", "req_1"),
			"agentphone: POST /v1/calls: 402 INSUFFICIENT_BALANCE: add credit (request_id=req_1, attempts=1)",
		},
		"envelope with details only": {
			apitest.CreateCall, apitest.Always(400, `{"error":{"code":"VALIDATION_ERROR","details":[{"field":"toNumber","message":"bad"},"also bad",7]}}`),
			"agentphone: POST /v1/calls: 400 VALIDATION_ERROR: toNumber: bad; also bad (attempts=1)",
		},
		"envelope of odd types": {
			apitest.CreateCall, apitest.Always(400, `{"error":{"message":7,"code":"X","details":{}}}`),
			"agentphone: POST /v1/calls: 400 X (attempts=1)",
		},
		"bare error text": {
			apitest.CreateCall, apitest.Always(400, `{"error":"no"}`),
			"agentphone: POST /v1/calls: 400 Bad Request: no (attempts=1)",
		},
		"proxy page": {
			apitest.GetAgent, apitest.Always(502, html, "Content-Type", "text/html"),
			"agentphone: GET /v1/agents/{agent_id}: 502 Bad Gateway (attempts=4)",
		},
		"no body": {
			apitest.GetAgent, apitest.Always(403, ``),
			"agentphone: GET /v1/agents/{agent_id}: 403 Forbidden (attempts=1)",
		},
		"status without a name": {
			apitest.GetAgent, apitest.Always(498, `[]`),
			"agentphone: GET /v1/agents/{agent_id}: 498 (attempts=1)",
		},
		"message with line breaks": {
			apitest.GetAgent, apitest.Always(400, `{"detail":"a\r\n2026-01-01 level=ERROR forged\u2028b\u0000"}`),
			"agentphone: GET /v1/agents/{agent_id}: 400 Bad Request: a 2026-01-01 level=ERROR forged b (attempts=1)",
		},
		"long message": {
			apitest.GetAgent, apitest.Always(400, `{"detail":"`+strings.Repeat("é", 400)+`"}`),
			"agentphone: GET /v1/agents/{agent_id}: 400 Bad Request: " + strings.Repeat("é", 248) + "… (attempts=1)",
		},
		"message that quotes the key": {
			apitest.GetAgent, apitest.Always(401, `{"detail":"bad key `+apitest.Key+`"}`),
			"agentphone: GET /v1/agents/{agent_id}: 401 Unauthorized: bad key [REDACTED] (attempts=1)",
		},
		"redirect": {
			apitest.GetAgent, apitest.Always(302, `moved`, "Location", "https://evil.example.com/?x=1"),
			"agentphone: GET /v1/agents/{agent_id}: 302 Found (attempts=1)",
		},
		"redirect to nowhere": {
			apitest.GetAgent, apitest.Always(302, ``, "Location", "://%zz secret"),
			"agentphone: GET /v1/agents/{agent_id}: 302 Found (attempts=1)",
		},
		"outcome unknown": {
			apitest.CreateCall, apitest.Always(502, html),
			"agentphone: POST /v1/calls: 502 Bad Gateway (attempts=1); it may have taken effect: check before retrying",
		},
		"connection failed": {
			apitest.CreateCall, func(int, apitest.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
			},
			"agentphone: POST /v1/calls: read tcp: connection reset by peer (attempts=1); it may have taken effect: check before retrying",
		},
		"connection not made": {
			apitest.CreateCall, nil,
			"agentphone: POST /v1/calls: dial tcp: connection refused (attempts=4)",
		},
		"RoundTripper that quotes the key": {
			apitest.GetAgent, func(_ int, r apitest.Request) (*http.Response, error) {
				return nil, fmt.Errorf("cannot send %s", r.Header.Get("Authorization"))
			},
			`agentphone: GET /v1/agents/{agent_id}: cannot send Bearer [REDACTED] (attempts=4)`,
		},
		"RoundTripper that quotes a header": {
			apitest.GetAgent, func(_ int, r apitest.Request) (*http.Response, error) {
				return nil, fmt.Errorf("cannot send %q", r.Header.Get("Authorization"))
			},
			`agentphone: GET /v1/agents/{agent_id}: cannot send "…" (attempts=4)`,
		},
		"RoundTripper that gives nothing": {
			apitest.GetAgent, func(int, apitest.Request) (*http.Response, error) { return nil, nil },
			"agentphone: GET /v1/agents/{agent_id}: the RoundTripper returned neither a response nor an error (attempts=4)",
		},
		"response of HTML": {
			apitest.GetAgent, apitest.Always(200, html),
			"agentphone: GET /v1/agents/{agent_id}: decode 200 response: invalid character '<' looking for beginning of value (attempts=1)",
		},
		"empty response, not idempotent": {
			apitest.CreateCall, apitest.Always(201, ``),
			"agentphone: POST /v1/calls: decode 201 response: the body is empty (attempts=1); it may have taken effect: check before retrying",
		},
		"invalid input": {
			func(ctx context.Context, c *agentphone.Client) error {
				_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "(415) 555-9999"})
				return err
			}, nil,
			"agentphone: toNumber: not in E.164 form (+ and 7 to 15 digits, such as +14155551234)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := apitest.NewClientOver(t, apitest.Unreachable, apitest.NoWait)
			if tc.response != nil {
				c, _ = apitest.NewClient(t, tc.response, apitest.NoWait)
			}
			err := tc.call(t.Context(), c)
			require.EqualError(t, err, tc.want)

			// Whatever prints the error, it shows no more than its text.
			var printed bytes.Buffer
			fmt.Fprintf(&printed, "%v %s", err, err)
			slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "err", err)
			slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "err", err)
			if _, ok := err.(fmt.Formatter); ok {
				fmt.Fprintf(&printed, "%+v %#v %q", err, err, err)
			}
			for _, leak := range []string{apitest.Key, "https://", "evil", "internal.example.com", "agt_secret", "Bearer sk", "<html>"} {
				assert.NotContains(t, printed.String(), leak)
			}
		})
	}
}

func TestErrors_KindsOfEachStatus(t *testing.T) {
	all := []error{
		agentphone.ErrBadRequest, agentphone.ErrUnauthorized, agentphone.ErrPaymentRequired, agentphone.ErrForbidden,
		agentphone.ErrNotFound, agentphone.ErrConflict, agentphone.ErrAccountExists, agentphone.ErrValidation,
		agentphone.ErrRateLimited, agentphone.ErrServer, agentphone.ErrNumberLimit, agentphone.ErrOutcomeUnknown, agentphone.ErrTemporary,
	}
	signUp := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "a@example.com"})
		return err
	}
	type kinds []error
	for _, tc := range []struct {
		call   func(context.Context, *agentphone.Client) error
		status int
		body   string
		want   kinds
	}{
		{apitest.CreateCall, 400, ``, kinds{agentphone.ErrBadRequest}},
		{apitest.CreateCall, 400, `{"error":{"message":"m","code":"VALIDATION_ERROR"}}`, kinds{agentphone.ErrBadRequest, agentphone.ErrValidation}},
		{apitest.CreateCall, 400, `{"error":{"message":"m","code":"VALIDATION_ERROR_NUMBER_LIMIT"}}`, kinds{agentphone.ErrBadRequest, agentphone.ErrValidation, agentphone.ErrNumberLimit}},
		{apitest.CreateCall, 400, `{"error":{"message":"m","code":"INSUFFICIENT_BALANCE"}}`, kinds{agentphone.ErrBadRequest, agentphone.ErrPaymentRequired}},
		{apitest.CreateCall, 401, ``, kinds{agentphone.ErrUnauthorized}},
		{apitest.CreateCall, 402, ``, kinds{agentphone.ErrPaymentRequired}},
		{apitest.CreateCall, 403, ``, kinds{agentphone.ErrForbidden}},
		{apitest.CreateCall, 404, ``, kinds{agentphone.ErrNotFound}},
		{apitest.CreateCall, 409, ``, kinds{agentphone.ErrConflict}},
		{signUp, 409, ``, kinds{agentphone.ErrConflict, agentphone.ErrAccountExists}},
		{apitest.CreateCall, 422, ``, kinds{agentphone.ErrValidation}},
		{apitest.CreateCall, 429, ``, kinds{agentphone.ErrRateLimited, agentphone.ErrTemporary}},
		{apitest.CreateCall, 429, `{"error":{"code":"RATE_LIMITED"}}`, kinds{agentphone.ErrRateLimited, agentphone.ErrTemporary}},
		{apitest.GetAgent, 429, `{"error":{"code":"RATE_LIMIT_EXCEEDED"}}`, kinds{agentphone.ErrRateLimited, agentphone.ErrTemporary}},
		{apitest.CreateCall, 408, ``, kinds{agentphone.ErrOutcomeUnknown}},
		{apitest.CreateCall, 500, ``, kinds{agentphone.ErrServer, agentphone.ErrOutcomeUnknown}},
		{apitest.CreateCall, 501, ``, kinds{agentphone.ErrServer}},
		{apitest.CreateCall, 503, ``, kinds{agentphone.ErrServer, agentphone.ErrOutcomeUnknown}},
		{apitest.CreateCall, 524, ``, kinds{agentphone.ErrServer, agentphone.ErrOutcomeUnknown}},
		{apitest.CreateCall, 303, ``, kinds{agentphone.ErrOutcomeUnknown}},
		{apitest.CreateCall, 307, ``, kinds{}},
		{apitest.GetAgent, 500, ``, kinds{agentphone.ErrServer}},
		{apitest.GetAgent, 408, ``, kinds{}},
		{apitest.GetAgent, 418, ``, kinds{}},
	} {
		t.Run(fmt.Sprint(tc.status, tc.body), func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(tc.status, tc.body), apitest.NoWait)
			err := tc.call(t.Context(), c)
			var apiErr *agentphone.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, tc.status, apiErr.StatusCode)
			var got kinds
			for _, kind := range all {
				if errors.Is(fmt.Errorf("wrapped: %w", err), kind) {
					got = append(got, kind)
				}
			}
			assert.ElementsMatch(t, tc.want, got, "%v", err)
		})
	}
}

// What only a reply of the human or the next day clears is not worth a retry.
func TestErrTemporary_IsNoLimitThatWaitingDoesNotClear(t *testing.T) {
	for _, code := range []string{
		agentphone.CodeConversationStreakLimit, agentphone.CodeConversationAwaitingReply, agentphone.CodeConversationInactive,
		agentphone.CodeOutboundLimitReached, agentphone.CodeNewConversationLimitReached,
	} {
		t.Run(code, func(t *testing.T) {
			for _, call := range []func(context.Context, *agentphone.Client) error{apitest.CreateCall, apitest.GetAgent} {
				c, s := apitest.NewClient(t, apitest.Always(429, `{"error":{"message":"m","code":"`+code+`"}}`, "Retry-After", "1"), apitest.NoWait)
				err := call(t.Context(), c)
				require.ErrorIs(t, err, agentphone.ErrRateLimited)
				assert.NotErrorIs(t, err, agentphone.ErrTemporary)
				assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				assert.Len(t, s.Requests(), 1)
			}
		})
	}
}

func TestErrTemporary_IsWhatCertainlyDidNothingAndMayPass(t *testing.T) {
	dns := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}
	})
	reset := func(int, apitest.Request) (*http.Response, error) { return nil, errors.New("reset") }
	client := func(respond apitest.Responder) *agentphone.Client {
		c, _ := apitest.NewClient(t, respond, apitest.NoWait)
		return c
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		c    *agentphone.Client
		want bool
	}{
		"unreachable":          {t.Context(), apitest.NewClientOver(t, apitest.Unreachable, apitest.NoWait), true},
		"503 with Retry-After": {t.Context(), client(apitest.Always(503, "", "Retry-After", "0")), true},
		"503 later":            {t.Context(), client(apitest.Always(503, "", "Retry-After", "900")), true},
		"503 without":          {t.Context(), client(apitest.Always(503, "")), false},
		"500":                  {t.Context(), client(apitest.Always(500, "")), false},
		"reset":                {t.Context(), client(reset), false},
		"no such host":         {t.Context(), apitest.NewClientOver(t, dns, apitest.NoWait), false},
		"ended context":        {ended, client(apitest.Always(200, "{}")), false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, call := range []func(context.Context, *agentphone.Client) error{apitest.CreateCall, apitest.GetAgent} {
				err := call(tc.ctx, tc.c)
				require.Error(t, err)
				assert.Equal(t, tc.want, errors.Is(err, agentphone.ErrTemporary), "%v", err)
				assert.False(t, tc.want && errors.Is(err, agentphone.ErrOutcomeUnknown))
			}
		})
	}
	t.Run("context that ends in the wait after a 429", func(t *testing.T) {
		apitest.Took(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c, _ := apitest.NewClient(t, apitest.Always(429, ""), agentphone.WithRetryWait(time.Hour, time.Hour))
			err := apitest.CreateCall(ctx, c)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, agentphone.ErrTemporary)
		})
	})
}

// Once an attempt of an idempotent write may have acted, nothing that comes later makes it certain that nothing happened.
func TestErrTemporary_IsNoWriteThatMayHaveActed(t *testing.T) {
	writes := map[string]func(context.Context, *agentphone.Client) error{
		"PATCH": func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Agents.Update(ctx, "agt_1", agentphone.UpdateAgentParams{}))
		},
		"DELETE": func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Agents.Delete(ctx, "agt_1"))
		},
		"PUT": func(ctx context.Context, c *agentphone.Client) error {
			return c.Do(ctx, "PUT", "/v1/x", nil, nil)
		},
	}
	none := func() []agentphone.Option { return nil }
	patient := func() []agentphone.Option { return []agentphone.Option{agentphone.WithMaxRetries(1000)} }
	limited := func(n int) func() []agentphone.Option {
		return func() []agentphone.Option { return []agentphone.Option{agentphone.WithRateLimiter(admits(n))} }
	}
	refused := func() (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	for name, tc := range map[string]struct {
		later func() (*http.Response, error) // than the first attempt, which gets 502
		opts  func() []agentphone.Option
	}{
		"429 at last":        {func() (*http.Response, error) { return apitest.Response(429, "", "Retry-After", "0"), nil }, none},
		"503 at last":        {func() (*http.Response, error) { return apitest.Response(503, "", "Retry-After", "0"), nil }, none},
		"dial at last":       {refused, none},
		"wait after 429":     {func() (*http.Response, error) { return apitest.Response(429, "", "Retry-After", "50"), nil }, none},
		"wait after 503":     {func() (*http.Response, error) { return apitest.Response(503, "", "Retry-After", "50"), nil }, none},
		"backoff after 429":  {func() (*http.Response, error) { return apitest.Response(429, ""), nil }, patient},
		"backoff after dial": {refused, patient},
		"limiter after 429":  {func() (*http.Response, error) { return apitest.Response(429, ""), nil }, limited(2)},
		"limiter after dial": {refused, limited(2)},
		"limiter after 502":  {func() (*http.Response, error) { return apitest.Response(502, ""), nil }, limited(1)},
	} {
		for method, write := range writes {
			t.Run(name+" of a "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := 0
					c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
						if n++; n == 1 {
							return apitest.Response(502, ""), nil
						}
						return tc.later()
					}), tc.opts()...)
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Minute/2, cancel) // no deadline, which would be known beforehand
					err := write(ctx, c)
					require.Error(t, err)
					assert.NotErrorIs(t, err, agentphone.ErrTemporary, "%v", err)
					assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				})
			})
		}
	}
}

// admits returns a limiter that refuses all but the first n attempts.
func admits(n int) agentphone.Limiter {
	return limiterFunc(func(context.Context) error {
		if n--; n < 0 {
			return errors.New("no more")
		}
		return nil
	})
}
