package agentphone_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Some of those who speak go on when the callback has returned: they must find it closed, not tear the answer.
func TestOneResponseIsSharedByManyGoroutines(t *testing.T) {
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
						_, _ = v.Hangup(), v.Transfer()
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
			assert.Contains(t, []string{"last words", "And more"}, strings.Join(strings.Fields(texts[len(texts)-1])[:2], " "))
			assert.Contains(t, body, `"hangup":true,"action":"transfer"}`)
		}
	}
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
