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
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

// newHandler returns a handler that accepts [apitest.Secret] and whsec_old, and logs nothing unless config has a Logger.
func newHandler(t *testing.T, config agentphone.WebhookHandlerConfig) *agentphone.WebhookHandler {
	t.Helper()
	if config.Logger == nil {
		config.Logger = quiet
	}
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret, "whsec_old"}, config)
	require.NoError(t, err)
	return h
}

// signedTo is [apitest.SignedRequest] for a client, that is, for a server at url. It panics if that is none.
func signedTo(ctx context.Context, url, body, id string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header = apitest.SignedRequest(body, id).Header
	return r
}

// flood sends deliveries from 64 goroutines, each until it gets 200. 30 % of them are duplicates.
func flood(h http.Handler, from, to int) {
	ids := make(chan string, 1000)
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for id := range ids {
				for apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, id)).Code != 200 { // 503: held by another goroutine
					runtime.Gosched()
				}
			}
		})
	}
	for i := from; i < to; i++ {
		ids <- fmt.Sprint("whd_", i)
		if i%7 < 3 {
			ids <- fmt.Sprint("whd_", i)
		}
	}
	close(ids)
	senders.Wait()
}

func TestWebhookHandler_HandlesAHundredThousandDeliveriesOnceEach(t *testing.T) {
	const distinct = 70_000
	var handled [distinct]atomic.Int32
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(_ context.Context, e *agentphone.Event, _ *agentphone.MessageData) error {
		i, err := strconv.Atoi(strings.TrimPrefix(e.DeliveryID, "whd_"))
		require.NoError(t, err)
		handled[i].Add(1)
		return nil
	}})
	before := apitest.HeapInUse()
	flood(h, 0, distinct)
	assert.Less(t, (apitest.HeapInUse()-before)/distinct, 600, "bytes that are kept for each")
	for i := range handled {
		require.EqualValues(t, 1, handled[i].Load(), i)
	}
}

func TestWebhookHandler_KeepsMemoryBounded(t *testing.T) {
	const distinct, few = 14_000, 4 << 20
	store := agentphone.NewMemoryStore(agentphone.WithMaxKeys(1000))
	var handled atomic.Int32
	config := onMessage(func(context.Context) error { handled.Add(1); return nil })
	config.Store = store
	h := newHandler(t, config)
	flood(h, 0, distinct/7) // the store is full: from here on it must not grow
	before := apitest.HeapInUse()
	flood(h, distinct/7, distinct)
	// A duplicate that is sent after a thousand other deliveries may be forgotten and handled again: that each is
	// handled once is tested in TestWebhookHandler_HandlesAHundredThousandDeliveriesOnceEach.
	assert.GreaterOrEqual(t, int(handled.Load()), distinct)
	assert.Less(t, apitest.HeapInUse()-before, few)
	runtime.KeepAlive(store)
}

// The recorder makes some of the allocations.
func TestWebhookHandler_AllocatesLittleForADelivery(t *testing.T) {
	config := onMessage(func(context.Context) error { return nil })
	config.OnVoiceTurn = func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return v.Say("hi")
	}
	h := newHandler(t, config)
	for kind, body := range map[string]string{"message": apitest.TextEvent, "turn": apitest.TurnEvent} {
		t.Run(kind, func(t *testing.T) {
			var requests []*http.Request
			for i := range 300 {
				requests = append(requests, apitest.SignedRequest(body, fmt.Sprint("whd_", kind, i)))
			}
			allocs := apitest.FewestAllocs(func() {
				require.Equal(t, 200, apitest.Serve(h, requests[0]).Code)
				requests = requests[1:]
			})
			assert.LessOrEqual(t, allocs, 60)
		})
	}
}

// Each row of the table in docs/webhooks.md is tried.
func TestWebhooksDoc_WhichStatusIsSentWhen(t *testing.T) {
	text := func() *http.Request { return apitest.SignedRequest(apitest.TextEvent, "whd_1") }
	returning := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	serve := func(config agentphone.WebhookHandlerConfig, r *http.Request) int {
		return apitest.Serve(newHandler(t, config), r).Code
	}
	tries := map[string]func() int{
		"the callback returned nil": func() int { return serve(onMessage(returning(nil)), text()) },
		"it did so in an earlier delivery": func() int {
			h := newHandler(t, onMessage(returning(nil)))
			apitest.Serve(h, text())
			return apitest.Serve(h, text()).Code
		},
		"there is no callback for the event": func() int { return serve(agentphone.WebhookHandlerConfig{}, text()) },
		"the body is not an event":           func() int { return serve(onMessage(returning(nil)), apitest.SignedRequest("hello", "")) },
		"the signature is missing or wrong": func() int {
			missing, wrong := text(), text()
			missing.Header.Del(agentphone.WebhookSignatureHeader)
			wrong.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), "whsec_wrong", time.Now())
			status := serve(onMessage(returning(nil)), missing)
			assert.Equal(t, status, serve(onMessage(returning(nil)), wrong))
			return status
		},
		"the timestamp is more than five minutes off": func() int {
			r := text()
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(-6*time.Minute))
			return serve(onMessage(returning(nil)), r)
		},
		"the method is not POST": func() int {
			r := text()
			r.Method = http.MethodPut
			return serve(onMessage(returning(nil)), r)
		},
		"the body is longer than `MaxBodyBytes`": func() int {
			config := onMessage(returning(nil))
			config.MaxBodyBytes = 10
			return serve(config, text())
		},
		"the callback returned an error": func() int { return serve(onMessage(returning(errors.New("x"))), text()) },
		"the callback panicked":          func() int { return serve(onMessage(func(context.Context) error { panic("x") }), text()) },
		"the data of a known event cannot be read, and `OnUnknown` is nil": func() int {
			return serve(onMessage(returning(nil)), apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":7}`, ""))
		},
		"the same delivery is being handled": func() (status int) {
			var h *agentphone.WebhookHandler
			h = newHandler(t, onMessage(func(context.Context) error { status = apitest.Serve(h, text()).Code; return nil }))
			apitest.Serve(h, text())
			return status
		},
		"the `Store` does not know": func() int {
			config := onMessage(returning(nil))
			config.Store = failingStore(errors.New("down"), nil)
			return serve(config, text())
		},
		"`SecretsFunc` failed": func() int {
			h, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{Logger: quiet, SecretsFunc: func(*http.Request) ([]string, error) {
				return nil, errors.New("down")
			}})
			require.NoError(t, err)
			return apitest.Serve(h, text()).Code
		},
		"the body broke off, or took longer than 10 seconds": func() int {
			r := text()
			r.Body = io.NopCloser(iotest.ErrReader(os.ErrDeadlineExceeded))
			return serve(onMessage(returning(nil)), r)
		},
		"many long bodies are being received": func() int {
			h := newHandler(t, onMessage(returning(nil)))
			return floodOf(t, h, 1<<20, func() int { return apitest.Serve(h, longEvent(1<<20, "whd_1")).Code })
		},
		"the handler is shut down": func() int {
			h := newHandler(t, onMessage(returning(nil)))
			require.NoError(t, h.Shutdown(t.Context()))
			return apitest.Serve(h, text()).Code
		},
	}
	rows := regexp.MustCompile(`(?m)^\| (\d{3}) \| (.+) \|$`).FindAllStringSubmatch(readPage(t, "docs/webhooks.md"), -1)
	assert.Len(t, rows, len(tries))
	for _, row := range rows {
		t.Run(row[2], func(t *testing.T) {
			try, ok := tries[row[2]]
			require.True(t, ok, "no such row is known")
			assert.Equal(t, row[1], strconv.Itoa(try()))
		})
	}
}

func TestNewWebhookHandler_RefusesInvalidConfig(t *testing.T) {
	_, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{})
	require.ErrorIs(t, err, agentphone.ErrWebhookNoSecret)
	_, err = agentphone.NewWebhookHandler([]string{"s"}, agentphone.WebhookHandlerConfig{SecretsFunc: func(*http.Request) ([]string, error) { return nil, nil }})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	for _, config := range []agentphone.WebhookHandlerConfig{
		{MaxBodyBytes: -1}, {TurnTimeout: -1}, {Tolerance: -1}, {CallbackTimeout: -1}, {StoreTimeout: -1}, {Lease: -1}, {Lease: time.Second - 1},
	} {
		_, err := agentphone.NewWebhookHandler([]string{"s"}, config)
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
}

func FuzzWebhookHandler_CallsBackForNothingUnsigned(f *testing.F) {
	f.Add("POST", []byte(apitest.TextEvent), "sha256="+strings.Repeat("0", 64), "1776619211", "whd_1", false)
	f.Add("POST", []byte(apitest.TurnEvent), "", "", "", true)
	f.Add("GET", []byte(apitest.TurnEvent), "", "", "", true)
	f.Add("PUT", []byte(apitest.TextEvent), "", "", "whd_1", true)
	f.Add("post", []byte(apitest.TextEvent), "", "", "whd_1", true)
	f.Add("POST", []byte(`{"event":"agent.message","channel":"voice","data":{"transcript":"a\nb. c\u2028d \ud800 e! f"}}`), "", "", "", true)
	f.Add("POST", []byte(`{"event":"x"`), "sha256=zz", "-1", "\x00", true)
	f.Fuzz(func(t *testing.T, method string, body []byte, signature, timestamp, id string, sign bool) {
		called, turn := false, ""
		h, err := agentphone.NewWebhookHandler([]string{apitest.Secret}, agentphone.WebhookHandlerConfig{
			Logger: quiet, MaxBodyBytes: 4096,
			OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { called = true; return nil },
			OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, d *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
				called, turn = true, d.Transcript
				return errors.Join(v.Interim(d.Transcript), v.Stream(tokens(strings.SplitAfter(d.Transcript, " ")...)))
			},
			OnUnknown: func(context.Context, *agentphone.Event, *agentphone.UnknownData) error { called = true; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Method = method
		r.Header = http.Header{agentphone.WebhookSignatureHeader: {signature}, agentphone.WebhookTimestampHeader: {timestamp}}
		if sign {
			r.Header = agentphone.SignWebhook(body, apitest.Secret, time.Now())
		}
		r.Header[http.CanonicalHeaderKey(agentphone.WebhookIDHeader)] = []string{id}
		w := apitest.Serve(h, r)
		if called && (!sign || len(body) > 4096 || method != "POST") {
			t.Fatal("called back without a signature, or for what is not an event")
		}
		if (method != "POST") != (w.Code == 405) {
			t.Fatalf("%q gets %d", method, w.Code)
		}
		if streamed := w.Header().Get("Content-Type") == "application/x-ndjson"; streamed != (turn != "") {
			t.Fatalf("%q is answered in lines: %v", turn, streamed)
		} else if streamed {
			if texts := textsOf(t, w.Body.String()); texts[0] != turn {
				t.Fatalf("%q became %q", turn, texts)
			}
		}
	})
}

// Texts that are in requests and secrets only, so that a log must not contain them.
const (
	logSecret = "whsec_aubergine"
	logOld    = "whsec_broccoli"
	logText   = "marzipan for two"
	logPhone  = "+14155550188"
)
