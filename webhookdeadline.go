package agentphone

import (
	"context"
	"math"
	"net/http"
	"time"
)

// responseTimeout is how long writing a response, or a line of an answer, may take.
const responseTimeout = 10 * time.Second

// writeDeadline sets the write deadline of a webhook's response; nothing else does. The server's own, its
// WriteTimeout, begins with the request and would cut a callback that takes longer.
//
// Response writers that have no deadlines, or that hide them, return an error, which is ignored: nothing can be done.
type writeDeadline struct{ rc *http.ResponseController }

// setForCallback leaves time for all that comes before the response: the store, twice, and the callback.
func (d writeDeadline) setForCallback(timeout time.Duration) {
	const more = 2*storeTimeout + responseTimeout
	_ = d.rc.SetWriteDeadline(time.Now().Add(min(timeout, math.MaxInt64-more) + more))
}

// setForInterim leaves time for an interim line, but not beyond the end of the turn's context: nobody waits for it
// any more.
func (d writeDeadline) setForInterim(turn context.Context) {
	by := time.Now().Add(responseTimeout)
	if end, ok := turn.Deadline(); ok && end.Before(by) {
		by = end
	}
	_ = d.rc.SetWriteDeadline(by)
}

// setForLast leaves time for the last line, even after the end of the turn.
func (d writeDeadline) setForLast() {
	_ = d.rc.SetWriteDeadline(time.Now().Add(responseTimeout))
}

// clear removes the deadline, which would otherwise hold for the next request of the connection.
func (d writeDeadline) clear() { _ = d.rc.SetWriteDeadline(time.Time{}) }
