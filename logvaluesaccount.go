package agentphone

import (
	"log/slog"
	"strconv"
)

// What is logged with log/slog of the account, its webhooks and usage, and of what wraps the results: see logvalues.go.

// LogValue returns account_id, agent_id, number_id and number, which is redacted.
func (a Account) LogValue() slog.Value {
	return logGroup("account_id", a.AccountID, "agent_id", a.AgentID, "number_id", a.NumberID, "number", logAddress(a.PhoneNumber))
}

// LogValue returns verification_id.
func (s Signup) LogValue() slog.Value { return logGroup("verification_id", s.VerificationID) }

// LogValue returns id and status.
func (s SubAccount) LogValue() slog.Value { return logGroup("id", s.ID, "status", s.Status) }

// LogValue returns campaign_status and sub_account_id.
func (r Registration) LogValue() slog.Value {
	return logGroup("campaign_status", r.CampaignStatus, "sub_account_id", r.SubAccountID)
}

// LogValue returns campaign_status and stage.
func (r RegistrationStatus) LogValue() slog.Value {
	return logGroup("campaign_status", r.CampaignStatus, "stage", r.Stage)
}

// LogValue returns id and status: neither the secret nor the URL, which may hold another one.
func (w Webhook) LogValue() slog.Value { return logGroup("id", w.ID, "status", w.Status) }

// LogValue returns success and status, that of HTTP.
func (t WebhookTest) LogValue() slog.Value {
	return logGroup("success", strconv.FormatBool(t.Success), "status", strconv.Itoa(t.StatusCode))
}

// LogValue returns id, message_id, event, channel, status, http_status and attempts.
func (d WebhookDelivery) LogValue() slog.Value {
	return logGroup("id", d.ID, "message_id", d.MessageID, "event", string(d.EventType), "channel", string(d.Channel), "status", d.Status,
		"http_status", strconv.Itoa(d.HTTPStatus), "attempts", strconv.Itoa(d.AttemptCount))
}

// LogValue returns total, success, failed and pending.
func (s DeliveryStats) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("total", s.Total), slog.Int("success", s.Success), slog.Int("failed", s.Failed), slog.Int("pending", s.Pending))
}

// LogValue returns numbers, how many there are.
func (u UsageByNumber) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("numbers", len(u.Data)))
}

// LogValue returns number_id, agent_id, status, messages, calls and number, which is redacted.
func (u NumberUsage) LogValue() slog.Value {
	return logGroup("number_id", u.NumberID, "agent_id", u.AgentID, "status", string(u.Status),
		"messages", strconv.Itoa(u.Messages), "calls", strconv.Itoa(u.Calls), "number", logAddress(u.PhoneNumber))
}

// LogValue returns items, the number of those on the page, has_more and total.
func (p Page[T]) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("items", len(p.Data)), slog.Bool("has_more", p.HasMore), slog.Int("total", p.Total))
}

// LogValue returns status, attempts and request_id: neither the header nor the body.
func (r Response) LogValue() slog.Value {
	return logGroup("status", strconv.Itoa(r.Status), "attempts", strconv.Itoa(r.Attempts), "request_id", r.RequestID)
}

// LogValue returns status: the key is of a program's own making, and the value is a response of the API.
func (c Claim) LogValue() slog.Value { return slog.GroupValue(slog.Int("status", int(c.Status))) }
