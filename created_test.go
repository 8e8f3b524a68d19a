package agentphone_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// What a gateway says in place of the API is not recorded for 30 days as the call that was placed: the lists say whether there is one.
func TestWithIdempotencyKey_ResponseThatDoesNotSayWhatWasCreatedIsNoResult(t *testing.T) {
	for _, body := range []string{`{}`, `{"success":false,"id":"x"}`, `{"ID":"x","Success":false}`, `{"message":"Missing Authentication Token"}`} {
		for name, listed := range map[string]string{
			"it was created": `{"id":"call_1","agentId":"agt_1","toNumber":"+14155550123","startedAt":"2000-01-01T00:00:00Z"}`,
			"it was not":     ``,
		} {
			t.Run(name+", "+body, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					posts := 0
					c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
						switch {
						case r.Method == http.MethodGet:
							return apitest.Response(200, `{"data":[`+listed+`],"hasMore":false}`), nil
						case posts == 0:
							posts++
							return apitest.Response(200, body), nil
						}
						posts++
						return apitest.Response(200, `{"id":"call_2"}`), nil
					})
					create := func() (*agentphone.Call, error) { return c.Calls.Create(t.Context(), validCall, key("k")) }
					call, err := create()
					if listed == "" {
						require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
						time.Sleep(11 * time.Minute)
						call, err = create()
						require.NoError(t, err)
						assert.Equal(t, "call_2", call.ID)
						assert.Equal(t, 2, posts, "nothing had come of the first")
						return
					}
					require.NoError(t, err)
					assert.Equal(t, "call_1", call.ID)
					assert.Equal(t, 1, posts)
				})
			})
		}
	}
}

// Of an item without an id no key can say that it is its own.
func TestWithIdempotencyKey_ItemWithoutAnIDIsDoubtful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				return apitest.Response(500, ""), nil
			}
			return apitest.Response(200, `{"data":[{"agentId":"agt_1","toNumber":"+14155550123","startedAt":"2000-01-01T00:00:00Z"}],"hasMore":false}`), nil
		})
		for range 2 {
			_, err := c.Calls.Create(t.Context(), validCall, key("k"))
			var pending *agentphone.PendingError
			require.ErrorAs(t, err, &pending)
			assert.Zero(t, pending.RetryAfter)
			time.Sleep(time.Hour)
		}
		assert.Len(t, s.Requests(), 3, "a POST and two looks")
	})
}

// An empty list that says that it failed is no evidence that nothing took effect.
func TestWithIdempotencyKey_ListThatSaysThatItFailedIsNoEvidence(t *testing.T) {
	for _, body := range []string{
		`{"success":false,"data":[],"message":"backend timeout"}`, `{"Success":false,"data":[],"total":0}`, `{"error":{"message":"x"},"total":0}`,
		`{"detail":"down for maintenance","items":[]}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, s := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					return apitest.Response(500, ""), nil
				}
				return apitest.Response(200, body), nil
			})
			for range 2 {
				require.ErrorIs(t, sendUnder(t, c, "k"), agentphone.ErrOutcomeUnknown, body)
				time.Sleep(time.Hour)
			}
			posts := 0
			for _, r := range s.Requests() {
				if r.Method == http.MethodPost {
					posts++
				}
			}
			assert.Equal(t, 1, posts, body)
		})
	}
}

// A check that was not passed is a result.
func TestVerify_CheckThatDidNotSucceedIsAResult(t *testing.T) {
	for _, status := range []int{200, 409} {
		c, _ := apitest.NewClient(t, apitest.Always(status, `{"success":false,"result":"incorrect","attempts_remaining":2}`))
		check, err := c.Verify.Check(t.Context(), agentphone.CheckVerificationParams{VerificationID: "v", Code: "123456"})
		require.NoError(t, err)
		assert.Equal(t, agentphone.VerificationIncorrect, check.Result)
	}
}
