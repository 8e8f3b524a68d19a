package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// numbersFrom serves n numbers by limit and offset.
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

// allIDs ranges over the numbers and returns their ids and the error that ended it.
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

func TestAllIteratesOverTenThousandItemsInOrder(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(10_000))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{})
	require.NoError(t, err)
	require.Len(t, ids, 10_000)
	for i, id := range ids {
		require.Equal(t, fmt.Sprintf("num_%d", i), id)
	}
	assert.Len(t, s.Requests(), 100)
}

func TestAllHonoursLimitAndOffset(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(10))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 3, Offset: 4})
	require.NoError(t, err)
	assert.Equal(t, []string{"num_4", "num_5", "num_6", "num_7", "num_8", "num_9"}, ids)
	assert.Equal(t, "limit=3&offset=4", s.Requests()[0].Query.Encode())
}

func TestAllIsLazyAndCanBeRangedTwice(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(250))
	before := runtime.NumGoroutine()
	seq := c.Numbers.All(t.Context(), agentphone.ListNumbersParams{})
	assert.Empty(t, s.Requests(), "nothing is asked for before the first range")
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
		assert.Len(t, s.Requests(), 2*(pass+1), "a break asks for no further page")
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestAllEndsWithTheErrorOfAPage(t *testing.T) {
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

func TestAllRefusesBadParamsBeforeSending(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(5))
	for _, p := range []agentphone.ListNumbersParams{{Limit: -1}, {Limit: 101}, {Offset: -1}} {
		_, err := allIDs(t, c, p)
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
	assert.Empty(t, s.Requests())
}

func TestAllGoesOnAfterAnEmptyPageThatHasMore(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.InTurn(page(true, "a", "b"), page(true), page(true), page(false, "c")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, ids)
	var offsets []string
	for _, r := range s.Requests() {
		offsets = append(offsets, r.Query.Get("offset"))
	}
	assert.Equal(t, []string{"", "2", "4", "6"}, offsets)

	c, s = apitest.NewClient(t, apitest.Always(200, page(true)))
	_, err = allIDs(t, c, agentphone.ListNumbersParams{})
	require.EqualError(t, err, "agentphone: listing: the server gave over 10 empty pages in a row")
	assert.Len(t, s.Requests(), 11)
}

func TestAllEndsWithAnErrorOnAPageThatRepeatsItself(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(true, "a", "b")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.EqualError(t, err, "agentphone: listing: the server gave the same page again")
	assert.Equal(t, []string{"a", "b"}, ids)
	assert.Len(t, s.Requests(), 3, "once might be a list that grew by a page meanwhile")
}

func TestItemsThatArePushedToTheNextPageAreGivenOnce(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(page(true, "a", "b"), page(true, "b", "c"), page(false, "c")))
	ids, err := allIDs(t, c, agentphone.ListNumbersParams{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, ids)
}

func TestEveryShapeOfAListIsRead(t *testing.T) {
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
	for _, body := range []string{`{}`, `{"message":"hello"}`, `"x"`, `{"data":{}}`, `null`, ``} {
		c, _ := apitest.NewClient(t, apitest.Always(200, body))
		_, err := c.Numbers.List(t.Context(), agentphone.ListNumbersParams{})
		var decodeErr *agentphone.DecodeError
		require.ErrorAs(t, err, &decodeErr, body)
	}
}

func TestCollect(t *testing.T) {
	c, s := apitest.NewClient(t, numbersFrom(250))
	got, err := agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 120)
	require.NoError(t, err)
	assert.Len(t, got, 120)
	assert.Len(t, s.Requests(), 2)
	got, err = agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 0)
	require.NoError(t, err)
	assert.Len(t, got, 250)

	c, _ = apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
		if n == 2 {
			return apitest.Response(401, ``), nil
		}
		return numbersFrom(250)(n, r)
	})
	got, err = agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), 0)
	require.ErrorIs(t, err, agentphone.ErrUnauthorized)
	assert.Len(t, got, 100, "what came before the error is not lost")

	_, err = agentphone.Collect[int](nil, 1)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = agentphone.Collect(c.Numbers.All(t.Context(), agentphone.ListNumbersParams{}), -1)
	require.ErrorIs(t, err, agentphone.ErrValidation)
}

// mailbox serves messages, newest first, paged by time as the API does. before is exclusive, or
// inclusive: the API does not say which.
type mailbox struct {
	at        []time.Time // of message first, first+1, ...: newest first
	first     int
	format    string
	inclusive bool
}

func (m *mailbox) answer(_ int, r apitest.Request) (*http.Response, error) {
	limit, _ := strconv.Atoi(r.Query.Get("limit"))
	before, errBefore := time.Parse(time.RFC3339, r.Query.Get("before"))
	after, errAfter := time.Parse(time.RFC3339, r.Query.Get("after"))
	var items []string
	more := false
	for i, at := range m.at {
		if errBefore == nil && !at.Before(before) && !(m.inclusive && at.Equal(before)) {
			continue
		}
		if errAfter == nil && !at.After(after) {
			continue
		}
		if len(items) == limit {
			more = true
			break
		}
		items = append(items, fmt.Sprintf(`{"id":"msg_%d","receivedAt":%q,"from_":"+14155550001"}`, m.first+i, at.Format(m.format)))
	}
	return apitest.Response(200, fmt.Sprintf(`{"data":[%s],"hasMore":%t}`, strings.Join(items, ","), more)), nil
}

func TestAllMessagesLosesAndRepeatsNone(t *testing.T) {
	newest := time.Date(2026, 4, 19, 17, 20, 11, 123456000, time.UTC)
	spread := func(n int, step time.Duration, sameInARow int) []time.Time {
		at := make([]time.Time, n)
		for i := range at {
			at[i] = newest.Add(-step * time.Duration(i/sameInARow))
		}
		return at
	}
	const micros, seconds = "2006-01-02T15:04:05.000000Z", "2006-01-02T15:04:05Z"
	for name, tc := range map[string]struct {
		at     []time.Time
		format string
		limit  int
	}{
		"10,000 apart":                     {spread(10_000, time.Second, 1), micros, 0},
		"all times different, small pages": {spread(50, time.Microsecond, 1), micros, 7},
		"pairs across every border":        {spread(50, time.Second, 2), micros, 3},
		"threes across every border":       {spread(60, time.Millisecond, 3), "2006-01-02T15:04:05.000Z", 4},
		"more ties than a page holds":      {spread(400, time.Second, 150), micros, 20},
		"ties as large as the page":        {spread(100, time.Second, 20), micros, 20},
		"shown cut to seconds":             {spread(90, 100*time.Millisecond, 1), seconds, 25},
		"shown without a zone":             {spread(50, time.Second, 2), "2006-01-02 15:04:05.000000", 3},
		"none":                             {nil, micros, 5},
	} {
		for _, inclusive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inclusive %t", name, inclusive), func(t *testing.T) {
				m := &mailbox{at: tc.at, format: tc.format, inclusive: inclusive}
				c, _ := apitest.NewClient(t, m.answer)
				got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: tc.limit}), 0)
				require.NoError(t, err)
				require.Len(t, got, len(tc.at))
				for i, msg := range got {
					require.Equal(t, fmt.Sprintf("msg_%d", i), msg.ID)
					require.Equal(t, "+14155550001", msg.From)
				}
			})
		}
	}
}

func TestAllMessagesIsNotDisturbedByThoseThatArrive(t *testing.T) {
	start := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	var at []time.Time
	for i := range 30 {
		at = append(at, start.Add(-time.Duration(i)*time.Second))
	}
	arrivals := 0
	c, _ := apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
		m := &mailbox{format: time.RFC3339, first: -arrivals}
		for i := range arrivals {
			m.at = append(m.at, start.Add(time.Duration(arrivals-i)*time.Minute))
		}
		m.at = append(m.at, at...)
		arrivals += 3
		return m.answer(n, r)
	})
	got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: 4}), 0)
	require.NoError(t, err)
	require.Len(t, got, 30)
	for i, msg := range got {
		assert.Equal(t, fmt.Sprintf("msg_%d", i), msg.ID)
	}
	assert.Greater(t, arrivals, 9)
}

func TestAllMessagesKeepsToBeforeAndAfter(t *testing.T) {
	newest := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	m := &mailbox{format: time.RFC3339}
	for i := range 100 {
		m.at = append(m.at, newest.Add(-time.Duration(i)*time.Second))
	}
	c, s := apitest.NewClient(t, m.answer)
	seq := c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{
		Limit: 10, Before: agentphone.NewTimestamp(m.at[19]), After: agentphone.NewTimestamp(m.at[60]),
	})
	for range 2 {
		got, err := agentphone.Collect(seq, 0)
		require.NoError(t, err)
		require.Len(t, got, 40)
		assert.Equal(t, "msg_20", got[0].ID)
		assert.Equal(t, "msg_59", got[39].ID)
	}
	assert.Equal(t, "2026-04-19T17:19:11Z", s.Requests()[3].Query.Get("after"))
}

func TestAllMessagesEndsWhereItCannotGoOn(t *testing.T) {
	same := make([]time.Time, 500)
	for i := range same {
		same[i] = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	}
	iterate := func(answer func(int, apitest.Request) (*http.Response, error)) ([]agentphone.NumberMessage, int, error) {
		c, s := apitest.NewClient(t, answer)
		got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{}), 0)
		return got, len(s.Requests()), err
	}
	got, requests, err := iterate((&mailbox{at: same, format: time.RFC3339}).answer)
	require.EqualError(t, err, "agentphone: listing: more messages bear one timestamp than the server gives on a page")
	assert.Len(t, got, 200)
	assert.Equal(t, 2, requests)

	got, requests, err = iterate(apitest.Always(200, `{"data":[{"id":"a","receivedAt":"2026-01-02T00:00:00Z"},{"id":"b","receivedAt":"2026-01-01T00:00:00Z"}],"hasMore":true}`))
	require.EqualError(t, err, "agentphone: listing: the server gave the same page again")
	assert.Len(t, got, 2)
	assert.Equal(t, 2, requests)

	_, _, err = iterate(apitest.Always(200, `{"data":[{"id":"a"}],"hasMore":true}`))
	require.EqualError(t, err, "agentphone: listing: a page of messages has no timestamps to go on from")

	_, requests, err = iterate(apitest.Always(200, `{"data":[],"hasMore":true}`))
	require.EqualError(t, err, "agentphone: listing: the server gave over 10 empty pages in a row")
	assert.Equal(t, 11, requests)

	got, _, err = iterate(apitest.InTurn(`{"data":[{"id":"a","receivedAt":"2026-01-02T00:00:00Z"}],"hasMore":true}`, `{"data":[],"hasMore":true}`,
		`{"data":[{"id":"b","receivedAt":"2026-01-01T00:00:00Z"}],"hasMore":false}`))
	require.NoError(t, err)
	assert.Len(t, got, 2)
}

func TestScopedListsRefuseFiltersTheyWouldIgnore(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(false)))
	_, err := c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Status: agentphone.CallStatusFailed})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
	_, err = c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Limit: 5, Offset: 5})
	require.NoError(t, err)
	_, err = c.Calls.List(t.Context(), agentphone.ListCallsParams{Status: agentphone.CallStatusFailed, Direction: agentphone.DirectionInbound, Search: "a b"})
	require.NoError(t, err)
	assert.Equal(t, "direction=inbound&search=a+b&status=failed", s.Requests()[1].Query.Encode())
}

func TestAListEndsWithItsContext(t *testing.T) {
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
