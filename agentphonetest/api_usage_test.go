package agentphonetest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestUsage_CountsOnlyTheLastDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		sendText(t, srv, person, "hi")
		placeCall(t, srv, person)
		time.Sleep(8 * 24 * time.Hour)
		usage, err := srv.Client().Usage.Get(t.Context())
		require.NoError(t, err)
		assert.Zero(t, usage.Stats.MessagesLast7d)
		assert.Zero(t, usage.Stats.CallsLast24h)
		assert.Equal(t, 1, usage.Stats.MessagesLast30d)
		assert.Equal(t, 1, usage.Stats.TotalCalls)
	})
}

func TestUsage_CountsByDayMonthNumberAndAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		client := srv.Client()
		sendText(t, srv, person, "hi")
		time.Sleep(24 * time.Hour)
		srv.NextCall(agentphonetest.CallScript{Duration: 90 * time.Second})
		call := placeCall(t, srv, person)
		time.Sleep(time.Hour)

		days := items(t, request(t, client, "GET", "/v1/usage/daily", nil), "data")
		require.Len(t, days, 30)
		assert.Equal(t, fields{"date": "2000-01-01", "messages": 1.0, "calls": 0.0, "webhooks": 0.0}, days[28])
		assert.Equal(t, fields{"date": "2000-01-02", "messages": 0.0, "calls": 1.0, "webhooks": 0.0}, days[29])
		months := items(t, request(t, client, "GET", "/v1/usage/monthly", nil), "data")
		require.Len(t, months, 12)
		assert.Equal(t, fields{"month": "2000-01", "messages": 1.0, "calls": 1.0, "webhooks": 0.0}, months[11])
		assert.Equal(t, "1999-12", months[10]["month"])

		numbers := items(t, request(t, client, "GET", "/v1/usage/by-number", nil), "data")
		assert.InDelta(t, 1, numbers[0]["messages"], 0)
		assert.Equal(t, "My agent", numbers[0]["agentName"])

		byAgent := func() fields {
			status, body := send(t, srv, "GET", "/v1/usage/by-agent?period=week&tz=America/New_York", "")
			require.Equal(t, 200, status)
			return items(t, body, "data")[0]
		}
		row := byAgent()
		assert.Equal(t, srv.AgentID(), row["agentId"])
		assert.InDelta(t, 90, row["totalSeconds"], 0)
		assert.Equal(t, false, row["isOrphan"])
		id := srv.AgentID()
		_, err := client.Agents.Delete(t.Context(), id)
		require.NoError(t, err)
		row = byAgent()
		assert.Equal(t, "Unassigned", row["agentName"])
		assert.Nil(t, row["agentId"])
		assert.Equal(t, true, row["isOrphan"])
		assert.InDelta(t, 90, row["totalSeconds"], 0)
		assert.Nil(t, request(t, client, "GET", "/v1/calls/"+call.ID, nil)["agentId"], "a deleted agent is no longer named by its calls")
		status, body := send(t, srv, "GET", "/v1/usage/by-agent?tz=Moon", "")
		assert.Equal(t, 422, status)
		assert.Equal(t, []string{"query.period missing", "query.tz value_error"}, problems(t, body))
	})
}

func TestUsage_CountsTheSegmentsOfTextsThatWereSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		segments := func() float64 {
			return request(t, srv.Client(), "GET", "/v1/usage", nil)["stats"].(fields)["smsSegmentsLast30d"].(float64)
		}
		assert.Zero(t, segments())
		for name, c := range map[string]struct {
			body string
			want float64
		}{
			"short":                     {"hi", 1},
			"160 characters":            {strings.Repeat("x", 160), 1},
			"161 characters":            {strings.Repeat("x", 161), 2},
			"306 characters":            {strings.Repeat("é", 306), 2},
			"307 characters":            {strings.Repeat("é", 307), 3},
			"80 that take two":          {strings.Repeat("€", 80), 1},
			"81 that take two":          {strings.Repeat("€", 81), 2},
			"70 of another alphabet":    {strings.Repeat("я", 70), 1},
			"71 of another alphabet":    {strings.Repeat("я", 71), 2},
			"35 emoji":                  {strings.Repeat("🎉", 35), 1},
			"36 emoji":                  {strings.Repeat("🎉", 36), 2},
			"one character of another ": {strings.Repeat("x", 134) + "я", 3},
		} {
			before := segments()
			sendText(t, srv, person, c.body)
			assert.InDelta(t, c.want, segments()-before, 0, name)
		}
		before := segments()
		sendText(t, srv, friend, "by iMessage")
		srv.ReceiveMessage(person, srv.PhoneNumber(), "received")
		assert.InDelta(t, before, segments(), 0)
		time.Sleep(31 * 24 * time.Hour)
		assert.Zero(t, segments())
	})
}
