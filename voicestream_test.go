package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestVoiceResponseStream_PanickingTokensGet500(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return v.Stream(func(func(string, error) bool) { panic("a bug in the model's client") })
	}), apitest.SignedRequest(apitest.TurnEvent, "x"))
	assert.Equal(t, 500, w.Code)
}

func TestVoiceResponseStream_TokensMayIgnoreAHangUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return v.Stream(func(yield func(string, error) bool) {
			yield("Hello. ", nil)
			cancel() // the caller hangs up
			yield("Are you there? ", nil)
			yield("Hello? ", nil)
		})
	}), apitest.SignedRequest(apitest.TurnEvent, "x").WithContext(ctx))
}

func TestVoiceResponseStream_MayOutliveTheCallback(t *testing.T) {
	for range 50 {
		ended, started := make(chan error, 1), make(chan bool)
		apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			go func() {
				ended <- v.Stream(func(yield func(string, error) bool) {
					close(started)
					runtime.Gosched()
					yield("word ", nil)
				})
			}()
			<-started
			return nil
		}), apitest.SignedRequest(apitest.TurnEvent, "x"))
		<-ended
	}
}

func TestVoiceResponseStream_EndsWithTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				for range 1000 {
					time.Sleep(time.Second)
					if !yield("word", nil) {
						return
					}
				}
			})
		}), apitest.SignedRequest(apitest.TurnEvent, "x"))
		assert.LessOrEqual(t, time.Since(began), 31*time.Second)
	})
}

func TestVoiceResponseStream_SayWorksAfterAnErrorBeforeAnyText(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		if err := v.Stream(func(yield func(string, error) bool) { yield("", errors.New("model is down")) }); err != nil {
			return v.Say("Sorry, something went wrong.")
		}
		return nil
	}), apitest.SignedRequest(apitest.TurnEvent, "x"))
	assert.Equal(t, 200, w.Code, w.Body)
}

// leavingWriter is the connection of a caller who hangs up during the first line.
type leavingWriter struct {
	*httptest.ResponseRecorder
	hangUp func()
}

func (w *leavingWriter) FlushError() error { w.hangUp(); return nil }

func TestVoiceResponseStream_StopsWithinATokenAfterAHangUp(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	w := &leavingWriter{httptest.NewRecorder(), hangUp}
	var err error
	voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		err = v.Stream(tokens("One. Two. Three. ", "Four. "))
		return err
	}).ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "i").WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, w.Body.String(), "One.")
	assert.NotContains(t, w.Body.String(), "Two.")
}

func TestVoiceResponseStream_ExcludesOtherSpeech(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		err := v.Stream(func(yield func(string, error) bool) {
			refused := func() {
				require.ErrorIs(t, v.Say("Something else."), agentphone.ErrVoiceAnswered)
				require.ErrorIs(t, v.Stream(tokens("Something else.")), agentphone.ErrVoiceAnswered)
			}
			refused()
			yield("One. ", nil)
			refused()
			yield("Two", nil)
			refused()
		})
		require.ErrorIs(t, v.Interim("Something else."), agentphone.ErrVoiceAnswered)
		return err
	}), apitest.SignedRequest(apitest.TurnEvent, "i"))
	assert.Equal(t, []string{"One.", "Two"}, textsOf(t, w.Body.String()))
}

// A turn is over when it is over, whatever tokens wait for; but tokens that heed the context have ended when Stream
// returns, so that a callback may use what they wrote.
func TestVoiceResponseStream_ReturnsSoonAfterTheTurn(t *testing.T) {
	for name, tc := range map[string]struct {
		heed, hangUp bool
		took         time.Duration
		want         error
	}{
		"time out, tokens heed the context": {true, false, 30 * time.Second, context.DeadlineExceeded},
		"time out, tokens never return":     {false, false, 31 * time.Second, context.DeadlineExceeded},
		"hang up, tokens heed the context":  {true, true, 10 * time.Second, context.Canceled},
		"hang up, tokens never return":      {false, true, 11 * time.Second, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turn, hangUp := context.WithCancel(t.Context())
				defer hangUp()
				if tc.hangUp {
					time.AfterFunc(10*time.Second, hangUp)
				}
				release, ended := make(chan struct{}), make(chan struct{})
				began := time.Now()
				w := apitest.Serve(voiceHandler(t, func(ctx context.Context, v *agentphone.VoiceResponse) error {
					err := v.Stream(func(yield func(string, error) bool) {
						defer close(ended)
						yield("One moment. ", nil)
						if tc.heed {
							<-ctx.Done()
							return
						}
						<-release
						assert.False(t, yield("Too late. ", nil))
						require.ErrorIs(t, v.Interim("Too late."), agentphone.ErrVoiceAnswered)
						panic("in vain: nobody is there to see it")
					})
					require.ErrorIs(t, err, tc.want)
					require.ErrorIs(t, v.Say("Too late."), agentphone.ErrVoiceAnswered)
					select {
					case <-ended:
						assert.True(t, tc.heed)
					default:
						assert.False(t, tc.heed)
					}
					return err
				}), apitest.SignedRequest(apitest.TurnEvent, "").WithContext(turn))
				assert.Equal(t, tc.took, time.Since(began))
				close(release)
				<-ended // the bubble ends only if no goroutine is left
				assert.Equal(t, []string{"One moment.", ""}, textsOf(t, w.Body.String()))
			})
		})
	}
}

func brokenClient() { panic(fmt.Errorf("a bug: %w", errBug)) }

var errBug = errors.New("nil map")

// What a panic of tokens says, and where it came from, is not lost on its way to the callback.
func TestVoiceResponseStream_PanicReachesTheCallback(t *testing.T) {
	for name, pause := range map[string]time.Duration{"at once": 0, "after a pause": time.Second} {
		t.Run(name, func(t *testing.T) {
			lines := heard(t, func(_ context.Context, v *agentphone.VoiceResponse) (err error) {
				defer func() {
					p := recover()
					assert.Contains(t, fmt.Sprint(p), "a bug: nil map")
					assert.Contains(t, fmt.Sprint(p), "brokenClient", "the stack")
					err, _ = p.(error)
					require.ErrorIs(t, err, errBug)
				}()
				return v.Stream(func(yield func(string, error) bool) {
					yield("One moment. I am", nil)
					time.Sleep(pause)
					brokenClient()
				})
			})
			assert.Equal(t, "0s One moment.", lines[0])
		})
	}
	var logs jsonLog
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger: logs.logger(),
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Stream(func(func(string, error) bool) { brokenClient() })
		},
	})
	assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "x")).Code)
	assert.Contains(t, logs.b.String(), "brokenClient")
}

// testing.T.FailNow ends its goroutine: within tokens it ends that of the callback too, as everywhere else in it.
func TestVoiceResponseStream_GoexitEndsTheCallback(t *testing.T) {
	returned, done := false, make(chan struct{})
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		err := v.Stream(func(func(string, error) bool) { runtime.Goexit() })
		returned = true
		return err
	})
	go func() {
		defer close(done)
		apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "x"))
		returned = true
	}()
	<-done
	assert.False(t, returned)
}

// tokens returns an iterator over words, without an error.
func tokens(words ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, w := range words {
			if !yield(w, nil) {
				return
			}
		}
	}
}

func TestVoiceResponseStream_SaysWhatCameBeforeAnError(t *testing.T) {
	broken := errors.New("model is down")
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		require.ErrorIs(t, v.Stream(nil), agentphone.ErrValidation)
		err := v.Stream(func(yield func(string, error) bool) {
			_ = yield("All is", nil) && yield("", broken)
		})
		require.ErrorIs(t, err, broken)
		return nil
	}), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Equal(t, "{\"text\":\"All is\"}\n", w.Body.String())
}

// Whatever the tokens, the answer is lines of JSON, all but the last of which are interim, and says all of their text.
func FuzzVoiceResponseStream_LosesNoText(f *testing.F) {
	for _, text := range []string{"", "Hello. It costs 3.50 dollars.\nYes", "Really?! \u3002\u3002 Dr. X", "\"\\{}\x00\xff\xfe", strings.Repeat("word ", 200), strings.Repeat("x", 900), "\u2028 é… ok", " \n\n "} {
		f.Add(text, uint8(1))
		f.Add(text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		pieces := tokens(cutEvery(text, 1+int(step))...)
		w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(pieces) }), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
		said := strings.Join(textsOf(t, w.Body.String()), "")
		if want := string([]rune(text)); w.Code != 200 || withoutSpace(said) != withoutSpace(want) {
			t.Fatalf("%d: %q, want %q", w.Code, said, want)
		}
	})
}

func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }

// cutEvery cuts a text into pieces of n bytes, also within characters, as tokens may be.
func cutEvery(text string, n int) (pieces []string) {
	for len(text) > n {
		pieces, text = append(pieces, text[:n]), text[n:]
	}
	return append(pieces, text)
}

// BenchmarkVoiceResponseStream measures what a token costs, in an answer of 120.
func BenchmarkVoiceResponseStream(b *testing.B) {
	text := strings.Repeat("It leaves from Gate 12 at 5 p.m. today, as planned, and arrives at noon. ", 6)
	words := strings.SplitAfter(text, " ")
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			began := time.Now()
			err := v.Stream(tokens(words...))
			b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(len(words)), "ns/token")
			return err
		},
	})
	require.NoError(b, err)
	for i := 0; b.Loop(); i++ {
		apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, fmt.Sprint(i)))
	}
}
