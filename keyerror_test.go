package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// What a program of its own says in an error that this package returns is redacted as what a server says is: some errors of a vault
// quote what they fetched.
func TestErrors_OfAProgramsOwnAreOneCleanLineWithoutTheKey(t *testing.T) {
	const oldKey, newKey, clientsKey = "sk_live_fedcba9876543210", "sk_live_00112233445566778899", "sk_live_aaaabbbbccccdddd"
	quoting := func(keys ...string) error {
		return leaky{fmt.Sprintf("vault: %s\nline 2\x1b[31m %s", strings.Join(keys, " "), strings.Repeat("x", 5000)), keys}
	}
	send := func(c *agentphone.Client, opts ...agentphone.RequestOption) error {
		_, err := c.Messages.Send(t.Context(), plainText, opts...)
		return err
	}
	for name, fail := range map[string]func(t *testing.T) error{
		"the key source, the key that comes with the error": func(t *testing.T) error {
			c, err := agentphone.NewClient("", agentphone.WithKeySource(func(context.Context) (string, error) { return newKey, quoting(newKey) }))
			require.NoError(t, err)
			return send(c)
		},
		"the key source, a key of before and that of the client": func(t *testing.T) error {
			n := 0
			c, err := agentphone.NewClient(clientsKey, agentphone.WithHTTPClient(&http.Client{Transport: &apitest.Stub{Respond: answers(200, `{"id":"x"}`)}}),
				agentphone.WithKeySource(func(context.Context) (string, error) {
					if n++; n == 1 {
						return oldKey, nil
					}
					return "", quoting(oldKey, clientsKey, strings.ToUpper(oldKey))
				}))
			require.NoError(t, err)
			require.NoError(t, send(c))
			return send(c)
		},
		"the limiter": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return quoting(apitest.Key) })))
			return send(c)
		},
		"the store, before": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithStore(failingStore(quoting(apitest.Key), nil)))
			return send(c, key("k"))
		},
		"the store, after": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithStore(failingStore(nil, quoting(apitest.Key))))
			return send(c, key("k"))
		},
		"a RoundTripper": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return nil, quoting(apitest.Key) })
			return send(c)
		},
		"a body": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
				res := apitest.Response(200, "")
				res.Body = io.NopCloser(failingReader{quoting(apitest.Key)})
				return res, nil
			})
			return send(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := fail(t)
			require.Error(t, err)
			assert.LessOrEqual(t, len(err.Error()), 1024)
			assert.Contains(t, err.Error(), "vault: [REDACTED]")
			for _, verb := range []string{"%v", "%+v", "%s", "%q"} {
				assertPrintsNoKey(t, fmt.Sprintf(verb, err))
			}
			for ; err != nil; err = errors.Unwrap(err) { // of the causes each verb
				for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v"} {
					assertPrintsNoKey(t, fmt.Sprintf(verb, err))
				}
			}
		})
	}
}

func assertPrintsNoKey(t *testing.T, text string) {
	t.Helper()
	for _, key := range []string{"sk_live_fedcba9876543210", "sk_live_00112233445566778899", "sk_live_aaaabbbbccccdddd", apitest.Key} {
		assert.NotContains(t, strings.ToLower(text), key)
	}
	assert.NotContains(t, text, "\n")
	assert.NotContains(t, text, "\x1b")
}

// leaky is an error that holds more than it says.
type leaky struct {
	text string
	Keys []string
}

func (e leaky) Error() string { return e.text }
