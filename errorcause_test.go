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

// What a program of its own says about another request is no evidence about this one, wherever it comes in: an error is of the kinds that
// its own request calls for, and shows the other in its text.
func TestErrors_AreNotOfTheKindsOfTheirCauses(t *testing.T) {
	var ( // each says something else than the call does
		mine     = errors.New("mine")
		limited  = failingCall(t, func() (*http.Response, error) { return apitest.Response(429, `{"detail":"another's"}`), nil })
		unknown  = failingCall(t, func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		refused  = failingCall(t, func() (*http.Response, error) { return apitest.Response(404, `{"detail":"another's"}`), nil })
		unparsed = failingCall(t, func() (*http.Response, error) { return apitest.Response(200, `{`), nil })
		invalid  = &agentphone.ValidationError{Field: "another's", Reason: "is wrong"}
	)
	pending := &agentphone.PendingError{Operation: "another", Err: agentphone.ErrIdempotencyKeyInUse}
	waiting := &agentphone.WaitError{CallID: "another's", Last: limited}
	for seam, tc := range map[string]struct {
		fails func(t *testing.T, cause error) error
		want  []error
	}{
		"a RoundTripper that has read the body": {func(t *testing.T, cause error) error {
			return apitest.CreateCall(t.Context(), apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				_, _ = io.Copy(io.Discard, r.Body)
				return nil, cause
			})))
		}, []error{agentphone.ErrOutcomeUnknown}},
		"the body of a response": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
				res := apitest.Response(200, "")
				res.Body = io.NopCloser(failingReader{cause})
				return res, nil
			})
			return apitest.CreateCall(t.Context(), c)
		}, []error{agentphone.ErrOutcomeUnknown}},
		"the limiter": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return cause })))
			return apitest.CreateCall(t.Context(), c)
		}, []error{agentphone.ErrTemporary}},
		"the key source": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithKeySource(func(context.Context) (string, error) { return "", cause }))
			return apitest.CreateCall(t.Context(), c)
		}, []error{agentphone.ErrTemporary}},
		"the store, before": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithStore(failingStore(cause, nil)))
			_, err := c.Messages.Send(t.Context(), plainText, key("k"))
			return err
		}, []error{agentphone.ErrTemporary}},
		"the store, after": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithStore(failingStore(nil, cause)))
			_, err := c.Messages.Send(t.Context(), plainText, key("k"))
			return err
		}, []error{agentphone.ErrOutcomeUnknown}},
		"the look for the effect": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					return nil, io.ErrUnexpectedEOF
				}
				return nil, cause
			}, agentphone.WithMaxRetries(0))
			_, err := c.Messages.Send(t.Context(), plainText, key("k"))
			return err
		}, []error{agentphone.ErrOutcomeUnknown}},
	} {
		for _, cause := range []error{limited, unknown, refused, unparsed, invalid, pending, waiting} {
			t.Run(fmt.Sprintf("%s, %T", seam, cause), func(t *testing.T) {
				err := tc.fails(t, errors.Join(cause, mine))
				require.Error(t, err)
				assert.ElementsMatch(t, tc.want, kindsOf(err), "%v", err)
				assert.ErrorIs(t, err, mine, "the program's own is found")
				assertNo[*agentphone.APIError](t, err)
				assertNo[*agentphone.DecodeError](t, errors.Unwrap(err))
				assertNo[*agentphone.ValidationError](t, err)
				assertNo[*agentphone.WaitError](t, err)
			})
		}
	}
}

// The list in which a look finds nothing, and fails, is not the request that was to be made.
func TestWithIdempotencyKey_FailedLookIsNoRefusal(t *testing.T) {
	for _, status := range []int{400, 401, 402, 403, 404, 409, 422, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					return nil, io.ErrUnexpectedEOF
				}
				return apitest.Response(status, `{"detail":"the list"}`, "Retry-After", "1"), nil
			}, agentphone.WithMaxRetries(0))
			_, err := c.Messages.Send(t.Context(), plainText, key("k"))
			assert.Equal(t, []error{agentphone.ErrOutcomeUnknown}, kindsOf(err), "%v", err)
			assertNo[*agentphone.APIError](t, err)
			assert.ErrorContains(t, err, fmt.Sprint(status), "the text says what failed")
		})
	}
}

var plainText = agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: "hi"}

// failingCall returns the error of a call that fails.
func failingCall(t *testing.T, respond func() (*http.Response, error)) error {
	c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return respond() }, agentphone.WithMaxRetries(0))
	err := apitest.CreateCall(t.Context(), c)
	require.Error(t, err)
	return err
}

func kindsOf(err error) (kinds []error) {
	for _, kind := range []error{
		agentphone.ErrOutcomeUnknown, agentphone.ErrTemporary, agentphone.ErrNoAPIKey, agentphone.ErrBadRequest, agentphone.ErrUnauthorized,
		agentphone.ErrPaymentRequired, agentphone.ErrForbidden, agentphone.ErrNotFound, agentphone.ErrConflict, agentphone.ErrAccountExists,
		agentphone.ErrRateLimited, agentphone.ErrServer, agentphone.ErrValidation, agentphone.ErrNumberLimit,
		agentphone.ErrIdempotencyKeyReused, agentphone.ErrIdempotencyKeyInUse,
	} {
		if errors.Is(err, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func assertNo[E error](t *testing.T, err error) {
	t.Helper()
	var found E
	assert.False(t, errors.As(err, &found), "%T in %v", found, err)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

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
			c, err := agentphone.NewClient(clientsKey, agentphone.WithHTTPClient(&http.Client{Transport: &apitest.Stub{Respond: apitest.Always(200, `{"id":"x"}`)}}),
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
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return quoting(apitest.Key) })))
			return send(c)
		},
		"the store, before": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithStore(failingStore(quoting(apitest.Key), nil)))
			return send(c, key("k"))
		},
		"the store, after": func(t *testing.T) error {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithStore(failingStore(nil, quoting(apitest.Key))))
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
