package agentphone_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

type voiceFunc func(context.Context, *agentphone.VoiceResponse) error

func voiceHandler(t *testing.T, f voiceFunc) http.Handler {
	return newHandler(t, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return f(ctx, v)
		},
	})
}

func tokens(words ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, w := range words {
			if !yield(w, nil) {
				return
			}
		}
	}
}

func TestAVoiceTurnIsOneObjectOrLinesOfThem(t *testing.T) {
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
			assert.Equal(t, tc.kind == lines, w.Flushed)
		})
	}
}

func TestTokensThatEndWithAnErrorAreSaidUpToIt(t *testing.T) {
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

func TestAFailedVoiceTurnThatSaidNothingIs500(t *testing.T) {
	for _, f := range []voiceFunc{
		func(context.Context, *agentphone.VoiceResponse) error { return errors.New("x") },
		func(_ context.Context, v *agentphone.VoiceResponse) error { _ = v.Say("y"); panic("x") },
	} {
		assert.Equal(t, 500, apitest.Serve(voiceHandler(t, f), apitest.SignedRequest(apitest.TurnEvent, "whd_1")).Code)
	}
}

func TestAResponseCannotBeUsedAfterItsCallback(t *testing.T) {
	var kept *agentphone.VoiceResponse
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { kept = v; return nil })
	w := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	for _, err := range []error{kept.Say("late"), kept.Interim("late"), kept.Hangup(), kept.Transfer(), kept.Stream(tokens("late. "))} {
		require.ErrorIs(t, err, agentphone.ErrVoiceAnswered)
	}
	assert.Equal(t, "{}\n", w.Body.String())
}

func TestATurnEndsWithItsTime(t *testing.T) {
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

// post sends a signed turn over a socket.
func post(t *testing.T, ctx context.Context, url string) (*http.Response, error) {
	r := apitest.SignedRequest(apitest.TurnEvent, t.Name())
	req, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader([]byte(apitest.TurnEvent)))
	require.NoError(t, err)
	req.Header = r.Header
	return http.DefaultClient.Do(req)
}

func TestASlowTurnIsNotCutByTheServersWriteTimeout(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			const pause = 100 * time.Millisecond
			said := make(chan time.Time, 1)
			srv := httptest.NewUnstartedServer(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				said <- time.Now()
				for range 5 {
					if err := v.Interim("line"); err != nil {
						return err
					}
					time.Sleep(pause)
				}
				return v.Say("the last words")
			}))
			srv.Config.WriteTimeout = 2 * pause
			srv.EnableHTTP2 = http2
			srv.StartTLS()
			defer srv.Close()
			req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL, strings.NewReader(apitest.TurnEvent))
			require.NoError(t, err)
			req.Header = apitest.SignedRequest(apitest.TurnEvent, "whd_1").Header
			res, err := srv.Client().Do(req)
			require.NoError(t, err)
			defer res.Body.Close()
			var got []string
			lines := bufio.NewScanner(res.Body)
			for lines.Scan() {
				if len(got) == 0 {
					assert.Less(t, time.Since(<-said), pause, "a line is there when it is said, not when the next one is")
				}
				got = append(got, lines.Text())
			}
			require.NoError(t, lines.Err())
			require.Len(t, got, 6)
			assert.Equal(t, `{"text":"the last words"}`, got[5])
		})
	}
}

func TestACallerWhoHangsUpEndsTheContext(t *testing.T) {
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
	res, err := post(t, ctx, srv.URL)
	require.NoError(t, err)
	_, err = bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(t, err)
	cancel()
	_ = res.Body.Close()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// Under middleware whose writer hides Flush and deadlines there is one answer, at the end.
func TestWithoutFlushAllLinesComeTogether(t *testing.T) {
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return errors.Join(v.Interim("One moment."), v.Say("Done."))
	})
	srv := httptest.NewServer(http.TimeoutHandler(h, time.Minute, "too slow"))
	defer srv.Close()
	res, err := post(t, t.Context(), srv.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	require.NoError(t, err)
	assert.Equal(t, 200, res.StatusCode)
	assert.Equal(t, "{\"text\":\"One moment.\",\"interim\":true}\n{\"text\":\"Done.\"}\n", body.String())
}
