package agentphonetest

import (
	"net/http"
	"slices"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// SetReceiver has webhooks delivered to a handler in memory, whatever their URL: then no network is needed
// and a bubble of testing/synctest works. It is called as by a server of HTTP/1.1 that buffers until Flush,
// without deadlines for reads and writes. With nil, as at first, events go to the webhook's URL.
func (s *Server) SetReceiver(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver = h
}

// WithDeliveryPauses sets how long the server waits before it delivers an event again that was not
// answered with 2xx, and how often: once for each pause. By default that is five times, after 10, 20, 40, 80
// and 160 ms.
func WithDeliveryPauses(pauses ...time.Duration) Option {
	return func(s *Server) { s.pauses = slices.Clone(pauses) }
}

// Deliveries returns every event that was sent to a webhook, of all accounts, oldest first, each as it is
// now. Its ID is the X-Webhook-ID that the receiver gets.
func (s *Server) Deliveries() []agentphone.WebhookDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.WebhookDelivery](s.deliveries, (*delivery).view)
}

// WaitDeliveries returns when every event is delivered or given up, or the server is closed. It looks at all
// calls first: see [Server.EndCall]. A receiver must not call it: its own delivery is under way.
func (s *Server) WaitDeliveries() {
	s.mu.Lock()
	s.lookForEnds()
	s.mu.Unlock()
	s.settled()
}

// Redelivery is how an event is sent once more. The zero value is a duplicate: the same body, signed now.
type Redelivery struct {
	Secret      string        // to sign with another one than the webhook's
	Age         time.Duration // how old the timestamp is, which is signed; negative is the future
	Body        []byte        // replaces the body after it was signed
	NoSignature bool
	Times       int // one after the other; 0 is once
}

// Redeliver sends an event to its webhook once more, properly or not, to see what the receiver makes of it. deliveryID
// is an ID of [Server.Deliveries]; "" is the latest. It returns the receiver's last answer, whatever its status, and
// changes no record.
func (s *Server) Redeliver(deliveryID string, how Redelivery) (status int, body string, err error) {
	d, err := s.deliveryOf(deliveryID)
	if err != nil {
		return 0, "", err
	}
	for range max(how.Times, 1) {
		if status, body, err = s.redeliver(d, how); err != nil {
			return 0, "", err
		}
	}
	return status, body, nil
}
