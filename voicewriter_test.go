package agentphone_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// A caller who hears nothing for long thinks that the line is dead. A single measurement would be one of the
// machine's mood; half of them are not.
func TestAFirstLineIsHeardWithin50Milliseconds(t *testing.T) {
	const turns, pause = 15, 30 * time.Millisecond
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				if err := v.Interim("One moment, please."); err != nil {
					return err
				}
				time.Sleep(pause) // a real one: the line must not wait for the next
				return v.Stream(tokens("It is ", "seven. ", "Good", "bye."))
			}))
			srv.EnableHTTP2 = http2
			srv.StartTLS()
			defer srv.Close()
			var first, second []time.Duration
			for i := range turns {
				began := time.Now()
				req := apitest.SignedRequest(apitest.TurnEvent, fmt.Sprint(i))
				req.RequestURI = ""
				req.URL.Scheme, req.URL.Host = "https", srv.Listener.Addr().String()
				res, err := srv.Client().Do(req)
				require.NoError(t, err)
				lines := bufio.NewReader(res.Body)
				line, err := lines.ReadString('\n')
				require.NoError(t, err)
				first = append(first, time.Since(began))
				assert.Equal(t, `{"text":"One moment, please.","interim":true}`+"\n", line)
				line, err = lines.ReadString('\n')
				require.NoError(t, err)
				second = append(second, time.Since(began)-pause)
				assert.Equal(t, `{"text":"It is seven.","interim":true}`+"\n", line)
				rest, err := io.ReadAll(lines)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				assert.Equal(t, `{"text":"Goodbye."}`+"\n", string(rest), "the last line is whole, and the last")
			}
			for _, took := range [][]time.Duration{first, second} {
				slices.Sort(took)
				assert.Less(t, took[turns/2], 50*time.Millisecond, "the median of %v", took)
			}
		})
	}
}
