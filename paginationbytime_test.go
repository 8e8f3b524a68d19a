package agentphone_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// mailbox responds with messages, newest first, paged by time as the API does. The bound 'before' is exclusive, or
// inclusive: the API does not say which.
type mailbox struct {
	at        []time.Time // of message first, first+1, ...: newest first
	first     int
	format    string
	inclusive bool
}

func (m *mailbox) respond(_ int, r apitest.Request) (*http.Response, error) {
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

func TestNumbersAllMessages_LosesAndRepeatsNone(t *testing.T) {
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
				c, _ := apitest.NewClient(t, m.respond)
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

func TestNumbersAllMessages_SkipsThoseThatArriveMeanwhile(t *testing.T) {
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
		return m.respond(n, r)
	})
	got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: 4}), 0)
	require.NoError(t, err)
	require.Len(t, got, 30)
	for i, msg := range got {
		assert.Equal(t, fmt.Sprintf("msg_%d", i), msg.ID)
	}
	assert.Greater(t, arrivals, 9)
}

func TestNumbersAllMessages_KeepsToBeforeAndAfter(t *testing.T) {
	newest := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	m := &mailbox{format: time.RFC3339}
	for i := range 100 {
		m.at = append(m.at, newest.Add(-time.Duration(i)*time.Second))
	}
	c, s := apitest.NewClient(t, m.respond)
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

func TestNumbersAllMessages_EndsWithAnErrorWhereItCannotContinue(t *testing.T) {
	same := make([]time.Time, 500)
	for i := range same {
		same[i] = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	}
	for name, tc := range map[string]struct {
		respond  apitest.Responder
		err      string
		items    int
		requests int
	}{
		"more ties than the largest page holds": {
			(&mailbox{at: same, format: time.RFC3339}).respond,
			"agentphone: listing: more messages have the same timestamp than fit on a page", 200, 2,
		},
		"repeated page": {
			apitest.Always(200, `{"data":[{"id":"a","receivedAt":"2026-01-02T00:00:00Z"},{"id":"b","receivedAt":"2026-01-01T00:00:00Z"}],"hasMore":true}`),
			"agentphone: listing: the server returned the same page again", 2, 2,
		},
		"no timestamps": {
			apitest.Always(200, `{"data":[{"id":"a"}],"hasMore":true}`),
			"agentphone: listing: a page of messages has no timestamps to continue from", 1, 1,
		},
		"empty pages": {
			apitest.Always(200, `{"data":[],"hasMore":true}`),
			"agentphone: listing: the server returned over 10 empty pages in a row", 0, 11,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, tc.respond)
			got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{}), 0)
			require.EqualError(t, err, tc.err)
			assert.Len(t, got, tc.items)
			assert.Len(t, s.Requests(), tc.requests)
		})
	}
}

func TestNumbersAllMessages_ContinuesAfterAnEmptyPage(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(`{"data":[{"id":"a","receivedAt":"2026-01-02T00:00:00Z"}],"hasMore":true}`, `{"data":[],"hasMore":true}`,
		`{"data":[{"id":"b","receivedAt":"2026-01-01T00:00:00Z"}],"hasMore":false}`))
	got, err := agentphone.Collect(c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{}), 0)
	require.NoError(t, err)
	assert.Len(t, got, 2)
}

func TestNumbersAllMessages_NoPageBeginsAfterBefore(t *testing.T) {
	before := time.Date(2026, 4, 19, 10, 0, 5, 5e8, time.UTC)
	c, s := apitest.NewClient(t, apitest.InTurn(`{"data":[{"id":"m1","receivedAt":"2026-04-19T10:00:05"}],"hasMore":true}`, `{"data":[],"hasMore":false}`))
	for _, err := range c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: 1, Before: agentphone.NewTimestamp(before)}) {
		require.NoError(t, err)
	}
	for _, r := range s.Requests() {
		assert.Equal(t, "2026-04-19T10:00:05.5Z", r.Query.Get("before"))
	}
}

func TestNumbersAllMessages_CycleOfPagesIsAnError(t *testing.T) {
	start := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	at := func(d time.Duration) string { return start.Add(-d).Format(time.RFC3339Nano) }
	for name, item := range map[string]func(page, i int) string{
		"newest first": func(page, i int) string {
			return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(time.Duration(10*page+i)*time.Second))
		},
		"oldest first": func(page, i int) string {
			return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(-time.Duration(10*page+i)*time.Second))
		},
		"of one second": func(page, i int) string {
			return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(time.Duration(10*page+i)*time.Microsecond))
		},
		"of one time": func(page, i int) string { return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(0)) },
		"without ids": func(page, i int) string {
			return fmt.Sprintf(`{"receivedAt":%q}`, at(time.Duration(10*page+i)*time.Second))
		},
		"of one time without ids": func(int, int) string { return fmt.Sprintf(`{"receivedAt":%q}`, at(0)) },
		"some without times": func(page, i int) string {
			if i == 0 {
				return fmt.Sprintf(`{"id":"m_%d"}`, page)
			}
			return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(time.Duration(10*page+i)*time.Second))
		},
		"some without ids and times": func(page, i int) string {
			if i == 0 {
				return `{}`
			}
			return fmt.Sprintf(`{"id":"m_%d_%d","receivedAt":%q}`, page, i, at(time.Duration(10*page+i)*time.Second))
		},
	} {
		for _, cycle := range []int{1, 2, 3, 10, 50} {
			for _, limit := range []int{0, 3} {
				t.Run(fmt.Sprintf("%d pages %s, limit %d", cycle, name, limit), func(t *testing.T) {
					c, s := apitest.NewClient(t, cyclicPages(0, cycle, 3, item, func(int) int { return 0 }))
					seq := c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: limit})
					_, err := agentphone.Collect(seq, 0)
					require.ErrorContains(t, err, "agentphone: listing: ")
					assert.LessOrEqual(t, len(s.Requests()), 2*cycle+12)
				})
			}
		}
	}
}

// Of the messages that it yields an iteration remembers only those that the next page may hold again.
func TestNumbersAllMessages_TenThousandPagesTakeConstantMemory(t *testing.T) {
	const pages = 10_000
	start := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	n, early, late := 0, 0, 0
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		switch n++; n {
		case 100:
			early = apitest.HeapInUse()
		case pages:
			late = apitest.HeapInUse()
		}
		body := fmt.Sprintf(`{"data":[{"id":"a%d"},{"id":"b%[1]d","receivedAt":%q}],"hasMore":%t}`, n, start.Add(-time.Duration(n)*time.Minute).Format(time.RFC3339), n < pages)
		return apitest.Response(200, body), nil
	}))
	messages, err := 0, error(nil)
	for _, err = range c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{}) {
		require.NoError(t, err)
		messages++
	}
	assert.Equal(t, 2*pages, messages)
	assert.Less(t, late, early+256<<10)
}
