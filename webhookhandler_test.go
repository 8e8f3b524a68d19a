package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
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
