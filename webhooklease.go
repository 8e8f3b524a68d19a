package agentphone

import (
	"context"
	"errors"
	"sync"
	"time"
)

// lease is the claim of a delivery while its callback runs. The zero lease is that of a delivery without a claim.
type lease struct {
	mu    sync.Mutex
	claim *Claim
	timer *time.Timer // of the next renewal; nil if none is needed
}

// keep takes a claim for a delivery, and renews it until its lease has been ended.
func (h *WebhookHandler) keep(d *delivery, claim *Claim) {
	d.lease.mu.Lock()
	defer d.lease.mu.Unlock()
	d.lease.claim = claim
	if !h.inMemory {
		d.lease.timer = time.AfterFunc(h.config.Lease/3, func() { h.renew(d) })
	}
}

// end ends the lease and returns the claim, or nil if there is none.
func (l *lease) end() *Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	claim := l.claim
	l.claim = nil
	if claim != nil && l.timer != nil {
		l.timer.Stop()
	}
	return claim
}

// held returns the claim, or nil if the lease has been ended.
func (l *lease) held() *Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.claim
}

// renew renews a claim, and sees to the next renewal. There is time for three attempts before the lease ends.
//
// If the claim is lost, somebody else may be handling the delivery: the context of the callback ends, so that it does nothing more. That
// of a voice turn does not, as its caller waits.
func (h *WebhookHandler) renew(d *delivery) {
	claim := d.lease.held()
	if claim == nil {
		return
	}
	every := h.config.Lease
	_, err := h.ask(d.values, min(every/6, storeTimeout), func(ctx context.Context) (*Claim, error) {
		return nil, h.config.Store.Renew(ctx, claim, every, nil)
	})
	d.lease.mu.Lock()
	defer d.lease.mu.Unlock()
	if d.lease.claim == nil { // the callback has returned meanwhile
		return
	}
	next := every / 3
	if err != nil {
		h.logFailure(d, "renewing the claim", err)
		next = every / 10
	}
	if errors.Is(err, ErrClaimLost) {
		if !d.isTurn() {
			d.cancel(ErrClaimLost)
		}
		return
	}
	d.lease.timer.Reset(next)
}
