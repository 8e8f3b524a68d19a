package agentphonetest

import (
	"math"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// hours limits deliveries to the last so many hours.
var hours = schema.Integer("hours").Min(1).Max(1_000_000)

var deliveryOperations = []*operation{
	get("/v1/webhooks/deliveries", (*Server).listDeliveries, pageQuery(100, hours)...),
	get("/v1/webhooks/deliveries/all-time", (*Server).allTimeStats),
	get("/v1/webhooks/deliveries/stats", (*Server).deliveryStats, hours),
	get("/v1/agents/{agent_id}/webhook/deliveries", (*Server).listAgentDeliveries,
		schema.Integer("limit").Min(1).Max(100), hours),
}

// view has the fields of both official clients: what one calls eventType and httpStatus, the other calls event and
// statusCode, and it reads success, deliveredAt and responseMs, too.
func (d *delivery) view() object {
	last := d.last()
	v := object{
		"id": d.id, "messageId": orNull(d.messageID), "eventType": orNull(string(d.event)), "channel": orNull(string(d.channel)),
		"status": d.status, "httpStatus": nil, "errorMessage": orNull(last.failure), "responseBody": orNull(last.response),
		"attemptCount": len(d.attempts), "lastAttemptAt": stamp(last.began), "nextRetryAt": stamp(d.next), "createdAt": stamp(d.created),
		"event": orNull(string(d.event)), "statusCode": nil, "success": d.status == deliverySucceeded,
		"deliveredAt": nil, "responseMs": nil,
	}
	if last.status != 0 {
		v["httpStatus"], v["statusCode"], v["responseMs"] = last.status, last.status, last.took.Milliseconds()
	}
	if d.status == deliverySucceeded {
		v["deliveredAt"] = stamp(last.began.Add(last.took))
	}
	return v
}

// recent returns the deliveries of the hours that a query is for, oldest first. Zero hours are all.
func recent(list []*delivery, query schema.Values, defaultHours int) []*delivery {
	back := time.Duration(query.Int("hours", defaultHours)) * time.Hour
	if back == 0 {
		return list
	}
	return since(list, (*delivery).createdAt, time.Now().Add(-back))
}

// listDeliveries returns the list twice, since the official clients disagree on its name.
func (s *Server) listDeliveries(in *input) (any, error) {
	page := newestPageOf(recent(in.account.deliveries, in.query, 0), in.query, defaultPage, (*delivery).view)
	page["items"] = page["data"]
	page["offset"], page["limit"] = in.query.Int("offset", 0), in.query.Int("limit", defaultPage)
	return page, nil
}

// listAgentDeliveries returns a bare list, without total and offset.
func (s *Server) listAgentDeliveries(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	return views(cutNewest(recent(a.deliveries, in.query, 0), in.query, defaultPage), (*delivery).view), nil
}

// counts is what the statistics say about some deliveries. Those that are pending count only in the total.
func counts(total, succeeded, failed int) object {
	return object{"total": total, "success": succeeded, "failed": failed, "successRate": percent(succeeded, total)}
}

// percent returns a percentage with two decimal places. That of nothing is 0.
func percent(part, total int) float64 {
	if total == 0 {
		return 0
	}
	return math.Round(1e4*float64(part)/float64(total)) / 100
}

func (s *Server) allTimeStats(in *input) (any, error) { return counts(in.account.tally()), nil }

// deliveryStats looks at all deliveries of the hours that it is asked for.
func (s *Server) deliveryStats(in *input) (any, error) {
	list := recent(in.account.deliveries, in.query, 24)
	out := counts(tally(list))
	out["pending"] = out["total"].(int) - out["success"].(int) - out["failed"].(int)
	byEvent, byHour := object{}, []object{}
	for name, its := range grouped(list, func(d *delivery) string { return string(d.event) }) {
		byEvent[name] = counts(tally(its))
	}
	inHour := grouped(list, func(d *delivery) string { return stamp(d.created.Truncate(time.Hour)).(string) })
	for _, hour := range sortedKeys(inHour) {
		row := counts(tally(inHour[hour]))
		row["hour"] = hour
		byHour = append(byHour, row)
	}
	out["byEventType"], out["byHour"] = byEvent, byHour
	return out, nil
}

// tally counts all deliveries of the account.
func (a *account) tally() (total, succeeded, failed int) {
	return len(a.deliveries), a.byStatus[deliverySucceeded], a.byStatus[deliveryFailed]
}

// tally counts deliveries.
func tally(list []*delivery) (total, succeeded, failed int) {
	for _, d := range list {
		switch d.status {
		case deliverySucceeded:
			succeeded++
		case deliveryFailed:
			failed++
		}
	}
	return len(list), succeeded, failed
}
