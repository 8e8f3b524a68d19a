package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// numbersFrom responds with pages of n numbers, by limit and offset.
func numbersFrom(n int) func(int, apitest.Request) (*http.Response, error) {
	return func(_ int, r apitest.Request) (*http.Response, error) {
		offset, _ := strconv.Atoi(r.Query.Get("offset"))
		limit, _ := strconv.Atoi(r.Query.Get("limit"))
		var items []string
		for i := offset; i < min(offset+limit, n); i++ {
			items = append(items, fmt.Sprintf(`{"id":"num_%d"}`, i))
		}
		return apitest.Response(200, fmt.Sprintf(`{"data":[%s],"hasMore":%t,"total":%d}`, strings.Join(items, ","), offset+limit < n, n)), nil
	}
}

func page(hasMore bool, ids ...string) string {
	for i, id := range ids {
		ids[i] = fmt.Sprintf(`{"id":%q}`, id)
	}
	return fmt.Sprintf(`{"data":[%s],"hasMore":%t,"total":99}`, strings.Join(ids, ","), hasMore)
}

// allIDs ranges over all numbers and returns their ids and the error that ended the iteration.
func allIDs(t *testing.T, c *agentphone.Client, params agentphone.ListNumbersParams) (ids []string, err error) {
	t.Helper()
	for n, e := range c.Numbers.All(t.Context(), params) {
		if e != nil {
			require.NoError(t, err, "an iterator yields one error")
			err = e
			assert.Empty(t, n)
			continue
		}
		require.NoError(t, err, "an error is the last that an iterator yields")
		ids = append(ids, n.ID)
	}
	return ids, err
}

func TestNumbersAll_YieldsTenThousandItemsInOrder(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(10_000))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{})
	require.NoError(t, err)
	require.Len(t, ids, 10_000)
	for i, id := range ids {
		require.Equal(t, fmt.Sprintf("num_%d", i), id)
	}
	assert.Len(t, s.Requests(), 100)
}

func TestNumbersAll_HonorsLimitAndOffset(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(10))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 3, Offset: 4})
	require.NoError(t, err)
	assert.Equal(t, []string{"num_4", "num_5", "num_6", "num_7", "num_8", "num_9"}, ids)
	assert.Equal(t, "limit=3&offset=4", s.Requests()[0].Query.Encode())
}

func TestNumbersAll_IsLazyAndCanBeRangedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left behind
		c, s := apitest.NewClient(t, numbersFrom(250))
		seq := c.Numbers.All(t.Context(), agentphone.ListNumbersParams{})
		assert.Empty(t, s.Requests(), "nothing is requested before the first range")
		for pass := range 2 {
			n := 0
			for number, err := range seq {
				require.NoError(t, err)
				if n == 0 {
					assert.Equal(t, "num_0", number.ID, "pass %d", pass)
				}
				if n++; n == 150 {
					break
				}
			}
			assert.Len(t, s.Requests(), 2*(pass+1), "a break requests no further page")
		}
	})
}

func TestNumbersAll_EndsWithTheErrorOfAPage(t *testing.T) {
	c, s := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
		if n == 2 {
			return apitest.Response(403, `{"detail":"no more for you"}`), nil
		}
		return numbersFrom(500)(n, r)
	})
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{})
	require.ErrorIs(t, err, agentphone.ErrForbidden)
	assert.Len(t, ids, 100)
	assert.Len(t, s.Requests(), 2)
}

func TestNumbersAll_RefusesInvalidParamsBeforeSending(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(5))
	for _, p := range []agentphone.ListNumbersParams{{Limit: -1}, {Limit: 101}, {Offset: -1}} {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			_, err := allIDs(t, c, p)
			require.ErrorIs(t, err, agentphone.ErrValidation)
		})
	}
	assert.Empty(t, s.Requests())
}

func TestNumbersAll_ContinuesAfterEmptyPages(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.InTurn(page(true, "a", "b"), page(true), page(true), page(false, "c")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, ids)
	var offsets []string
	for _, r := range s.Requests() {
		offsets = append(offsets, r.Query.Get("offset"))
	}
	assert.Equal(t, []string{"", "2", "4", "6"}, offsets)
}

func TestNumbersAll_TooManyEmptyPagesAreAnError(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(true)))
	_, err := allIDs(t, c, agentphone.ListNumbersParams{})
	require.EqualError(t, err, "agentphone: listing: the server returned over 10 empty pages in a row")
	assert.Len(t, s.Requests(), 11)
}

func TestNumbersAll_RepeatedPageIsAnError(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(true, "a", "b")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.EqualError(t, err, "agentphone: listing: the server returned the same page again")
	assert.Equal(t, []string{"a", "b"}, ids)
	assert.Len(t, s.Requests(), 3, "one repetition might be a list that grew by a page meanwhile")
}

func TestNumbersAll_ItemsPushedToTheNextPageAreYieldedOnce(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(page(true, "a", "b"), page(true, "b", "c"), page(false, "c")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, ids)
}

func TestNumbersList_ReadsEveryShape(t *testing.T) {
	for name, tc := range map[string]struct {
		body    string
		offset  int
		want    int
		hasMore bool
		total   int
	}{
		"data, hasMore, total":      {`{"data":[{"id":"a"}],"hasMore":true,"total":9}`, 0, 1, true, 9},
		"no hasMore, more to come":  {`{"data":[{"id":"a"}],"total":3}`, 1, 1, true, 3},
		"no hasMore, the last page": {`{"data":[{"id":"a"}],"total":3}`, 2, 1, false, 3},
		"no hasMore, empty":         {`{"data":[],"total":3}`, 0, 0, false, 3},
		"items":                     {`{"items":[{"id":"a"},{"id":"b"}],"total":3,"offset":0,"limit":2}`, 0, 2, true, 3},
		"bare array":                {` [{"id":"a"}]`, 0, 1, false, 0},
		"empty array":               {`[]`, 0, 0, false, 0},
		"null data":                 {`{"data":null,"hasMore":false,"total":0}`, 0, 0, false, 0},
		"null total":                {`{"data":[],"hasMore":null,"total":null}`, 0, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, tc.body))
			p, err := c.Numbers.List(t.Context(), agentphone.ListNumbersParams{Offset: tc.offset})
			require.NoError(t, err)
			assert.Len(t, p.Data, tc.want)
			assert.Equal(t, tc.hasMore, p.HasMore)
			assert.Equal(t, tc.total, p.Total)
		})
	}
}

func TestNumbersList_BodyThatIsNoListIsADecodeError(t *testing.T) {
	for _, body := range []string{`{}`, `{"message":"hello"}`, `"x"`, `{"data":{}}`, `null`, ``} {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			_, err := c.Numbers.List(t.Context(), agentphone.ListNumbersParams{})
			var decodeErr *agentphone.DecodeError
			require.ErrorAs(t, err, &decodeErr)
		})
	}
}

func TestCollect_ReturnsUpToLimitItems(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(250))
	got, err := agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 120)
	require.NoError(t, err)
	assert.Len(t, got, 120)
	assert.Len(t, s.Requests(), 2)
	got, err = agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 0)
	require.NoError(t, err)
	assert.Len(t, got, 250)
}

func TestCollect_ReturnsTheItemsBeforeAnError(t *testing.T) {
	c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
		if n == 2 {
			return apitest.Response(401, ``), nil
		}
		return numbersFrom(250)(n, r)
	})
	got, err := agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 0)
	require.ErrorIs(t, err, agentphone.ErrUnauthorized)
	assert.Len(t, got, 100)
}

func TestCollect_RefusesNilAndNegativeLimit(t *testing.T) {
	c, _ := apitest.NewClient(t, numbersFrom(250))
	_, err := agentphone.Collect[int](nil, 1)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), -1)
	require.ErrorIs(t, err, agentphone.ErrValidation)
}

func TestNumbersAll_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, _ := apitest.NewClient(t, numbersFrom(500))
	n := 0
	var last error
	for _, err := range c.Numbers.All(ctx, agentphone.ListNumbersParams{}) {
		if last = err; err == nil {
			if n++; n == 50 {
				cancel()
			}
		}
	}
	assert.Equal(t, 100, n)
	assert.True(t, errors.Is(last, context.Canceled))
}

// Calls come in while a program ranges over its calls, one per page.
func TestCallsAll_YieldsAGrowingListWholeAndOnce(t *testing.T) {
	for _, added := range [][]string{{"c4"}, {"c5", "c4"}} {
		t.Run(strings.Join(added, " "), func(t *testing.T) {
			ids := []string{"c3", "c2", "c1"}
			c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
				var offset, limit int
				_, _ = fmt.Sscan(r.Query.Get("offset"), &offset)
				_, _ = fmt.Sscan(r.Query.Get("limit"), &limit)
				if offset == 1 && len(ids) == 3 {
					ids = append(added, ids...)
				}
				end := min(offset+limit, len(ids))
				var items []string
				for _, id := range ids[min(offset, end):end] {
					items = append(items, `{"id":"`+id+`"}`)
				}
				return apitest.Response(200, fmt.Sprintf(`{"data":[%s],"hasMore":%v,"total":%d}`, strings.Join(items, ","), end < len(ids), len(ids))), nil
			})
			calls, err := agentphone.Collect(c.Calls.All(t.Context(), agentphone.ListCallsParams{Limit: 1}), 0)
			require.NoError(t, err)
			seen := map[string]int{}
			for _, call := range calls {
				seen[call.ID]++
				assert.Equal(t, 1, seen[call.ID], call.ID)
			}
			for _, id := range []string{"c3", "c2", "c1"} {
				assert.Equal(t, 1, seen[id], id)
			}
		})
	}
}
