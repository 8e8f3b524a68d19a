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
	term  leaseTerm   // only if there is a timer
}

// keep takes a claim for a delivery, and renews it until its lease has been ended.
func (h *WebhookHandler) keep(d *delivery, claim *Claim) {
	d.lease.mu.Lock()
	defer d.lease.mu.Unlock()
	d.lease.claim = claim
	if !h.inMemory {
		d.lease.timer = time.AfterFunc(d.lease.term.left()-h.config.Lease*2/3, func() { h.renew(d) })
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
// If the claim is lost, or the lease is over, somebody else may be handling the delivery: the context of the callback ends, so that it does
// nothing more. That of a voice turn does not, as its caller waits.
func (h *WebhookHandler) renew(d *delivery) {
	claim := d.lease.held()
	if claim == nil {
		return
	}
	every, requested := h.config.Lease, time.Now()
	_, err := h.ask(d.values, min(every/6, storeTimeout), func(ctx context.Context) (*Claim, error) {
		return nil, h.config.Store.Renew(ctx, claim, every, nil)
	})
	d.lease.mu.Lock()
	defer d.lease.mu.Unlock()
	if d.lease.claim == nil { // the callback has returned meanwhile
		return
	}
	if err == nil {
		d.lease.term.begin(requested, every)
		d.lease.timer.Reset(every / 3)
		return
	}
	h.logFailure(d, "renewing the claim", err)
	left := d.lease.term.left()
	if !errors.Is(err, ErrClaimLost) && left > 0 {
		d.lease.timer.Reset(min(every/10, left))
	} else if !d.isTurn() {
		d.cancel(ErrClaimLost)
	}
}
