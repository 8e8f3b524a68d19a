package agentphone_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestCallsFindPlaced_ListsWhatFits(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		params := agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"}
		_, err := c.Calls.Create(t.Context(), params)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		began := time.Now()
		placed, err := c.Calls.Create(t.Context(), params)
		require.NoError(t, err)
		_, err = c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550124", SystemPrompt: "x"})
		require.NoError(t, err)
		found, err := c.Calls.FindPlaced(t.Context(), params, began)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, placed.ID, found[0].ID)
		params.FromNumberID = "num_other"
		found, err = c.Calls.FindPlaced(t.Context(), params, began)
		require.NoError(t, err)
		assert.Empty(t, found)
	})
}

func TestNumbersFindBought_ListsWhatFits(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		params := agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "212"}
		_, err := c.Numbers.Buy(t.Context(), params)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		began := time.Now()
		bought, err := c.Numbers.Buy(t.Context(), params)
		require.NoError(t, err)
		_, err = c.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "415"})
		require.NoError(t, err)
		found, err := c.Numbers.FindBought(t.Context(), params, began)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, bought.ID, found[0].ID)
	})
}

// find calls each of the methods that find.
func find(ctx context.Context, c *agentphone.Client, send agentphone.SendMessageParams, call agentphone.CreateCallParams, buy agentphone.BuyNumberParams) map[string]error {
	_, sent := c.Messages.FindSent(ctx, send, time.Now())
	_, placed := c.Calls.FindPlaced(ctx, call, time.Now())
	_, bought := c.Numbers.FindBought(ctx, buy, time.Now())
	return map[string]error{"FindSent": sent, "FindPlaced": placed, "FindBought": bought}
}

func TestFind_BadInputIsAnErrorAndSendsNothing(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[]}`))
	for name, err := range find(t.Context(), c, agentphone.SendMessageParams{}, agentphone.CreateCallParams{}, agentphone.BuyNumberParams{AreaCode: "x"}) {
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
	}
	assert.Empty(t, s.Requests())
	none := &agentphone.Client{Messages: &agentphone.MessagesService{}, Calls: &agentphone.CallsService{}, Numbers: &agentphone.NumbersService{}}
	for name, err := range find(t.Context(), none, validSend, validCall, validBuy) {
		require.ErrorContains(t, err, "was not made by NewClient", name)
	}
}

var (
	validSend = agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550123", Body: "hi"}
	validCall = agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155550123", SystemPrompt: "x"}
	validBuy  = agentphone.BuyNumberParams{Country: agentphone.CountryUS}
)

// A list that fails is an error, and not a list that shows nothing.
func TestFind_ListThatFailsIsAnError(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(403, `{}`))
	for name, err := range find(t.Context(), c, validSend, validCall, validBuy) {
		var refused *agentphone.APIError
		require.ErrorAs(t, err, &refused, name)
	}
	c, _ = apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		if r.Path != "/v1/numbers" {
			return apitest.Response(403, `{}`), nil
		}
		return apitest.Response(200, `{"data":[{"id":"num_1","agentId":"agt_1"}],"hasMore":false}`), nil
	})
	_, err := c.Messages.FindSent(t.Context(), validSend, time.Now())
	var refused *agentphone.APIError
	require.ErrorAs(t, err, &refused, "the list of messages")
}

// What is in a list and may be the effect, or not, is no result, and an empty one would say that there was no effect.
func TestFind_WhatMayBeTheEffectIsAnError(t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339)
	for name, shown := range map[string]string{
		"a text with a line more, a call and a number of no time": `{"id":"x_1","agentId":"agt_1","to":"+14155550123",
			"toNumber":"+14155550123","country":"US","phoneNumber":"+12125550100","body":"hi\nReply STOP to opt out","receivedAt":"` + now + `"}`,
		"no numbers": `{"id":"x_1","agentId":"agt_1","country":"US","body":"hi",
			"receivedAt":"` + now + `","startedAt":"` + now + `","createdAt":"` + now + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[`+shown+`],"hasMore":false}`))
			for name, err := range find(t.Context(), c, validSend, validCall, validBuy) {
				require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, name)
			}
		})
	}
}

// A hostile list has texts that take long to compare with what was sent: the look ends with its context even so.
func TestFind_EndsWithItsContextWhateverIsListed(t *testing.T) {
	shown := `{"to":"+14155550123","direction":"outbound","body":"` + strings.Repeat("ha ", 20_000) + `z"}`
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[`+strings.Repeat(shown+",", 199)+shown+`],"hasMore":false}`))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	params := agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: strings.Repeat("ha", 8000) + "b"}
	_, err := c.Messages.FindSent(ctx, params, began)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 10*time.Second)
}

// So does one of which a value is far longer than any that was sent, in memory and in time.
func TestFind_LongValuesAreNotReadWhole(t *testing.T) {
	for name, shown := range map[string]string{
		"body": `{"id":"x","to":"+14155550123","direction":"outbound","body":"` + strings.Repeat("ab", 2<<20) + `"}`,
		"to":   `{"id":"x","to":"` + strings.Repeat("0", 4<<20) + `","direction":"outbound","body":"👍"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[`+shown+`],"hasMore":false}`))
			params := agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: "\U0001F44D"}
			var err error
			grown := apitest.HeapGrowth(func() { _, err = c.Messages.FindSent(t.Context(), params, time.Now()) })
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Less(t, grown, uint64(64<<20))
		})
	}
}

func TestFind_EmptyListWithoutAnErrorIsEvidence(t *testing.T) {
	for _, members := range []string{``, `,"error":null`, `,"detail":null,"total":0`} {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[],"hasMore":false`+members+`}`))
		calls, err := c.Calls.FindPlaced(t.Context(), validCall, time.Now())
		require.NoError(t, err, members)
		assert.Empty(t, calls)
	}
}

// Beside what certainly is an effect, what may be one is left out.
func TestFind_WhatIsCertainIsListed(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[{"id":"x_1","agentId":"agt_1","toNumber":"+14155550123","startedAt":null},
		{"id":"x_2","agentId":"agt_1","toNumber":"+14155550123","startedAt":"`+time.Now().UTC().Format(time.RFC3339)+`"}],"hasMore":false}`))
	calls, err := c.Calls.FindPlaced(t.Context(), validCall, time.Now())
	require.NoError(t, err)
	require.Len(t, calls, 1)
	assert.Equal(t, "x_2", calls[0].ID)
}

// A call that says no time may be that of last week, wherever it stands, unless it had ended before.
func TestFind_ItemWithoutATime(t *testing.T) {
	shown := func(ended string) *agentphone.Client {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[
			{"id":"x","agentId":"agt_1","toNumber":"+14155550123","status":"failed","endedAt":`+ended+`},
			{"id":"y","agentId":"agt_1","toNumber":"+14155559999","startedAt":"`+time.Now().UTC().Format(time.RFC3339)+`"}],"hasMore":false}`))
		return c
	}
	calls, err := shown(`"1999-12-20T00:00:00Z"`).Calls.FindPlaced(t.Context(), validCall, time.Now())
	require.NoError(t, err)
	assert.Empty(t, calls)
	_, err = shown("null").Calls.FindPlaced(t.Context(), validCall, time.Now())
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
}

// No call is said to be placed because of an old one that says no time.
func TestWithIdempotencyKey_ItemWithoutATimeIsNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := 0
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				posts++
				return nil, io.ErrUnexpectedEOF // the API never saw it
			}
			return apitest.Response(200, `{"data":[
				{"id":"call_lastweek","agentId":"agt_1","toNumber":"+14155550123","direction":"outbound","status":"failed","startedAt":null},
				{"id":"call_old","agentId":"agt_1","toNumber":"+14155559999","direction":"outbound","status":"completed","startedAt":"1999-12-20T00:00:00Z"}]}`,
				"Date", time.Now().UTC().Format(http.TimeFormat)), nil
		})
		for range 2 {
			_, err := c.Calls.Create(t.Context(), validCall, key("k"))
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			time.Sleep(time.Hour)
		}
		assert.Equal(t, 1, posts)
	})
}

// The API's clock is that of the Date header, an hour ahead here.
func TestFind_TimesAreThoseOfTheAPIsClock(t *testing.T) {
	const ahead = time.Hour
	since := time.Now()
	stamp := func(d time.Duration) string { return since.Add(ahead + d).UTC().Format(time.RFC3339) }
	c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
		call := `{"id":%q,"agentId":"agt_1","toNumber":"+14155550123","startedAt":%q}`
		return apitest.Response(200, fmt.Sprintf(`{"data":[`+call+`,`+call+`],"hasMore":false}`, "new", stamp(0), "old", stamp(-5*time.Minute)),
			"Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat)), nil
	})
	calls, err := c.Calls.FindPlaced(t.Context(), validCall, since)
	require.NoError(t, err)
	require.Len(t, calls, 1)
	assert.Equal(t, "new", calls[0].ID)
}

// The machine slept since, or somebody set its clock: what came to be then is not too old for it, whichever of its clocks is right.
func TestFind_ClockThatIsSetHidesNoEffect(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"set back": time.Hour, "set forward, or asleep": -time.Hour} {
		for header, values := range map[string][]string{"with a Date header": {"Date", time.Now().UTC().Format(http.TimeFormat)}, "without": nil} {
			t.Run(name+", "+header, func(t *testing.T) {
				c, _ := apitest.NewClient(t, apitest.Always(200, fmt.Sprintf(`{"data":[{"id":"x","agentId":"agt_1","toNumber":"+14155550123","startedAt":%q}]}`,
					time.Now().Add(-30*time.Minute).UTC().Format(time.RFC3339)), values...))
				since := time.Now().Add(-30 * time.Minute)
				calls, err := c.Calls.FindPlaced(t.Context(), validCall, apitest.ByWallClock(t, since, wrong))
				require.NoError(t, err)
				assert.Len(t, calls, 1)
			})
		}
	}
}

// wrongClock is a store whose later claims are read from a clock of the process that has been wrong since.
type wrongClock struct {
	agentphone.Store
	t  *testing.T
	by time.Duration
}

func (s *wrongClock) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	claim, err := s.Store.Claim(ctx, key, opts)
	if err == nil {
		claim.Now = apitest.ByWallClock(s.t, claim.Now, s.by)
	}
	return claim, err
}

// What the store says of times, too, may be by the clock of a machine that sleeps, or is set.
func TestWithIdempotencyKey_SleepOfTheMachineHidesNoEffect(t *testing.T) {
	for name, tc := range map[string]struct{ process, api time.Duration }{
		"the machine slept":        {2 * time.Hour, 2 * time.Hour},
		"its clock is set back":    {-2 * time.Hour, 0},
		"its clock is set forward": {2 * time.Hour, 0},
	} {
		for first, fail := range map[string]func(){"panicked": func() { panic("stop") }, "lost its response": func() {}} {
			t.Run(name+" after a call that "+first, func(t *testing.T) {
				store := &wrongClock{Store: agentphone.NewMemoryStore(), t: t}
				api := 0 * time.Second // how far the API's clock is ahead of that of the test
				posts, listed := 0, ""
				c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						posts++
						fail()
						return nil, io.ErrUnexpectedEOF
					}
					return apitest.Response(200, `{"data":[`+listed+`],"hasMore":false}`, "Date", time.Now().Add(api).UTC().Format(http.TimeFormat)), nil
				}), agentphone.WithStore(store), agentphone.WithSettleTime(time.Millisecond)) // a bubble has no monotonic clock
				create := func() (*agentphone.Call, error) { return c.Calls.Create(t.Context(), validCall, key("k")) }
				began := time.Now().UTC().Format(time.RFC3339)
				func() {
					defer func() { _ = recover() }()
					_, err := create()
					require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				}()
				time.Sleep(2 * time.Millisecond)
				listed = fmt.Sprintf(`{"id":"x","agentId":"agt_1","toNumber":"+14155550123","startedAt":%q}`, began)
				store.by, api = tc.process, tc.api
				call, err := create()
				require.NoError(t, err)
				assert.Equal(t, "x", call.ID)
				assert.Equal(t, 1, posts)
			})
		}
	}
}
