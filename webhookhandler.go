package agentphone

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

const (
	defaultMaxWebhookBody = 1 << 20
	defaultTurnTimeout    = 30 * time.Second
	storeTimeout          = 5 * time.Second
	callbackTime          = 10 * time.Minute // less than defaultClaimLife
	answerTime            = 10 * time.Second // for the answer to go out, after the callback's time
)

// WebhookHandlerConfig says what to do with events.
//
// Callbacks run at the same time, in any order. A callback that is nil ignores its events: they are answered
// with 200, a voice turn with silence. If a callback returns an error or panics, the answer is 500, and
// AgentPhone delivers the event again.
//
// A callback's context ends when the sender hangs up or after 10 minutes, that of a voice turn after TurnTimeout.
// The server's WriteTimeout does not cut it short, unless middleware wraps the ResponseWriter and has no Unwrap.
type WebhookHandlerConfig struct {
	OnMessage   func(context.Context, *Event, *MessageData) error
	OnVoiceTurn func(context.Context, *Event, *VoiceTurnData, *VoiceResponse) error
	OnCallEnded func(context.Context, *Event, *CallEndedData) error
	OnReaction  func(context.Context, *Event, *ReactionData) error
	OnUnknown   func(context.Context, *Event, *UnknownData) error

	Deliveries   DeliveryStore // a [MemoryDeliveryStore] if nil
	MaxBodyBytes int64         // 1 MiB if 0
	Tolerance    time.Duration // how far a request's timestamp may be from now; 5 min if 0
	TurnTimeout  time.Duration // 30 s if 0. Set it to your [Webhook].TimeoutSeconds: later nobody listens.
	Logger       *slog.Logger  // for failures; [slog.Default] if nil
}

// NewWebhookHandler receives webhook requests: it checks their signature (by any of the secrets: see
// [WebhookVerifier]), reads the event, drops what was delivered before, and calls back. Mount it where the
// webhook's URL points. A secret comes from [WebhooksService.Set]; to change it without a gap, make a new handler with
// both secrets and the same Deliveries, and put it in the old one's place.
//
// It answers
//
//	200  the callback is done with it, or was before
//	400  the body is no event
//	401  the signature or the timestamp is wrong
//	405  the method is not POST
//	409  the same delivery is being handled at this moment: it comes again
//	413  the body is over MaxBodyBytes
//	500  the callback failed or panicked: it comes again
//	503  the DeliveryStore could not be asked: it comes again
//
// A delivery is known by its id ([WebhookIDHeader]), or if it has none by its body. The id is not signed: somebody
// who captured a request could have it handled again, under another id, for as long as its timestamp is accepted.
//
// A voice turn that comes again after it was handled is answered with silence: what it said was said. One
// whose callback fails after its first Interim is answered with what it had said, for the 200 has gone out. If the DeliveryStore cannot be told that a delivery is
// done, the answer is 200 all the same.
func NewWebhookHandler(secrets []string, config WebhookHandlerConfig) (http.Handler, error) {
	verifier, err := NewWebhookVerifier(secrets, WithWebhookTolerance(cmp.Or(config.Tolerance, webhookTolerance)))
	if err != nil {
		return nil, err
	}
	if config.MaxBodyBytes < 0 || config.TurnTimeout < 0 {
		return nil, &ValidationError{"MaxBodyBytes or TurnTimeout", "is negative"}
	}
	if config.Deliveries == nil {
		config.Deliveries = &MemoryDeliveryStore{}
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	config.MaxBodyBytes = cmp.Or(config.MaxBodyBytes, defaultMaxWebhookBody)
	config.TurnTimeout = cmp.Or(config.TurnTimeout, defaultTurnTimeout)
	return &webhookHandler{config, verifier}, nil
}

type webhookHandler struct {
	WebhookHandlerConfig
	verifier *WebhookVerifier
}

func (h *webhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBodyBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge)
		} else {
			refuse(w, http.StatusBadRequest)
		}
		return
	}
	if err := h.verifier.Verify(body, r.Header); err != nil {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook request refused", "reason", err)
		refuse(w, http.StatusUnauthorized)
		return
	}
	event, err := ParseEvent(body)
	if err != nil {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook request refused", "reason", err)
		refuse(w, http.StatusBadRequest)
		return
	}
	event.DeliveryID = r.Header.Get(WebhookIDHeader)
	id := event.DeliveryID
	if id == "" || len(id) > maxDeliveryID {
		id = digest([]byte(cmp.Or(id, string(body))))
	}
	if _, unknown := event.Data.(*UnknownData); unknown && newEventData(event.Type, event.Channel) != nil {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook event without the data that it is known with", "event", event.Type, "delivery_id", event.DeliveryID)
	}
	h.deliver(w, r, event, id)
}

// maxDeliveryID is far above the length of an id, and keeps a store small in which somebody puts others.
const maxDeliveryID = 200

// digest stands in for a delivery's id.
func digest(of []byte) string {
	sum := sha256.Sum256(of)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// deliver handles an event if nobody else does or did.
func (h *webhookHandler) deliver(w http.ResponseWriter, r *http.Request, event *Event, id string) {
	ctx := r.Context()
	lifetime := h.lifetime(event)
	rc := http.NewResponseController(w)
	// For all that is not a line of a turn: see VoiceResponse.writeLine.
	_ = rc.SetWriteDeadline(time.Now().Add(2*storeTimeout + lifetime + answerTime))
	defer func() { _ = rc.SetWriteDeadline(time.Time{}) }() // it would outlive the request
	claim, err := h.claim(ctx, id)
	switch {
	case err != nil:
		h.failed(ctx, event, "claiming the delivery", err)
		refuse(w, http.StatusServiceUnavailable)
		return
	case claim == DeliveryHandled:
		newVoiceResponse(ctx, w).answer(h, event)
		return
	case claim != DeliveryGranted:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusConflict)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()
	voice := newVoiceResponse(ctx, w)
	settled := false
	defer func() { // the callback ended its goroutine
		if !settled {
			h.settle(ctx, event, id, errGone)
		}
	}()
	err = h.callBack(ctx, event, voice)
	said, begun := voice.close()
	if said && errors.Is(err, ErrVoiceAnswered) { // by the callback itself: that is no failure of the turn
		err = nil
	}
	settled = true
	h.settle(ctx, event, id, err)
	if err != nil && !begun {
		refuse(w, http.StatusInternalServerError)
		return
	}
	voice.answer(h, event)
}

func (h *webhookHandler) claim(ctx context.Context, id string) (DeliveryClaim, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return h.Deliveries.Claim(ctx, id)
}

// lifetime of a callback: a turn has its time, all else the claim's.
func (h *webhookHandler) lifetime(event *Event) time.Duration {
	if _, ok := event.Data.(*VoiceTurnData); ok {
		return h.TurnTimeout
	}
	return callbackTime
}

// answer is the 200: for a voice turn with what was said, for all else without a body.
func (v *VoiceResponse) answer(h *webhookHandler, event *Event) {
	if _, ok := event.Data.(*VoiceTurnData); !ok {
		v.w.WriteHeader(http.StatusOK)
		return
	}
	if err := v.finish(); err != nil {
		h.failed(v.ctx, event, "answering", err)
	}
}

// callBack makes an error of a panic.
func (h *webhookHandler) callBack(ctx context.Context, event *Event, voice *VoiceResponse) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.Logger.ErrorContext(ctx, "agentphone: webhook callback panicked",
				"event", event.Type, "delivery_id", event.DeliveryID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	switch data := event.Data.(type) {
	case *MessageData:
		if h.OnMessage != nil {
			return h.OnMessage(ctx, event, data)
		}
	case *VoiceTurnData:
		if h.OnVoiceTurn != nil {
			return h.OnVoiceTurn(ctx, event, data, voice)
		}
	case *CallEndedData:
		if h.OnCallEnded != nil {
			return h.OnCallEnded(ctx, event, data)
		}
	case *ReactionData:
		if h.OnReaction != nil {
			return h.OnReaction(ctx, event, data)
		}
	case *UnknownData:
		if h.OnUnknown != nil {
			return h.OnUnknown(ctx, event, data)
		}
	}
	return nil
}

var (
	errPanicked = errors.New("the callback panicked")
	errGone     = errors.New("the callback ended its goroutine")
)

// settle tells the store how it went. The sender may be gone meanwhile; the store is told all the same.
func (h *webhookHandler) settle(ctx context.Context, event *Event, id string, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	doing, settle := "marking the delivery as done", h.Deliveries.Done
	if failure != nil {
		if !errors.Is(failure, errPanicked) {
			h.failed(ctx, event, "the callback", failure)
		}
		doing, settle = "releasing the delivery", h.Deliveries.Release
	}
	if err := settle(ctx, id); err != nil {
		h.failed(ctx, event, doing, err)
	}
}

func (h *webhookHandler) failed(ctx context.Context, event *Event, doing string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) { // the sender hung up, as callers do
		level = slog.LevelInfo
	}
	h.Logger.Log(ctx, level, "agentphone: webhook: "+doing+" failed",
		"event", event.Type, "delivery_id", event.DeliveryID, "error", err)
}

func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }
