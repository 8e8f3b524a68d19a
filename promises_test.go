package agentphone_test

import (
	"context"
	"fmt"
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

func TestWaitRidesOutAnAnswerThatIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		c := srv.Client(agentphone.WithMaxRetries(0))
		call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"})
		require.NoError(t, err)
		srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/calls/{call_id}", Status: 200, Header: http.Header{"Content-Length": {"500"}}, Body: `{"id":`})
		_, err = c.Calls.Wait(t.Context(), call.ID, agentphone.WaitParams{})
		require.NoError(t, err)
	})
}

func TestWaitGivesNoGraceToACallThatNobodyTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"call_1","status":"no-answer"}`))
		_, err := c.Calls.Wait(t.Context(), "call_1", agentphone.WaitParams{TranscriptGrace: time.Minute})
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}

// Calls that come in while a program ranges over its calls, a page of one at a time.
func TestAListThatGrowsIsGivenWholeAndOnce(t *testing.T) {
	for _, come := range [][]string{{"c4"}, {"c5", "c4"}} {
		ids := []string{"c3", "c2", "c1"}
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			var offset, limit int
			_, _ = fmt.Sscan(r.Query.Get("offset"), &offset)
			_, _ = fmt.Sscan(r.Query.Get("limit"), &limit)
			if offset == 1 && len(ids) == 3 {
				ids = append(come, ids...)
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
			assert.Equal(t, 1, seen[call.ID], "%s, while %v came", call.ID, come)
		}
		for _, id := range []string{"c3", "c2", "c1"} {
			assert.Equal(t, 1, seen[id], "%s, while %v came", id, come)
		}
	}
}

func TestAllMessagesKeepsToBeforeThoughItLooksBehindItsPages(t *testing.T) {
	before := time.Date(2026, 4, 19, 10, 0, 5, 5e8, time.UTC)
	c, s := apitest.NewClient(t, apitest.InTurn(`{"data":[{"id":"m1","receivedAt":"2026-04-19T10:00:05"}],"hasMore":true}`, `{"data":[],"hasMore":false}`))
	for _, err := range c.Numbers.AllMessages(t.Context(), "num_1", agentphone.ListMessagesParams{Limit: 1, Before: agentphone.NewTimestamp(before)}) {
		require.NoError(t, err)
	}
	for _, r := range s.Requests() {
		assert.Equal(t, "2026-04-19T10:00:05.5Z", r.Query.Get("before"))
	}
}

func TestACallsOwnTimeoutHoldsForAGetThatWaits(t *testing.T) {
	opts := []agentphone.RequestOption{agentphone.WithRequestTimeout(5 * time.Second), agentphone.GetCallOptions{Wait: true}}
	for _, opts := range [][]agentphone.RequestOption{opts, {opts[1], opts[0]}} {
		synctest.Test(t, func(t *testing.T) {
			c, err := agentphone.NewClient(apitest.Key, agentphone.WithMaxRetries(0), agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})}))
			require.NoError(t, err)
			start := time.Now()
			_, err = c.Calls.Get(t.Context(), "call_1", opts...)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 5*time.Second, time.Since(start))
		})
	}
}
