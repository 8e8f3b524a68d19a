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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

var quiet = slog.New(slog.DiscardHandler)

func newHandler(t *testing.T, config agentphone.WebhookHandlerConfig) http.Handler {
	t.Helper()
	if config.Logger == nil {
		config.Logger = quiet
	}
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret, "whsec_old"}, config)
	require.NoError(t, err)
	return h
}

func TestTheHandlerCallsBackOnlyForWhatIsGenuine(t *testing.T) {
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { calls++; return nil }})
	request := func(body string, change func(*http.Request)) *http.Request {
		r := apitest.SignedRequest(body, fmt.Sprint("whd_", time.Now().UnixNano()))
		if change != nil {
			change(r)
		}
		return r
	}
	for name, tc := range map[string]struct {
		r      *http.Request
		status int
		calls  int
	}{
		"genuine": {request(apitest.TextEvent, nil), 200, 1},
		"by the old secret": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), "whsec_old", time.Now())
		}), 200, 1},
		"forged": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), "whsec_forged", time.Now())
		}), 401, 0},
		"unsigned": {request(apitest.TextEvent, func(r *http.Request) { r.Header = http.Header{} }), 401, 0},
		"stale": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(-6*time.Minute))
		}), 401, 0},
		"of the future": {request(apitest.TextEvent, func(r *http.Request) {
			r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), apitest.Secret, time.Now().Add(6*time.Minute))
		}), 401, 0},
		"tampered":        {request(apitest.TextEvent, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(apitest.TextEvent + " ")) }), 401, 0},
		"no event":        {request(`{"hello":1}`, nil), 400, 0},
		"no JSON":         {request(`hello`, nil), 400, 0},
		"empty":           {request(``, nil), 400, 0},
		"GET":             {request(apitest.TextEvent, func(r *http.Request) { r.Method = "GET" }), 405, 0},
		"40 MiB":          {request(strings.Repeat("x", 40<<20), nil), 413, 0},
		"body broken off": {request(apitest.TextEvent, func(r *http.Request) { r.Body = io.NopCloser(errReader{}) }), 400, 0},
		"unknown event":   {request(`{"event":"agent.dreamt"}`, nil), 200, 0},
	} {
		calls = 0
		w := apitest.Serve(h, tc.r)
		assert.Equal(t, tc.status, w.Code, name)
		assert.Equal(t, tc.calls, calls, name)
		assert.NotContains(t, w.Body.String(), apitest.Secret)
		if tc.status == 405 {
			assert.Equal(t, "POST", w.Header().Get("Allow"))
		}
	}
}

func TestEachKindOfEventHasItsCallback(t *testing.T) {
	var got []string
	note := func(e *agentphone.Event, what string) error {
		got = append(got, what+" "+e.DeliveryID)
		return nil
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		OnMessage: func(_ context.Context, e *agentphone.Event, d *agentphone.MessageData) error {
			return note(e, d.Message)
		},
		OnVoiceTurn: func(_ context.Context, e *agentphone.Event, d *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			return note(e, d.Transcript)
		},
		OnCallEnded: func(_ context.Context, e *agentphone.Event, d *agentphone.CallEndedData) error {
			return note(e, d.CallID)
		},
		OnReaction: func(_ context.Context, e *agentphone.Event, d *agentphone.ReactionData) error {
			return note(e, d.MessageID)
		},
		OnUnknown: func(_ context.Context, e *agentphone.Event, d *agentphone.UnknownData) error {
			return note(e, string(d.Raw))
		},
	})
	silent := newHandler(t, agentphone.WebhookHandlerConfig{})
	for i, body := range []string{
		apitest.TextEvent, apitest.TurnEvent, `{"event":"agent.call_ended","data":{"callId":"c2"}}`, `{"event":"agent.reaction","data":{"messageId":"m2"}}`, `{"event":"x","data":[1]}`,
	} {
		id := fmt.Sprint("whd_", i)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, id)).Code)
		assert.Equal(t, 200, apitest.Serve(silent, apitest.SignedRequest(body, id)).Code, "without a callback an event is answered well")
	}
	assert.Equal(t, []string{"hi whd_0", "hello whd_1", "c2 whd_2", "m2 whd_3", "[1] whd_4"}, got)
}

func TestADeliveryThatFailedIsHandledWhenItComesAgain(t *testing.T) {
	var logs bytes.Buffer
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger: slog.New(slog.NewTextHandler(&logs, nil)),
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			switch calls++; calls {
			case 1:
				return errors.New("database is down")
			case 2:
				panic("at the disco")
			}
			return nil
		},
	})
	event := strings.Replace(apitest.TextEvent, "hi", "marzipan", 1)
	for _, want := range []int{500, 500, 200, 200, 200} {
		assert.Equal(t, want, apitest.Serve(h, apitest.SignedRequest(event, "whd_1")).Code)
	}
	assert.Equal(t, 3, calls)
	assert.Contains(t, logs.String(), "database is down")
	assert.Contains(t, logs.String(), "at the disco")
	assert.Contains(t, logs.String(), "webhookhandler_test.go", "with the stack")
	assert.NotContains(t, logs.String(), "marzipan")

	// Without an id the body tells a repetition.
	for range 2 {
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":{"message":"no id"}}`, "")).Code)
	}
	assert.Equal(t, 4, calls)
}

func TestADuplicateThatArrivesMeanwhileIsNotAnsweredWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			calls.Add(1)
			time.Sleep(10 * time.Second)
			return nil
		}})
		var statuses [1000]int
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() { statuses[i] = apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code })
		}
		time.Sleep(5 * time.Second)
		w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
		assert.Equal(t, 409, w.Code)
		assert.NotEmpty(t, w.Header().Get("Retry-After"))
		wg.Wait()
		count := map[int]int{}
		for _, status := range statuses[:10] {
			count[status]++
		}
		assert.Equal(t, map[int]int{200: 1, 409: 9}, count)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
		assert.EqualValues(t, 1, calls.Load())
	})
}

func TestTenThousandDeliveriesAreEachHandledOnce(t *testing.T) {
	var mu sync.Mutex
	handled := map[string]int{}
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(_ context.Context, e *agentphone.Event, _ *agentphone.MessageData) error {
		mu.Lock()
		defer mu.Unlock()
		handled[e.DeliveryID]++
		return nil
	}})
	ids := make(chan string, 10_000)
	for i := range 7_000 {
		ids <- fmt.Sprint("whd_", i)
		if i%7 < 3 { // 30 % of all are duplicates
			ids <- fmt.Sprint("whd_", i)
		}
	}
	require.Len(t, ids, 10_000)
	close(ids)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for id := range ids {
				for apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, id)).Code != 200 { // 409: delivered again
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, handled, 7_000)
	for id, n := range handled {
		require.Equal(t, 1, n, id)
	}
}

type brokenStore struct{ agentphone.MemoryDeliveryStore }

func (*brokenStore) Claim(context.Context, string) (agentphone.DeliveryClaim, error) {
	return 0, errors.New("store is down")
}

func TestAStoreThatFailsMakesTheDeliveryComeAgain(t *testing.T) {
	h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &brokenStore{}, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		t.Error("called back without a claim")
		return nil
	}})
	assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
}

func TestTheHandlerRefusesASenselessConfig(t *testing.T) {
	_, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{})
	require.ErrorIs(t, err, agentphone.ErrWebhookNoSecret)
	for _, config := range []agentphone.WebhookHandlerConfig{{MaxBodyBytes: -1}, {TurnTimeout: -1}, {Tolerance: -1}} {
		_, err := agentphone.NewWebhookHandler([]string{"s"}, config)
		require.ErrorIs(t, err, agentphone.ErrValidation)
	}
}

func TestMemoryDeliveryStore(t *testing.T) {
	ctx := t.Context()
	synctest.Test(t, func(t *testing.T) {
		var s agentphone.MemoryDeliveryStore
		claim := func(id string, want agentphone.DeliveryClaim) {
			t.Helper()
			got, err := s.Claim(ctx, id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		claim("a", agentphone.DeliveryGranted)
		claim("a", agentphone.DeliveryHeld)
		claim("b", agentphone.DeliveryGranted)
		require.NoError(t, s.Release(ctx, "a"))
		claim("a", agentphone.DeliveryGranted)
		require.NoError(t, s.Done(ctx, "a"))
		claim("a", agentphone.DeliveryHandled)
		time.Sleep(11 * time.Minute)
		claim("b", agentphone.DeliveryGranted) // the claim has expired: its process crashed
		time.Sleep(24 * time.Hour)
		claim("a", agentphone.DeliveryGranted) // forgotten
	})
	s := agentphone.MemoryDeliveryStore{MaxDeliveries: 100}
	for i := range 10_000 {
		got, err := s.Claim(ctx, fmt.Sprint(i))
		require.NoError(t, err)
		require.Equal(t, agentphone.DeliveryGranted, got)
		require.NoError(t, s.Done(ctx, fmt.Sprint(i)))
	}
	got, _ := s.Claim(ctx, "9950")
	assert.Equal(t, agentphone.DeliveryHandled, got, "the latest are remembered")
	got, _ = s.Claim(ctx, "0")
	assert.Equal(t, agentphone.DeliveryGranted, got, "the oldest are not")
	for i := range 99 {
		_, err := s.Claim(ctx, fmt.Sprint("flood", i))
		require.NoError(t, err)
	}
	_, err := s.Claim(ctx, "one too many")
	require.ErrorIs(t, err, agentphone.ErrDeliveryStoreFull)
	require.NoError(t, new(agentphone.MemoryDeliveryStore).Done(ctx, "never claimed"))
}

func FuzzTheHandlerCallsBackForNothingUnsigned(f *testing.F) {
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
			t.Fatal("called back without a signature, or for what is no event")
		}
		if (method != "POST") != (w.Code == 405) {
			t.Fatalf("%q is answered with %d", method, w.Code)
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
