package agentphone

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	defaultMaxWebhookBody  = 1 << 20
	defaultTurnTimeout     = 30 * time.Second
	defaultCallbackTimeout = 5 * time.Minute
	defaultLease           = 30 * time.Second
	minLease               = time.Second
	defaultStoreTimeout    = 300 * time.Millisecond
)

// WebhookHandlerConfig configures a handler made by [NewWebhookHandler].
//
// Callbacks are called concurrently and in any order. An event whose callback is nil is ignored: the response is 200,
// for a voice turn with an answer that says nothing. If a callback returns an error or panics, the response is 500
// and AgentPhone delivers the event again.
//
// The context of OnVoiceTurn ends when the sender closes the connection, since the caller is gone then, or after TurnTimeout. The context of
// every other callback has the values of the request's but does not end with the request, so that what takes longer than the sender
// waits is done once nevertheless: it ends after CallbackTimeout, or when the handler is shut down, or, with the cause [ErrClaimLost], when
// somebody else may be handling the delivery: the Store says so, or could not renew the lease in time.
//
// The timeouts of the [http.Server] do not cut a callback short: the handler sets deadlines of its own, of which the one for
// reading the body of a request is 10 seconds, or the server's ReadTimeout if that is shorter. Middleware that wraps the
// [http.ResponseWriter] in a type without an Unwrap method keeps it from that.
type WebhookHandlerConfig struct {
	OnMessage   func(context.Context, *Event, *MessageData) error                   // somebody sent the agent a message
	OnVoiceTurn func(context.Context, *Event, *VoiceTurnData, *VoiceResponse) error // a caller said something
	OnCallEnded func(context.Context, *Event, *CallEndedData) error                 // a call is over
	OnReaction  func(context.Context, *Event, *ReactionData) error                  // somebody reacted to a message with a tapback
	OnUnknown   func(context.Context, *Event, *UnknownData) error                   // any other event

	// OnContactShared is called when somebody shared a contact. If it is nil, OnUnknown is.
	OnContactShared func(context.Context, *Event, *ContactSharedData) error

	// OnSent is called for what the agent itself sent, which is delivered as an event too: a *[MessageData] or *[ReactionData] with
	// [DirectionOutbound]. OnMessage and OnReaction do not see it, so a bot never replies to itself.
	OnSent func(context.Context, *Event, EventData) error

	// SecretsFunc returns the secrets that a request may be signed with, for example those of the tenant that its path names, or those of the moment
	// while one replaces another. It is called for requests that have a signature and a timestamp that is not too old, after their
	// bodies have been read, concurrently. If it returns an error, no secret or an invalid one, the response is 503, so that the event
	// comes again. If it is nil, the secrets are those given to NewWebhookHandler.
	SecretsFunc func(*http.Request) ([]string, error)

	// TenantFunc returns whose delivery a request is, as a name that is not empty: what one has signed or handled never counts as a
	// delivery to another. It is called for requests whose signature is valid. If it is nil while SecretsFunc is not, each URL (its path and
	// query) has an owner of its own; so set it if SecretsFunc goes by anything else, such as the host. Handlers with fixed secrets that
	// share a Store need it too unless they are replicas of each other: without it a delivery is handled by one of them only.
	TenantFunc func(*http.Request) string

	// Store keeps which deliveries have been handled and which are being handled, so that each is handled once. Processes that receive
	// the events of the same webhook need to share one. If nil, the handler uses a [MemoryStore] of its own.
	Store Store

	// Lease is how long a delivery stays claimed after the process that was handling it has crashed. Meanwhile its redeliveries get 503. While
	// a callback runs its claim is renewed. If zero, it is 30 seconds; the minimum is one second.
	Lease time.Duration

	// StoreTimeout is how long a voice turn waits for the Store, all in all. If the Store does not return in time, or with an error, the
	// turn is handled without it, and a redelivery would be handled again: better a sentence twice than silence on the phone. The answer is
	// sent before the Store is told of it. Other events wait for up to 5 seconds and then get 503. If zero, it is 300 milliseconds.
	StoreTimeout time.Duration

	// CallbackTimeout is how long any callback but OnVoiceTurn may take. If zero, it is 5 minutes.
	CallbackTimeout time.Duration

	// TurnTimeout is how long OnVoiceTurn may take. If zero, it is 30 seconds. Set it to the TimeoutSeconds of the
	// [Webhook]: AgentPhone does not wait longer for the answer.
	TurnTimeout time.Duration

	// MaxBodyBytes is the maximum size of a request's body. If zero, it is 1 MiB. Until their signatures are verified, the bodies of more than
	// 16 KiB that are being received take 64 MiB together, or four times MaxBodyBytes if that is more: others get 503.
	MaxBodyBytes int64

	// Tolerance is how far the timestamp of a request may be from now, in either direction. If zero, it is 5 minutes.
	Tolerance time.Duration

	// Hooks observe the handler: their Delivery does.
	Hooks Hooks

	// Logger logs refused requests and failures: the type of the event, its delivery id and the error, but nothing else
	// of the request. What a callback returns as an error, or panics with if that is an error or a string, is logged as one line of
	// at most 500 bytes, so put nothing into it that people said; of other values that it panics with only the type is logged. If nil,
	// the handler uses [slog.Default].
	Logger *slog.Logger
}

// WebhookHandler is an [http.Handler] for the URL of a webhook. Make it with [NewWebhookHandler].
type WebhookHandler struct {
	config   WebhookHandlerConfig
	signers  func(*http.Request) ([]signer, error)
	inMemory bool // the Store is a *MemoryStore
	running  running

	unverified atomic.Int64 // bytes of the bodies that have a share
}

// NewWebhookHandler returns a handler that verifies the signature of a request, parses its event, drops it if it was handled before, and
// calls the callback for it.
//
// A request must be signed with one of the secrets, or of those that SecretsFunc returns if that is set; then secrets must be empty.
// [WebhooksService.Set] returns the secret of a webhook, and makes a new one each time; to lose no deliveries meanwhile, accept both for
// some hours. An empty secret, or none, is [ErrWebhookNoSecret]; any other invalid argument is a *[ValidationError].
//
// AgentPhone delivers an event again after a status of 5xx, a broken connection or a timeout, up to five times within about 21
// hours, and never after a 4xx. So the status of the response is
//
//	200  the callback succeeded, now or in an earlier delivery of the event, or there is none for it
//	400  the body is not an event
//	401  the signature or the timestamp is invalid
//	405  the method is not POST
//	413  the body is longer than MaxBodyBytes
//	500  the callback returned an error or panicked, or the data of the event cannot be read and OnUnknown, which would get it, is nil
//	503  with Retry-After: the same delivery is being handled, the Store does not know, SecretsFunc failed, the handler is shut down, many
//	     long bodies are being received, or the body broke off or took longer than 10 seconds
//
// A delivery is identified by its id ([WebhookIDHeader]) together with a digest of its body and, with SecretsFunc or TenantFunc, of the tenant; a
// redelivery has the same of all, whichever secret signs it. The id is not signed: whoever captured a request can have it handled again under
// another id, as long as its timestamp is accepted, but cannot have another event count as handled. The Store knows it as "delivery:", the
// id, ":" and the digest, for 48 hours.
//
// A redelivered voice turn that was handled before gets an empty answer, so that nothing is said twice. One whose connection broke before
// any of its answer was sent was not handled, although the callback returned nil. If
// OnVoiceTurn fails after its first Interim, the status 200 has been sent already: the answer ends with what was said
// so far. If the Store cannot record that a delivery has been handled, the response is 200 all the same.
func NewWebhookHandler(secrets []string, config WebhookHandlerConfig) (*WebhookHandler, error) {
	signers, err := signersFunc(secrets, config.SecretsFunc)
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	config.Tolerance = cmp.Or(config.Tolerance, defaultWebhookTolerance)
	config.Lease = cmp.Or(config.Lease, defaultLease)
	config.StoreTimeout = cmp.Or(config.StoreTimeout, defaultStoreTimeout)
	config.CallbackTimeout = cmp.Or(config.CallbackTimeout, defaultCallbackTimeout)
	config.TurnTimeout = cmp.Or(config.TurnTimeout, defaultTurnTimeout)
	config.MaxBodyBytes = cmp.Or(config.MaxBodyBytes, defaultMaxWebhookBody)
	if config.Store == nil {
		config.Store = NewMemoryStore()
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	_, inMemory := config.Store.(*MemoryStore)
	return &WebhookHandler{config: config, signers: signers, inMemory: inMemory}, nil
}

// signersFunc returns a function that returns signers with valid secrets. It keeps them from being printed, too.
func signersFunc(secrets []string, f func(*http.Request) ([]string, error)) (func(*http.Request) ([]signer, error), error) {
	if f == nil {
		signers, err := newSigners(secrets)
		return func(*http.Request) ([]signer, error) { return signers, nil }, err
	}
	if len(secrets) > 0 {
		return nil, &ValidationError{"SecretsFunc", "cannot be used together with secrets"}
	}
	return func(r *http.Request) ([]signer, error) {
		secrets, err := f(r)
		if err != nil {
			return nil, err
		}
		return newSigners(secrets)
	}, nil
}

func (c *WebhookHandlerConfig) check() error {
	err := firstOf(notNegative("Lease", c.Lease), notNegative("StoreTimeout", c.StoreTimeout), notNegative("CallbackTimeout", c.CallbackTimeout),
		notNegative("TurnTimeout", c.TurnTimeout), notNegative("Tolerance", c.Tolerance), notNegative("MaxBodyBytes", c.MaxBodyBytes))
	if err == nil && c.Lease != 0 && c.Lease < minLease {
		err = &ValidationError{"Lease", "is shorter than a second"}
	}
	if err == nil && holdsNil(c.Store) {
		err = &ValidationError{"Store", "holds nil"}
	}
	return err
}

// ServeHTTP takes a request through the steps receive, claim, and serveTurn or serveEvent, which call back, settle and
// respond. A step that refuses the request responds itself and says so by its status or by false.
func (h *WebhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.signers == nil { // not made by NewWebhookHandler
		refuseForNow(w, 0)
		return
	}
	var began time.Time
	observed := h.config.Hooks.Delivery != nil
	if observed {
		began = time.Now()
	}
	d, refused := h.receive(w, r)
	if observed {
		ctx, end := h.observe(r.Context(), d)
		defer func() { end(d.resultSince(began, refused)) }() // also of a callback that ends its goroutine
		if d != nil {
			d.request, d.values = valuesOf{d.request, ctx}, context.WithoutCancel(ctx)
		}
	}
	if d != nil {
		h.serve(w, d)
	}
}

// serve serves a delivery.
func (h *WebhookHandler) serve(w http.ResponseWriter, d *delivery) {
	callback := h.callback(d)
	if callback == nil {
		h.ignore(w, d)
		return
	}
	d.setContext()
	if !h.running.begin(d) {
		d.ended(DeliveryRefused, refuseForNow(w, 0))
		return
	}
	defer h.running.end(d)
	defer h.abandon(d)
	serve, timeout := h.serveEvent, h.config.CallbackTimeout
	if d.isTurn() {
		serve, timeout = h.serveTurn, h.config.TurnTimeout
	}
	deadline := writeDeadline{http.NewResponseController(w)}
	deadline.setForCallback(timeout)
	defer deadline.clear()
	if !h.claim(d.ctx, w, d) {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, timeout)
	defer cancel()
	serve(ctx, w, d, callback)
}

// delivery is one delivery of an event.
type delivery struct {
	event    *Event
	tenant   string
	mismatch bool // the kind of the event is known, its data cannot be read

	request context.Context // with the values of the hook's context, if there is one
	values  context.Context // the same without its end
	ctx     context.Context // of the callback, without its timeout
	cancel  context.CancelCauseFunc

	outcome    DeliveryOutcome
	status     int
	firstWords time.Time // zero if none have been written

	handled  bool // by an earlier request with the same key
	lease    lease
	patience time.Duration // how long a voice turn still waits for the store

	previous, next *delivery // of those that are running
}

// setContext makes the context of the callback.
func (d *delivery) setContext() {
	parent := d.values
	if d.isTurn() { // who has hung up hears no answer
		parent = d.request
	}
	d.ctx, d.cancel = context.WithCancelCause(parent)
}

func (d *delivery) isTurn() bool {
	_, ok := d.event.Data.(*VoiceTurnData)
	return ok
}

// isSenderGone reports whether the connection is closed, as far as the server has seen. A deadline that middleware has set says
// nothing of that.
func (d *delivery) isSenderGone() bool { return errorIs(d.request.Err(), context.Canceled) }

// refuse responds with a status and its text, and returns the status.
func refuse(w http.ResponseWriter, status int) int {
	http.Error(w, http.StatusText(status), status)
	return status
}

// refuseForNow responds with a status after which the delivery comes again, and returns it: AgentPhone repeats a delivery after a 5xx,
// never after a 4xx.
func refuseForNow(w http.ResponseWriter, retryAfter time.Duration) int {
	seconds := int64(max(retryAfter, 0) / time.Second)
	if retryAfter%time.Second > 0 || seconds == 0 {
		seconds++ // rounded up, and at least one
	}
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	return refuse(w, http.StatusServiceUnavailable)
}
