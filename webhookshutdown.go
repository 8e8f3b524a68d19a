package agentphone

import (
	"context"
	"net/http"
	"sync"
)

// running knows the deliveries that are being handled. The zero value is ready to use.
type running struct {
	mu     sync.Mutex
	closed bool          // nothing new begins
	first  *delivery     // of a list of all
	n      int           // of deliveries, and of what was left to do after the response
	idle   chan struct{} // closed when n is 0; nil if nobody waits for that
}

// begin registers a delivery, or reports that nothing new may begin.
func (r *running) begin(d *delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if d.next = r.first; d.next != nil {
		d.next.previous = d
	}
	r.first = d
	r.n++
	return true
}

// end ends what begin has begun.
func (r *running) end(d *delivery) {
	d.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.next != nil {
		d.next.previous = d.previous
	}
	if d.previous != nil {
		d.previous.next = d.next
	} else {
		r.first = d.next
	}
	r.less()
}

// hold registers something that is to be done before the process ends.
func (r *running) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
}

func (r *running) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.less()
}

// less counts one less. The caller holds r.mu.
func (r *running) less() {
	r.n--
	if r.n == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// close has nothing new begin, and returns a channel that is closed when all has ended.
func (r *running) close() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	if r.n == 0 {
		close(r.idle)
		r.idle = nil
	}
	return idle
}

// cancel ends the contexts of all deliveries.
func (r *running) cancel(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d := r.first; d != nil; d = d.next {
		d.cancel(cause)
	}
}

// Shutdown shuts the handler down: new deliveries get 503, so that they come again, and those that are being handled are waited for. If ctx
// ends before they do, Shutdown ends the contexts of their callbacks, with the cause [http.ErrServerClosed], and returns the error
// of ctx without waiting any longer: a callback that then returns an error has its delivery come again, to another process or the next.
//
// Call it beside [http.Server.Shutdown], which does not wait for callbacks whose sender has closed an HTTP/2 connection, nor for what middleware
// such as [http.TimeoutHandler] left running. It may be called more than once.
func (h *WebhookHandler) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return &ValidationError{"ctx", "is nil"}
	}
	if h == nil {
		return nil
	}
	idle := h.running.close()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-idle: // at the same moment
		return nil
	default:
	}
	h.running.cancel(http.ErrServerClosed)
	return ctx.Err()
}
