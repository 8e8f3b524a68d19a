package agentphone

import (
	"context"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// observe calls the hook for a request, of which d is nil if it was refused. An id is not signed, so it is as any text of others.
func (h *WebhookHandler) observe(ctx context.Context, d *delivery) (context.Context, func(DeliveryResult)) {
	info := DeliveryInfo{}
	if d != nil {
		info = DeliveryInfo{
			Event:      EventType(redact.Text(string(d.event.Type), "")),
			Channel:    Channel(redact.Text(string(d.event.Channel), "")),
			DeliveryID: redact.Text(d.event.DeliveryID, ""),
		}
	}
	return startHook(ctx, h.config.Logger, "Delivery", h.config.Hooks.Delivery, info)
}

// valuesOf is a context with the values of another one, which may end earlier.
type valuesOf struct {
	context.Context
	values context.Context
}

func (c valuesOf) Value(key any) any { return c.values.Value(key) }

// ended notes what became of the delivery.
func (d *delivery) ended(outcome DeliveryOutcome, status int) { d.outcome, d.status = outcome, status }

// resultSince returns the result of a request that began at a time. d is nil if the request was refused with a status.
func (d *delivery) resultSince(began time.Time, refused int) DeliveryResult {
	r := DeliveryResult{Outcome: DeliveryRefused, Status: refused, Duration: time.Since(began)}
	if d == nil {
		return r
	}
	r.Outcome, r.Status = d.outcome, d.status
	if !d.firstWords.IsZero() {
		r.FirstWords = d.firstWords.Sub(began)
	}
	return r
}

// deliveryOutcome returns the outcome of a callback that returned err.
func deliveryOutcome(err error) DeliveryOutcome {
	switch {
	case err == nil:
		return DeliveryHandled
	case err == errPanicked:
		return DeliveryPanicked
	}
	return DeliveryFailed
}
