package agentphone

import "context"

// UsageService returns the account's plan and limits and its counts of messages, calls and webhook deliveries.
type UsageService service

var (
	opGetUsage      = operation{method: "GET", path: "/v1/usage", idempotent: true}
	opDailyUsage    = operation{method: "GET", path: "/v1/usage/daily", idempotent: true}
	opMonthlyUsage  = operation{method: "GET", path: "/v1/usage/monthly", idempotent: true}
	opUsageByNumber = operation{method: "GET", path: "/v1/usage/by-number", idempotent: true}
	opUsageByAgent  = operation{method: "GET", path: "/v1/usage/by-agent", idempotent: true}
)

// Usage is the account's plan, limits and counters.
type Usage struct {
	Plan        Plan         `json:"plan"` // the zero Plan if the API gives none
	Numbers     NumberLimits `json:"numbers"`
	Stats       UsageStats   `json:"stats"`
	PeriodStart Timestamp    `json:"periodStart"` // zero, as PeriodEnd, if the API gives none
	PeriodEnd   Timestamp    `json:"periodEnd"`
}

// Plan is what the account pays for.
type Plan struct {
	Name   string     `json:"name"` // such as "payg", pay as you go, which has no monthly limits
	Limits PlanLimits `json:"limits"`
}

// PlanLimits are the limits of a plan. They are all 0 if the API gives none.
type PlanLimits struct {
	Numbers                int `json:"numbers"`
	MessagesPerMonth       int `json:"messagesPerMonth"`
	VoiceMinutesPerMonth   int `json:"voiceMinutesPerMonth"`
	MaxCallDurationMinutes int `json:"maxCallDurationMinutes"`
	ConcurrentCalls        int `json:"concurrentCalls"`
}

// NumberLimits says how many phone numbers the account has, may have, and may still buy.
type NumberLimits struct {
	Used      int `json:"used"`
	Limit     int `json:"limit"`
	Remaining int `json:"remaining"`
}

// UsageStats counts messages, calls and webhook deliveries since the account was created, and messages and calls of the
// last 24 hours, 7 days and 30 days.
type UsageStats struct {
	TotalMessages               int  `json:"totalMessages"`
	MessagesLast24h             int  `json:"messagesLast24h"`
	MessagesLast7d              int  `json:"messagesLast7d"`
	MessagesLast30d             int  `json:"messagesLast30d"`
	TotalCalls                  int  `json:"totalCalls"`
	CallsLast24h                int  `json:"callsLast24h"`
	CallsLast7d                 int  `json:"callsLast7d"`
	CallsLast30d                int  `json:"callsLast30d"`
	TotalWebhookDeliveries      int  `json:"totalWebhookDeliveries"`
	SuccessfulWebhookDeliveries int  `json:"successfulWebhookDeliveries"`
	FailedWebhookDeliveries     int  `json:"failedWebhookDeliveries"`
	SMSSegmentsLast30d          *int `json:"smsSegmentsLast30d"` // nil if unknown; a long SMS is several segments
}

// Get returns the account's plan, limits and counters. A program can call it to check its API key. Retried.
// (GET /v1/usage)
func (s *UsageService) Get(ctx context.Context, opts ...RequestOption) (*Usage, error) {
	return do[Usage](ctx, (*service)(s), &opGetUsage, nil, nil, opts)
}

// DailyUsageParams are the parameters of [UsageService.Daily].
type DailyUsageParams struct {
	Days int `url:"days,omitempty"` // number of days, up to today; if 0 the API decides
}

func (p DailyUsageParams) validate() error { return inRange("days", p.Days, 0) }

// DailyUsage is the result of [UsageService.Daily].
type DailyUsage struct {
	Data []DayUsage `json:"data"`
	Days int        `json:"days"` // number of days that Data covers
}

// DayUsage counts messages, calls and webhook deliveries of one day.
type DayUsage struct {
	Date     string `json:"date"` // such as 2026-04-19
	Messages int    `json:"messages"`
	Calls    int    `json:"calls"`
	Webhooks int    `json:"webhooks"` // webhook deliveries
}

// Daily returns counts of messages, calls and webhook deliveries by day. Retried. (GET /v1/usage/daily)
func (s *UsageService) Daily(ctx context.Context, params DailyUsageParams, opts ...RequestOption) (*DailyUsage, error) {
	return do[DailyUsage](ctx, (*service)(s), &opDailyUsage, nil, params, opts)
}

// MonthlyUsageParams are the parameters of [UsageService.Monthly].
type MonthlyUsageParams struct {
	Months int `url:"months,omitempty"` // number of months, up to this one; if 0 the API decides
}

func (p MonthlyUsageParams) validate() error { return inRange("months", p.Months, 0) }

// MonthlyUsage is the result of [UsageService.Monthly].
type MonthlyUsage struct {
	Data   []MonthUsage `json:"data"`
	Months int          `json:"months"` // number of months that Data covers
}

// MonthUsage counts messages, calls and webhook deliveries of one month.
type MonthUsage struct {
	Month    string `json:"month"` // such as 2026-04
	Messages int    `json:"messages"`
	Calls    int    `json:"calls"`
	Webhooks int    `json:"webhooks"` // webhook deliveries
}

// Monthly returns counts of messages, calls and webhook deliveries by month. Retried. (GET /v1/usage/monthly)
func (s *UsageService) Monthly(ctx context.Context, params MonthlyUsageParams, opts ...RequestOption) (*MonthlyUsage, error) {
	return do[MonthlyUsage](ctx, (*service)(s), &opMonthlyUsage, nil, params, opts)
}

// UsageByNumber is the result of [UsageService.ByNumber].
type UsageByNumber struct {
	Data []NumberUsage `json:"data"`
}

// NumberUsage counts messages and calls of one phone number.
type NumberUsage struct {
	NumberID    string       `json:"numberId"`
	PhoneNumber string       `json:"phoneNumber"` // E.164
	Country     Country      `json:"country"`
	Status      NumberStatus `json:"status"`
	AgentID     string       `json:"agentId"`   // "" if it is attached to no agent
	AgentName   string       `json:"agentName"` // "" if it is attached to no agent
	Messages    int          `json:"messages"`
	Calls       int          `json:"calls"`
}

// ByNumber returns counts of messages and calls by phone number. Retried. (GET /v1/usage/by-number)
func (s *UsageService) ByNumber(ctx context.Context, opts ...RequestOption) (*UsageByNumber, error) {
	return do[UsageByNumber](ctx, (*service)(s), &opUsageByNumber, nil, nil, opts)
}

// UsagePeriod is the period that [UsageService.ByAgent] covers, up to now.
type UsagePeriod string

// The periods that the API has.
const (
	UsagePeriodWeek  UsagePeriod = "week"
	UsagePeriodMonth UsagePeriod = "month"
	UsagePeriodYear  UsagePeriod = "year"
)

// UsageByAgentParams are the parameters of [UsageService.ByAgent].
type UsageByAgentParams struct {
	Period UsagePeriod `url:"period"`       // required
	TZ     string      `url:"tz,omitempty"` // time zone of the period, such as Asia/Tokyo; if empty the API decides
}

func (p UsageByAgentParams) validate() error { return required("period", string(p.Period)) }

// UsageByAgent is the result of [UsageService.ByAgent].
type UsageByAgent struct {
	Data        []AgentUsage `json:"data"`
	Period      UsagePeriod  `json:"period"`
	PeriodStart Timestamp    `json:"periodStart"`
	PeriodEnd   Timestamp    `json:"periodEnd"`
}

// AgentUsage counts messages and calls of one agent.
type AgentUsage struct {
	AgentID      string `json:"agentId"` // "" for usage that belongs to no agent
	AgentName    string `json:"agentName"`
	Messages     int    `json:"messages"`
	Calls        int    `json:"calls"`
	TotalSeconds int    `json:"totalSeconds"` // duration of its calls in all, in seconds
	IsOrphan     bool   `json:"isOrphan"`     // whether the agent has been deleted
}

// ByAgent returns counts of messages and calls by agent. Retried. (GET /v1/usage/by-agent)
func (s *UsageService) ByAgent(ctx context.Context, params UsageByAgentParams, opts ...RequestOption) (*UsageByAgent, error) {
	return do[UsageByAgent](ctx, (*service)(s), &opUsageByAgent, nil, params, opts)
}
