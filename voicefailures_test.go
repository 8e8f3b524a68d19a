package agentphone_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A faultyWriter is a connection that breaks while lines are written or flushed.
type faultyWriter struct {
	*httptest.ResponseRecorder
	write, flush error
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if w.write != nil {
		return 0, w.write
	}
	return w.ResponseRecorder.Write(p)
}

func (w *faultyWriter) FlushError() error { return w.flush }

// Who does not learn that the line is dead goes on paying for a language model.
func TestALineThatCannotBeSentIsAnErrorAndEndsAStream(t *testing.T) {
	broken := errors.New("broken pipe")
	for name, w := range map[string]*faultyWriter{
		"write": {httptest.NewRecorder(), broken, nil}, "flush": {httptest.NewRecorder(), nil, broken},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				require.ErrorIs(t, v.Interim("One moment."), broken)
				err := v.Stream(func(yield func(string, error) bool) {
					for asked = 1; yield("A sentence. ", nil); asked++ {
						require.Less(t, asked, 100, "it goes on without a listener")
					}
				})
				require.ErrorIs(t, err, broken)
				return err
			})
			h.ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "i"))
			assert.Equal(t, 1, asked)
		})
	}
}

// flushless hides what it can do beside writing.
type flushless struct{ http.ResponseWriter }

func TestAWriterThatCannotFlushIsNoError(t *testing.T) {
	w := httptest.NewRecorder()
	voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		require.NoError(t, v.Interim("One moment."))
		require.NoError(t, v.Stream(tokens("Two. ", "Three. ", "Four.")))
		return nil
	}).ServeHTTP(flushless{w}, apitest.SignedRequest(apitest.TurnEvent, "i"))
	assert.Equal(t, []string{"One moment.", "Two.", "Three.", "Four."}, textsOf(t, w.Body.String()))
}

func TestWhoeverSpeaksToACallerWhoIsGoneLearnsIt(t *testing.T) {
	for name, speak := range map[string]func(v *agentphone.VoiceResponse, hangUp func()) error{
		"Interim":       func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Interim("Hello?") },
		"empty Interim": func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Interim("") },
		"Say":           func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Say("Hello?") },
		"Hangup":        func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Hangup() },
		"Transfer":      func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Transfer() },
		"Stream":        func(v *agentphone.VoiceResponse, hangUp func()) error { hangUp(); return v.Stream(tokens("Hello?")) },
		"Stream, gone before its first token": func(v *agentphone.VoiceResponse, hangUp func()) error {
			return v.Stream(func(yield func(string, error) bool) {
				hangUp()
				assert.False(t, yield("Hello? Are you there? ", nil), "no more tokens are wanted")
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
			assert.NotContains(t, w.Body.String(), "Hello", "nothing is said to nobody")
		})
	}
}

// leavingWriter is the line to a caller who hangs up at the first word.
type leavingWriter struct {
	*httptest.ResponseRecorder
	hangUp func()
}

func (w *leavingWriter) FlushError() error { w.hangUp(); return nil }

func TestTheRestOfATokenIsNotSaidToACallerWhoIsGone(t *testing.T) {
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

func TestNothingElseIsSaidWhileTokensAre(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return v.Stream(func(yield func(string, error) bool) {
			refused := func() {
				require.ErrorIs(t, v.Say("Something else."), agentphone.ErrVoiceAnswered)
				require.ErrorIs(t, v.Interim("Something else."), agentphone.ErrVoiceAnswered)
				require.ErrorIs(t, v.Stream(tokens("Something else.")), agentphone.ErrVoiceAnswered)
			}
			refused()
			yield("One. ", nil)
			refused()
			yield("Two", nil)
			refused()
		})
	}), apitest.SignedRequest(apitest.TurnEvent, "i"))
	assert.Equal(t, []string{"One.", "Two"}, textsOf(t, w.Body.String()))
}

func TestAnAnswerIsKeptByNoCacheAndHeldBackByNoProxy(t *testing.T) {
	for name, tc := range map[string]struct {
		say       voiceFunc
		buffering string
	}{
		"object":  {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi.") }, ""},
		"silence": {func(context.Context, *agentphone.VoiceResponse) error { return nil }, ""},
		"lines":   {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Interim("Hi.") }, "no"},
		"tokens":  {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens("Hi. ", "Ho.")) }, "no"},
	} {
		header := apitest.Serve(voiceHandler(t, tc.say), apitest.SignedRequest(apitest.TurnEvent, "i")).Result().Header
		assert.Equal(t, "no-store", header.Get("Cache-Control"), name)
		assert.Equal(t, tc.buffering, header.Get("X-Accel-Buffering"), name)
	}
}

// A response of one's own making belongs to no turn.
func TestAResponseWithoutATurnSaysNothing(t *testing.T) {
	var v agentphone.VoiceResponse
	for _, err := range []error{v.Say("x"), v.Interim("x"), v.Hangup(), v.Transfer(), v.Stream(tokens(strings.Repeat("x. ", 3)))} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
	}
}
