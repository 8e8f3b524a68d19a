package agentphone

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	errPanicked = errors.New("the callback panicked")
	errGoexit   = errors.New("the callback ended its goroutine")

	errSenderGone = fmt.Errorf("the connection broke before the answer was sent: %w", context.Canceled)
	errAbandoned  = errors.New("the delivery was not settled")
)

// settle records that the delivery has been handled, or gives its claim back if the callback failed. It does so even if
// the sender has closed the connection.
func (h *WebhookHandler) settle(d *delivery, failure error) {
	h.logCallback(d, failure)
	h.record(d, d.lease.end(), failure)
}

func (h *WebhookHandler) logCallback(d *delivery, failure error) {
	if failure != nil && failure != errPanicked { // a panic is logged with its stack
		h.logFailure(d, "the callback", failure)
	}
}

// record tells the store what became of a delivery that was claimed.
func (h *WebhookHandler) record(d *delivery, claim *Claim, failure error) {
	if claim == nil {
		return
	}
	doing, call := "marking the delivery as done", func(ctx context.Context) (*Claim, error) {
		return nil, h.config.Store.Complete(ctx, claim, nil)
	}
	if failure != nil {
		doing, call = "releasing the delivery", func(ctx context.Context) (*Claim, error) {
			return nil, h.config.Store.Release(ctx, claim)
		}
	}
	if _, err := h.ask(d.values, storeTimeout, call); err != nil {
		h.logFailure(d, doing, err)
	}
}

// settleTurn settles a voice turn. A slow store does not hold the end of the response back longer than StoreTimeout, all in all.
func (h *WebhookHandler) settleTurn(d *delivery, failure error) {
	claim := d.lease.end()
	if h.inMemory || claim == nil {
		h.record(d, claim, failure) // at once
		return
	}
	settled := make(chan struct{})
	h.running.hold()
	go func() {
		defer h.running.release()
		defer close(settled)
		h.record(d, claim, failure)
	}()
	patience := time.NewTimer(d.patience)
	defer patience.Stop()
	select {
	case <-settled:
	case <-patience.C:
	}
}

// abandon gives the claim back if the delivery has not been settled, as when the logger ended the goroutine.
func (h *WebhookHandler) abandon(d *delivery) {
	h.record(d, d.lease.end(), errAbandoned)
}
