package agentphone_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// dbError is an error type as many programs have one. A nil *dbError that is returned as an error is not nil.
type dbError struct{ cause error }

func (e *dbError) Error() string { return e.cause.Error() }
func (e *dbError) Unwrap() error { return e.cause }

// panickyError is an error of which some methods panic.
type panickyError struct{ is, as, text bool }

func (e panickyError) Error() string {
	if e.text {
		panic(panickyError{text: true}) // fmt recovers once, and prints the value: which panics too
	}
	return "x"
}

func (e panickyError) Is(error) bool {
	if e.is {
		panic("Is")
	}
	return false
}

func (e panickyError) As(any) bool {
	if e.as {
		panic("As")
	}
	return false
}

type panickyList struct{}

func (panickyList) Error() string   { return "x" }
func (panickyList) Unwrap() []error { panic("Unwrap") }

var panickyErrors = map[string]error{
	"a nil pointer":                    (*dbError)(nil),
	"a nil pointer that is wrapped":    errors.Join(errors.New("x"), (*dbError)(nil)),
	"an error whose Is panics":         panickyError{is: true, as: true},
	"an error whose Unwrap panics":     panickyList{},
	"an error whose text panics twice": panickyError{text: true},
}

// fault is something of the program's own that fails once, with an error.
type fault struct {
	body    string // of the delivery
	arrange func(c *agentphone.WebhookHandlerConfig, s *testStore, fail func() error)
	// Until then the claim is held by a store that failed to record or release it.
	blocked time.Duration
	mayFail bool // the response of the delivery that meets the fault may be 200
}

var faults = map[string]fault{
	"OnMessage": {body: apitest.TextEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return fail() }
	}},
	"OnMessage that panics": {body: apitest.TextEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return panicIf(fail()) }
	}},
	"OnVoiceTurn": {body: apitest.TurnEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(*agentphone.VoiceResponse) error { return fail() })
	}},
	"OnVoiceTurn that panics": {body: apitest.TurnEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(*agentphone.VoiceResponse) error { return panicIf(fail()) })
	}},
	"OnVoiceTurn after its last words": {body: apitest.TurnEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(v *agentphone.VoiceResponse) error { _ = v.Say("Hi."); return fail() })
	}},
	"OnVoiceTurn after an Interim": {body: apitest.TurnEvent, mayFail: true, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(v *agentphone.VoiceResponse) error { _ = v.Interim("Hi."); return fail() })
	}},
	"Stream": {body: apitest.TurnEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				if err := fail(); err != nil {
					yield("", err)
				}
			})
		})
	}},
	"Stream whose tokens panic": {body: apitest.TurnEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.OnVoiceTurn = turn(func(v *agentphone.VoiceResponse) error {
			return v.Stream(func(func(string, error) bool) { _ = panicIf(fail()) })
		})
	}},
	"a hook that panics": {body: apitest.TextEvent, mayFail: true, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.Hooks.Delivery = func(ctx context.Context, _ agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
			_ = panicIf(fail())
			return ctx, nil
		}
	}},
	"SecretsFunc": {body: apitest.TextEvent, arrange: func(c *agentphone.WebhookHandlerConfig, _ *testStore, fail func() error) {
		c.SecretsFunc = func(*http.Request) ([]string, error) { return []string{apitest.Secret}, fail() }
	}},
	"Claim": {body: apitest.TextEvent, arrange: func(_ *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		s.claim = func(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
			if err := fail(); err != nil {
				return nil, err
			}
			return s.Store.Claim(ctx, key, opts)
		}
	}},
	"Claim for a voice turn": {body: apitest.TurnEvent, mayFail: true, arrange: func(_ *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		s.claim = func(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
			if err := panicIf(fail()); err != nil {
				return nil, err
			}
			return s.Store.Claim(ctx, key, opts)
		}
	}},
	"Renew": {body: apitest.TextEvent, mayFail: true, arrange: func(c *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		c.OnMessage = func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			time.Sleep(time.Minute)
			return nil
		}
		s.renew = func(ctx context.Context, claim *agentphone.Claim, lease time.Duration) error {
			if err := fail(); err != nil {
				return err
			}
			return s.Store.Renew(ctx, claim, lease, nil)
		}
	}},
	"Complete": {body: apitest.TextEvent, blocked: time.Minute, mayFail: true, arrange: func(_ *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		s.complete = func(ctx context.Context, claim *agentphone.Claim) error {
			if err := fail(); err != nil {
				return err
			}
			return s.Store.Complete(ctx, claim, nil)
		}
	}},
	"Complete of a voice turn": {body: apitest.TurnEvent, blocked: time.Minute, mayFail: true, arrange: func(_ *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		s.complete = func(ctx context.Context, claim *agentphone.Claim) error {
			if err := panicIf(fail()); err != nil {
				return err
			}
			return s.Store.Complete(ctx, claim, nil)
		}
	}},
	"Release": {body: apitest.TurnEvent, blocked: time.Minute, arrange: func(c *agentphone.WebhookHandlerConfig, s *testStore, fail func() error) {
		failed := false
		c.OnVoiceTurn = turn(func(*agentphone.VoiceResponse) error {
			if !failed {
				failed = true
				return errors.New("x")
			}
			return nil
		})
		s.release = func(ctx context.Context, claim *agentphone.Claim) error {
			if err := fail(); err != nil {
				return err
			}
			return s.Store.Release(ctx, claim)
		}
	}},
}

// turn returns an OnVoiceTurn.
func turn(f func(*agentphone.VoiceResponse) error) func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error {
	return func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return f(v)
	}
}

func panicIf(err error) error {
	if err != nil {
		panic(err)
	}
	return nil
}

// check sends a delivery that meets the fault, and then its redelivery, which must be handled: nothing is left of the claim, and
// of what is done to keep it.
func (f fault) check(t *testing.T, failure error, logger *slog.Logger, inMemory bool) {
	synctest.Test(t, func(t *testing.T) {
		store := newTestStore()
		config := onMessage(func(context.Context) error { return nil })
		config.OnVoiceTurn = turn(func(v *agentphone.VoiceResponse) error { return v.Say("Hi.") })
		config.Logger = logger
		failed := false
		f.arrange(&config, store, func() error {
			if !failed {
				failed = true
				return failure
			}
			return nil
		})
		if !inMemory {
			config.Store = store
		}
		secrets := []string{apitest.Secret}
		if config.SecretsFunc != nil {
			secrets = nil
		}
		h, err := agentphone.NewWebhookHandler(secrets, config)
		require.NoError(t, err)
		send := func() (status int) {
			var sender sync.WaitGroup
			sender.Go(func() { // a logger may end the goroutine
				defer func() { _ = recover() }() // as net/http does
				w := httptest.NewRecorder()
				w.Code = 0
				h.ServeHTTP(w, apitest.SignedRequest(f.body, "whd_1"))
				status = w.Code
			})
			sender.Wait()
			return status
		}
		if status := send(); !f.mayFail {
			assert.GreaterOrEqual(t, status, 500)
		}
		require.True(t, failed)
		time.Sleep(f.blocked)
		assert.Equal(t, 200, send(), "the redelivery")
		require.NoError(t, h.Shutdown(t.Context()))
		store.renew = func(context.Context, *agentphone.Claim, time.Duration) error {
			t.Error("a claim is still renewed")
			return nil
		}
		time.Sleep(time.Hour)
	})
}

// Go's classic mistake, a nil pointer that is returned as an error, is one whose methods panic.
func TestWebhookHandler_ErrorsWhoseMethodsPanicAreFailuresLikeOthers(t *testing.T) {
	for place, f := range faults {
		for kind, failure := range panickyErrors {
			t.Run(place+" with "+kind, func(t *testing.T) { f.check(t, failure, quiet, false) })
			if f.blocked == 0 && place != "Renew" && place != "Claim" && place != "Claim for a voice turn" {
				t.Run(place+" with "+kind+", in memory", func(t *testing.T) { f.check(t, failure, quiet, true) })
			}
		}
	}
}

// logFunc is the handler of a logger.
type logFunc func()

func (f logFunc) Enabled(context.Context, slog.Level) bool  { return true }
func (f logFunc) Handle(context.Context, slog.Record) error { f(); return nil }
func (f logFunc) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f logFunc) WithGroup(string) slog.Handler             { return f }

func TestWebhookHandler_LoggerThatPanicsHasNoOtherEffect(t *testing.T) {
	for name, log := range map[string]func(){
		"panics":                func() { panic("the disk is full") },
		"panics with an error":  func() { panic(panickyErrors["a nil pointer"]) },
		"ends its goroutine":    runtime.Goexit,
		"panics within a panic": func() { defer func() { panic("2") }(); panic("1") },
	} {
		for place, f := range faults {
			if name == "ends its goroutine" {
				f.mayFail = true // nothing is responded
			}
			t.Run(place+" and a logger that "+name, func(t *testing.T) { f.check(t, errors.New("x"), slog.New(logFunc(log)), false) })
		}
	}
}

func TestWebhookHandler_BodyThatBreaksOffWithAnyErrorGets503(t *testing.T) {
	for kind, failure := range panickyErrors {
		t.Run(kind, func(t *testing.T) {
			r := apitest.SignedRequest(apitest.TextEvent, "whd_1")
			r.Body = io.NopCloser(iotest.ErrReader(failure))
			assert.Equal(t, 503, apitest.Serve(newHandler(t, agentphone.WebhookHandlerConfig{}), r).Code)
		})
	}
}

// panickyWriter is a response writer of some middleware that fails once words are written.
type panickyWriter struct {
	*httptest.ResponseRecorder
	write func() error
}

func (w panickyWriter) Write([]byte) (int, error) { return 0, w.write() }

func TestVoiceResponse_WriterMayFailInAnyWay(t *testing.T) {
	for kind, failure := range panickyErrors {
		for how, write := range map[string]func() error{"error": func() error { return failure }, "panic": func() error { panic(failure) }} {
			t.Run(how+" with "+kind, func(t *testing.T) {
				h := newHandler(t, agentphone.WebhookHandlerConfig{OnVoiceTurn: turn(func(v *agentphone.VoiceResponse) error {
					defer func() { _ = recover() }()
					return v.Interim("One moment.")
				})})
				func() {
					defer func() { _ = recover() }() // as net/http does
					h.ServeHTTP(panickyWriter{httptest.NewRecorder(), write}, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
				}()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.NoError(t, h.Shutdown(ctx))
			})
		}
	}
}
