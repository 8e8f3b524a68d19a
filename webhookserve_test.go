package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestWebhookHandler_CallsTheCallbackForTheEvent(t *testing.T) {
	var got []string
	note := func(e *agentphone.Event, what string) error {
		got = append(got, what+" "+e.DeliveryID)
		return nil
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		OnMessage: func(_ context.Context, e *agentphone.Event, d *agentphone.MessageData) error {
			return note(e, d.Message)
		},
		OnVoiceTurn: func(_ context.Context, e *agentphone.Event, d *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			return note(e, d.Transcript)
		},
		OnCallEnded: func(_ context.Context, e *agentphone.Event, d *agentphone.CallEndedData) error {
			return note(e, d.CallID)
		},
		OnReaction: func(_ context.Context, e *agentphone.Event, d *agentphone.ReactionData) error {
			return note(e, d.MessageID)
		},
		OnUnknown: func(_ context.Context, e *agentphone.Event, d *agentphone.UnknownData) error {
			return note(e, string(d.Raw))
		},
	})
	silent := newHandler(t, agentphone.WebhookHandlerConfig{})
	for i, body := range []string{
		apitest.TextEvent, apitest.TurnEvent, `{"event":"agent.call_ended","data":{"callId":"c2"}}`, `{"event":"agent.reaction","data":{"messageId":"m2"}}`, `{"event":"x","data":[1]}`,
		`{"event":"agent.contact_shared","channel":"imessage","data":{"n":1}}`, `{"event":"agent.message","channel":"whatsapp","data":{"message":"ola"}}`,
	} {
		id := fmt.Sprint("whd_", i)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, id)).Code)
		assert.Equal(t, 200, apitest.Serve(silent, apitest.SignedRequest(body, id)).Code, "an event without a callback is ignored")
	}
	assert.Equal(t, []string{"hi whd_0", "hello whd_1", "c2 whd_2", "m2 whd_3", "[1] whd_4", `{"n":1} whd_5`, "ola whd_6"}, got)

	shared := newHandler(t, agentphone.WebhookHandlerConfig{
		OnContactShared: func(_ context.Context, e *agentphone.Event, d *agentphone.ContactSharedData) error {
			return note(e, "shared "+string(d.Raw))
		},
		OnUnknown: func(context.Context, *agentphone.Event, *agentphone.UnknownData) error {
			t.Error("OnUnknown got what OnContactShared is for")
			return nil
		},
	})
	assert.Equal(t, 200, apitest.Serve(shared, apitest.SignedRequest(`{"event":"agent.contact_shared","data":{"n":2}}`, "whd_7")).Code)
	assert.Equal(t, `shared {"n":2} whd_7`, got[len(got)-1])
}

// A bot that got the echo of what it sent would reply to itself for ever.
func TestWebhookHandler_WhatTheAgentSentGoesToOnSentOnly(t *testing.T) {
	var got []string
	config := agentphone.WebhookHandlerConfig{
		OnMessage: func(_ context.Context, _ *agentphone.Event, d *agentphone.MessageData) error {
			got = append(got, "message "+d.Message)
			return nil
		},
		OnReaction: func(_ context.Context, _ *agentphone.Event, d *agentphone.ReactionData) error {
			got = append(got, "reaction "+string(d.ReactionType))
			return nil
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, d *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			got = append(got, "turn "+d.Transcript)
			return nil
		},
		OnCallEnded: func(_ context.Context, _ *agentphone.Event, d *agentphone.CallEndedData) error {
			got = append(got, "ended "+d.CallID)
			return nil
		},
	}
	ignoring := newHandler(t, config)
	config.OnSent = func(_ context.Context, _ *agentphone.Event, data agentphone.EventData) error {
		switch d := data.(type) {
		case *agentphone.MessageData:
			got = append(got, "sent "+d.Message)
		case *agentphone.ReactionData:
			got = append(got, "sent "+string(d.ReactionType))
		default:
			t.Errorf("OnSent got a %T", data)
		}
		return nil
	}
	h := newHandler(t, config)
	for name, tc := range map[string]struct{ body, want, ignored string }{
		"message of a person":   {`{"event":"agent.message","channel":"sms","data":{"message":"hi","direction":"inbound"}}`, "message hi", "message hi"},
		"of unknown direction":  {`{"event":"agent.message","channel":"sms","data":{"message":"hi"}}`, "message hi", "message hi"},
		"message of the agent":  {`{"event":"agent.message","channel":"sms","data":{"message":"hi","direction":"outbound"}}`, "sent hi", ""},
		"in other letters":      {`{"event":"agent.message","channel":"mms","data":{"message":"hi","direction":"Outbound"}}`, "sent hi", ""},
		"as Twilio says it":     {`{"event":"agent.message","channel":"sms","data":{"message":"hi","direction":"outbound-api"}}`, "sent hi", ""},
		"in another word":       {`{"event":"agent.reaction","data":{"reactionType":"love","direction":"outgoing"}}`, "sent love", ""},
		"with white space":      {`{"event":"agent.message","channel":"sms","data":{"message":"hi","direction":" outbound\n"}}`, "sent hi", ""},
		"of another direction":  {`{"event":"agent.message","channel":"sms","data":{"message":"hi","direction":"web"}}`, "message hi", "message hi"},
		"to a group":            {`{"event":"agent.message","channel":"imessage","data":{"message":"hi","direction":"outbound","group":{"id":"g"}}}`, "sent hi", ""},
		"reaction of a person":  {`{"event":"agent.reaction","data":{"reactionType":"love","direction":"inbound"}}`, "reaction love", "reaction love"},
		"reaction of the agent": {`{"event":"agent.reaction","data":{"reactionType":"love","direction":"outbound"}}`, "sent love", ""},
		// The direction of a call: a person speaks.
		"turn of a call that the agent placed": {`{"event":"agent.message","channel":"voice","data":{"transcript":"hi","direction":"outbound"}}`, "turn hi", "turn hi"},
		"end of a call that the agent placed":  {`{"event":"agent.call_ended","data":{"callId":"c","direction":"outbound"}}`, "ended c", "ended c"},
	} {
		t.Run(name, func(t *testing.T) {
			got = nil
			assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(tc.body, name)).Code)
			assert.Equal(t, tc.want, strings.Join(got, ", "))
			got = nil
			assert.Equal(t, 200, apitest.Serve(ignoring, apitest.SignedRequest(tc.body, name)).Code)
			assert.Equal(t, tc.ignored, strings.Join(got, ", "))
		})
	}
}

// A version that cannot read the data must not have the event count as handled: the next one may.
func TestWebhookHandler_UnreadableDataGoesToOnUnknownOrComesAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		event  string
		wanted agentphone.WebhookHandlerConfig
	}{
		"message":                  {`"event":"agent.message","channel":"sms"`, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return nil }}},
		"message, for its echoes":  {`"event":"agent.message","channel":"sms"`, agentphone.WebhookHandlerConfig{OnSent: func(context.Context, *agentphone.Event, agentphone.EventData) error { return nil }}},
		"voice turn":               {`"event":"agent.message","channel":"voice"`, agentphone.WebhookHandlerConfig{OnVoiceTurn: sleepyTurn(0)}},
		"end of a call":            {`"event":"agent.call_ended"`, agentphone.WebhookHandlerConfig{OnCallEnded: func(context.Context, *agentphone.Event, *agentphone.CallEndedData) error { return nil }}},
		"reaction":                 {`"event":"agent.reaction"`, agentphone.WebhookHandlerConfig{OnReaction: func(context.Context, *agentphone.Event, *agentphone.ReactionData) error { return nil }}},
		"reaction, for its echoes": {`"event":"agent.reaction"`, agentphone.WebhookHandlerConfig{OnSent: func(context.Context, *agentphone.Event, agentphone.EventData) error { return nil }}},
	} {
		for _, data := range []string{`"text"`, `[]`, `7`, `null`} {
			t.Run(name+" "+data, func(t *testing.T) {
				body := `{` + tc.event + `,"data":` + data + `}`
				config := tc.wanted
				var logs jsonLog
				config.Logger = logs.logger()
				assert.Equal(t, 500, apitest.Serve(newHandler(t, config), apitest.SignedRequest(body, "x")).Code)
				assert.Contains(t, logs.String(), "unexpected data")

				var got []string
				config.OnUnknown = func(_ context.Context, _ *agentphone.Event, d *agentphone.UnknownData) error {
					got = append(got, string(d.Raw))
					return nil
				}
				h := newHandler(t, config)
				for range 2 {
					assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, "x")).Code)
				}
				assert.Equal(t, []string{data}, got)

				assert.Equal(t, 200, apitest.Serve(newHandler(t, agentphone.WebhookHandlerConfig{}), apitest.SignedRequest(body, "x")).Code, "nobody wants it at all")
			})
		}
	}
}

func TestWebhookHandler_HandlesAFailedDeliveryAgain(t *testing.T) {
	var logs bytes.Buffer
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger: slog.New(slog.NewTextHandler(&logs, nil)),
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			switch calls++; calls {
			case 1:
				return errors.New("database is down")
			case 2:
				panic("at the disco")
			}
			return nil
		},
	})
	event := strings.Replace(apitest.TextEvent, "hi", "marzipan", 1)
	for _, want := range []int{500, 500, 200, 200, 200} {
		assert.Equal(t, want, apitest.Serve(h, apitest.SignedRequest(event, "whd_1")).Code)
	}
	assert.Equal(t, 3, calls)
	assert.Contains(t, logs.String(), "database is down")
	assert.Contains(t, logs.String(), "at the disco")
	assert.Contains(t, logs.String(), "webhookserve_test.go", "the panic is logged with its stack")
	assert.NotContains(t, logs.String(), "marzipan")

	// A delivery without an id is identified by its body.
	for range 2 {
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":{"message":"no id"}}`, "")).Code)
	}
	assert.Equal(t, 4, calls)
}

func TestWebhookHandler_GoexitReleasesTheDelivery(t *testing.T) {
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		if calls++; calls == 1 {
			runtime.Goexit() // as t.FailNow does
		}
		return nil
	}})
	var wg sync.WaitGroup
	wg.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")) })
	wg.Wait()
	assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
}

// A goroutine that the callback left behind must not speak: the response is not the handler's any more.
func TestWebhookHandler_GoexitClosesTheVoiceResponse(t *testing.T) {
	var kept *agentphone.VoiceResponse
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		kept = v
		runtime.Goexit()
		return nil
	})
	w := httptest.NewRecorder()
	var wg sync.WaitGroup
	wg.Go(func() { h.ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "whd_1")) })
	wg.Wait()
	for name, err := range map[string]error{
		"Interim": kept.Interim("x"), "Say": kept.Say("x"), "Stream": kept.Stream(tokens("x")), "Hangup": kept.Hangup(), "Transfer": kept.Transfer(),
	} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered, name)
	}
	assert.Empty(t, w.Body.String())
}

func TestWebhookHandler_LimitsTheTimeOfACallback(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want time.Duration
	}{
		"voice turn": {apitest.TurnEvent, 7 * time.Second},
		"message":    {apitest.TextEvent, 5 * time.Minute},
		"call ended": {`{"event":"agent.call_ended","channel":"voice","data":{}}`, 5 * time.Minute},
		"reaction":   {`{"event":"agent.reaction","data":{}}`, 5 * time.Minute},
		"unknown":    {`{"event":"agent.dreamt","channel":"voice","data":{}}`, 5 * time.Minute},
		"sent":       {`{"event":"agent.reaction","data":{"direction":"outbound"}}`, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left time.Duration
				note := func(ctx context.Context) error {
					end, ok := ctx.Deadline()
					require.True(t, ok)
					left = time.Until(end)
					return nil
				}
				config := agentphone.WebhookHandlerConfig{
					TurnTimeout: 7 * time.Second,
					OnMessage:   func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return note(ctx) },
					OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
						return note(ctx)
					},
					OnCallEnded: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.CallEndedData) error { return note(ctx) },
					OnReaction:  func(ctx context.Context, _ *agentphone.Event, _ *agentphone.ReactionData) error { return note(ctx) },
					OnSent:      func(ctx context.Context, _ *agentphone.Event, _ agentphone.EventData) error { return note(ctx) },
					OnUnknown:   func(ctx context.Context, _ *agentphone.Event, _ *agentphone.UnknownData) error { return note(ctx) },
				}
				require.Equal(t, 200, apitest.Serve(newHandler(t, config), apitest.SignedRequest(tc.body, "")).Code)
				assert.Equal(t, tc.want, left)
				config.CallbackTimeout = time.Hour
				require.Equal(t, 200, apitest.Serve(newHandler(t, config), apitest.SignedRequest(tc.body, "")).Code)
				assert.Equal(t, name != "voice turn", left == time.Hour)
			})
		})
	}
}

// To say more after the last words does no harm, but whatever else failed did.
func TestWebhookHandler_ErrVoiceAnsweredHidesNoOtherError(t *testing.T) {
	failure, answered := errors.New("the booking was not saved"), agentphone.ErrVoiceAnswered
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"alone":                       {answered, 200},
		"wrapped":                     {fmt.Errorf("say: %w", answered), 200},
		"twice":                       {errors.Join(answered, fmt.Errorf("say: %w", answered)), 200},
		"before a failure":            {errors.Join(answered, failure), 500},
		"after a failure":             {errors.Join(failure, answered), 500},
		"wrapped beside a failure":    {fmt.Errorf("%w, and %w", answered, failure), 500},
		"deep beside a failure":       {fmt.Errorf("turn: %w", errors.Join(answered, errors.Join(answered, failure))), 500},
		"beside an error that panics": {errors.Join(answered, panickyList{}), 500},
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnVoiceTurn: turn(func(v *agentphone.VoiceResponse) error {
				_ = v.Say("Booked.")
				return tc.err
			})})
			w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
			require.Equal(t, tc.want, w.Code)
			records := logs.take(t)
			require.Len(t, records, 1, "what a callback returns does not go unseen")
			if tc.want == 200 {
				assert.JSONEq(t, `{"text":"Booked."}`, w.Body.String())
				assert.Equal(t, "WARN", records[0]["level"])
				assert.Contains(t, records[0]["msg"], "not said")
			} else {
				assert.Equal(t, "ERROR", records[0]["level"])
				assert.Contains(t, records[0]["msg"], "the callback failed")
			}
		})
	}
}

func TestWebhookHandler_RedeliveredTurnGetsAnEmptyAnswer(t *testing.T) {
	calls := 0
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		calls++
		return errors.Join(v.Interim("One moment."), v.Say("Done."))
	})
	first := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Contains(t, first.Body.String(), "Done.")
	again := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Equal(t, 200, again.Code)
	assert.Equal(t, "application/json", again.Header().Get("Content-Type"))
	assert.Equal(t, "{}\n", again.Body.String(), "an empty body is not a valid answer")
	assert.Equal(t, 1, calls)

	text := newHandler(t, agentphone.WebhookHandlerConfig{})
	for range 2 {
		assert.Empty(t, apitest.Serve(text, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Body.String())
	}
}

// What a turn was to say, and nobody was sent because the connection broke, is said when the turn is delivered again. What may have been
// heard is not.
func TestWebhookHandler_AnswerThatNobodyWasSentIsGivenAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		speak func(v *agentphone.VoiceResponse, breakOff func()) // returns errors to nobody, as many a callback does
		again bool
	}{
		"Say":      {func(v *agentphone.VoiceResponse, breakOff func()) { _ = v.Say("Booked."); breakOff() }, true},
		"Hangup":   {func(v *agentphone.VoiceResponse, breakOff func()) { _ = v.Hangup(); breakOff() }, true},
		"Transfer": {func(v *agentphone.VoiceResponse, breakOff func()) { _ = v.Transfer(); breakOff() }, true},
		"Press":    {func(v *agentphone.VoiceResponse, breakOff func()) { _ = v.Press("1"); breakOff() }, true},
		"Stream":   {func(v *agentphone.VoiceResponse, breakOff func()) { _ = v.Stream(tokens("Booked")); breakOff() }, true},
		"Stream that breaks off": {func(v *agentphone.VoiceResponse, breakOff func()) {
			_ = v.Stream(func(yield func(string, error) bool) {
				yield("Boo", nil)
				breakOff()
				yield("ked", nil)
			})
		}, true},
		"Say, too late":     {func(v *agentphone.VoiceResponse, breakOff func()) { breakOff(); _ = v.Say("Booked.") }, true},
		"Interim, too late": {func(v *agentphone.VoiceResponse, breakOff func()) { breakOff(); _ = v.Interim("Booked.") }, true},
		"Stream, too late":  {func(v *agentphone.VoiceResponse, breakOff func()) { breakOff(); _ = v.Stream(tokens("Booked. ")) }, true},
		"Interim before it": {func(v *agentphone.VoiceResponse, breakOff func()) {
			_ = v.Interim("One moment.")
			_ = v.Say("Booked.")
			breakOff()
		}, false},
		"a sentence before it": {func(v *agentphone.VoiceResponse, breakOff func()) {
			_ = v.Stream(tokens("Booked. ", "See you"))
			breakOff()
		}, false},
		"nothing": {func(_ *agentphone.VoiceResponse, breakOff func()) { breakOff() }, false},
	} {
		for over, version := range map[string]*http.Protocols{"HTTP/1.1": protocols(true, false), "HTTP/2": protocols(false, true)} {
			t.Run(name+" over "+over, func(t *testing.T) {
				ctx, breakOff := context.WithCancel(t.Context())
				calls, done := 0, make(chan bool, 2)
				var logs jsonLog
				h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					calls++
					if calls == 2 {
						return v.Say("Booked, again.")
					}
					tc.speak(v, func() { breakOff(); <-ctx.Done() })
					return nil
				}})
				srv := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer func() { done <- true }()
					h.ServeHTTP(w, r)
				}))
				transport := &http.Transport{Protocols: version}
				defer transport.CloseIdleConnections()
				if res, err := transport.RoundTrip(signedTo(ctx, srv.URL, apitest.TurnEvent, "whd_1")); err == nil {
					_, _ = io.ReadAll(res.Body)
					_ = res.Body.Close()
				}
				<-done
				for _, r := range logs.take(t) {
					assert.Equal(t, "INFO", r["level"], "as callers who hang up do: %v", r)
				}
				res, err := transport.RoundTrip(signedTo(t.Context(), srv.URL, apitest.TurnEvent, "whd_1"))
				require.NoError(t, err)
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				assert.Equal(t, 200, res.StatusCode)
				if tc.again {
					assert.JSONEq(t, `{"text":"Booked, again."}`, string(body))
				} else {
					assert.JSONEq(t, `{}`, string(body))
				}
			})
		}
	}
}

// The sender of a turn that took too long, or was cut short by a shutdown, may still be there.
func TestWebhookHandler_AnswerAfterTheEndOfTheTurnIsSent(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, h *agentphone.WebhookHandler){
		"timeout": func(*testing.T, *agentphone.WebhookHandler) {},
		"shutdown": func(t *testing.T, h *agentphone.WebhookHandler) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, h.Shutdown(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h *agentphone.WebhookHandler
				h = newHandler(t, agentphone.WebhookHandlerConfig{OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					_ = v.Say("Booked.")
					end(t, h)
					<-ctx.Done()
					return nil
				}})
				w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
				assert.Equal(t, 200, w.Code)
				assert.JSONEq(t, `{"text":"Booked."}`, w.Body.String())
			})
		})
	}
}
