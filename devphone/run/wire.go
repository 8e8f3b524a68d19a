package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// keptBody is how much of a response is kept, to be shown.
const keptBody = 2000

// wire carries deliveries from the API in memory to the agent. It signs them with the secret that the agent has, whatever
// the API signed them with, does what a step says that goes wrong, and keeps a record.
type wire struct {
	target, secret string
	client         *http.Client

	mu       sync.Mutex
	step     *stepDelivery // of the step that is played
	finished *sync.Cond    // signals that an attempt is over
}

func newWire(target, secret string) *wire {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // a connection that the agent closes meanwhile would be an error
	w := &wire{target: target, secret: secret, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	w.finished = sync.NewCond(&w.mu)
	return w
}

// stepDelivery is the delivery of a step. Others are carried meanwhile, such as those of the agent's own texts.
type stepDelivery struct {
	action   scenario.Action
	fault    scenario.Fault
	within   time.Duration
	deadline time.Time
	id       string // "" until it comes
	begun    int    // attempts that were begun
	attempts []Attempt
}

// Attempt is one attempt at the delivery of a step.
type Attempt struct {
	Status  int     `json:"status,omitempty"` // of the response; 0 if there is none
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`

	contentType, body string // of the response, the beginning
}

// failed reports whether the API makes another attempt.
func (a *Attempt) failed() bool { return a.Error != "" || a.Status >= 500 }

// begin has the next delivery that fits an action be that of a step.
func (w *wire) begin(step *scenario.Step, within time.Duration, deadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = &stepDelivery{action: step.Action, fault: step.Fault, within: within, deadline: deadline}
}

// delivered returns the id of the step's delivery, or "" if it did not come, and the attempts at it. It waits for one that
// is being made, which ends at the step's deadline: the API may have given it up already.
func (w *wire) delivered() (id string, attempts []Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.step.attempts) < w.step.begun {
		w.finished.Wait()
	}
	return w.step.id, append([]Attempt(nil), w.step.attempts...)
}

// errTooLate ends an attempt that nobody waits for. It is not recorded: what went wrong is what ended the one before.
var errTooLate = errors.New("the step is over")

// beginAttempt returns the step that a delivery is of, or nil, and whether this is the first attempt at it.
func (w *wire) beginAttempt(id string, payload []byte) (s *stepDelivery, first bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s = w.step
	if s != nil && s.id == "" && actionOf(payload) == s.action {
		s.id = id
	}
	if s == nil || s.id != id {
		return nil, false, nil
	}
	if n := len(s.attempts); n > 0 && s.attempts[n-1].failed() && !time.Now().Before(s.deadline) {
		return nil, false, errTooLate
	}
	s.begun++
	return s, s.begun == 1, nil
}

// endAttempt adds an attempt to the record of a step.
func (w *wire) endAttempt(s *stepDelivery, a Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.attempts = append(s.attempts, a)
	w.finished.Broadcast()
}

// actionOf returns what a person did for an event to be sent, or [scenario.ActionNone] if the account did it.
func actionOf(payload []byte) scenario.Action {
	var e struct {
		Event   agentphone.EventType
		Channel agentphone.Channel
		Data    struct{ Direction agentphone.Direction }
	}
	if json.Unmarshal(payload, &e) != nil {
		return scenario.ActionNone
	}
	switch {
	case e.Event == agentphone.EventMessage && e.Channel == agentphone.ChannelVoice:
		return scenario.ActionSay
	case e.Event == agentphone.EventCallEnded:
		return scenario.ActionHangup
	case e.Data.Direction == agentphone.DirectionOutbound:
		return scenario.ActionNone
	case e.Event == agentphone.EventMessage:
		return scenario.ActionText
	case e.Event == agentphone.EventReaction:
		return scenario.ActionReact
	}
	return scenario.ActionNone
}

var errGaveUp = errors.New("the sender gave up")

// ServeHTTP makes an attempt at a delivery.
func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	ctx, secret, at := r.Context(), w.secret, time.Now()
	step, first, err := w.beginAttempt(r.Header.Get(agentphone.WebhookIDHeader), payload)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	givenUp := false
	if step != nil {
		limit, cause := step.deadline, fmt.Errorf("it took longer than %v", step.within)
		if givenUp = step.fault.Timeout != 0 && first; givenUp {
			limit, cause = at.Add(step.fault.Timeout), errGaveUp
		}
		if step.fault.Forged {
			secret = "forged " + secret
		}
		at = at.Add(-step.fault.Stale)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, limit, cause)
		defer cancel()
	}
	header := agentphone.SignWebhook(payload, secret, at)
	for _, name := range []string{"Content-Type", agentphone.WebhookIDHeader, agentphone.WebhookEventHeader} {
		header.Set(name, r.Header.Get(name))
	}
	began := time.Now()
	var attempt Attempt
	if givenUp {
		err = w.ignore(ctx, header, payload)
	} else {
		err = w.carry(ctx, header, payload, out, &attempt)
	}
	attempt.Seconds = seconds(time.Since(began))
	if err != nil {
		attempt.Status, attempt.Error = 0, err.Error()
	}
	if step != nil {
		w.endAttempt(step, attempt)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // breaks the connection to the API
	}
}

// ignore sends a delivery and ignores the response.
func (w *wire) ignore(ctx context.Context, header http.Header, payload []byte) error {
	resp, err := w.post(ctx, header, payload)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return errGaveUp
}

// carry sends a delivery and passes the response on as it comes.
func (w *wire) carry(ctx context.Context, header http.Header, payload []byte, out http.ResponseWriter, attempt *Attempt) error {
	resp, err := w.post(ctx, header, payload)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	attempt.Status, attempt.contentType = resp.StatusCode, resp.Header.Get("Content-Type")
	for name, values := range resp.Header {
		out.Header()[name] = values
	}
	out.WriteHeader(resp.StatusCode)
	buffer := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buffer)
		attempt.body += string(buffer[:min(n, keptBody-len(attempt.body))])
		if _, failed := out.Write(buffer[:n]); failed != nil {
			return nil // the API has heard enough
		}
		if flushed := http.NewResponseController(out).Flush(); flushed != nil {
			return nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return readable(ctx, err)
		}
	}
}

var errSwitched = errors.New("it switched protocols (101)")

func (w *wire) post(ctx context.Context, header http.Header, payload []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.target, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, readable(ctx, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close() // the connection itself: reading from it would not end with ctx
		return nil, errSwitched
	}
	return resp, nil
}

// readable is the error of a request without what everybody knows: the method and the URL.
func readable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		if cause := context.Cause(ctx); cause != context.Canceled && cause != context.DeadlineExceeded { //nolint:errorlint // as they are
			return cause
		}
		return errGaveUp // the API did
	}
	var requestError *url.Error
	if errors.As(err, &requestError) {
		err = requestError.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the agent closed the connection")
	}
	return err
}
