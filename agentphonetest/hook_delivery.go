package agentphonetest

import (
	"context"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// delivery is an event that is sent to a webhook, and the record of it.
type delivery struct {
	id        string
	messageID string
	event     agentphone.EventType
	channel   agentphone.Channel
	webhook   *webhook // as it was when the event occurred; one that was set later has another secret
	payload   []byte
	account   *account
	status    string // deliverySucceeded, deliveryFailed or deliveryPending; see setStatus
	attempts  []attempt
	next      time.Time // of the next attempt; zero if there is none
	created   time.Time
}

func (d *delivery) ident() string { return d.id }

func (d *delivery) createdAt() time.Time { return d.created }

// last is the last attempt, or the zero value if there was none yet.
func (d *delivery) last() attempt {
	if len(d.attempts) == 0 {
		return attempt{}
	}
	return d.attempts[len(d.attempts)-1]
}

const (
	deliverySucceeded = "success"
	deliveryFailed    = "failed"
	deliveryPending   = "pending"
)

// webhookFor returns the webhook that gets an agent's events, and the id of the agent that it belongs to, or "" if it
// is the account's.
func (a *account) webhookFor(agentID string) (w *webhook, owner string) {
	if ag, ok := a.agents.get(agentID); ok && ag.webhook != nil {
		return ag.webhook, ag.id
	}
	return a.webhook, ""
}

// newDelivery records an event for the webhook that gets it, or returns nil if there is none. The caller holds s.mu,
// releases it, and then calls deliver.
func (s *Server) newDelivery(a *account, e event) *delivery {
	w, owner := a.webhookFor(e.agentID)
	if w == nil || s.closed {
		return nil
	}
	return s.addDelivery(a, w, owner, e)
}

// echo delivers an event of what the account itself sent, if the server does that. The caller holds s.mu.
func (s *Server) echo(a *account, e event) {
	if s.echoes {
		s.deliverSoon(s.newDelivery(a, e))
	}
}

// addDelivery records an event for a webhook. owner is the id of the agent whose own webhook it is, or "" if it is the
// account's. The caller holds s.mu.
func (s *Server) addDelivery(a *account, w *webhook, owner string, e event) *delivery {
	d := &delivery{
		id: s.id("whd"), messageID: e.messageID, event: e.kind, channel: e.channel,
		webhook: w, account: a, created: now(),
	}
	d.setStatus(deliveryPending)
	d.payload = e.payload(d.created, w.contextLimit)
	a.deliveries = append(a.deliveries, d)
	if ag, ok := a.agents.get(owner); ok {
		ag.deliveries = append(ag.deliveries, d)
	}
	s.deliveries.add(d)
	s.unfinished++
	s.publishDelivery(d)
	return d
}

// deliver makes the first attempt before it returns, so that a test sees its effect at once, and the others in the
// background. A nil delivery is ignored. The caller does not hold s.mu.
func (s *Server) deliver(d *delivery) {
	if d != nil && !s.attemptDelivery(d) {
		go s.retryDelivery(d)
	}
}

// deliverSoon makes all attempts in the background. A nil delivery is ignored. The caller may hold s.mu.
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
			s.giveUp(d)
			return
		}
		if s.attemptDelivery(d) {
			return
		}
	}
}

// giveUp ends a delivery that is pending.
func (s *Server) giveUp(d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.next = time.Time{}
	d.setStatus(deliveryFailed)
	s.publishDelivery(d)
	s.deliveryFinished()
}

// attemptDelivery makes an attempt and reports whether it was the last one.
func (s *Server) attemptDelivery(d *delivery) (finished bool) {
	a := s.attemptOnce(context.Background(), d)
	s.mu.Lock()
	defer s.mu.Unlock()
	d.record(a)
	if n := len(d.attempts); !a.isFinal() && n <= len(s.pauses) && !s.closed {
		d.setStatus(deliveryPending)
		d.next = now().Add(s.pauses[n-1])
	}
	s.publishAttempt(d)
	if d.status == deliveryPending {
		return false
	}
	s.deliveryFinished()
	return true
}

// record adds an attempt to the record. The caller holds s.mu.
func (d *delivery) record(a attempt) {
	d.attempts, d.next = append(d.attempts, a), time.Time{}
	if a.failure != "" {
		d.setStatus(deliveryFailed)
	} else {
		d.setStatus(deliverySucceeded)
	}
}

// setStatus sets the status and counts it. The caller holds s.mu.
func (d *delivery) setStatus(status string) {
	if d.account.byStatus == nil {
		d.account.byStatus = map[string]int{}
	}
	d.account.byStatus[d.status]--
	d.account.byStatus[status]++
	d.status = status
}
