package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// noteWriter notes the status and the lines of a response.
type noteWriter struct {
	*httptest.ResponseRecorder
	notes *[]string
}

func (w *noteWriter) WriteHeader(status int) {
	*w.notes = append(*w.notes, fmt.Sprint("status ", status))
	w.ResponseRecorder.WriteHeader(status)
}

func (w *noteWriter) Write(p []byte) (int, error) {
	*w.notes = append(*w.notes, "body "+strings.TrimSpace(string(p)))
	return w.ResponseRecorder.Write(p)
}

// Otherwise the sender could get the response, and deliver the event again, before the store knows. The answer to a voice turn does not wait
// for the store.
func TestWebhookHandler_SettlesBeforeAStatusAndAfterAnAnswer(t *testing.T) {
	failure := errors.New("x")
	for name, tc := range map[string]struct {
		body string
		turn voiceFunc
		err  error
		want []string
	}{
		"handled": {apitest.TextEvent, nil, nil, []string{"claim i", "complete i", "status 200"}},
		"failed":  {apitest.TextEvent, nil, failure, []string{"claim i", "release i", "status 500", "body Internal Server Error"}},
		"turn": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi.") }, nil,
			[]string{"claim i", `body {"text":"Hi."}`, "complete i"}},
		// It has failed: a redelivery may succeed.
		"turn that failed after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("Hm."), failure)
		}, nil, []string{"claim i", "status 200", `body {"text":"Hm.","interim":true}`, "body {}", "release i"}},
		"turn that panicked after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			_ = v.Interim("Hm.")
			panic("x")
		}, nil, []string{"claim i", "status 200", `body {"text":"Hm.","interim":true}`, "body {}", "release i"}},
		// A turn that tries to say too much has succeeded nevertheless.
		"turn that said its last words twice": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Hi."), v.Say("Hi!"))
		}, nil, []string{"claim i", `body {"text":"Hi."}`, "complete i"}},
		"turn that said more after its tokens": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Stream(tokens("Hi")), v.Interim("Hi!"))
		}, nil, []string{"claim i", `body {"text":"Hi"}`, "complete i"}},
		// ErrVoiceAnswered without last words is a failure like any other.
		"turn that said nothing": {apitest.TurnEvent, func(context.Context, *agentphone.VoiceResponse) error { return agentphone.ErrVoiceAnswered }, nil,
			[]string{"claim i", "release i", "status 500", "body Internal Server Error"}},
	} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			h := newHandler(t, agentphone.WebhookHandlerConfig{
				Store:     noting(&notes, nil),
				OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.err },
				OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					return tc.turn(ctx, v)
				},
			})
			h.ServeHTTP(&noteWriter{httptest.NewRecorder(), &notes}, apitest.SignedRequest(tc.body, "i"))
			assert.Equal(t, tc.want, notes)
		})
	}
}

// A slow store keeps no caller waiting, and nobody has the turn meanwhile.
func TestWebhookHandler_AnswerDoesNotWaitUntilTheStoreKnows(t *testing.T) {
	completing, completed := make(chan bool), make(chan bool)
	store := newTestStore()
	store.complete = func(ctx context.Context, c *agentphone.Claim) error {
		completing <- true
		<-completed
		return store.Store.Complete(ctx, c, nil)
	}
	srv := serveHTTP(t, newHandler(t, agentphone.WebhookHandlerConfig{Store: store, StoreTimeout: time.Minute,
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Say("Booked.")
		}}))
	send := func() *http.Response {
		res, err := http.DefaultClient.Do(signedTo(t.Context(), srv.URL, apitest.TurnEvent, "whd_1"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	began := time.Now()
	res := send()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"text":"Booked."}`, string(answer))
	assert.Less(t, time.Since(began), 4*time.Second, "after 5 s the store would be given up")
	<-completing
	assert.Equal(t, 503, send().StatusCode)
	close(completed)
	again, err := io.ReadAll(send().Body)
	require.NoError(t, err)
	assert.JSONEq(t, "{}", string(again))
}

// The server may learn only then that the connection is broken.
func TestWebhookHandler_AnswerThatCannotBeSentIsGivenToTheRedelivery(t *testing.T) {
	h := newHandler(t, agentphone.WebhookHandlerConfig{Store: newTestStore(), Logger: quiet,
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Say("Booked.")
		}})
	h.ServeHTTP(&brokenFlusher{httptest.NewRecorder()}, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	for _, want := range []string{`{"text":"Booked."}`, "{}"} {
		assert.JSONEq(t, want, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1")).Body.String())
	}
}

type brokenFlusher struct{ *httptest.ResponseRecorder }

func (*brokenFlusher) FlushError() error { return syscall.EPIPE }

func TestWebhookHandler_SettlesAfterTheSenderIsGone(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{"handled": {nil, "complete i"}, "failed": {context.Canceled, "release i"}} {
		for kind, body := range map[string]string{"message": apitest.TextEvent, "turn": apitest.TurnEvent} {
			t.Run(name+" "+kind, func(t *testing.T) {
				var notes []string
				ctx, hangUp := context.WithCancel(t.Context())
				var logs jsonLog
				handle := func(ctx context.Context) error {
					hangUp()
					if kind == "turn" {
						require.ErrorIs(t, ctx.Err(), context.Canceled)
					} else {
						require.NoError(t, ctx.Err())
					}
					return tc.err
				}
				config := onMessage(handle)
				config.OnVoiceTurn = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
					return handle(ctx)
				}
				config.Logger, config.Store = logs.logger(), noting(&notes, func(ctx context.Context) error { return ctx.Err() })
				apitest.Serve(newHandler(t, config), apitest.SignedRequest(body, "i").WithContext(ctx))
				assert.Equal(t, []string{"claim i", tc.want}, notes)
				assert.NotContains(t, logs.String(), "the delivery", "the context of the store had not ended")
			})
		}
	}
}

// A store that hangs must not hold the response back forever; its failure is logged.
func TestWebhookHandler_SettlingTimesOut(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{"complete": {nil, 200}, "release": {errors.New("x"), 500}} {
		for kind, settle := range map[string]func(context.Context) error{
			"slow":                            func(ctx context.Context) error { return wait(ctx, time.Hour) },
			"hanging in spite of its context": func(context.Context) error { time.Sleep(time.Hour); return nil },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer time.Sleep(48 * time.Hour) // a bubble ends when all in it has
					var notes []string
					var logs jsonLog
					config := onMessage(func(context.Context) error { return tc.err })
					config.Logger, config.Store = logs.logger(), noting(&notes, settle)
					h := newHandler(t, config)
					began := time.Now()
					assert.Equal(t, tc.want, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i")).Code)
					assert.Equal(t, 5*time.Second, time.Since(began))
					assert.Contains(t, logs.String(), context.DeadlineExceeded.Error())
				})
			})
		}
	}
}

// The store has StoreTimeout for the claim and the record of it together, and time to finish that record after the answer.
func TestWebhookHandler_SlowStoreCostsAVoiceTurnStoreTimeoutAtMost(t *testing.T) {
	for _, tc := range []struct{ claim, settle, want time.Duration }{
		{0, 0, 0}, {0, 100 * time.Millisecond, 100 * time.Millisecond}, {0, 2 * time.Second, 300 * time.Millisecond},
		{200 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond}, {200 * time.Millisecond, 2 * time.Second, 300 * time.Millisecond},
		{299 * time.Millisecond, time.Minute, 300 * time.Millisecond},
	} {
		for name, failure := range map[string]error{"handled": nil, "failed": errors.New("x")} {
			t.Run(fmt.Sprint(tc.claim, " and ", tc.settle, ", ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := slowToClaim(tc.claim)
					store.complete = func(ctx context.Context, c *agentphone.Claim) error {
						if err := wait(ctx, tc.settle); err != nil {
							return err
						}
						return store.Store.Complete(ctx, c, nil)
					}
					store.release = func(ctx context.Context, c *agentphone.Claim) error {
						if err := wait(ctx, tc.settle); err != nil {
							return err
						}
						return store.Store.Release(ctx, c)
					}
					calls := 0
					h := newHandler(t, agentphone.WebhookHandlerConfig{Store: store, OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
						calls++
						return errors.Join(v.Say("Hi."), failure)
					}})
					began := time.Now()
					w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
					assert.Equal(t, tc.want, time.Since(began))
					assert.Equal(t, failure == nil, w.Code == 200)

					require.NoError(t, h.Shutdown(t.Context()), "waits for the store")
					assert.GreaterOrEqual(t, time.Since(began), min(tc.claim+tc.settle, 5*time.Second))
					again, err := store.Store.Claim(t.Context(), keyOf(t, apitest.TurnEvent, "whd_1"), agentphone.ClaimOptions{Lease: time.Second, Retention: time.Hour})
					require.NoError(t, err)
					want := agentphone.ClaimCompleted
					if failure != nil {
						want = agentphone.ClaimGranted
					}
					if tc.settle > 5*time.Second { // given up
						want = agentphone.ClaimHeld
					}
					assert.Equal(t, want, again.Status)
					assert.Equal(t, 1, calls)
				})
			})
		}
	}
}

// keyOf returns the key by which a handler knows a delivery.
func keyOf(t *testing.T, body, id string) (key string) {
	t.Helper()
	config, store := onMessage(nil), newTestStore()
	store.claim = func(_ context.Context, k string, _ agentphone.ClaimOptions) (*agentphone.Claim, error) {
		key = k
		return nil, errors.New("no")
	}
	config.Store, config.OnVoiceTurn = store, sleepyTurn(0)
	apitest.Serve(newHandler(t, config), apitest.SignedRequest(body, id))
	require.NotEmpty(t, key)
	return key
}
