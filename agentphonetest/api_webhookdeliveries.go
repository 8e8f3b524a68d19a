package agentphonetest

import (
	"math"
	"time"
)

// hours is how far back a list of deliveries looks.
var hours = integer("hours").atLeast(1).atMost(1_000_000)

var deliveryOperations = []*operation{
	get("/v1/webhooks/deliveries", (*Server).listDeliveries, append(page(100), hours)...),
	get("/v1/webhooks/deliveries/all-time", (*Server).allTimeStats),
	get("/v1/webhooks/deliveries/stats", (*Server).deliveryStats, hours),
	get("/v1/agents/{agent_id}/webhook/deliveries", (*Server).listAgentDeliveries,
		integer("limit").atLeast(1).atMost(100), hours),
}

func (d *delivery) view() object {
	v := object{
		"id": d.id, "messageId": orNull(d.messageID), "eventType": orNull(string(d.event)), "channel": orNull(string(d.channel)),
		"status": d.status, "httpStatus": nil, "errorMessage": orNull(d.failure), "responseBody": orNull(d.response),
		"attemptCount": d.attempts, "lastAttemptAt": stamp(d.last), "nextRetryAt": stamp(d.next), "createdAt": stamp(d.created),
	}
	if d.code != 0 {
		v["httpStatus"] = d.code
	}
	return v
}

// recent are the deliveries of the hours that a query asks for, or all, newest first.
func recent(list []*delivery, query object, defaultHours int) []*delivery {
	back := time.Duration(query.integer("hours", defaultHours)) * time.Hour
	var fit []*delivery
	for _, d := range newestFirst(list) {
		if back == 0 || time.Since(d.created) <= back {
			fit = append(fit, d)
		}
	}
	return fit
}

func (s *Server) listDeliveries(in *input) (any, error) {
	fit := recent(in.account.deliveries, in.query, 0)
	return object{
		"items": views(cut(fit, in.query, defaultPage), (*delivery).view), "total": len(fit),
		"offset": in.query.integer("offset", 0), "limit": in.query.integer("limit", defaultPage),
	}, nil
}

// listAgentDeliveries answers with a bare list.
func (s *Server) listAgentDeliveries(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	var its []*delivery
	for _, d := range in.account.deliveries {
		if d.agentID == a.id {
			its = append(its, d)
		}
	}
	return views(cut(recent(its, in.query, 0), in.query, defaultPage), (*delivery).view), nil
}

// counts is what the statistics say of some deliveries.
func counts(list []*delivery) object {
	total, succeeded, failed := countDeliveries(list)
	return object{"total": total, "success": succeeded, "failed": failed, "successRate": percent(succeeded, total)}
}

// percent is of 100, with two places; of nothing it is 0.
func percent(part, total int) float64 {
	if total == 0 {
		return 0
	}
	return math.Round(1e4*float64(part)/float64(total)) / 100
}

func (s *Server) allTimeStats(in *input) (any, error) { return counts(in.account.deliveries), nil }

func (s *Server) deliveryStats(in *input) (any, error) {
	fit := recent(in.account.deliveries, in.query, 24)
	out := counts(fit)
	out["pending"] = out["total"].(int) - out["success"].(int) - out["failed"].(int)
	byEvent, byHour := object{}, []object{}
	for name, list := range grouped(fit, func(d *delivery) string { return string(d.event) }) {
		byEvent[name] = counts(list)
	}
	inHour := grouped(fit, func(d *delivery) string { return stamp(d.created.Truncate(time.Hour)).(string) })
	for _, hour := range sortedKeys(inHour) {
		row := counts(inHour[hour])
		row["hour"] = hour
		byHour = append(byHour, row)
	}
	out["byEventType"], out["byHour"] = byEvent, byHour
	return out, nil
}

// countDeliveries counts what has come to an end.
func countDeliveries(list []*delivery) (total, succeeded, failed int) {
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
