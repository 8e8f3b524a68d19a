package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go"
)

var (
	// The targets of issue 6.
	verifyTime   = target{ratioAtMost, 1.1} // at 1 MiB
	verifyAllocs = target{moreAtMost, 3}    // than the bare HMAC, which makes ten: crypto/hmac.New alone makes five
	// The targets of issue 12.
	handlerTime    = target{ratioAtMost, 1.5}
	firstWordsTime = target{atMost, 1000}
)

const (
	webhookSecret = "whsec_0123456789abcdef"
	firstWords    = "One moment, I will look that up."
)

// The events that are delivered.
const (
	history = `"recentHistory":[` +
		`{"content":"Hello, do you have a table tonight?","direction":"inbound","channel":"sms","at":"2026-04-19T17:19:02.5Z","messageId":"msg_1a"},` +
		`{"content":"We do. For how many, and when?","direction":"outbound","channel":"sms","at":"2026-04-19T17:19:04.25Z","messageId":"msg_1b"}]`
	messageEvent = `{"event":"agent.message","channel":"sms","timestamp":"2026-04-19T17:20:11.123456Z","agentId":"agt_7f3a9c21",` +
		`"data":{"conversationId":"conv_4471","numberId":"num_51c0d7e2","from":"+12125550184","to":"+14155550123",` +
		`"message":"Two of us, at seven, please. Is there parking nearby?","mediaUrl":null,"mediaUrls":[],"direction":"inbound",` +
		`"receivedAt":"2026-04-19T17:20:10.987654Z","messageId":"msg_90ab12cd",` +
		`"contact":{"id":"ct_88","name":"Ada Lovelace","email":null,"phoneNumber":"+12125550184"},"replyTo":null,"group":null,"senderIdentifier":null},` +
		`"conversationState":{"step":"party","guest":"Ada"},` + history + `}`
	turnEvent = `{"event":"agent.message","channel":"voice","timestamp":"2026-04-19T17:20:11.123456Z","agentId":"agt_7f3a9c21",` +
		`"data":{"callId":"call_c0ffee","numberId":"num_51c0d7e2","from":"+12125550184","to":"+14155550123","status":"in-progress",` +
		`"transcript":"Do you have a table for two, at seven?","confidence":0.9731,"direction":"inbound"},` +
		`"conversationState":null,` + history + `}`
)

var deliveredEvents = []struct{ name, body string }{{"message", messageEvent}, {"voice turn", turnEvent}}

// webhookHandlers returns the handlers that are compared, by the names of the columns.
func webhookHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		netHTTP: &byHand{secret: webhookSecret},
		thisSDK: newWebhookHandler(func(v *agentphone.VoiceResponse) error { return v.Say(firstWords) }),
	}
}

func newWebhookHandler(turn func(*agentphone.VoiceResponse) error) http.Handler {
	h, err := agentphone.NewWebhookHandler([]string{webhookSecret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return nil },
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return turn(v)
		},
	})
	if err != nil {
		panic(err)
	}
	return h
}

// webhookPaths are those of the handlers on the server.
var webhookPaths = map[string]string{netHTTP: "/webhook/by-hand", thisSDK: "/webhook"}

// delivering delivers an event to a handler in memory, each time under a new id. It is not for concurrent use.
func delivering(h http.Handler, body string) func(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background()) // as the context of a request
	_ = cancel
	var reader bytes.Reader
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/webhook", io.NopCloser(&reader))
	if err != nil {
		panic(err)
	}
	r.ContentLength = int64(len(body))
	r.Header = agentphone.SignWebhook([]byte(body), webhookSecret, time.Now())
	id := []string{""}
	r.Header[http.CanonicalHeaderKey(agentphone.WebhookIDHeader)] = id
	w := &memoryWriter{header: http.Header{}}
	payload := []byte(body)
	n := 0
	return func(context.Context) error {
		n++
		id[0] = "whd_" + strconv.Itoa(n)
		reader.Reset(payload)
		w.reset()
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			return fmt.Errorf("status %d: %s", w.status, w.body)
		}
		return nil
	}
}

// memoryWriter is a response writer that keeps the last response.
type memoryWriter struct {
	header http.Header
	status int
	body   []byte
}

func (w *memoryWriter) reset() {
	clear(w.header)
	w.status, w.body = 0, w.body[:0]
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

func (*memoryWriter) Flush()                           {}
func (*memoryWriter) SetReadDeadline(time.Time) error  { return nil }
func (*memoryWriter) SetWriteDeadline(time.Time) error { return nil }

func deliveryContenders(body string) []contender {
	handlers := webhookHandlers()
	var out []contender
	for _, name := range []string{netHTTP, thisSDK} {
		out = append(out, contender{name, delivering(handlers[name], body)})
	}
	return out
}

func webhooks(ctx context.Context, p plan) (rows []row, err error) {
	for _, size := range []int{1 << 10, 1 << 20} {
		samples, err := compare(ctx, p, 1, webhookChecks(size))
		if err != nil {
			return nil, err
		}
		targets := map[string]target{allocations: verifyAllocs}
		if size == 1<<20 {
			targets[nanoseconds] = verifyTime
		}
		rows = append(rows, rowsOf(fmt.Sprintf("VerifyWebhook, %d KiB", size>>10), samples, targets, nanoseconds, allocations)...)
	}
	for _, event := range deliveredEvents {
		samples, err := compare(ctx, p.shorter(5), 1, deliveryContenders(event.body))
		if err != nil {
			return nil, err
		}
		targets := map[string]target{nanoseconds: handlerTime}
		rows = append(rows, rowsOf("webhook handler in memory, "+event.name, samples, targets, nanoseconds, bytesAllocated, allocations)...)
	}
	over, err := webhooksOverLoopback(ctx, p)
	if err != nil {
		return nil, err
	}
	words, err := firstWordsOut(ctx, p)
	return append(append(rows, over...), words...), err
}

// webhooksOverLoopback measures how many deliveries a second the handlers take. They run in the process of the server.
func webhooksOverLoopback(ctx context.Context, p plan) (rows []row, err error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	sender := &http.Client{Transport: pool(), Timeout: timeout}
	for _, event := range deliveredEvents {
		header := agentphone.SignWebhook([]byte(event.body), webhookSecret, time.Now())
		var list []contender
		for _, name := range []string{netHTTP, thisSDK} {
			var n atomic.Int64
			list = append(list, contender{name, func(ctx context.Context) error {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+webhookPaths[name], strings.NewReader(event.body))
				if err != nil {
					return err
				}
				r.Header = maps.Clone(header)
				r.Header.Set(agentphone.WebhookIDHeader, fmt.Sprintf("whd_%.5s_%d", event.name, n.Add(1)))
				resp, err := sender.Do(r)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					return fmt.Errorf("%s: %s, %w", name, resp.Status, err)
				}
				return nil
			}})
		}
		for _, senders := range []int{1, 64} {
			samples, err := compare(ctx, p, senders, list)
			if err != nil {
				return nil, err
			}
			rows = append(rows, rowsOf(fmt.Sprintf("webhook handler on loopback, %s, %d at once", event.name, senders), samples, nil, deliveriesPerSecond)...)
		}
	}
	return rows, nil
}

// firstWordsOut measures how long it takes from an Interim in a callback until the sender of the voice turn has its line.
func firstWordsOut(ctx context.Context, p plan) ([]row, error) {
	handlers := map[string]func(said chan<- time.Time) http.Handler{
		netHTTP: func(said chan<- time.Time) http.Handler {
			return &byHand{secret: webhookSecret, turn: func(_ context.Context, _ *handEvent, w http.ResponseWriter) error {
				w.Header().Set("Content-Type", "application/x-ndjson")
				said <- time.Now()
				lines := json.NewEncoder(w)
				if err := lines.Encode(handLine{Text: firstWords, Interim: true}); err != nil {
					return err
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					return err
				}
				return lines.Encode(handLine{})
			}}
		},
		thisSDK: func(said chan<- time.Time) http.Handler {
			return newWebhookHandler(func(v *agentphone.VoiceResponse) error {
				said <- time.Now()
				return v.Interim(firstWords)
			})
		},
	}
	medians, tails := map[string][]float64{}, map[string][]float64{}
	for range min(5, p.rounds) {
		for name, handler := range handlers {
			waits, err := waitsForFirstWords(ctx, handler, p.turnsSpoken)
			if err != nil {
				return nil, err
			}
			slices.Sort(waits)
			medians[name] = append(medians[name], waits[len(waits)/2])
			tails[name] = append(tails[name], waits[len(waits)*99/100])
		}
	}
	return []row{
		{Case: "first words out after Interim, loopback, median", Unit: microseconds, Values: medians, Target: &firstWordsTime},
		{Case: "first words out after Interim, loopback, 99th percentile", Unit: microseconds, Values: tails, Target: &firstWordsTime},
	}, nil
}

// waitsForFirstWords returns the waits of some turns, one after the other, in microseconds.
func waitsForFirstWords(ctx context.Context, handler func(said chan<- time.Time) http.Handler, turns int) ([]float64, error) {
	said := make(chan time.Time, 1)
	server := httptest.NewServer(handler(said))
	defer server.Close()
	waits := make([]float64, turns)
	for i := range waits {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(turnEvent))
		if err != nil {
			return nil, err
		}
		r.Header = agentphone.SignWebhook([]byte(turnEvent), webhookSecret, time.Now())
		r.Header.Set(agentphone.WebhookIDHeader, fmt.Sprint("whd_", i))
		resp, err := server.Client().Do(r)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewReader(resp.Body)
		line, err := lines.ReadString('\n')
		heard := time.Now()
		if err != nil || !strings.Contains(line, firstWords) {
			return nil, fmt.Errorf("%s: %q, %w", resp.Status, line, err)
		}
		waits[i] = float64(heard.Sub(<-said)) / float64(time.Microsecond)
		_, _ = io.Copy(io.Discard, lines)
		_ = resp.Body.Close()
	}
	return waits, nil
}

func webhookChecks(size int) []contender {
	payload := bytes.Repeat([]byte("x"), size)
	header := agentphone.SignWebhook(payload, webhookSecret, time.Now())
	return []contender{
		{netHTTP, func(context.Context) error { return bareHMAC(payload, header, webhookSecret) }},
		{thisSDK, func(context.Context) error { return agentphone.VerifyWebhook(payload, header, webhookSecret) }},
	}
}
