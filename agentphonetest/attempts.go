package agentphonetest

import (
	"context"
	"slices"
	"time"
)

// defaultPauses are short, for tests to be quick. The API's are minutes.
var defaultPauses = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 160 * time.Millisecond,
}

// WithDeliveryPauses sets how long the server waits before it delivers an event again that was not
// answered with 2xx, and how often: once for each pause. By default that is five times, after 10, 20, 40, 80
// and 160 ms.
func WithDeliveryPauses(pauses ...time.Duration) Option {
	return func(s *Server) { s.pauses = slices.Clone(pauses) }
}

// outcome is what came of one attempt.
type outcome struct {
	began    time.Time
	code     int // 0: no answer
	response string
	failure  string // "" is a success
}

// deliver makes the first attempt here, so that a test sees its effect at once, and the others in the
// background. The caller does not hold s.mu.
func (s *Server) deliver(d *delivery) {
	if d != nil && !s.attemptDelivery(d) {
		go s.retryDelivery(d)
	}
}

// deliverSoon makes all attempts in the background. The caller may hold s.mu.
func (s *Server) deliverSoon(d *delivery) {
	if d != nil {
		go s.deliver(d)
	}
}

func (s *Server) retryDelivery(d *delivery) {
	for {
		s.mu.Lock()
		pause := time.Until(d.next)
		s.mu.Unlock()
		if err := s.sleep(context.Background(), pause); err != nil { // the server was closed
			s.settle(d)
			return
		}
		if s.attemptDelivery(d) {
			return
		}
	}
}

// attemptDelivery says whether the delivery has come to its end.
func (s *Server) attemptDelivery(d *delivery) bool {
	o := s.post(context.Background(), d)
	s.mu.Lock()
	d.note(o)
	if o.failure != "" && d.attempts <= len(s.pauses) && !s.closed {
		d.status, d.next = deliveryPending, now().Add(s.pauses[d.attempts-1])
		s.mu.Unlock()
		return false
	}
	s.mu.Unlock()
	s.settle(d)
	return true
}

// note takes an attempt into the record. The caller holds s.mu.
func (d *delivery) note(o outcome) {
	d.attempts++
	d.last, d.next = o.began.UTC().Truncate(time.Microsecond), time.Time{}
	d.code, d.response, d.failure, d.status = o.code, o.response, o.failure, deliverySucceeded
	if o.failure != "" {
		d.status = deliveryFailed
	}
}

// settle is the end of a delivery.
func (s *Server) settle(d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.next = time.Time{}
	if d.status == deliveryPending {
		d.status = deliveryFailed
	}
	s.unsettled--
	s.changed()
}

// WaitDeliveries returns when every event is delivered or given up, or the server is closed. It looks at all
// calls first: see [Server.EndCall]. A receiver must not call it: its own delivery is under way.
func (s *Server) WaitDeliveries() {
	s.mu.Lock()
	s.lookForEnds()
	s.mu.Unlock()
	s.settled()
}

// settled waits until no delivery is under way, also while the server closes.
func (s *Server) settled() {
	for {
		s.mu.Lock()
		if s.unsettled == 0 {
			s.mu.Unlock()
			return
		}
		wake := make(chan struct{}) // for each wait one, as in pause
		s.waiting[wake] = true
		s.mu.Unlock()
		<-wake
	}
}

// untilClose is a context that the server's end ends as well. It is made of cancel functions, not of one context
// for the server: that one's channel could belong to a synctest bubble that is long over.
func (s *Server) untilClose(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		cancel()
		return ctx, cancel
	}
	s.cancels[&cancel] = true
	return ctx, func() {
		cancel()
		s.mu.Lock()
		delete(s.cancels, &cancel)
		s.mu.Unlock()
	}
}
