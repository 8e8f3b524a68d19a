package agentphonetest

import (
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

// happening is an event before it is addressed.
type happening struct {
	event     agentphone.EventType
	channel   agentphone.Channel
	agentID   string
	messageID string
	data      object
	state     object                   // nil is null
	history   func(limit int) []object // what was said before, the latest items
}

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

// Deliveries returns every event that was sent to a webhook, of all accounts, oldest first, each as it is
// now. Its ID is the X-Webhook-ID that the receiver gets.
func (s *Server) Deliveries() []agentphone.WebhookDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.WebhookDelivery](s.deliveries, (*delivery).view)
}

// countDeliveries counts what has come to an end.
func countDeliveries(list []*delivery) (total, succeeded, failed int) {
	for _, d := range list {
		switch d.status {
		case deliverySucceeded:
			succeeded++
		case deliveryFailed:
			failed++
		}
	}
	return len(list), succeeded, failed
}
