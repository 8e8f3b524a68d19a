package agentphone

import (
	"context"
	"errors"
)

func (h *webhookHandler) claim(ctx context.Context, id string) (DeliveryClaim, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return h.Deliveries.Claim(ctx, id)
}

// settle tells the store how it went. The sender may be gone meanwhile; the store is told all the same.
func (h *webhookHandler) settle(ctx context.Context, event *Event, id string, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	doing, settle := "marking the delivery as done", h.Deliveries.Done
	if failure != nil {
		if !errors.Is(failure, errPanicked) {
			h.failed(ctx, event, "the callback", failure)
		}
		doing, settle = "releasing the delivery", h.Deliveries.Release
	}
	if err := settle(ctx, id); err != nil {
		h.failed(ctx, event, doing, err)
	}
}
