package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithRateLimiter(limiterFunc(func(context.Context) error { return cause })))
			return apitest.CreateCall(t.Context(), c)
		}, []error{agentphone.ErrTemporary}},
		"the key source": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithKeySource(func(context.Context) (string, error) { return "", cause }))
			return apitest.CreateCall(t.Context(), c)
		}, []error{agentphone.ErrTemporary}},
		"the store, before": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithStore(failingStore(cause, nil)))
			_, err := c.Messages.Send(t.Context(), plainText, key("k"))
			return err
		}, []error{agentphone.ErrTemporary}},
		"the store, after": {func(t *testing.T, cause error) error {
			c, _ := apitest.NewClient(t, answers(200, `{"id":"x"}`), agentphone.WithStore(failingStore(nil, cause)))
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

func answers(status int, body string) apitest.Responder {
	return func(int, apitest.Request) (*http.Response, error) { return apitest.Response(status, body), nil }
}

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
