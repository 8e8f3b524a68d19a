package agentphone

import (
	"context"
	"errors"
	"net/http"
)

// claim claims the delivery, so that nobody else handles it meanwhile, or finds that it was handled before. It
// responds itself, and reports false, if the store fails or somebody else holds the claim.
func (h *webhookHandler) claim(w http.ResponseWriter, r *http.Request, d *delivery) bool {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	claim, err := h.Deliveries.Claim(ctx, d.key)
	switch {
	case err != nil:
		h.logFailure(r.Context(), d, "claiming the delivery", err)
		refuse(w, http.StatusServiceUnavailable)
		return false
	case claim == DeliveryHandled:
		d.handled = true
		return true
	case claim != DeliveryGranted:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusConflict)
		return false
	}
	return true
}

var (
	errPanicked = errors.New("the callback panicked")
	errGoexit   = errors.New("the callback ended its goroutine")
)

// settle marks the delivery as handled, or releases it if the callback failed. It does so even if the sender has
// closed the connection, which ends ctx.
func (h *webhookHandler) settle(ctx context.Context, d *delivery, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	doing, settle := "marking the delivery as done", h.Deliveries.Done
	if failure != nil {
		if !errors.Is(failure, errPanicked) { // a panic is logged with its stack
			h.logFailure(ctx, d, "the callback", failure)
		}
		doing, settle = "releasing the delivery", h.Deliveries.Release
	}
	if err := settle(ctx, d.key); err != nil {
		h.logFailure(ctx, d, doing, err)
	}
}
