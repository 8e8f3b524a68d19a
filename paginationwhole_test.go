package agentphone_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// shiftingList is a list of the API that somebody changes between two pages. What a test looks for, "effect", stays in it all the while.
type shiftingList struct {
	path   string
	items  []string
	item   func(id string) string // its JSON
	shift  func(l *shiftingList)  // called after each page, unless nil
	none   bool                   // it has no total
	pages  int
	writes int
	added  int
}

func (l *shiftingList) respond(_ int, r apitest.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		if l.writes++; l.writes == 1 {
			return nil, io.ErrUnexpectedEOF // it took effect, and the response is lost
		}
		return apitest.Response(200, l.item("second")), nil
	}
	if r.Path != l.path {
		return apitest.Response(200, `{"data":[],"hasMore":false}`), nil
	}
	offset, _ := strconv.Atoi(r.Query.Get("offset"))
	limit, _ := strconv.Atoi(r.Query.Get("limit"))
	begin, end := min(offset, len(l.items)), min(offset+limit, len(l.items))
	var items []string
	for _, id := range l.items[begin:end] {
		items = append(items, l.item(id))
	}
	body := fmt.Sprintf(`{"data":[%s],"hasMore":%v`, strings.Join(items, ","), end < len(l.items))
	if !l.none {
		body += fmt.Sprintf(`,"total":%d`, len(l.items))
	}
	if l.pages++; l.shift != nil {
		l.shift(l)
	}
	return apitest.Response(200, body+"}"), nil
}

func (l *shiftingList) remove(i int) {
	if l.items[i] != "effect" {
		l.items = slices.Delete(l.items, i, i+1)
	}
}

func (l *shiftingList) add(i int) {
	l.added++
	l.items = slices.Insert(l.items, i, fmt.Sprint("added", l.added))
}

func itemsWithEffect(n, at int) (items []string) {
	for i := range n {
		items = append(items, fmt.Sprint("old", i))
	}
	return slices.Insert(items, at, "effect")
}

// shiftingLists are the lists in which effects are looked for by offset, with a call whose effect that is. What is old differs from it by
// its time, which is not in a list of numbers that a text may have been sent from.
var shiftingLists = map[string]struct {
	path, effect, old string
	call              func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error
}{
	"numbers": {"/v1/numbers", `"phoneNumber":"+14155550100","country":"US","createdAt":"NOW"`, `"phoneNumber":"+14155550100","country":"US","createdAt":"1990-01-01T00:00:00Z"`,
		func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return apitest.Err(c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: "US"}, opts...))
		}},
	"calls": {"/v1/calls", `"agentId":"agt_1","toNumber":"+14155550123","startedAt":"NOW"`, `"agentId":"agt_1","toNumber":"+14155550199","startedAt":"NOW"`,
		func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return apitest.Err(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155550123"}, opts...))
		}},
	"agents": {"/v1/agents", `"name":"n","createdAt":"NOW"`, `"name":"m","createdAt":"NOW"`,
		func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return apitest.Err(c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "n"}, opts...))
		}},
	"contacts": {"/v1/contacts", `"name":"n","phoneNumber":"+14155550123","createdAt":"NOW"`, `"name":"m","phoneNumber":"+14155550199","createdAt":"NOW"`,
		func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return apitest.Err(c.Contacts.Create(ctx, agentphone.CreateContactParams{Name: "n", PhoneNumber: "+14155550123"}, opts...))
		}},
	"sub-accounts": {"/v1/sub-accounts", `"name":"n","createdAt":"NOW"`, `"name":"m","createdAt":"NOW"`,
		func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			return apitest.Err(c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "n"}, opts...))
		}},
}

// Whatever is deleted, or added anywhere, between two pages: what is there all the while is found, or the look says that it does not know.
func TestWithIdempotencyKey_ListThatShiftsHidesNoEffect(t *testing.T) {
	for name, tc := range shiftingLists {
		for seed := range uint64(60) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 1))
					now := time.Now().UTC().Format(time.RFC3339)
					n := 100 + random.IntN(600)
					list := &shiftingList{path: tc.path, none: random.IntN(4) == 0,
						item: func(id string) string {
							if id == "effect" {
								return fmt.Sprintf(`{"id":%q,%s}`, id, strings.ReplaceAll(tc.effect, "NOW", now))
							}
							return fmt.Sprintf(`{"id":%q,%s}`, id, strings.ReplaceAll(tc.old, "NOW", now))
						}}
					changes := 1 + random.IntN(20)
					if seed%10 == 0 {
						changes = 150 // more than a page
					}
					list.shift = func(l *shiftingList) {
						for range random.IntN(changes + 1) {
							if len(l.items) < 2 {
								return
							}
							switch random.IntN(3) {
							case 0:
								l.remove(random.IntN(min(len(l.items), 100)))
							case 1:
								l.remove(random.IntN(len(l.items)))
							case 2:
								l.add(random.IntN(len(l.items) + 1))
							}
						}
					}
					c, _ := apitest.NewClient(t, list.respond, agentphone.WithMaxRetries(0))
					key := agentphone.WithIdempotencyKey("k")
					require.ErrorIs(t, tc.call(t.Context(), c, key), agentphone.ErrOutcomeUnknown, "the list does not show it yet")
					list.items = itemsWithEffect(n, min(n, 100*(1+random.IntN(n/100))+random.IntN(changes))) // at the beginning of a page
					for range 3 {
						time.Sleep(time.Hour)
						err := tc.call(t.Context(), c, key)
						if err != nil {
							require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
						}
					}
					assert.Equal(t, 1, list.writes)
				})
			})
		}
	}
}

// As many are added at the end as are deleted at the beginning, so that the total shows nothing.
func TestNumbersFindBought_SeesBeyondATotalThatStays(t *testing.T) {
	list := numbersThatShift(itemsWithEffect(350, 100), func(l *shiftingList) {
		l.remove(0)
		l.add(len(l.items))
	})
	assertFinds(t, list, 12)
}

func TestNumbersFindBought_SeesTheWholeOfAListThatShrinks(t *testing.T) {
	for _, at := range []int{0, 1, 98, 99, 100, 101, 199, 200, 201, 299, 300, 400, 999} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			assertFinds(t, numbersThatShift(itemsWithEffect(999, at), func(l *shiftingList) { l.remove(0) }), 25)
		})
	}
}

func TestNumbersFindBought_SeesTheWholeOfAListThatGrows(t *testing.T) {
	assertFinds(t, numbersThatShift(itemsWithEffect(999, 640), func(l *shiftingList) { l.add(0) }), 12)
}

// Each change is of more than the page that was read.
func TestNumbersFindBought_ListThatShrinksByPagesIsReadFromFurtherBack(t *testing.T) {
	assertFinds(t, numbersThatShift(itemsWithEffect(2000, 1950), func(l *shiftingList) {
		for range 130 {
			l.remove(0)
		}
	}), 60)
}

// What was found is read again when the list is read from its beginning.
func TestNumbersFindBought_ListsOnceWhatIsReadTwice(t *testing.T) {
	assertFinds(t, numbersThatShift(itemsWithEffect(900, 5), func(l *shiftingList) {
		if l.pages == 5 {
			for range 600 {
				l.remove(len(l.items) / 3)
			}
		}
	}), 20)
}

// A list that never stays what it was while a page is read shows nothing.
func TestNumbersFindBought_ListThatIsAnotherEachTimeIsAnError(t *testing.T) {
	list := numbersThatShift(itemsWithEffect(500, 450), nil)
	list.shift = func(l *shiftingList) {
		for i, id := range l.items {
			if id != "effect" {
				l.added++
				l.items[i] = fmt.Sprint("other", l.added)
			}
		}
		i := slices.Index(l.items, "effect")
		l.items[i], l.items[max(0, i-300)] = l.items[max(0, i-300)], l.items[i]
	}
	c, _ := apitest.NewClient(t, list.respond)
	found, err := c.Numbers.FindBought(t.Context(), validBuy, time.Now())
	if err == nil {
		require.NotEmpty(t, found, "found, or not known")
	} else {
		require.ErrorContains(t, err, "agentphone: listing: the list changed")
	}
	assert.Less(t, list.pages, 100)
}

func TestNumbersFindBought_QuietListIsReadInItsPages(t *testing.T) {
	list := numbersThatShift(itemsWithEffect(950, 949), nil)
	assertFinds(t, list, 10)
	list = numbersThatShift(itemsWithEffect(950, 949)[:949], nil)
	c, _ := apitest.NewClient(t, list.respond)
	found, err := c.Numbers.FindBought(t.Context(), validBuy, time.Now())
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.Equal(t, 10, list.pages)
}

// A server that says that more follows, and has pages of one item, or empty ones, or items without ids, is believed if its total stays.
func TestNumbersFindBought_PagesThatDoNotOverlapGoByTheTotal(t *testing.T) {
	for name, tc := range map[string]struct {
		pages map[int]string // by offset; at any other it is that at -1
		ok    bool
	}{
		"one item each":                      {map[int]string{0: `[ID1],"hasMore":true,"total":3`, 1: `[ID2],"hasMore":true,"total":3`, -1: `[ID3],"hasMore":false,"total":3`}, true},
		"one item each, another total":       {map[int]string{0: `[ID1],"hasMore":true,"total":3`, 1: `[ID2],"hasMore":true,"total":2`, -1: `[ID3],"hasMore":false,"total":2`}, false},
		"one item each, no total":            {map[int]string{0: `[ID1],"hasMore":true`, 1: `[ID2],"hasMore":true`, -1: `[ID3],"hasMore":false`}, false},
		"an empty page":                      {map[int]string{0: `[ID1,ID2],"hasMore":true,"total":3`, 1: `[],"hasMore":true,"total":3`, -1: `[ID3],"hasMore":false,"total":3`}, true},
		"no ids":                             {map[int]string{0: `[NONE,NONE],"hasMore":true,"total":3`, -1: `[NONE],"hasMore":false,"total":3`}, true},
		"no ids, another total":              {map[int]string{0: `[NONE,NONE],"hasMore":true,"total":3`, -1: `[NONE],"hasMore":false,"total":2`}, false},
		"the same page, whatever the offset": {map[int]string{-1: `[ID1,ID2],"hasMore":true,"total":99`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				offset, _ := strconv.Atoi(r.Query.Get("offset"))
				body, ok := tc.pages[offset]
				if !ok {
					body = tc.pages[-1]
				}
				body = strings.ReplaceAll(body, "NONE", `{"country":"CA"}`)
				for _, id := range []string{"ID1", "ID2", "ID3"} {
					body = strings.ReplaceAll(body, id, fmt.Sprintf(`{"id":%q,"createdAt":"1990-01-01T00:00:00Z"}`, id))
				}
				return apitest.Response(200, `{"data":`+body+`}`), nil
			})
			_, err := c.Numbers.FindBought(t.Context(), validBuy, time.Now())
			assert.Equal(t, tc.ok, err == nil, "%v", err)
			assert.Less(t, len(s.Requests()), 100)
		})
	}
}

// A number that a text may have been sent from is one whose texts have to be looked at.
func TestMessagesFindSent_LooksAtEachNumberOfAListThatShifts(t *testing.T) {
	for _, params := range []agentphone.SendMessageParams{
		{AgentID: "agt_1", ToNumber: "+14155550123", Body: "hi"},
		{AgentID: "agt_1", FromNumber: "+14155550100", ToNumber: "+14155550123", Body: "hi"},
	} {
		list := &shiftingList{path: "/v1/numbers", items: itemsWithEffect(250, 100), shift: func(l *shiftingList) { l.remove(0) }}
		list.item = func(id string) string {
			if id == "effect" {
				return `{"id":"effect","agentId":"agt_1","phoneNumber":"+14155550100"}`
			}
			return fmt.Sprintf(`{"id":%q,"agentId":"agt_2","phoneNumber":"+14155550199"}`, id)
		}
		c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
			if r.Path == "/v1/numbers/effect/messages" {
				return apitest.Response(200, `{"data":[{"id":"msg_1","to":"+14155550123","body":"hi","direction":"outbound","receivedAt":"`+time.Now().UTC().Format(time.RFC3339)+`"}],"hasMore":false}`), nil
			}
			return list.respond(n, r)
		})
		found, err := c.Messages.FindSent(t.Context(), params, time.Now())
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "msg_1", found[0].ID)
	}
}

func numbersThatShift(items []string, shift func(*shiftingList)) *shiftingList {
	return &shiftingList{path: "/v1/numbers", items: items, shift: shift, item: func(id string) string {
		at := "1990-01-01T00:00:00Z"
		if id == "effect" {
			at = time.Now().UTC().Format(time.RFC3339)
		}
		return fmt.Sprintf(`{"id":%q,"phoneNumber":"+14155550100","country":"US","createdAt":%q}`, id, at)
	}}
}

// assertFinds fails the test unless the effect is found, once, in a number of pages.
func assertFinds(t *testing.T, list *shiftingList, pages int) {
	t.Helper()
	c, _ := apitest.NewClient(t, list.respond)
	found, err := c.Numbers.FindBought(t.Context(), validBuy, time.Now())
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, "effect", found[0].ID)
	assert.LessOrEqual(t, list.pages, pages)
}
