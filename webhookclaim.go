package agentphone

import (
	"context"
	"errors"
	"net/http"
	"sync"
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
	claim, err := h.claimFrom(ctx, d, deliveryKey(d.tenant, d.event.DeliveryID, d.event.Raw))
	switch {
	case err != nil:
		h.logFailure(d, "claiming the delivery", err)
		if d.isTurn() && ctx.Err() == nil {
			return true
		}
		d.ended(DeliveryRefused, refuseForNow(w, 0))
		return false
	case claim.Status == ClaimCompleted:
		d.handled = true
	case claim.Status == ClaimHeld:
		d.ended(DeliveryHeld, refuseForNow(w, min(claim.RetryAfter, h.config.Lease)))
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
	d.lease.term.begin(time.Now(), opts.Lease)
	claim, err := h.ask(ctx, timeout, func(ctx context.Context) (*Claim, error) {
		// Whoever gives up waiting leaves the store its time: of a claim that was cut off nobody knows whether it was granted.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		return checkedClaim(h.config.Store.Claim(ctx, key, opts))
	})
	if err == nil && claim.Status == ClaimGranted && d.lease.term.left() <= 0 {
		h.running.hold()
		go h.giveBack(claim, h.running.release)
		return nil, errLeaseOver
	}
	return claim, err
}

var errLeaseOver = errors.New("the lease was over before the store had returned the claim")

// giveBack releases a claim that is not used, so that a redelivery need not wait for the end of its lease.
func (h *WebhookHandler) giveBack(claim *Claim, done func()) {
	defer done()
	if claim != nil && claim.Status == ClaimGranted {
		_, _ = h.ask(context.Background(), storeTimeout, func(ctx context.Context) (*Claim, error) {
			return nil, h.config.Store.Release(ctx, claim)
		})
	}
}

// checkedClaim returns what a Store returned for a claim, if it is anything that a Store may return.
func checkedClaim(c *Claim, err error) (*Claim, error) {
	if err == nil && (c == nil || c.Status != ClaimGranted && c.Status != ClaimHeld && c.Status != ClaimCompleted) {
		return nil, errors.New("the store returned neither a claim nor an error")
	}
	return c, err
}

// ask calls the store and returns what it returned, or an error after timeout even if the store hangs in spite of its context. A claim
// that it is granted later than that is given back.
func (h *WebhookHandler) ask(ctx context.Context, timeout time.Duration, call func(context.Context) (*Claim, error)) (*Claim, error) {
	if h.inMemory {
		return call(ctx) // at once
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return within(ctx, func() (*Claim, error) { return call(ctx) }, func() func(*Claim) {
		h.running.hold()
		done := sync.OnceFunc(h.running.release)
		time.AfterFunc(2*storeTimeout, done)
		return func(late *Claim) { h.giveBack(late, done) }
	})
}
