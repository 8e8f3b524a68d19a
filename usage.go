package agentphone

import "context"

// UsageService counts numbers, messages, calls and deliveries.
type UsageService service

var (
	opGetUsage      = operation{method: "GET", path: "/v1/usage", idempotent: true}
	opDailyUsage    = operation{method: "GET", path: "/v1/usage/daily", idempotent: true}
	opMonthlyUsage  = operation{method: "GET", path: "/v1/usage/monthly", idempotent: true}
	opUsageByNumber = operation{method: "GET", path: "/v1/usage/by-number", idempotent: true}
	opUsageByAgent  = operation{method: "GET", path: "/v1/usage/by-agent", idempotent: true}
)

// Usage is what the account has and has done.
type Usage struct {
	Plan        Plan         `json:"plan"`
	Numbers     NumberLimits `json:"numbers"`
	Stats       UsageStats   `json:"stats"`
	PeriodStart Timestamp    `json:"periodStart"`
	PeriodEnd   Timestamp    `json:"periodEnd"`
}

// Plan is the account's plan; "payg" is pay as you go, without monthly caps.
type Plan struct {
	Name   string     `json:"name"`
	Limits PlanLimits `json:"limits"`
}

// PlanLimits are a plan's limits. The API leaves them out for some plans; then all are 0.
type PlanLimits struct {
	Numbers                int `json:"numbers"`
	MessagesPerMonth       int `json:"messagesPerMonth"`
	VoiceMinutesPerMonth   int `json:"voiceMinutesPerMonth"`
	MaxCallDurationMinutes int `json:"maxCallDurationMinutes"`
	ConcurrentCalls        int `json:"concurrentCalls"`
}

// NumberLimits says how many numbers the account has and may have.
type NumberLimits struct {
	Used      int `json:"used"`
	Limit     int `json:"limit"`
	Remaining int `json:"remaining"`
}

// UsageStats are counts over the account's life and over the last 24 hours, 7 and
// 30 days.
type UsageStats struct {
	TotalMessages               int `json:"totalMessages"`
	MessagesLast24h             int `json:"messagesLast24h"`
	MessagesLast7d              int `json:"messagesLast7d"`
	MessagesLast30d             int `json:"messagesLast30d"`
	TotalCalls                  int `json:"totalCalls"`
	CallsLast24h                int `json:"callsLast24h"`
	CallsLast7d                 int `json:"callsLast7d"`
	CallsLast30d                int `json:"callsLast30d"`
	TotalWebhookDeliveries      int `json:"totalWebhookDeliveries"`
	SuccessfulWebhookDeliveries int `json:"successfulWebhookDeliveries"`
	FailedWebhookDeliveries     int `json:"failedWebhookDeliveries"`
}

// Get returns the account's plan, limits and counts. It is a good first call of a session:
// it shows that the key works. Retried. (GET /v1/usage)
func (s *UsageService) Get(ctx context.Context, opts ...RequestOption) (*Usage, error) {
	return do[Usage](ctx, (*service)(s), &opGetUsage, nil, nil, opts)
}

// DailyUsageParams are the parameters of [UsageService.Daily].
type DailyUsageParams struct {
	Days int `url:"days,omitempty"` // how many days to look back
}

func (p DailyUsageParams) validate() error { return inRange("days", p.Days, 0) }

// DailyUsage is what was used day by day.
type DailyUsage struct {
	Data []DayUsage `json:"data"`
	Days int        `json:"days"`
}

// DayUsage is one day's use.
type DayUsage struct {
	Date     string `json:"date"` // 2026-04-19
	Messages int    `json:"messages"`
	Calls    int    `json:"calls"`
	Webhooks int    `json:"webhooks"`
}

// Daily returns what was used day by day. Retried. (GET /v1/usage/daily)
func (s *UsageService) Daily(ctx context.Context, params DailyUsageParams, opts ...RequestOption) (*DailyUsage, error) {
	return do[DailyUsage](ctx, (*service)(s), &opDailyUsage, nil, params, opts)
}

// MonthlyUsageParams are the parameters of [UsageService.Monthly].
type MonthlyUsageParams struct {
	Months int `url:"months,omitempty"` // how many months to look back
}

func (p MonthlyUsageParams) validate() error { return inRange("months", p.Months, 0) }

// MonthlyUsage is what was used month by month.
type MonthlyUsage struct {
	Data   []MonthUsage `json:"data"`
	Months int          `json:"months"`
}

// MonthUsage is one month's use.
type MonthUsage struct {
	Month    string `json:"month"` // 2026-04
	Messages int    `json:"messages"`
	Calls    int    `json:"calls"`
	Webhooks int    `json:"webhooks"`
}

// Monthly returns what was used month by month. Retried. (GET /v1/usage/monthly)
func (s *UsageService) Monthly(ctx context.Context, params MonthlyUsageParams, opts ...RequestOption) (*MonthlyUsage, error) {
	return do[MonthlyUsage](ctx, (*service)(s), &opMonthlyUsage, nil, params, opts)
}

// UsageByNumber is what each number was used for.
type UsageByNumber struct {
	Data []NumberUsage `json:"data"`
}

// NumberUsage is one number's use.
type NumberUsage struct {
	NumberID    string       `json:"numberId"`
	PhoneNumber string       `json:"phoneNumber"`
	Country     Country      `json:"country"`
	Status      NumberStatus `json:"status"`
	AgentID     string       `json:"agentId"`
	AgentName   string       `json:"agentName"`
	Messages    int          `json:"messages"`
	Calls       int          `json:"calls"`
}

// ByNumber returns what each number was used for. Retried. (GET /v1/usage/by-number)
func (s *UsageService) ByNumber(ctx context.Context, opts ...RequestOption) (*UsageByNumber, error) {
	return do[UsageByNumber](ctx, (*service)(s), &opUsageByNumber, nil, nil, opts)
}

// UsagePeriod is the stretch of time that [UsageService.ByAgent] counts.
type UsagePeriod string

const (
	UsagePeriodWeek  UsagePeriod = "week"
	UsagePeriodMonth UsagePeriod = "month"
	UsagePeriodYear  UsagePeriod = "year"
)

// UsageByAgentParams are the parameters of [UsageService.ByAgent].
type UsageByAgentParams struct {
	Period UsagePeriod `url:"period"`       // required
	TZ     string      `url:"tz,omitempty"` // the time zone of the period's borders, such as America/New_York
}

func (p UsageByAgentParams) validate() error { return required("period", string(p.Period)) }

// UsageByAgent is what each agent did.
type UsageByAgent struct {
	Data        []AgentUsage `json:"data"`
	Period      UsagePeriod  `json:"period"`
	PeriodStart Timestamp    `json:"periodStart"`
	PeriodEnd   Timestamp    `json:"periodEnd"`
}

// AgentUsage is what one agent did.
type AgentUsage struct {
	AgentID      string `json:"agentId"` // "" for what belongs to no agent
	AgentName    string `json:"agentName"`
	Messages     int    `json:"messages"`
	Calls        int    `json:"calls"`
	TotalSeconds int    `json:"totalSeconds"` // of its calls
	IsOrphan     bool   `json:"isOrphan"`     // the agent is no more
}

// ByAgent returns what each agent did. Retried. (GET /v1/usage/by-agent)
func (s *UsageService) ByAgent(ctx context.Context, params UsageByAgentParams, opts ...RequestOption) (*UsageByAgent, error) {
	return do[UsageByAgent](ctx, (*service)(s), &opUsageByAgent, nil, params, opts)
}
