package agentphone

import (
	"context"
	"errors"
	"time"
)

var (
	errPanicked = errors.New("the callback panicked")
	errGoexit   = errors.New("the callback ended its goroutine")
)

// settle records that the delivery has been handled, or gives its claim back if the callback failed. It does so even if
// the sender has closed the connection.
func (h *WebhookHandler) settle(d *delivery, failure error) {
	if failure != nil && !errors.Is(failure, errPanicked) { // a panic is logged with its stack
		h.logFailure(d, "the callback", failure)
	}
	claim := d.lease.end()
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

// settleTurn settles a voice turn. A slow store does not hold the answer back longer than StoreTimeout, all in all.
func (h *WebhookHandler) settleTurn(d *delivery, failure error) {
	if h.inMemory || d.lease.held() == nil {
		h.settle(d, failure) // at once
		return
	}
	settled := make(chan struct{})
	h.running.hold()
	go func() {
		defer h.running.release()
		defer close(settled)
		h.settle(d, failure)
	}()
	patience := time.NewTimer(d.patience)
	defer patience.Stop()
	select {
	case <-settled:
	case <-patience.C:
	}
}
