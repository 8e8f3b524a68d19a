package agentphonetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/inmemory"
)

// newWebhookClient returns the client that delivers events. It follows no redirects, which could give an event away,
// and keeps no connections, which a test would leave behind.
func newWebhookClient(s *Server) *http.Client {
	network := &http.Transport{DisableKeepAlives: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		network = standard.Clone()
		network.DisableKeepAlives = true
	}
	return &http.Client{
		Transport:     &receiverTransport{s, network},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// receiverTransport sends requests to the server's receiver if there is one, else to the network.
type receiverTransport struct {
	server  *Server
	network http.RoundTripper
}

func (t *receiverTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.server.mu.Lock()
	h := t.server.receiver
	t.server.mu.Unlock()
	if h == nil {
		return t.network.RoundTrip(r)
	}
	return inmemory.RoundTrip(h, r)
}

// sign returns the header of an attempt that is made now. Each attempt has its own signature, since the timestamp in it
// must not be old.
func (d *delivery) sign() http.Header { return d.signAs(d.webhook.secret, time.Now()) }

// signAs returns the header of an attempt that is signed with a secret, as of a time.
func (d *delivery) signAs(secret string, at time.Time) http.Header {
	h := agentphone.SignWebhook(d.payload, secret, at)
	h.Set("Content-Type", "application/json")
	h.Set(agentphone.WebhookIDHeader, d.id)
	h.Set(agentphone.WebhookEventHeader, string(d.event))
	return h
}

const defaultDeliveryTimeout = 5 * time.Second

// timeout is how long an attempt may take. The timeout of the webhook is for voice turns only. The caller holds s.mu.
func (s *Server) timeout(d *delivery) time.Duration {
	if d.event == agentphone.EventMessage && d.channel == agentphone.ChannelVoice {
		return time.Duration(d.webhook.timeout) * time.Second
	}
	return s.deliveryTimeout
}

// attempt is the result of one attempt to deliver an event.
type attempt struct {
	began    time.Time
	header   http.Header // as it was signed
	status   int         // of the response; 0 if there was none
	response string
	failure  string // what went wrong; "" is success
	err      error  // of the connection, if it failed
	took     time.Duration
}

// isFinal reports whether no other attempt follows: it succeeded, or the response was neither 2xx nor 5xx. A 2xx that
// failed broke off.
func (a *attempt) isFinal() bool { return a.failure == "" || a.status >= 300 && a.status < 500 }

// attemptOnce makes one attempt to deliver an event and reads the response. It waits for the receiver, so the caller does
// not hold s.mu.
func (s *Server) attemptOnce(ctx context.Context, d *delivery) attempt {
	return s.attemptWith(ctx, d, d.sign(), d.payload)
}

// attemptWith is attemptOnce with a header and a payload that may not be those of the event.
func (s *Server) attemptWith(ctx context.Context, d *delivery, header http.Header, payload []byte) (a attempt) {
	s.mu.Lock()
	timeout := s.timeout(d)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a.began, a.header = time.Now(), header
	defer func() { a.took = time.Since(a.began) }()
	resp, closeBody, err := s.post(ctx, d.webhook.url, header, payload)
	if err != nil {
		a.err, a.failure = err, err.Error()
		return a
	}
	defer closeBody()
	a.status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	a.response = string(body)
	if a.failure = rejection(resp); err != nil {
		a.err, a.failure = err, err.Error()
	}
	return a
}

// rejection says that a response is not 2xx, or is "".
func rejection(resp *http.Response) string {
	if resp.StatusCode/100 == 2 {
		return ""
	}
	return "the receiver responded with " + resp.Status
}

var errSwitched = errors.New("the receiver responded with 101 Switching Protocols, which is no response")

// post sends a request to a webhook and returns the response, whose body is still to be read. The request ends with the
// server.
func (s *Server) post(ctx context.Context, url string, header http.Header, body []byte) (*http.Response, func(), error) {
	ctx, cancel := s.untilClose(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	req.Header = header
	resp, err := s.webhookClient.Do(req)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close() // the connection itself: reading from it would not end with ctx
		err = errSwitched
	}
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return resp, func() {
		_ = resp.Body.Close()
		cancel()
	}, nil
}

// untilClose returns a context that ends when the server is closed, too. It is made of cancel functions rather than of
// one context for the server, whose channel could belong to a bubble of testing/synctest that is gone.
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
