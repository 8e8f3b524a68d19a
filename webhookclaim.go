package agentphone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	storeTimeout      = 5 * time.Second // for each call of a Store, unless a voice turn waits for it
	deliveryRetention = 48 * time.Hour  // AgentPhone gives up on a delivery after about 21
	// A claim in memory needs no renewal: it cannot outlive the process that would have to give it back.
	leaseInMemory = 100 * 365 * 24 * time.Hour
)

// claim claims the delivery, so that nobody else handles it meanwhile, or finds that it was handled before. It responds itself, and
// reports false, if somebody else holds the claim or the store does not know.
//
// A voice turn is handled without a claim if the store does not know within StoreTimeout: silence on the phone is worse than a
// sentence that is repeated.
func (h *WebhookHandler) claim(ctx context.Context, w http.ResponseWriter, d *delivery) bool {
	claim, err := h.claimFrom(ctx, d, deliveryKey(d.event.DeliveryID, d.event.Raw))
	switch {
	case err != nil:
		h.logFailure(d, "claiming the delivery", err)
		if d.isTurn() && ctx.Err() == nil {
			return true
		}
		refuseForNow(w, 0)
		return false
	case claim.Status == ClaimCompleted:
		d.handled = true
	case claim.Status == ClaimHeld:
		refuseForNow(w, min(claim.RetryAfter, h.config.Lease))
		return false
	default:
		h.keep(d, claim)
	}
	return true
}

// claimFrom claims a key from the store.
func (h *WebhookHandler) claimFrom(ctx context.Context, d *delivery, key string) (*Claim, error) {
	opts := ClaimOptions{Lease: h.config.Lease, Retention: deliveryRetention}
	if h.inMemory {
		opts.Lease = leaseInMemory
		return h.config.Store.Claim(ctx, key, opts)
	}
	timeout := storeTimeout
	if d.isTurn() {
		timeout = h.config.StoreTimeout
		began := time.Now()
		defer func() { d.patience = timeout - time.Since(began) }()
	}
	return h.ask(ctx, timeout, func(ctx context.Context) (*Claim, error) {
		return checkedClaim(h.config.Store.Claim(ctx, key, opts))
	})
}

// checkedClaim returns what a Store returned for a claim, if it is anything that a Store may return.
func checkedClaim(c *Claim, err error) (*Claim, error) {
	if err == nil && (c == nil || c.Status != ClaimGranted && c.Status != ClaimHeld && c.Status != ClaimCompleted) {
		return nil, errors.New("the store returned neither a claim nor an error")
	}
	return c, err
}

// ask calls the store and returns what it returned, or an error after timeout even if the store hangs in spite of its context.
func (h *WebhookHandler) ask(ctx context.Context, timeout time.Duration, call func(context.Context) (*Claim, error)) (*Claim, error) {
	if h.inMemory {
		return call(ctx) // at once
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	type result struct {
		claim *Claim
		err   error
	}
	returned := make(chan result, 1)
	go func() {
		defer cancel()
		r := result{err: errors.New("the store ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("the store panicked: %s", panicText(p))
			}
			returned <- r
		}()
		r.claim, r.err = call(ctx)
	}()
	select {
	case r := <-returned:
		return r.claim, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-returned: // at the same moment
		return r.claim, r.err
	default:
		return nil, ctx.Err()
	}
}
