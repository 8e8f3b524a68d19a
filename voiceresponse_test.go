package agentphone_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// voiceFunc is an OnVoiceTurn.
type voiceFunc func(context.Context, *agentphone.VoiceResponse) error

// voiceHandler returns a handler whose OnVoiceTurn is f.
func voiceHandler(t *testing.T, f voiceFunc) http.Handler {
	return newHandler(t, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return f(ctx, v)
		},
	})
}

func TestVoiceResponse_IsOneObjectOrNDJSON(t *testing.T) {
	const object, lines = "application/json", "application/x-ndjson"
	for name, tc := range map[string]struct {
		say  voiceFunc
		kind string
		want string
	}{
		"said":    {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi \"you\"\n& <them>") }, object, `{"text":"Hi \"you\"\n\u0026 \u003cthem\u003e"}`},
		"nothing": {func(context.Context, *agentphone.VoiceResponse) error { return nil }, object, `{}`},
		"hang up, then said": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Hangup(), v.Say("Bye."))
		}, object, `{"text":"Bye.","hangup":true}`},
		"said, then hang up": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Bye."), v.Hangup())
		}, object, `{"text":"Bye.","hangup":true}`},
		"transfer only": {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Transfer() }, object, `{"action":"transfer"}`},
		"pressed keys":  {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Press("0123456789*#") }, object, `{"digits":"0123456789*#"}`},
		"said, then pressed twice": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Yes."), v.Press("1"), v.Press("*2"), v.Hangup())
		}, object, `{"text":"Yes.","digits":"1*2","hangup":true}`},
		"pressed, then tokens": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Press("#"), v.Stream(tokens("Bye. ", "Bye.")))
		}, lines, "{\"text\":\"Bye.\",\"interim\":true}\n{\"text\":\"Bye.\",\"digits\":\"#\"}"},
		"wrong keys": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			for _, digits := range []string{"", " ", "1 2", "+1", "A", "1\n", "１", "٣", "#\xff", "12a"} {
				require.ErrorIs(t, v.Press(digits), agentphone.ErrValidation, "%q", digits)
			}
			return nil
		}, object, `{}`},
		"interim and last": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("One moment."), v.Say("Done."))
		}, lines, "{\"text\":\"One moment.\",\"interim\":true}\n{\"text\":\"Done.\"}"},
		"interim only": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("a"), v.Interim(""), v.Hangup())
		}, lines, "{\"text\":\"a\",\"interim\":true}\n{\"hangup\":true}"},
		"said twice": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			require.NoError(t, v.Say("first"))
			for _, err := range []error{v.Say("second"), v.Interim("third"), v.Stream(tokens("fourth."))} {
				require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
			}
			return nil
		}, object, `{"text":"first"}`},
		"fails after it has said something": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("One moment."), v.Say("never said? it is"), errors.New("late failure"))
		}, lines, "{\"text\":\"One moment.\",\"interim\":true}\n{\"text\":\"never said? it is\"}"},
		"panics after it has said something": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			_ = v.Interim("One moment.")
			panic("x")
		}, lines, "{\"text\":\"One moment.\",\"interim\":true}\n{}"},
		"tokens": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(tokens("Hel", "lo! It", " costs 3", ".50 dollars.", " Shall", " I?\nYes", " or no"))
		}, lines, "{\"text\":\"Hello!\",\"interim\":true}\n{\"text\":\"It costs 3.50 dollars.\",\"interim\":true}\n{\"text\":\"Shall I?\",\"interim\":true}\n{\"text\":\"Yes or no\"}"},
		"one short token": {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens("Yes.")) }, object, `{"text":"Yes."}`},
		"no tokens":       {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens()) }, object, `{}`},
		"tokens, hang up": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Stream(tokens("Bye. ", "Bye.")), v.Hangup())
		}, lines, "{\"text\":\"Bye.\",\"interim\":true}\n{\"text\":\"Bye.\",\"hangup\":true}"},
		"a tool hangs up": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				_ = v.Hangup()
				yield("Bye.", nil)
			})
		}, object, `{"text":"Bye.","hangup":true}`},
		"no space between sentences": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(tokens("你", "好。我", "是艾达"))
		}, lines, "{\"text\":\"你好。\",\"interim\":true}\n{\"text\":\"我是艾达\"}"},
		"no space at all": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(tokens(strings.Repeat("é", 150)+"\xc3", "\xa9"))
		}, lines, `{"text":"` + strings.Repeat("é", 150) + "\",\"interim\":true}\n{\"text\":\"é\"}"},
		"no end of a sentence": {func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(tokens(strings.Repeat("word ", 61)))
		}, lines,
			`{"text":"` + strings.TrimSpace(strings.Repeat("word ", 61)) + "\",\"interim\":true}\n{}"},
	} {
		t.Run(name, func(t *testing.T) {
			w := apitest.Serve(voiceHandler(t, tc.say), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
			assert.Equal(t, 200, w.Code)
			assert.Equal(t, tc.kind, w.Header().Get("Content-Type"))
			assert.Equal(t, tc.want+"\n", w.Body.String())
			assert.True(t, w.Flushed, "it is not the server that decides when")
			length := ""
			if tc.kind != lines { // all of it is there
				length = strconv.Itoa(w.Body.Len())
			}
			assert.Equal(t, length, w.Header().Get("Content-Length"))
		})
	}
}

func TestVoiceResponse_FailureBeforeAnInterimGets500(t *testing.T) {
	for name, f := range map[string]voiceFunc{
		"error":           func(context.Context, *agentphone.VoiceResponse) error { return errors.New("x") },
		"panic after Say": func(_ context.Context, v *agentphone.VoiceResponse) error { _ = v.Say("y"); panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 500, apitest.Serve(voiceHandler(t, f), apitest.SignedRequest(apitest.TurnEvent, "whd_1")).Code)
		})
	}
}

func TestVoiceResponse_SaysNothingAfterTheCallback(t *testing.T) {
	var kept *agentphone.VoiceResponse
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { kept = v; return nil })
	w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	for _, err := range []error{kept.Say("late"), kept.Interim("late"), kept.Hangup(), kept.Transfer(), kept.Press("1"), kept.Stream(tokens("late. "))} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
	}
	assert.Equal(t, "{}\n", w.Body.String())
}

func TestVoiceResponse_TimesOutWithTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := apitest.Serve(voiceHandler(t, func(ctx context.Context, v *agentphone.VoiceResponse) error {
			require.NoError(t, v.Interim("One moment."))
			<-ctx.Done()
			require.ErrorIs(t, v.Interim("too late"), context.DeadlineExceeded)
			require.ErrorIs(t, v.Say("too late"), context.DeadlineExceeded)
			return nil
		}), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
		assert.Equal(t, 30*time.Second, time.Since(start))
		assert.Equal(t, "{\"text\":\"One moment.\",\"interim\":true}\n{}\n", w.Body.String())
	})
}

func TestVoiceResponse_HangUpEndsTheContext(t *testing.T) {
	ended := make(chan error, 1)
	srv := httptest.NewServer(voiceHandler(t, func(ctx context.Context, v *agentphone.VoiceResponse) error {
		if err := v.Interim("One moment."); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			ended <- v.Say("is anybody there?")
		case <-time.After(20 * time.Second):
			ended <- nil
		}
		return nil
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	res, err := http.DefaultClient.Do(signedTo(ctx, srv.URL, apitest.TurnEvent, t.Name()))
	require.NoError(t, err)
	_, err = bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(t, err)
	cancel()
	_ = res.Body.Close()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestVoiceResponse_ReturnsAnErrorAfterAHangUp(t *testing.T) {
	for name, speak := range map[string]func(v *agentphone.VoiceResponse, hangUp func()) error{
		"Interim":       func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Interim("Hello?") },
		"empty Interim": func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Interim("") },
		"Say":           func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Say("Hello?") },
		"Hangup":        func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Hangup() },
		"Transfer":      func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Transfer() },
		"Press":         func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Press("1") },
		"Stream":        func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Stream(tokens("Hello?")) },
		"Stream, gone before its first token": func(v *agentphone.VoiceResponse, hangUp func()) error {
			return v.Stream(func(yield func(string, error) bool) {
				hangUp()
				assert.False(t, yield("Hello? Are you there? ", nil), "the stream is over")
			})
		},
		"Stream, gone within a sentence": func(v *agentphone.VoiceResponse, hangUp func()) error {
			return v.Stream(func(yield func(string, error) bool) {
				assert.True(t, yield("Hello", nil))
				hangUp()
				assert.False(t, yield(" there", nil))
			})
		},
		"Stream, gone after its last token": func(v *agentphone.VoiceResponse, hangUp func()) error {
			return v.Stream(func(yield func(string, error) bool) {
				assert.True(t, yield("Hello", nil))
				hangUp()
			})
		},
		"Stream, gone before tokens that never come": func(v *agentphone.VoiceResponse, hangUp func()) error {
			return v.Stream(func(func(string, error) bool) { hangUp() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			var err error
			w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				err = speak(v, hangUp)
				return err
			}), apitest.SignedRequest(apitest.TurnEvent, "i").WithContext(ctx))
			require.ErrorIs(t, err, context.Canceled)
			assert.NotContains(t, w.Body.String(), "Hello", "the caller is gone")
		})
	}
}

// A VoiceResponse that no handler made belongs to no turn.
func TestVoiceResponse_ZeroValueSaysNothing(t *testing.T) {
	var v agentphone.VoiceResponse
	for _, err := range []error{v.Say("x"), v.Interim("x"), v.Hangup(), v.Transfer(), v.Press("1"), v.Stream(tokens(strings.Repeat("x. ", 3)))} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
	}
}

// Some goroutines still speak when the callback returns: that must not corrupt the answer.
func TestVoiceResponse_IsSafeForConcurrentUse(t *testing.T) {
	for round := range 20 {
		var said, late atomic.Int32
		var speakers sync.WaitGroup
		w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			spoken := make(chan bool, 100)
			for i := range 16 {
				speakers.Go(func() {
					for n := range 50 {
						if err := v.Interim(fmt.Sprintf("line %d of %d", n, i)); err != nil {
							assert.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
							late.Add(1)
							return
						}
						if n == 5 {
							spoken <- true
						}
					}
				})
				speakers.Go(func() {
					for range 50 {
						_, _, _ = v.Hangup(), v.Transfer(), v.Press("1")
					}
				})
			}
			for range 10 {
				<-spoken
			}
			for i := range 8 {
				speakers.Go(func() {
					if v.Say(fmt.Sprint("last words of ", i)) == nil {
						said.Add(1)
					}
				})
				speakers.Go(func() {
					if v.Stream(tokens("A stream. ", "Of words. ", "And more")) == nil {
						said.Add(1)
					}
				})
			}
			if round%2 == 0 {
				speakers.Wait()
			}
			return nil
		}), apitest.SignedRequest(apitest.TurnEvent, "i"))
		body := w.Body.String() // as it is when the handler has returned
		speakers.Wait()
		texts := textsOf(t, body)
		assert.Equal(t, body, w.Body.String(), "nothing is written after the answer")
		assert.LessOrEqual(t, said.Load(), int32(1), "there are last words once")
		assert.GreaterOrEqual(t, len(texts), 60)
		if round%2 == 0 {
			assert.EqualValues(t, 1, said.Load())
			if !strings.HasPrefix(texts[len(texts)-1], "last words of ") { // an Interim may have said the stream's
				assert.Subset(t, texts, []string{"A stream.", "Of words.", "And more"})
			}
			assert.Regexp(t, `"digits":"1+","hangup":true,"action":"transfer"}`, body)
		}
	}
}
