package agentphonetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

var defaultPauses = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 160 * time.Millisecond,
}

// WithDeliveryPauses sets the pauses between the attempts to deliver an event to a webhook: an attempt that gets a 5xx
// response, or none in time, is followed by another one for each pause. Any other response that is not 2xx is final, as
// with the API: the event is gone. The default is five pauses, of 10, 20, 40, 80 and 160 ms; the API's own are minutes
// long. Without pauses there is one attempt.
func WithDeliveryPauses(pauses ...time.Duration) Option {
	return func(s *Server) { s.pauses = slices.Clone(pauses) }
}

// WithEchoes delivers events of messages and reactions that the account itself sends, too, as the API does: their
// direction is outbound. A bot that does not look at it replies to itself.
func WithEchoes() Option {
	return func(s *Server) { s.echoes = true }
}

// WithDeliveryTimeout sets how long a receiver may take to respond to an event. The default is 5 seconds. It does not
// hold for voice turns, whose timeout is that of the webhook, [agentphone.SetWebhookParams].
func WithDeliveryTimeout(d time.Duration) Option {
	return func(s *Server) { s.deliveryTimeout = d }
}

// SetReceiver delivers all events to a handler in memory, whatever the URL of the webhook, so that no network is needed
// and deliveries work in a bubble of testing/synctest. The handler is called as an HTTP/1.1 server would call it: its
// output is buffered until it flushes or returns. There are no deadlines for reads and writes. With nil, the default,
// events go to the URL of the webhook.
func (s *Server) SetReceiver(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver = h
}

// Deliveries returns all events that were sent to a webhook, of all accounts, oldest first, each with its status as of
// now. The ID of a delivery is the X-Webhook-ID header that the receiver gets ([agentphone.WebhookIDHeader]).
func (s *Server) Deliveries() []agentphone.WebhookDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.WebhookDelivery](s.deliveries.list, (*delivery).view)
}

// WaitDeliveries blocks until all events are delivered or given up, or the server is closed. Like [Server.Calls], it
// notices calls that have ended by their script, and sends their events first. A receiver must not call it, since its
// own delivery does not end before it returns.
func (s *Server) WaitDeliveries() { s.waitDeliveries(context.Background()) }

func (s *Server) waitDeliveries(ctx context.Context) {
	s.mu.Lock()
	s.deliverEnds()
	s.mu.Unlock()
	s.awaitDeliveries(ctx)
}

// Redelivery says how [Server.Redeliver] sends an event. The zero value sends a duplicate: the same body, signed now.
type Redelivery struct {
	// Secret signs the event instead of the webhook's secret.
	Secret string
	// Age is how old the signed timestamp is. If it is negative the timestamp is in the future.
	Age time.Duration
	// Body replaces the body after it was signed. If it is nil the body stays.
	Body []byte
	// NoSignature leaves the signature out.
	NoSignature bool
	// Times is how often the event is sent, one after the other. Zero means once.
	Times int
}

// Redeliver sends an event to its webhook again, so that a test can see what the receiver does with a duplicate, or with
// a forged, stale or altered event. deliveryID is the ID of one of [Server.Deliveries], or "" for the latest. It returns
// the receiver's last response, whatever its status. The records of deliveries do not change.
//
// The error is that of the connection, or says that there is no such delivery.
func (s *Server) Redeliver(deliveryID string, how Redelivery) (status int, body string, err error) {
	d, err := s.deliveryByID(deliveryID)
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

var errNoDelivery = errors.New("agentphonetest: no such delivery")

func (s *Server) deliveryByID(id string) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.deliveries.get(id); ok {
		return d, nil
	}
	if all := s.deliveries.list; id == "" && len(all) > 0 {
		return all[len(all)-1], nil
	}
	return nil, fmt.Errorf("%w: %q", errNoDelivery, id)
}

func (s *Server) redeliver(d *delivery, how Redelivery) (int, string, error) {
	header := d.signAs(cmp.Or(how.Secret, d.webhook.secret), time.Now().Add(-how.Age))
	if how.NoSignature {
		header.Del(agentphone.WebhookSignatureHeader)
	}
	payload := d.payload
	if how.Body != nil {
		payload = how.Body
	}
	a := s.attemptWith(context.Background(), d, header, payload)
	s.mu.Lock()
	s.keepRedelivery(d, how, payload, a)
	s.mu.Unlock()
	if a.err != nil {
		return 0, "", a.err
	}
	return a.status, a.response, nil
}
