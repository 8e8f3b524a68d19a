package agentphonetest

import (
	"context"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// delivery is an event that was sent to a webhook.
type delivery struct {
	id        string
	agentID   string // whose own webhook it went to; "" is the account's
	messageID string
	event     agentphone.EventType
	channel   agentphone.Channel
	webhook   *webhook // as it was set when the event came: a later one has another secret
	payload   []byte
	status    string // one of those below
	code      int    // the receiver's; 0 if it did not answer
	failure   string
	response  string
	attempts  int
	last      time.Time
	next      time.Time // zero: it is not tried again
	created   time.Time
}

const (
	deliverySucceeded = "success"
	deliveryFailed    = "failed"
	deliveryPending   = "pending" // it will be tried again
)

// webhookOf is where the events of an agent go, and whose it is: the agent's own, or the account's ("").
func (a *account) webhookOf(agentID string) (w *webhook, owner string) {
	if ag, ok := a.agents.get(agentID); ok && ag.webhook != nil {
		return ag.webhook, ag.id
	}
	return a.webhook, ""
}

// newDelivery addresses an event to whom it is for. It is nil if there is no webhook. The caller holds s.mu
// and then calls deliver without it.
func (s *Server) newDelivery(a *account, h happening) *delivery {
	w, owner := a.webhookOf(h.agentID)
	if w == nil || s.closed {
		return nil
	}
	return s.addDelivery(a, w, owner, h)
}

// addDelivery makes a delivery and its record. The caller holds s.mu.
func (s *Server) addDelivery(a *account, w *webhook, owner string, h happening) *delivery {
	d := &delivery{
		id: s.id("whd"), agentID: owner, messageID: h.messageID, event: h.event, channel: h.channel,
		webhook: w, status: deliveryPending, created: now(),
	}
	history := []object{}
	if h.history != nil {
		history = h.history(w.contextLimit)
	}
	var state any
	if h.state != nil {
		state = h.state
	}
	d.payload = jsonAnswer(http.StatusOK, object{
		"event": h.event, "channel": h.channel, "timestamp": stamp(d.created), "agentId": orNull(h.agentID),
		"data": h.data, "conversationState": state, "recentHistory": history,
	}).body
	a.deliveries = append(a.deliveries, d)
	s.deliveries = append(s.deliveries, d)
	s.unsettled++
	return d
}

// defaultPauses are short, for tests to be quick. The API's are minutes.
var defaultPauses = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 160 * time.Millisecond,
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
