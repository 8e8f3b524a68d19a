package agentphonetest_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/inmemory"
	"github.com/agentphone/agentphone-go/internal/sse"
)

// happened is an event of the control handler's stream.
type happened struct {
	id, name string
	data     fields
}

// follower reads the stream of the control handler.
type follower struct {
	t      testing.TB
	api    openAPI
	events *sse.Reader
	leave  func()
}

// follow connects to the stream, after an event if it is not "". header is pairs of names and values.
func follow(t testing.TB, srv *agentphonetest.Server, after string, header ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := must(http.NewRequestWithContext(ctx, http.MethodGet, "http://control/events?after="+after, nil))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := inmemory.RoundTrip(srv.ControlHandler(), r)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	f := &follower{t: t, api: readOpenAPI(t), events: sse.NewReader(resp.Body)}
	f.leave = func() {
		cancel()
		_ = resp.Body.Close()
	}
	t.Cleanup(f.leave)
	return f
}

// next waits for an event and checks its shape.
func (f *follower) next() happened {
	f.t.Helper()
	e, err := f.events.Next()
	require.NoError(f.t, err)
	out := happened{id: e.ID, name: e.Type}
	require.NoError(f.t, json.Unmarshal(e.Data, &out.data))
	schema := f.api.at(f.api.root, "paths", "/events", "get", "x-events", out.name)
	require.NotNil(f.t, schema, out.name)
	require.Empty(f.t, f.api.check(schema, out.data, out.name))
	return out
}

// names returns the names of the next n events.
func (f *follower) names(n int) (names []string) {
	f.t.Helper()
	for range n {
		names = append(names, f.next().name)
	}
	return names
}

func lastEvent(t testing.TB, srv *agentphonetest.Server) string {
	t.Helper()
	return controlled(t, srv, "GET /state?limit=1", nil)["lastEventId"].(string)
}

func TestControlEvents_ShowATextAndItsDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithDeliveryPauses(time.Second))
		receive(t, srv).fail = 1
		f := follow(t, srv, "")
		controlled(t, srv, "POST /messages", fields{"from": person, "to": srv.PhoneNumber(), "body": "<b>hi</b>"})
		assert.Equal(t, "conversation", f.next().name)
		message := f.next()
		assert.Equal(t, "<b>hi</b>", message.data["body"])
		delivery := f.next()
		assert.Equal(t, "delivery", delivery.name)
		assert.Equal(t, message.data["id"], delivery.data["payload"].(fields)["data"].(fields)["messageId"])
		first, second := f.next(), f.next()
		assert.Equal(t, []any{"pending", "success"}, []any{first.data["status"], second.data["status"]})
		assert.InDelta(t, 503, first.data["attempt"].(fields)["status"], 0)
		assert.InDelta(t, 2, second.data["attempt"].(fields)["number"], 0)
		assert.Equal(t, "later", first.data["attempt"].(fields)["response"])
		assert.NotEmpty(t, first.data["attempt"].(fields)["header"].(fields)["X-Webhook-Signature"])

		controlled(t, srv, "POST /deliveries/latest/redeliveries", fields{})
		again := f.next()
		assert.Equal(t, "redelivery", again.name)
		assert.Contains(t, again.data["body"], message.data["id"])
	})
}

// The webhook's answer is not over when its first line is heard.
func TestControlEvents_ShowTheAgentsLinesAsTheyAreFlushed(t *testing.T) {
	srv := newServer(t)
	heard := make(chan struct{})
	var h http.Handler
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	defer port.Close()
	set := must(srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: port.URL}))
	h, _ = handler(t, set.Secret, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		_ = v.Interim("One moment.")
		<-heard
		_ = v.Press("12#")
		return v.Say("At seven.")
	})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	f := follow(t, srv, "")
	answer := make(chan fields)
	go func() {
		_, out := control(t, srv, "POST /calls/"+id+"/turns", fields{"text": "A table, please."})
		answer <- out
	}()
	said := f.next()
	assert.Equal(t, []any{"user", "A table, please.", nil}, []any{said.data["role"], said.data["content"], said.data["turnMs"]})
	assert.Equal(t, "delivery", f.next().name)
	interim := f.next()
	assert.Equal(t, []any{"agent", "One moment.", true}, []any{interim.data["role"], interim.data["content"], interim.data["interim"]})
	close(heard)
	final := f.next()
	assert.Equal(t, []any{"At seven.", false, 2.0}, []any{final.data["content"], final.data["interim"], final.data["index"]})
	assert.GreaterOrEqual(t, final.data["turnMs"], interim.data["turnMs"])
	assert.Equal(t, []string{"attempt", "call"}, f.names(2))
	turn := f.next()
	assert.Equal(t, "12#", turn.data["answer"].(fields)["digits"])
	assert.Equal(t, turn.data["answer"], <-answer)
}

func TestControlEvents_ShowWhatAScriptSaysWhenItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		f := follow(t, srv, "")
		began := time.Now()
		srv.NextCall(agentphonetest.CallScript{Duration: 3 * time.Minute, Status: agentphone.CallStatusFailed, Turns: []agentphonetest.Utterance{
			{Role: agentphone.RoleAgent, Content: "Hello."}, {Role: agentphone.RoleUser, Content: "Bye."},
		}})
		placeCall(t, srv, person)
		assert.Equal(t, []string{"setup", "request", "setup", "call", "request"}, f.names(5))
		for i, content := range []string{"Hello.", "Bye."} {
			assert.Equal(t, content, f.next().data["content"])
			assert.Equal(t, time.Duration(i+1)*time.Minute, time.Since(began))
		}
		assert.Equal(t, "failed", f.next().data["status"])
		assert.Equal(t, 3*time.Minute, time.Since(began))
	})
}

func TestControlEvents_ResumeWithoutAGapOrSayThatThereIsOne(t *testing.T) {
	srv := newServer(t)
	old := lastEvent(t, srv)
	for range 3 {
		srv.SetLineType(person, "voip")
	}
	f := follow(t, srv, old)
	first := f.next()
	f.leave()
	third := follow(t, srv, old, "Last-Event-ID", f.next().id).next() // the header precedes
	assert.NotEqual(t, first.id, third.id)
	assert.Equal(t, lastEvent(t, srv), third.id)

	from := follow(t, srv, "") // now
	srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
	assert.Equal(t, "conversation", from.next().name)

	for _, unknown := range []string{"1", "x-1", old + "9999999", strings.TrimSuffix(old, "0") + "-1", "%00", lastEvent(t, newServer(t))} {
		f := follow(t, srv, unknown)
		lost := f.next()
		assert.Equal(t, "lost", lost.name, unknown)
		assert.Equal(t, lastEvent(t, srv), lost.id, "from where it goes on")
		srv.SetLineType(person, "voip")
		assert.Equal(t, "setup", f.next().name)
	}
}

func TestControlEvents_AreNeverSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		resp, err := inmemory.RoundTrip(srv.ControlHandler(), httptest.NewRequestWithContext(t.Context(), "GET", "/events", nil))
		require.NoError(t, err)
		buf := make([]byte, 100)
		n, _ := resp.Body.Read(buf)
		assert.Equal(t, ": connected\n\n", string(buf[:n]))
		began := time.Now()
		n, _ = resp.Body.Read(buf)
		assert.Equal(t, ": heartbeat\n\n", string(buf[:n]))
		assert.Equal(t, 15*time.Second, time.Since(began))
		srv.Close()
		_, err = io.ReadAll(resp.Body)
		assert.NoError(t, err, "it ends with the server")
	})
}

// strictWriter is a stream of HTTP/2: it breaks at its write deadline, although nothing is being written then.
type strictWriter struct {
	*httptest.ResponseRecorder
	deadline *time.Timer
}

func (w *strictWriter) SetWriteDeadline(at time.Time) error {
	w.deadline.Stop()
	if !at.IsZero() {
		w.deadline.Reset(time.Until(at))
	}
	return nil
}

func TestControlEvents_AreNotCutOffWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		broken := false
		w := &strictWriter{httptest.NewRecorder(), time.AfterFunc(time.Hour, func() { broken = true; cancel() })}
		defer w.deadline.Stop()
		srv.ControlHandler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/events", nil))
		assert.False(t, broken)
		assert.Equal(t, 3, strings.Count(w.Body.String(), ": heartbeat"))
	})
}

// stuckWriter is a connection whose client reads nothing: a write waits until its deadline.
type stuckWriter struct {
	header   http.Header
	deadline time.Time
}

func (w *stuckWriter) Header() http.Header { return w.header }
func (w *stuckWriter) WriteHeader(int)     {}
func (w *stuckWriter) Flush()              {}

func (w *stuckWriter) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *stuckWriter) Write([]byte) (int, error) {
	time.Sleep(time.Until(w.deadline))
	return 0, os.ErrDeadlineExceeded
}

func TestControlEvents_ClientThatReadsNothingIsCutOffAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		receive(t, srv)
		began := time.Now()
		cutOff := make(chan time.Duration)
		h := srv.ControlHandler()
		go func() {
			h.ServeHTTP(&stuckWriter{header: http.Header{}}, httptest.NewRequestWithContext(t.Context(), "GET", "/events", nil))
			cutOff <- time.Since(began)
		}()
		synctest.Wait()
		f := follow(t, srv, "")
		for range 100 {
			srv.ReceiveMessage(person, srv.PhoneNumber(), "hello")
			f.names(4)
		}
		assert.Zero(t, time.Since(began))
		assert.Equal(t, 10*time.Second, <-cutOff)
	})
}

func TestControlEvents_AreTheSameForEverybody(t *testing.T) {
	const clients, texts = 40, 50
	srv := newServer(t)
	after := lastEvent(t, srv)
	port := httptest.NewServer(srv.ControlHandler())
	defer port.Close()
	seen := make([][]string, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for last := after; len(seen[i]) < 2*texts; { // each connection is for some events
				req := must(http.NewRequestWithContext(t.Context(), "GET", port.URL+"/events", nil))
				req.Header.Set("Last-Event-ID", last)
				resp := must(http.DefaultClient.Do(req))
				events := sse.NewReader(resp.Body)
				for range 1 + rand.IntN(texts) {
					if len(seen[i]) < 2*texts {
						e, err := events.Next()
						if !assert.NoError(t, err) {
							return
						}
						last = e.ID
						seen[i] = append(seen[i], e.ID+e.Type+string(e.Data))
					}
				}
				_ = resp.Body.Close()
			}
		})
	}
	for range texts {
		all.Go(func() { srv.ReceiveMessage(person, srv.PhoneNumber(), "hello") })
	}
	all.Wait()
	for i := range seen {
		assert.Equal(t, seen[0], seen[i])
	}
}
