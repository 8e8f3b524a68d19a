package agentphone

import (
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go/internal/elapsed"
)

// leaseTerm is how long a lease holds for certain, by the local clock. It counts from when the lease was requested: the store's
// begins later, however late its response comes in.
type leaseTerm struct{ until atomic.Pointer[time.Time] }

func (t *leaseTerm) begin(requested time.Time, length time.Duration) {
	until := requested.Add(length)
	t.until.Store(&until)
}

// left returns how long the lease still holds at least.
func (t *leaseTerm) left() time.Duration {
	return elapsed.AtLeast(time.Now(), *t.until.Load())
}
