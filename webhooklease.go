package agentphone

import (
	"context"
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
		d.lease.timer = time.AfterFunc(d.lease.term.left()-h.config.Lease/3*2, func() { h.renew(d) })
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
	failed, lost := d.lease.renewed(err, requested, every)
	if lost && !d.isTurn() {
		d.cancel(ErrClaimLost)
	}
	if failed {
		h.logFailure(d, "renewing the claim", err)
	}
}

// renewed takes note of what a renewal returned, and sees to the next. It reports whether it failed while the claim is needed, and whether
// somebody else may have that.
func (l *lease) renewed(err error, requested time.Time, length time.Duration) (failed, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claim == nil { // the callback has returned meanwhile
		return false, false
	}
	if err == nil {
		l.term.begin(requested, length)
		l.timer.Reset(length / 3)
		return false, false
	}
	left := l.term.left()
	if errorIs(err, ErrClaimLost) || left <= 0 {
		return true, true
	}
	l.timer.Reset(min(length/10, left))
	return true, false
}
