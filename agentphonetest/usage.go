package agentphonetest

import "time"

var usageOperations = []*operation{
	get("/v1/usage", (*Server).getUsage),
}

const day = 24 * time.Hour

func (s *Server) getUsage(in *input) (any, error) {
	a, today := in.account, now()
	month := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	used := len(a.activeNumbers())
	stats := object{}
	countUp(stats, "totalMessages", "messages", a.messages.list, func(m *message) time.Time { return m.at })
	countUp(stats, "totalCalls", "calls", a.calls.list, func(c *call) time.Time { return c.started })
	total, succeeded, failed := countDeliveries(a.deliveries)
	stats["totalWebhookDeliveries"], stats["successfulWebhookDeliveries"], stats["failedWebhookDeliveries"] = total, succeeded, failed
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

// countUp counts things over the account's life and over its last days.
func countUp[T any](stats object, total, recent string, items []T, at func(T) time.Time) {
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
