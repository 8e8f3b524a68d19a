package agentphonetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// newWebhookClient follows no redirects, for an event is for nobody else, and keeps no connections: nothing
// is left behind when a test ends.
func newWebhookClient(s *Server) *http.Client {
	network := &http.Transport{DisableKeepAlives: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		network = standard.Clone()
		network.DisableKeepAlives = true
	}
	return &http.Client{
		Transport:     &toReceiver{s, network},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type toReceiver struct {
	server  *Server
	network http.RoundTripper
}

func (t *toReceiver) RoundTrip(r *http.Request) (*http.Response, error) {
	t.server.mu.Lock()
	h := t.server.receiver
	t.server.mu.Unlock()
	if h == nil {
		return t.network.RoundTrip(r)
	}
	return callHandler(h, r)
}

// sign makes the headers of an attempt that is made now.
func (d *delivery) sign() http.Header {
	h := agentphone.SignWebhook(d.payload, d.webhook.secret, time.Now())
	d.mark(h)
	return h
}

// mark adds the headers that do not depend on the signature.
func (d *delivery) mark(h http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set(agentphone.WebhookIDHeader, d.id)
	h.Set(agentphone.WebhookEventHeader, string(d.event))
}

// lifetime is how long an attempt may take.
func (d *delivery) lifetime() time.Duration { return time.Duration(d.webhook.timeout) * time.Second }

// post makes one attempt. It waits for the receiver, so the caller does not hold s.mu.
func (s *Server) post(ctx context.Context, d *delivery) outcome {
	ctx, cancel := context.WithTimeout(ctx, d.lifetime())
	defer cancel()
	o := outcome{began: time.Now()}
	resp, closeBody, err := s.open(ctx, d.webhook.url, d.sign(), d.payload)
	if err != nil {
		o.failure = err.Error()
		return o
	}
	defer closeBody()
	o.code = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	o.response = string(body)
	if o.failure = refusal(resp); err != nil {
		o.failure = err.Error()
	}
	return o
}

// refusal is "" for an answer of success.
func refusal(resp *http.Response) string {
	if resp.StatusCode/100 == 2 {
		return ""
	}
	return "the receiver answered " + resp.Status
}

// open posts to a webhook and returns with the head of the answer.
func (s *Server) open(ctx context.Context, url string, header http.Header, body []byte) (*http.Response, func(), error) {
	ctx, cancel := s.untilClose(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	req.Header = header
	resp, err := s.webhooks.Do(req)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return resp, func() {
		_ = resp.Body.Close()
		cancel()
	}, nil
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
