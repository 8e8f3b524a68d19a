package agentphonetest

import (
	"strings"
	"time"
	"unicode/utf16"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

var usageOperations = []*operation{
	get("/v1/usage", (*Server).getUsage),
	get("/v1/usage/daily", (*Server).dailyUsage, schema.Integer("days").Min(1).Max(365)),
	get("/v1/usage/monthly", (*Server).monthlyUsage, schema.Integer("months").Min(1).Max(120)),
	get("/v1/usage/by-number", (*Server).usageByNumber),
	get("/v1/usage/by-agent", (*Server).usageByAgent,
		schema.Enum("period", "week", "month", "year").Required(), schema.Text("tz").Format(schema.TimeZone)),
}

const day = 24 * time.Hour

func (s *Server) getUsage(in *input) (any, error) {
	a, month := in.account, periodStart("month", now())
	used := len(a.activeNumbers())
	stats := object{}
	addCounts(stats, "totalMessages", "messages", a.messages.list, (*message).sentAt)
	addCounts(stats, "totalCalls", "calls", a.calls.list, (*call).placedAt)
	total, succeeded, failed := a.tally()
	stats["totalWebhookDeliveries"], stats["successfulWebhookDeliveries"], stats["failedWebhookDeliveries"] = total, succeeded, failed
	stats["smsSegmentsLast30d"] = a.segmentsSince(now().Add(-30 * day))
	return object{
		"plan": object{"name": "payg", "limits": object{
			"numbers": s.numberLimit, "messagesPerMonth": 0, "voiceMinutesPerMonth": 0, // no caps
			"maxCallDurationMinutes": 60, "concurrentCalls": 10,
		}},
		"numbers":     object{"used": used, "limit": s.numberLimit, "remaining": max(0, s.numberLimit-used)},
		"stats":       stats,
		"periodStart": stamp(month),
		"periodEnd":   stamp(month.AddDate(0, 1, 0)),
	}, nil
}

// segmentsSince counts the segments of the SMS that were sent after a time.
func (a *account) segmentsSince(start time.Time) int {
	all := a.messages.list
	recent := since(all, (*message).sentAt, start)
	if len(recent) == 0 {
		return 0
	}
	before := 0
	if older := len(all) - len(recent); older > 0 {
		before = all[older-1].segments
	}
	return recent[len(recent)-1].segments - before
}

// The characters of a text that is sent with 7 bits each, and those that take two of them.
const (
	gsmCharacters = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡" +
		"ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "^{}\\[~]|€\f"
)

// segments returns how many messages of the mobile network a text takes: 160 characters, or 153 of several, but 70, or
// 67, if one is not in the 7-bit alphabet.
func segments(text string) int {
	length, one, each := 0, 160, 153
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmExtension, r):
			length += 2
		case strings.ContainsRune(gsmCharacters, r):
			length++
		default:
			one, each = 70, 67
		}
	}
	if one == 70 {
		length = len(utf16.Encode([]rune(text)))
	}
	if length <= one {
		return 1
	}
	return (length + each - 1) / each
}

// addCounts adds how many items there are in all, and how many of the last day, week and month, to the statistics.
func addCounts[T any](stats object, total, recent string, items []T, at func(T) time.Time) {
	last := func(d time.Duration) int { return countSince(items, at, time.Now().Add(1-d)) }
	stats[total] = len(items)
	stats[recent+"Last24h"] = last(day)
	stats[recent+"Last7d"] = last(7 * day)
	stats[recent+"Last30d"] = last(30 * day)
}

// points counts what an account did in each of n periods. period returns when the i-th begins.
func (a *account) points(n int, period func(i int) time.Time, name, layout string) []object {
	out := make([]object, 0, n)
	for i := range n {
		start, end := period(i), period(i+1)
		out = append(out, object{
			name:       start.Format(layout),
			"messages": countBetween(a.messages.list, (*message).sentAt, start, end),
			"calls":    countBetween(a.calls.list, (*call).placedAt, start, end),
			"webhooks": countBetween(a.deliveries, (*delivery).createdAt, start, end),
		})
	}
	return out
}

func countBetween[T any](items []T, at func(T) time.Time, start, end time.Time) int {
	return countSince(items, at, start) - countSince(items, at, end)
}

func (s *Server) dailyUsage(in *input) (any, error) {
	days, today := in.query.Int("days", 30), periodStart("day", now())
	start := func(i int) time.Time { return today.AddDate(0, 0, i+1-days) }
	return object{"data": in.account.points(days, start, "date", "2006-01-02"), "days": days}, nil
}

func (s *Server) monthlyUsage(in *input) (any, error) {
	months, month := in.query.Int("months", 12), periodStart("month", now())
	start := func(i int) time.Time { return month.AddDate(0, i+1-months, 0) }
	return object{"data": in.account.points(months, start, "month", "2006-01"), "months": months}, nil
}

func (s *Server) usageByNumber(in *input) (any, error) {
	a := in.account
	return object{"data": views(a.numbers.list, func(n *phoneNumber) object {
		v := object{
			"numberId": n.id, "phoneNumber": n.e164, "country": n.country, "status": n.status(),
			"agentId": orNull(n.agentID), "agentName": nil, "messages": len(n.messages), "calls": len(n.calls),
		}
		if ag, ok := a.agents.get(n.agentID); ok {
			v["agentName"] = ag.text("name")
		}
		return v
	})}, nil
}

// periodStart is when the day, or calendar week (from Monday), month or year, of a time begins, in the zone of the time.
func periodStart(period string, t time.Time) time.Time {
	y, m, d := t.Date()
	switch period {
	case "week":
		d -= (int(t.Weekday()) + 6) % 7
	case "month":
		d = 1
	case "year":
		m, d = time.January, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// usageByAgent counts messages and calls by the agent that had the number then. Those without an agent, or of one that
// was deleted, come last, as an orphan. It looks at all of them since the period began.
func (s *Server) usageByAgent(in *input) (any, error) {
	a, period := in.account, in.query.Text("period")
	zone, _ := time.LoadLocation(in.query.Text("tz")) // "" is UTC
	end := now()
	start := periodStart(period, end.In(zone))

	messages := grouped(since(a.messages.list, (*message).sentAt, start), func(m *message) string { return m.agentID })
	calls := grouped(since(a.calls.list, (*call).placedAt, start), func(c *call) string { return c.agentID })
	row := func(id, name string) object {
		var lasted time.Duration
		for _, c := range calls[id] {
			lasted += c.now().elapsed
		}
		return object{
			"agentId": orNull(id), "agentName": name, "messages": len(messages[id]), "calls": len(calls[id]),
			"totalSeconds": int(lasted.Round(time.Second).Seconds()), "isOrphan": id == "",
		}
	}
	rows := views(a.agents.list, func(ag *agent) object { return row(ag.id, ag.text("name")) })
	if len(messages[""])+len(calls[""]) > 0 {
		rows = append(rows, row("", "Unassigned"))
	}
	return object{"data": rows, "period": period, "periodStart": stamp(start), "periodEnd": stamp(end)}, nil
}
