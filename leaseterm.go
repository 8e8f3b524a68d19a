package agentphone

import (
	"sync/atomic"
	"time"
)

// leaseTerm is how long a lease holds for certain, by the local clock. It counts from when the lease was requested: the store's
// begins later, however late its response comes in.
type leaseTerm struct{ until atomic.Pointer[time.Time] }

func (t *leaseTerm) begin(requested time.Time, length time.Duration) {
	until := requested.Add(length)
	t.until.Store(&until)
}

// left returns how long the lease still holds. It compares the wall clock too: the monotonic one stands still while a machine sleeps.
func (t *leaseTerm) left() time.Duration {
	until, now := *t.until.Load(), time.Now()
	return min(until.Sub(now), until.Round(0).Sub(now.Round(0)))
}
