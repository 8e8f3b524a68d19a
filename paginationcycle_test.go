package agentphone_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const repeatedPage = "agentphone: listing: the server returned the same page again"

// cyclicPages responds with pages that are all different at first and then come again and again. The server gives up, so that
// a test ends, after 20,000.
func cyclicPages(before, cycle, size int, item func(page, i int) string, total func(n int) int) apitest.Responder {
	return func(n int, _ apitest.Request) (*http.Response, error) {
		if n > 20_000 {
			return apitest.Response(403, `{"detail":"the iteration goes on"}`), nil
		}
		page := n - 1
		if page >= before {
			page = before + (page-before)%cycle
		}
		var items []string
		for i := range size {
			items = append(items, item(page, i))
		}
		rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		return apitest.Response(200, fmt.Sprintf(`{"data":[%s],"hasMore":true,"total":%d}`, strings.Join(items, ","), total(n))), nil
	}
}

func withID(page, i int) string { return fmt.Sprintf(`{"id":"id_%d_%d"}`, page, i) }

func TestNumbersAll_CycleOfPagesIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		size     int
		item     func(page, i int) string
		total    func(n int) int
		requests int // per page of the cycle
	}{
		"constant total":                 {3, withID, func(int) int { return 500 }, 4},
		"large total":                    {3, withID, func(int) int { return 1e9 }, 4},
		"no total":                       {3, withID, func(int) int { return 0 }, 4},
		"total that grows as fast":       {3, withID, func(n int) int { return 1000 + 3*n }, 120},
		"total that wavers, large pages": {10, withID, func(n int) int { return 1000 + n%7 }, 4},
		"total that wavers, small pages": {3, withID, func(n int) int { return 1000 + n%7 }, 120},
		"items without ids": {
			3, func(page, i int) string { return fmt.Sprintf(`{"phoneNumber":"+1415555%04d"}`, 3*page+i) },
			func(int) int { return 500 }, 4,
		},
		"items without ids, large total": {
			3, func(page, i int) string { return fmt.Sprintf(`{"phoneNumber":"+1415555%04d"}`, 3*page+i) },
			func(int) int { return 2e9 }, 120,
		},
		"items that look the same, large total": {3, func(int, int) string { return `{}` }, func(int) int { return 2e9 }, 120},
	} {
		for _, cycle := range []int{1, 2, 3, 4, 5, 8, 13, 50, 100} {
			if tc.requests > 4 && cycle > 13 {
				continue // slow
			}
			for _, before := range []int{0, 1, 7, 20} {
				t.Run(fmt.Sprintf("%s, %d pages after %d", name, cycle, before), func(t *testing.T) {
					t.Parallel()
					c, s := apitest.NewClient(t, cyclicPages(before, cycle, tc.size, tc.item, tc.total))
					ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: tc.size})
					require.EqualError(t, err, repeatedPage)
					assert.GreaterOrEqual(t, len(ids), tc.size*(before+cycle), "each page was yielded")
					atMost := tc.requests*(cycle+before) + 10
					if name == "items without ids" {
						atMost += 500 / 3 // only beyond the end
					}
					assert.LessOrEqual(t, len(s.Requests()), atMost)
				})
			}
		}
	}
}

// The pages come in any order, but there are only four.
func TestNumbersAll_PagesInRandomOrderAreAnError(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			p := random.IntN(4)
			return apitest.Response(200, page(true, fmt.Sprint("a", p), fmt.Sprint("b", p))), nil
		})
		_, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
		require.EqualError(t, err, repeatedPage)
		assert.Less(t, len(s.Requests()), 200, "seed %d", seed)
	}
}

// A loop over an iterator that yields nothing cannot even break.
func TestNumbersAll_PagesWithNothingNewAreAnError(t *testing.T) {
	c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		return apitest.Response(200, page(n < 1000, slices.Repeat([]string{"a"}, n)...)), nil // no page is like another
	})
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{})
	require.EqualError(t, err, repeatedPage)
	assert.Equal(t, []string{"a"}, ids)
	assert.Less(t, len(s.Requests()), 150)
}

// The same with pages of one item, which an honest list can return several times, in a row or not.
func TestNumbersAll_CycleOfPagesOfOneItemIsAnError(t *testing.T) {
	for cycle := 1; cycle <= 10; cycle++ {
		c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			return apitest.Response(200, page(n < 20_000, fmt.Sprint("id", n%cycle))), nil
		})
		_, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 1})
		require.EqualError(t, err, repeatedPage)
		assert.LessOrEqual(t, len(s.Requests()), 13*cycle)
	}
}

// shelf is a list that is paged by offset, newest first.
type shelf struct {
	ids  []int
	next int
}

func (s *shelf) add(n int) {
	for range n {
		s.ids = slices.Insert(s.ids, 0, s.next)
		s.next++
	}
}

func (s *shelf) respond(r apitest.Request, item string) *http.Response {
	offset, _ := strconv.Atoi(r.Query.Get("offset"))
	limit, _ := strconv.Atoi(r.Query.Get("limit"))
	var items []string
	for i := offset; i < min(offset+limit, len(s.ids)); i++ {
		items = append(items, fmt.Sprintf(item, s.ids[i]))
	}
	return apitest.Response(200, fmt.Sprintf(`{"data":[%s],"hasMore":%t,"total":%d}`, strings.Join(items, ","), offset+limit < len(s.ids), len(s.ids)))
}

// While an iteration runs the list grows, at times by whole pages, or as fast as it is read, and shrinks.
func TestNumbersAll_NoHonestListIsTakenForACycle(t *testing.T) {
	for name, change := range map[string]func(s *shelf, random *rand.Rand, n int){
		"still":         func(*shelf, *rand.Rand, int) {},
		"one at a time": func(s *shelf, random *rand.Rand, _ int) { s.add(random.IntN(2)) },
		"as fast as read with pages of one": func(s *shelf, _ *rand.Rand, n int) {
			if n < 60 {
				s.add(1)
			}
		},
		"in bursts": func(s *shelf, random *rand.Rand, n int) {
			if n < 300 && random.IntN(4) == 0 {
				s.add(random.IntN(5))
			}
		},
		"by what was read since, again and again": func(s *shelf, _ *rand.Rand, n int) {
			if n%3 == 0 && n < 150 {
				s.add(3)
			}
		},
	} {
		for limit := 1; limit <= 3; limit++ {
			for _, shrinks := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, pages of %d, shrinks %t", name, limit, shrinks), func(t *testing.T) {
					for seed := range uint64(5) {
						random := rand.New(rand.NewPCG(seed, 7))
						s := &shelf{}
						s.add(100)
						c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
							change(s, random, n)
							if shrinks && random.IntN(3) == 0 && len(s.ids) > 0 {
								i := random.IntN(len(s.ids))
								s.ids = slices.Delete(s.ids, i, i+1)
							}
							return s.respond(r, `{"id":"num_%d"}`), nil
						})
						ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: limit})
						require.NoError(t, err, "seed %d", seed)
						for i := 0; i < 100 && !shrinks; i++ {
							require.Contains(t, ids, fmt.Sprintf("num_%d", i), "seed %d", seed)
						}
					}
				})
			}
		}
	}
}

// What this version decodes of the items may be the same for all.
func TestWebhooksAllDeliveries_ItemsThatLookTheSameAreNoCycle(t *testing.T) {
	s := &shelf{}
	s.add(50)
	c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		return s.respond(r, `{"status":"delivered","number":%d}`), nil
	})
	got, err := agentphone.Collect(c.Webhooks.AllDeliveries(t.Context(), agentphone.ListDeliveriesParams{Limit: 2}), 0)
	require.NoError(t, err)
	assert.Len(t, got, 50)
}

func TestNumbersAll_TenThousandPagesTakeConstantMemory(t *testing.T) {
	const pages = 10_000
	n, early, late := 0, 0, 0
	began := time.Now()
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		switch n++; n {
		case 100:
			early = apitest.HeapInUse()
		case pages:
			late = apitest.HeapInUse()
		}
		return apitest.Response(200, fmt.Sprintf(`{"data":[{"id":"a%d"},{"id":"b%d"}],"hasMore":%t,"total":20000}`, n, n, n < pages)), nil
	}))
	items := 0
	for _, err := range c.Numbers.All(t.Context(), agentphone.ListNumbersParams{Limit: 2}) {
		require.NoError(t, err)
		items++
	}
	assert.Equal(t, 2*pages, items)
	assert.Less(t, late, early+1<<20)
	t.Logf("%d pages in %v", pages, time.Since(began))
}
