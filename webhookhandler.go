package agentphone

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
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
