package agentphone

import (
	"cmp"
	"context"
	"iter"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

var (
	opListDeliveries       = operation{method: "GET", path: "/v1/webhooks/deliveries", idempotent: true}
	opDeliveryStats        = operation{method: "GET", path: "/v1/webhooks/deliveries/stats", idempotent: true}
	opAllTimeDeliveryStats = operation{method: "GET", path: "/v1/webhooks/deliveries/all-time", idempotent: true}
	opListAgentDeliveries  = operation{method: "GET", path: "/v1/agents/{agent_id}/webhook/deliveries", idempotent: true}
)

// WebhookDelivery is the delivery of an event to a webhook, in one attempt or more. The API has been seen to list
// deliveries in two forms; fields that a form lacks are zero.
type WebhookDelivery struct {
	ID            string    `json:"id"`
	MessageID     string    `json:"messageId"` // the message of the event; "" if it has none
	EventType     EventType `json:"eventType"`
	Channel       Channel   `json:"channel"`
	Status        string    `json:"status"`       // such as "pending", "success", "failed"
	HTTPStatus    int       `json:"httpStatus"`   // of your server's last response; 0 if there was none
	ErrorMessage  string    `json:"errorMessage"` // why the last attempt failed; "" if it did not
	ResponseBody  string    `json:"responseBody"` // of your server's last response; "" if there was none
	AttemptCount  int       `json:"attemptCount"`
	LastAttemptAt Timestamp `json:"lastAttemptAt"` // zero if there was no attempt yet
	NextRetryAt   Timestamp `json:"nextRetryAt"`   // zero if there is no retry to come
	CreatedAt     Timestamp `json:"createdAt"`
	DeliveredAt   Timestamp `json:"deliveredAt"`
	Success       *bool     `json:"success"`    // nil if unknown
	ResponseMs    *float64  `json:"responseMs"` // time until the response, in milliseconds; nil if unknown
}

// UnmarshalJSON decodes a delivery, whose type and status the API calls eventType and httpStatus, or event and
// statusCode.
func (d *WebhookDelivery) UnmarshalJSON(data []byte) error {
	type plain WebhookDelivery
	var wire struct {
		plain
		Event      EventType `json:"event"`
		StatusCode int       `json:"statusCode"`
	}
	if err := lenientjson.Unmarshal(data, &wire); err != nil {
		return err
	}
	*d = WebhookDelivery(wire.plain)
	d.EventType = cmp.Or(d.EventType, wire.Event)
	d.HTTPStatus = cmp.Or(d.HTTPStatus, wire.StatusCode)
	return nil
}

// ListDeliveriesParams are the parameters of [WebhooksService.ListDeliveries] and [WebhooksService.AllDeliveries].
type ListDeliveriesParams struct {
	Limit  int `url:"limit,omitempty"`  // page size; if 0 the API decides, and it is 100 for AllDeliveries
	Offset int `url:"offset,omitempty"` // number of deliveries to skip
	Hours  int `url:"hours,omitempty"`  // how many of the last hours to cover; if 0 the API decides
}

func (p ListDeliveriesParams) validate() error {
	return firstOf(checkPage(p.Limit, 0, p.Offset), inRange("hours", p.Hours, 0))
}

// ListDeliveries returns one page of the deliveries to the webhook of the account, newest first. Retried.
// (GET /v1/webhooks/deliveries)
func (s *WebhooksService) ListDeliveries(ctx context.Context, params ListDeliveriesParams, opts ...RequestOption) (*Page[WebhookDelivery], error) {
	return list[WebhookDelivery](ctx, (*service)(s), &opListDeliveries, nil, params, params.Offset, opts)
}

// AllDeliveries iterates over the deliveries to the webhook of the account, newest first, and requests one page at a
// time. Retried. (GET /v1/webhooks/deliveries)
func (s *WebhooksService) AllDeliveries(ctx context.Context, params ListDeliveriesParams, opts ...RequestOption) iter.Seq2[WebhookDelivery, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxPage), func(d *WebhookDelivery) string { return d.ID },
		func(offset, limit int) (*Page[WebhookDelivery], error) {
			return s.ListDeliveries(ctx, ListDeliveriesParams{Limit: limit, Offset: offset, Hours: params.Hours}, opts...)
		})
}

// ListDeliveriesForAgentParams are the parameters of [WebhooksService.ListDeliveriesForAgent].
type ListDeliveriesForAgentParams struct {
	Limit int `url:"limit,omitempty"` // number of deliveries to return; if 0 the API decides
	Hours int `url:"hours,omitempty"` // how many of the last hours to cover; if 0 the API decides
}

func (p ListDeliveriesForAgentParams) validate() error {
	return firstOf(inRange("limit", p.Limit, 0), inRange("hours", p.Hours, 0))
}

// ListDeliveriesForAgent returns the latest deliveries to the webhook of an agent, on one page: use a higher Limit for
// more. Retried. (GET /v1/agents/{agent_id}/webhook/deliveries)
func (s *WebhooksService) ListDeliveriesForAgent(ctx context.Context, agentID string, params ListDeliveriesForAgentParams, opts ...RequestOption) (*Page[WebhookDelivery], error) {
	return list[WebhookDelivery](ctx, (*service)(s), &opListAgentDeliveries, []string{agentID}, params, 0, opts)
}

// DeliveryStatsParams are the parameters of [WebhooksService.DeliveryStats].
type DeliveryStatsParams struct {
	Hours int `url:"hours,omitempty"` // how many of the last hours to cover; if 0 the API decides
}

func (p DeliveryStatsParams) validate() error { return inRange("hours", p.Hours, 0) }

// DeliveryStats counts the deliveries of the last hours.
type DeliveryStats struct {
	Total       int                           `json:"total"`
	Success     int                           `json:"success"`
	Failed      int                           `json:"failed"`
	Pending     int                           `json:"pending"`     // still to be attempted
	SuccessRate float64                       `json:"successRate"` // Success as a percentage of Total
	ByEventType map[string]map[string]float64 `json:"byEventType"` // the counts of each EventType, by name
	ByHour      []map[string]any              `json:"byHour"`      // the counts of each hour, as the API sends them
}

// DeliveryStats returns counts of the deliveries to the webhook of the account in the last hours. Retried.
// (GET /v1/webhooks/deliveries/stats)
func (s *WebhooksService) DeliveryStats(ctx context.Context, params DeliveryStatsParams, opts ...RequestOption) (*DeliveryStats, error) {
	return do[DeliveryStats](ctx, (*service)(s), &opDeliveryStats, nil, params, opts)
}

// AllTimeDeliveryStats counts the deliveries since the account was created.
type AllTimeDeliveryStats struct {
	Total       int     `json:"total"`
	Success     int     `json:"success"`
	Failed      int     `json:"failed"`
	SuccessRate float64 `json:"successRate"` // Success as a percentage of Total
}

// AllTimeDeliveryStats returns counts of all deliveries to the webhook of the account. Retried.
// (GET /v1/webhooks/deliveries/all-time)
func (s *WebhooksService) AllTimeDeliveryStats(ctx context.Context, opts ...RequestOption) (*AllTimeDeliveryStats, error) {
	return do[AllTimeDeliveryStats](ctx, (*service)(s), &opAllTimeDeliveryStats, nil, nil, opts)
}
