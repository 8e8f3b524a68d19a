package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

type tenantKey struct{}

func TestWithKeySource_SuppliesTheKeyOfEachCall(t *testing.T) {
	keys := 0
	c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return apitest.Response(503, ""), nil
		}
		return apitest.Response(200, apitest.Result), nil
	}, apitest.NoWait, agentphone.WithKeySource(func(ctx context.Context) (string, error) {
		assert.Equal(t, "ada", ctx.Value(tenantKey{}))
		keys++
		return fmt.Sprint("sk_", keys), nil
	}))
	ctx := context.WithValue(t.Context(), tenantKey{}, "ada")
	require.NoError(t, apitest.GetAgent(ctx, c))
	require.NoError(t, apitest.GetAgent(ctx, c.ForSubAccount("sub_1")))
	_, err := c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "a@example.com"})
	require.NoError(t, err)
	var sent []string
	for _, r := range s.Requests() {
		sent = append(sent, r.Header.Get("Authorization"))
	}
	assert.Equal(t, []string{"Bearer sk_1", "Bearer sk_1", "Bearer sk_2", ""}, sent, "a retry has the key of its call, and sign-up none")
}

func TestWithKeySource_FailureSendsNothing(t *testing.T) {
	vault := errors.New("vault is sealed")
	for name, tc := range map[string]struct {
		key  string
		err  error
		want error
	}{
		"error":   {"", vault, vault},
		"no key":  {"", nil, agentphone.ErrNoAPIKey},
		"bad key": {"sk\nlive", nil, agentphone.ErrValidation},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{}`), agentphone.WithKeySource(func(context.Context) (string, error) { return tc.key, tc.err }))
			err := apitest.CreateCall(t.Context(), c)
			require.ErrorIs(t, err, tc.want)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Contains(t, err.Error(), "POST /v1/calls")
			assert.Empty(t, s.Requests())
		})
	}
	_, err := agentphone.NewClient("", agentphone.WithKeySource(nil))
	require.ErrorIs(t, err, agentphone.ErrValidation)
}

// The key that is quoted is that of the very call, however many there are at once.
func TestWithKeySource_ErrorsHideTheKeyOfTheirCall(t *testing.T) {
	c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		return apitest.Response(400, `{"detail":"bad key `+r.Header.Get("Authorization")+`"}`, "X-Request-Id", r.Header.Get("Authorization")), nil
	}, agentphone.WithKeySource(func(ctx context.Context) (string, error) { return fmt.Sprint(ctx.Value(tenantKey{})), nil }))
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			err := apitest.CreateCall(context.WithValue(t.Context(), tenantKey{}, fmt.Sprint("sk_live_", i)), c)
			assert.EqualError(t, err, "agentphone: POST /v1/calls: 400 Bad Request: bad key Bearer [REDACTED] (request_id=Bearer [REDACTED], attempts=1)")
		})
	}
	all.Wait()
}
