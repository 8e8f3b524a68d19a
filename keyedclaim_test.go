package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A look that takes long has read its first lists long before it ends: what it did not see may have been there by then.
func TestWithIdempotencyKey_SettleTimeIsOverBeforeTheLookBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lag = 9*time.Minute + 55*time.Second
		var began time.Time
		posts, limited := 0, false
		list := func(items string) (*http.Response, error) {
			return apitest.Response(200, `{"data":[`+items+`],"hasMore":false}`, "Date", time.Now().UTC().Format(http.TimeFormat)), nil
		}
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			switch {
			case r.Method == http.MethodPost:
				posts++
				began = time.Now()
				return nil, io.ErrUnexpectedEOF
			case r.Path == "/v1/numbers":
				return list(`{"id":"num_1","agentId":"agt_1"},{"id":"num_2","agentId":"agt_1"}`)
			case strings.Contains(r.Path, "num_2"):
				if time.Since(began) > lag-time.Minute && !limited {
					limited = true
					return apitest.Response(429, "", "Retry-After", "50"), nil
				}
			case time.Since(began) >= lag:
				return list(fmt.Sprintf(`{"id":"x","to":"+14155550123","body":"hi","direction":"outbound","receivedAt":%q}`, began.Format(time.RFC3339)))
			}
			return list("")
		})
		send := func() error {
			_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550123", Body: "hi"}, key("k"))
			return err
		}
		require.ErrorIs(t, send(), agentphone.ErrOutcomeUnknown)
		time.Sleep(lag - 25*time.Second)
		require.ErrorIs(t, send(), agentphone.ErrOutcomeUnknown)
		require.True(t, limited)
		require.NoError(t, send())
		assert.Equal(t, 1, posts)
	})
}

// lateStore grants claims after a delay, also of a claim whose context has ended by then, although its caller has returned. Its Release fails
// with an error, if it has one.
type lateStore struct {
	agentphone.Store
	delay   atomic.Int64 // nanoseconds
	release error
}

func (s *lateStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	select {
	case <-ctx.Done():
		_, _ = s.Store.Claim(context.WithoutCancel(ctx), key, opts)
		return nil, ctx.Err()
	case <-time.After(time.Duration(s.delay.Load())):
		return s.Store.Claim(context.WithoutCancel(ctx), key, opts)
	}
}

func (s *lateStore) Release(ctx context.Context, c *agentphone.Claim) error {
	if s.release != nil {
		return s.release
	}
	return s.Store.Release(ctx, c)
}

// An error that says that nothing was sent leaves the key free, whatever the store did meanwhile.
func TestWithIdempotencyKey_IsFreeAfterNothingWasSent(t *testing.T) {
	type call func(ctx context.Context, c *agentphone.Client, refused bool) error
	for name, send := range map[string]call{
		"an effect that can be found": func(ctx context.Context, c *agentphone.Client, refused bool) error {
			p := plainText
			if refused {
				p.Body = "other words, which the API refuses"
			}
			_, err := c.Messages.Send(ctx, p, key("k"))
			return err
		},
		"one that cannot": func(ctx context.Context, c *agentphone.Client, refused bool) error {
			_, err := c.Verify.Send(ctx, agentphone.VerificationParams{PhoneNumber: map[bool]string{true: "+14155550999", false: "+14155550123"}[refused]}, key("k"))
			return err
		},
	} {
		for fault, fail := range map[string]func(t *testing.T, s *lateStore, c *agentphone.Client) error{
			"the claim comes in when the context has ended": func(t *testing.T, s *lateStore, c *agentphone.Client) error {
				s.delay.Store(int64(3 * time.Second))
				defer s.delay.Store(0)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				err := send(ctx, c, false)
				assert.ErrorIs(t, err, agentphone.ErrTemporary)
				return err
			},
			"the request is refused, and the key cannot be released": func(t *testing.T, s *lateStore, c *agentphone.Client) error {
				s.release = errors.New("down")
				defer func() { s.release = nil }()
				return send(t.Context(), c, true)
			},
		} {
			t.Run(name+", "+fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					posts := 0
					store := &lateStore{Store: agentphone.NewMemoryStore()}
					c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
						switch {
						case r.Method == http.MethodGet:
							return apitest.Response(200, `{"data":[],"hasMore":false}`), nil
						case strings.Contains(r.Body, "refuses") || strings.Contains(r.Body, "+14155550999"):
							return apitest.Response(422, `{"detail":"refused"}`), nil
						}
						posts++
						return apitest.Response(200, apitest.Result), nil
					}, agentphone.WithStore(store))
					err := fail(t, store, c)
					require.Error(t, err)
					require.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
					time.Sleep(5 * time.Second)
					for range 2 {
						require.NoError(t, send(t.Context(), c, false))
					}
					assert.Equal(t, 1, posts)
				})
			})
		}
	}
}

// A key whose earlier outcome is unknown stays so if a later claim of it comes in too late.
func TestWithIdempotencyKey_LateClaimKeepsWhatTheOneBeforeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := 0
		store := &lateStore{Store: agentphone.NewMemoryStore()}
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			posts++
			return nil, io.ErrUnexpectedEOF
		}, agentphone.WithStore(store))
		verify := func(ctx context.Context) error {
			_, err := c.Verify.Send(ctx, agentphone.VerificationParams{PhoneNumber: "+14155550123"}, key("k"))
			return err
		}
		require.ErrorIs(t, verify(t.Context()), agentphone.ErrOutcomeUnknown)
		store.delay.Store(int64(3 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, verify(ctx), agentphone.ErrTemporary)
		time.Sleep(time.Hour)
		require.ErrorIs(t, verify(t.Context()), agentphone.ErrOutcomeUnknown)
		assert.Equal(t, 1, posts)
	})
}

// The end of a lease within a request is no cancellation by the program.
func TestWithIdempotencyKey_LeaseThatEndsWithinTheRequestIsNotCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), agentphone.WithTimeout(2*time.Minute), agentphone.WithStore(faultyStore{Store: agentphone.NewMemoryStore(), renews: true}))
		_, err := c.Messages.Send(t.Context(), plainText, key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		require.ErrorIs(t, err, agentphone.ErrClaimLost)
		require.NotErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, agentphone.ErrTemporary)
	})
}

// Both hosts are of one API, and a host may be spelled in several ways.
func TestWithIdempotencyKey_IsOneForAllSpellingsOfTheHost(t *testing.T) {
	store := agentphone.NewMemoryStore()
	posts := 0
	for _, base := range []string{
		agentphone.DefaultBaseURL, agentphone.AltBaseURL, agentphone.DefaultBaseURL + ":443", "https://API.agentphone.to/", agentphone.AltBaseURL + ":443",
	} {
		c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			posts++
			return apitest.Response(200, `{"id":"x"}`), nil
		}, agentphone.WithStore(store), agentphone.WithBaseURL(base))
		_, err := c.Messages.Send(t.Context(), plainText, key("k"))
		require.NoError(t, err, base)
	}
	assert.Equal(t, 1, posts)
	for _, base := range []string{"https://api.agentphone.to:8443", "http://127.0.0.1:80", "http://127.0.0.1:81"} {
		c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			posts++
			return apitest.Response(200, `{"id":"x"}`), nil
		}, agentphone.WithStore(store), agentphone.WithBaseURL(base))
		_, err := c.Messages.Send(t.Context(), plainText, key("k"))
		require.NoError(t, err, base)
	}
	assert.Equal(t, 4, posts, "others are others")
}

// A key that the store's notes could not name would not know its own result.
func TestWithIdempotencyKey_KeyIsUTF8(t *testing.T) {
	c, stub := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	_, err := c.Messages.Send(t.Context(), plainText, key("order-\xe9"))
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, stub.Requests())
}

// A look is part of the call: its options hold for it.
func TestWithIdempotencyKey_OptionsHoldForTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				looks++
				assert.Equal(t, "round 1", r.Header.Get("X-Round"))
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			_, _ = io.Copy(io.Discard, r.Body)
			return nil, io.ErrUnexpectedEOF
		}))
		began := time.Now()
		_, err := c.Messages.Send(t.Context(), plainText, key("k"), agentphone.WithRequestMaxRetries(0), agentphone.WithRequestTimeout(7*time.Second),
			agentphone.WithRequestHeader("X-Round", "round 1"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.Equal(t, 1, looks)
		assert.Equal(t, 7*time.Second, time.Since(began))
	})
}

// slowResultStore grants the first claim of a result at once, and says so when it likes.
type slowResultStore struct {
	agentphone.Store
	delay   time.Duration
	asked   atomic.Bool
	waiting atomic.Int32
}

func (s *slowResultStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	c, err := s.Store.Claim(ctx, key, opts)
	if strings.HasPrefix(key, "result:") && s.asked.CompareAndSwap(false, true) {
		s.waiting.Add(1)
		defer s.waiting.Add(-1)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(s.delay):
		}
	}
	return c, err
}

// The claim of a result is not given back, however late it comes in: its key may have been completed with it meanwhile.
func TestWithIdempotencyKey_LateClaimOfAResultStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts, began := 0, time.Now()
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			switch {
			case r.Method == http.MethodGet:
				return apitest.Response(200, fmt.Sprintf(`{"data":[{"id":"x","to":"+14155550123","body":"hi","direction":"outbound","receivedAt":%q}],"hasMore":false}`,
					began.Format(time.RFC3339))), nil
			case posts > 0:
				return apitest.Response(500, ""), nil // without effect
			}
			posts++
			return apitest.Response(200, `{"id":"x"}`), nil
		}, agentphone.WithStore(&slowResultStore{Store: agentphone.NewMemoryStore(), delay: 8 * time.Second}))
		send := func(k string) error {
			_, err := c.Messages.Send(t.Context(), plainText, key(k))
			return err
		}
		require.ErrorIs(t, send("a"), agentphone.ErrOutcomeUnknown)
		time.Sleep(time.Second)
		require.NoError(t, send("a"))
		time.Sleep(10 * time.Second)
		require.ErrorIs(t, send("b"), agentphone.ErrOutcomeUnknown, "it had no effect of its own")
	})
}

// A store that waits as long as its context allows is not left waiting for as long as a result is remembered.
func TestWithIdempotencyKey_NoClaimWaitsLongerThanALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowResultStore{Store: agentphone.NewMemoryStore(), delay: 1000 * time.Hour}
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`), agentphone.WithStore(store))
		_, err := c.Messages.Send(t.Context(), plainText, key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		time.Sleep(time.Minute)
		assert.Zero(t, store.waiting.Load())
	})
}
