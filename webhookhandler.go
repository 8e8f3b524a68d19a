package agentphone

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

const (
	defaultMaxWebhookBody = 1 << 20
	defaultTurnTimeout    = 30 * time.Second
	callbackTimeout       = 10 * time.Minute // for all but voice turns; less than defaultClaimLife
	storeTimeout          = 5 * time.Second  // for each call of a DeliveryStore
)

// WebhookHandlerConfig configures a handler made by [NewWebhookHandler].
//
// Callbacks are called concurrently and in any order. An event whose callback is nil is ignored: the response is 200,
// for a voice turn with an answer that says nothing. If a callback returns an error or panics, the response is 500
// and AgentPhone delivers the event again.
//
// The context of a callback ends when the sender closes the connection, or after 10 minutes; that of OnVoiceTurn ends
// after TurnTimeout. The timeouts of the [http.Server] do not cut a callback short: the handler sets deadlines of its own, of which the one for
// reading the body of a request is 10 seconds, or the server's ReadTimeout if that is shorter. Middleware that wraps the
// [http.ResponseWriter] in a type without an Unwrap method keeps it from that.
type WebhookHandlerConfig struct {
	OnMessage   func(context.Context, *Event, *MessageData) error                   // a message was received
	OnVoiceTurn func(context.Context, *Event, *VoiceTurnData, *VoiceResponse) error // a caller said something
	OnCallEnded func(context.Context, *Event, *CallEndedData) error                 // a call is over
	OnReaction  func(context.Context, *Event, *ReactionData) error                  // a message got a tapback
	OnUnknown   func(context.Context, *Event, *UnknownData) error                   // any other event

	// Deliveries records which deliveries have been handled. If nil, the handler uses a new [MemoryDeliveryStore].
	Deliveries DeliveryStore

	// MaxBodyBytes is the maximum size of a request's body. If zero, it is 1 MiB.
	MaxBodyBytes int64

	// Tolerance is how far the timestamp of a request may be from now, in either direction. If zero, it is 5 minutes.
	Tolerance time.Duration

	// TurnTimeout is how long OnVoiceTurn may take. If zero, it is 30 seconds. Set it to the TimeoutSeconds of the
	// [Webhook]: AgentPhone does not wait longer for the answer.
	TurnTimeout time.Duration

	// Logger logs refused requests and failures: the type of the event, its delivery id and the error, but nothing else
	// of the request. What a callback returns as an error, or panics with if that is an error or a string, is logged as one line of
	// at most 500 bytes, so put nothing into it that people said; of other values that it panics with only the type is logged. If nil,
	// the handler uses [slog.Default].
	Logger *slog.Logger
}

// NewWebhookHandler returns an [http.Handler] for the URL of a webhook. It verifies the signature of a request, parses
// its event, drops it if it was handled before, and calls the callback for it.
//
// A request must be signed with one of the secrets. [WebhooksService.Set] returns the secret of a webhook, and makes
// a new one each time; to lose no deliveries meanwhile, replace the handler with one that has both secrets and the
// same Deliveries. An empty secret, or none, is [ErrWebhookNoSecret]; any other invalid argument is a
// *[ValidationError].
//
// The status of the response is
//
//	200  the callback succeeded, now or in an earlier delivery of the event
//	400  the body is not an event
//	401  the signature or the timestamp is invalid
//	405  the method is not POST
//	409  the same delivery is being handled at this moment
//	413  the body is longer than MaxBodyBytes
//	500  the callback returned an error or panicked
//	503  the DeliveryStore could not claim the delivery, or the body broke off or took longer than 10 seconds
//
// A delivery is identified by its id ([WebhookIDHeader]) together with a digest of its body; a redelivery has the same of both. The id
// is not signed: whoever captured a request can have it handled again under another id, as long as its timestamp is
// accepted, but cannot have another event count as handled.
//
// A redelivered voice turn that was handled before gets an empty answer, so that nothing is said twice. If
// OnVoiceTurn fails after its first Interim, the status 200 has been sent already: the answer ends with what was said
// so far. If the DeliveryStore cannot record that a delivery has been handled, the response is 200 all the same.
func NewWebhookHandler(secrets []string, config WebhookHandlerConfig) (http.Handler, error) {
	verifier, err := NewWebhookVerifier(secrets, WithWebhookTolerance(cmp.Or(config.Tolerance, defaultWebhookTolerance)))
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

// ServeHTTP takes a request through the steps receive, claim, and serveTurn or serveEvent, which call back, settle and
// respond. A step that refuses the request responds itself and reports false.
func (h *webhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, ok := h.receive(w, r)
	if !ok {
		return
	}
	serve, timeout := h.route(d)
	deadline := writeDeadline{http.NewResponseController(w)}
	deadline.setForCallback(timeout)
	defer deadline.clear()
	if !h.claim(w, r, d) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	serve(ctx, w)
}

// delivery is one delivery of an event.
type delivery struct {
	event   *Event
	key     string // by which the store knows it
	handled bool   // by an earlier request with the same id
}

// logFailure logs that something that was done for a delivery failed.
func (h *webhookHandler) logFailure(ctx context.Context, d *delivery, doing string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) { // the sender closed the connection, as callers who hang up do
		level = slog.LevelInfo
	}
	h.log(ctx, level, doing+" failed", d.event, slog.Any("error", redact.Error(err, "")))
}

// log logs something about an event. Its texts are the sender's, and an id is not even signed.
func (h *webhookHandler) log(ctx context.Context, level slog.Level, text string, event *Event, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("event", redact.Text(string(event.Type), "")), slog.String("delivery_id", redact.Text(event.DeliveryID, "")))
	h.Logger.LogAttrs(ctx, level, "agentphone: webhook: "+text, attrs...)
}

// logRefusal logs that a request was refused.
func (h *webhookHandler) logRefusal(ctx context.Context, reason error) {
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "agentphone: webhook: request refused", slog.Any("reason", redact.Error(reason, "")))
}

// refuse responds with a status and its text.
func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }
