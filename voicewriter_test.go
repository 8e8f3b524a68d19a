package agentphone_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// faultyWriter fails to write or to flush.
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

// A stream that went on would cost the tokens of a language model for nobody.
func TestVoiceResponse_WriteErrorEndsAStream(t *testing.T) {
	broken := errors.New("broken pipe")
	for name, w := range map[string]*faultyWriter{
		"write": {httptest.NewRecorder(), broken, nil}, "flush": {httptest.NewRecorder(), nil, broken},
	} {
		t.Run(name, func(t *testing.T) {
			sentences := 0
			h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				require.ErrorIs(t, v.Interim("One moment."), broken)
				err := v.Stream(func(yield func(string, error) bool) {
					for sentences = 1; yield("A sentence. ", nil); sentences++ {
						require.Less(t, sentences, 100, "the stream does not end")
					}
				})
				require.ErrorIs(t, err, broken)
				return err
			})
			h.ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "i"))
			assert.Equal(t, 1, sentences)
		})
	}
}

// flushless hides all methods but those of http.ResponseWriter.
type flushless struct{ http.ResponseWriter }

func TestVoiceResponse_WorksWithoutAFlusher(t *testing.T) {
	w := httptest.NewRecorder()
	voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		require.NoError(t, v.Interim("One moment."))
		require.NoError(t, v.Stream(tokens("Two. ", "Three. ", "Four.")))
		return nil
	}).ServeHTTP(flushless{w}, apitest.SignedRequest(apitest.TurnEvent, "i"))
	assert.Equal(t, []string{"One moment.", "Two.", "Three.", "Four."}, textsOf(t, w.Body.String()))
}

func TestVoiceResponse_ForbidsCachingAndBuffering(t *testing.T) {
	for name, tc := range map[string]struct {
		say       voiceFunc
		buffering string
	}{
		"object":  {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi.") }, ""},
		"silence": {func(context.Context, *agentphone.VoiceResponse) error { return nil }, ""},
		"lines":   {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Interim("Hi.") }, "no"},
		"tokens":  {func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens("Hi. ", "Ho.")) }, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			header := apitest.Serve(voiceHandler(t, tc.say), apitest.SignedRequest(apitest.TurnEvent, "i")).Result().Header
			assert.Equal(t, "no-store", header.Get("Cache-Control"))
			assert.Equal(t, tc.buffering, header.Get("X-Accel-Buffering"))
		})
	}
}

func TestVoiceResponse_SlowTurnOutlastsWriteTimeout(t *testing.T) {
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
			res, err := srv.Client().Do(signedTo(t.Context(), srv.URL, apitest.TurnEvent, "whd_1"))
			require.NoError(t, err)
			defer res.Body.Close()
			var got []string
			lines := bufio.NewScanner(res.Body)
			for lines.Scan() {
				if len(got) == 0 {
					assert.Less(t, time.Since(<-said), pause, "a line is sent at once, not with the next one")
				}
				got = append(got, lines.Text())
			}
			require.NoError(t, lines.Err())
			require.Len(t, got, 6)
			assert.Equal(t, `{"text":"the last words"}`, got[5])
		})
	}
}

// That of HTTP/2 breaks the stream at its write deadline, although nothing is being written then.
type strictWriter struct {
	*httptest.ResponseRecorder
	deadline *time.Timer
	broken   bool
}

func (w *strictWriter) SetWriteDeadline(at time.Time) error {
	w.deadline.Stop()
	if !at.IsZero() {
		w.deadline.Reset(time.Until(at))
	}
	return nil
}

func TestVoiceResponse_NothingIsCutOffWhileNothingIsWritten(t *testing.T) {
	for name, speak := range map[string]func(v *agentphone.VoiceResponse) error{
		"a tool that takes long": func(v *agentphone.VoiceResponse) error {
			err := v.Interim("One moment.")
			time.Sleep(25 * time.Second)
			return errors.Join(err, v.Say("Done."))
		},
		"a tool amid tokens": func(v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				yield("One moment. ", nil)
				time.Sleep(25 * time.Second)
				yield("Done.", nil)
			})
		},
		"an interim line at the end of the turn": func(v *agentphone.VoiceResponse) error {
			time.Sleep(29 * time.Second)
			err := v.Interim("One moment.")
			time.Sleep(5 * time.Second)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return speak(v) })
				w := &strictWriter{ResponseRecorder: httptest.NewRecorder()}
				w.deadline = time.AfterFunc(time.Hour, func() { w.broken = true })
				defer w.deadline.Stop()
				h.ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
				synctest.Wait()
				assert.False(t, w.broken)
			})
		})
	}
}

// Middleware that encodes the response, and leaves its header alone.
func TestVoiceResponse_IsWholeBehindMiddlewareThatEncodesIt(t *testing.T) {
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Your table is booked.") })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		encoder := gzip.NewWriter(w)
		h.ServeHTTP(&encodingWriter{w, encoder}, r)
		assert.NoError(t, encoder.Close())
	}))
	defer srv.Close()
	res, err := http.DefaultClient.Do(signedTo(t.Context(), srv.URL, apitest.TurnEvent, "whd_1"))
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"text":"Your table is booked."}`, string(answer))
}

type encodingWriter struct {
	http.ResponseWriter
	encoder *gzip.Writer
}

func (w *encodingWriter) Write(p []byte) (int, error) { return w.encoder.Write(p) }
func (w *encodingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// The writer of http.TimeoutHandler has neither Flush nor deadlines.
func TestVoiceResponse_SendsAllLinesAtTheEndWithoutAFlusher(t *testing.T) {
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return errors.Join(v.Interim("One moment."), v.Say("Done."))
	})
	srv := httptest.NewServer(http.TimeoutHandler(h, time.Minute, "too slow"))
	defer srv.Close()
	res, err := http.DefaultClient.Do(signedTo(t.Context(), srv.URL, apitest.TurnEvent, t.Name()))
	require.NoError(t, err)
	defer res.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	require.NoError(t, err)
	assert.Equal(t, 200, res.StatusCode)
	assert.Equal(t, "{\"text\":\"One moment.\",\"interim\":true}\n{\"text\":\"Done.\"}\n", body.String())
}

// A caller who hears nothing for long thinks that the line is dead. The median is measured, because single turns may be
// slow on a busy machine.
func TestVoiceResponse_FirstLineTakesUnder50Milliseconds(t *testing.T) {
	const turns, pause = 15, 30 * time.Millisecond
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				if err := v.Interim("One moment, please."); err != nil {
					return err
				}
				time.Sleep(pause) // of the real clock: the line must not wait for the next
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
				assert.Equal(t, `{"text":"Goodbye."}`+"\n", string(rest), "the last line")
			}
			for _, took := range [][]time.Duration{first, second} {
				slices.Sort(took)
				assert.Less(t, took[turns/2], 50*time.Millisecond, "the median of %v", took)
			}
		})
	}
}

// BenchmarkVoiceResponse_FirstWords measures how long words take from Interim to the sender, over loopback.
func BenchmarkVoiceResponse_FirstWords(b *testing.B) {
	var spoke time.Time
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			spoke = time.Now()
			return v.Interim("One moment, please.")
		},
	})
	require.NoError(b, err)
	srv := httptest.NewServer(h)
	defer srv.Close()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		signed := apitest.SignedRequest(apitest.TurnEvent, fmt.Sprint(i))
		req, err := http.NewRequestWithContext(b.Context(), "POST", srv.URL, signed.Body)
		require.NoError(b, err)
		req.Header = signed.Header
		res, err := srv.Client().Do(req)
		require.NoError(b, err)
		lines := bufio.NewReader(res.Body)
		_, err = lines.ReadString('\n')
		took = append(took, time.Since(spoke))
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, lines)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
