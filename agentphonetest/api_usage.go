package agentphonetest

import (
	"strings"
	"time"
	"unicode/utf16"

	agentphone "github.com/agentphone/agentphone-go"
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
	a, today := in.account, now()
	month := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	used := len(a.activeNumbers())
	stats := object{}
	addCounts(stats, "totalMessages", "messages", a.messages.list, func(m *message) time.Time { return m.at })
	addCounts(stats, "totalCalls", "calls", a.calls.list, func(c *call) time.Time { return c.started })
	total, succeeded, failed := tally(a.deliveries)
	stats["totalWebhookDeliveries"], stats["successfulWebhookDeliveries"], stats["failedWebhookDeliveries"] = total, succeeded, failed
	stats["smsSegmentsLast30d"] = a.segmentsSince(today.Add(-30 * day))
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
func (a *account) segmentsSince(start time.Time) (n int) {
	for _, m := range a.messages.list {
		if m.at.After(start) && m.channel == agentphone.ChannelSMS && !m.inbound {
			n += segments(m.body)
		}
	}
	return n
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
	age := func(limit time.Duration) (n int) {
		for _, item := range items {
			if time.Since(at(item)) < limit {
				n++
			}
		}
		return n
	}
	stats[total] = len(items)
	stats[recent+"Last24h"] = age(day)
	stats[recent+"Last7d"] = age(7 * day)
	stats[recent+"Last30d"] = age(30 * day)
}

// points counts what an account did in each of some periods. Times of a period have the same text in layout.
func (a *account) points(name, layout string, periods []time.Time) []object {
	messages := grouped(a.messages.list, func(m *message) string { return m.at.UTC().Format(layout) })
	calls := grouped(a.calls.list, func(c *call) string { return c.started.UTC().Format(layout) })
	webhooks := grouped(a.deliveries, func(d *delivery) string { return d.created.UTC().Format(layout) })
	return views(periods, func(t time.Time) object {
		key := t.Format(layout)
		return object{
			name: key, "messages": len(messages[key]), "calls": len(calls[key]), "webhooks": len(webhooks[key]),
		}
	})
}

func (s *Server) dailyUsage(in *input) (any, error) {
	days, today := in.query.Int("days", 30), now()
	var periods []time.Time
	for i := range days {
		periods = append(periods, today.AddDate(0, 0, i+1-days))
	}
	return object{"data": in.account.points("date", "2006-01-02", periods), "days": days}, nil
}

func (s *Server) monthlyUsage(in *input) (any, error) {
	months, today := in.query.Int("months", 12), now()
	first := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	var periods []time.Time
	for i := range months {
		periods = append(periods, first.AddDate(0, i+1-months, 0))
	}
	return object{"data": in.account.points("month", "2006-01", periods), "months": months}, nil
}

func (s *Server) usageByNumber(in *input) (any, error) {
	a := in.account
	messages := grouped(a.messages.list, func(m *message) string { return m.conversation.number.id })
	calls := grouped(a.calls.list, func(c *call) string {
		if c.number == nil {
			return ""
		}
		return c.number.id
	})
	return object{"data": views(a.numbers.list, func(n *phoneNumber) object {
		v := object{
			"numberId": n.id, "phoneNumber": n.e164, "country": n.country, "status": n.status(),
			"agentId": orNull(n.agentID), "agentName": nil, "messages": len(messages[n.id]), "calls": len(calls[n.id]),
		}
		if ag, ok := a.agents.get(n.agentID); ok {
			v["agentName"] = ag.text("name")
		}
		return v
	})}, nil
}

// periodStart is when the calendar week (from Monday), month or year of a time begins, in the zone of the time.
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
// was deleted, come last, as an orphan.
func (s *Server) usageByAgent(in *input) (any, error) {
	a, period := in.account, in.query.Text("period")
	zone, _ := time.LoadLocation(in.query.Text("tz")) // "" is UTC
	end := now()
	start := periodStart(period, end.In(zone))

	messages := grouped(a.messages.where(func(m *message) bool { return !m.at.Before(start) }), func(m *message) string { return m.agentID })
	calls := grouped(a.calls.where(func(c *call) bool { return !c.started.Before(start) }), func(c *call) string { return c.agentID })
	row := func(id, name string) object {
		var lasted time.Duration
		for _, c := range calls[id] {
			lasted += c.now().elapsed
		}
		v := object{
			"agentId": orNull(id), "agentName": name, "messages": len(messages[id]), "calls": len(calls[id]),
			"totalSeconds": int(lasted.Round(time.Second).Seconds()), "isOrphan": false,
		}
		delete(messages, id)
		delete(calls, id)
		return v
	}
	rows := views(a.agents.list, func(ag *agent) object { return row(ag.id, ag.text("name")) })
	if len(messages[""])+len(calls[""]) > 0 {
		v := row("", "Unassigned")
		v["isOrphan"] = true
		rows = append(rows, v)
	}
	return object{"data": rows, "period": period, "periodStart": stamp(start), "periodEnd": stamp(end)}, nil
}
