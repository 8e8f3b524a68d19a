package agentphonetest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

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

func (s *Server) deliveryOf(id string) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range newestFirst(s.deliveries) {
		if id == "" || d.id == id {
			return d, nil
		}
	}
	return nil, fmt.Errorf("agentphonetest: there is no delivery %q", id)
}

func (s *Server) redeliver(d *delivery, how Redelivery) (int, string, error) {
	header := agentphone.SignWebhook(d.payload, cmp.Or(how.Secret, d.webhook.secret), time.Now().Add(-how.Age))
	d.mark(header)
	if how.NoSignature {
		header.Del(agentphone.WebhookSignatureHeader)
	}
	payload := d.payload
	if how.Body != nil {
		payload = how.Body
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.lifetime())
	defer cancel()
	resp, closeBody, err := s.open(ctx, d.webhook.url, header, payload)
	if err != nil {
		return 0, "", err
	}
	defer closeBody()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, string(body), err
}
