package agentphone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// jsonLog is the destination of a logger that prints each value with all its fields.
type jsonLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *jsonLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *jsonLog) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindAny {
			a.Value = slog.StringValue(fmt.Sprintf("%s", a.Value.Any()))
		}
		return a
	}}))
}

func (l *jsonLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// take returns the records so far and removes them.
func (l *jsonLog) take(t *testing.T) (records []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for d := json.NewDecoder(&l.b); d.More(); {
		var r map[string]any
		require.NoError(t, d.Decode(&r))
		records = append(records, r)
	}
	return records
}

// failingStore returns a store that fails to claim or to settle.
func failingStore(claim, settle error) *testStore {
	s := newTestStore()
	if claim != nil {
		s.claim = func(context.Context, string, agentphone.ClaimOptions) (*agentphone.Claim, error) { return nil, claim }
	}
	s.complete = func(context.Context, *agentphone.Claim) error { return settle }
	s.release = s.complete
	return s
}

func TestWebhookHandler_LogsEachFailureOnceWithoutSecrets(t *testing.T) {
	const secretEvent = `{"event":"agent.message","channel":"sms","agentId":"a","data":{"message":"` + logText + `","from":"` + logPhone + `"},` +
		`"conversationState":{"k":"` + logText + `"},"recentHistory":[{"content":"` + logText + `"}]}`
	const secretTurn = `{"event":"agent.message","channel":"voice","data":{"transcript":"` + logText + `","from":"` + logPhone + `"}}`
	failure, down := errors.New("database is down"), errors.New("store is down")
	broken := func(r *http.Request, header, value string) *http.Request { r.Header.Set(header, value); return r }
	signed := func(body string) *http.Request {
		r := apitest.SignedRequest(body, "whd_7")
		for name, values := range agentphone.SignWebhook([]byte(body), logSecret, time.Now()) {
			r.Header[name] = values
		}
		return r
	}
	for name, tc := range map[string]struct {
		request  *http.Request
		callback func(*agentphone.VoiceResponse) error
		store    *testStore
		status   int
		want     []string // a part of each record, in order
	}{
		"success":                {signed(secretEvent), nil, failingStore(nil, nil), 200, nil},
		"success of a turn":      {signed(secretTurn), func(v *agentphone.VoiceResponse) error { return v.Say(logText) }, failingStore(nil, nil), 200, nil},
		"forged":                 {broken(signed(secretEvent), agentphone.WebhookSignatureHeader, "sha256="+strings.Repeat("0", 64)), nil, failingStore(nil, nil), 401, []string{"signature is wrong"}},
		"unsigned":               {broken(signed(secretEvent), agentphone.WebhookSignatureHeader, ""), nil, failingStore(nil, nil), 401, []string{"no signature"}},
		"stale":                  {broken(signed(secretEvent), agentphone.WebhookTimestampHeader, "1"), nil, failingStore(nil, nil), 401, []string{"timestamp"}},
		"not JSON":               {signed(logText), nil, failingStore(nil, nil), 400, []string{"not an event"}},
		"a number":               {signed(logPhone[1:]), nil, failingStore(nil, nil), 400, []string{"not an event"}},
		"a text":                 {signed(`"` + logText + `"`), nil, failingStore(nil, nil), 400, []string{"not an event"}},
		"not an event":           {signed(`{"message":"` + logText + `"}`), nil, failingStore(nil, nil), 400, []string{"no event type"}},
		"data not an object":     {signed(`{"event":"agent.message","channel":"sms","data":"` + logText + `"}`), nil, failingStore(nil, nil), 500, []string{"unexpected data"}},
		"claim fails":            {signed(secretEvent), nil, failingStore(down, nil), 503, []string{"claiming the delivery failed: store is down"}},
		"callback fails":         {signed(secretEvent), func(*agentphone.VoiceResponse) error { return failure }, failingStore(nil, nil), 500, []string{"the callback failed: database is down"}},
		"callback panics":        {signed(secretEvent), func(*agentphone.VoiceResponse) error { panic("at the disco") }, failingStore(nil, nil), 500, []string{"at the disco"}},
		"callback never returns": {signed(secretEvent), func(*agentphone.VoiceResponse) error { runtime.Goexit(); return nil }, failingStore(nil, nil), 0, []string{"ended its goroutine"}},
		"done fails":             {signed(secretEvent), nil, failingStore(nil, down), 200, []string{"marking the delivery as done failed: store is down"}},
		"release fails":          {signed(secretEvent), func(*agentphone.VoiceResponse) error { return failure }, failingStore(nil, down), 500, []string{"database is down", "releasing the delivery failed: store is down"}},
		"a turn fails late": {signed(secretTurn), func(v *agentphone.VoiceResponse) error { return errors.Join(v.Interim(logText), failure) }, failingStore(nil, nil), 200,
			[]string{"database is down"}},
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			call := func(v *agentphone.VoiceResponse) error {
				if tc.callback == nil {
					return nil
				}
				return tc.callback(v)
			}
			h, err := agentphone.NewWebhookHandler([]string{logSecret, logOld}, agentphone.WebhookHandlerConfig{
				Logger: logs.logger(), Store: tc.store,
				OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return call(nil) },
				OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					return call(v)
				},
			})
			require.NoError(t, err)
			status := 0
			var wg sync.WaitGroup
			wg.Go(func() { status = apitest.Serve(h, tc.request).Code }) // the callback may end this goroutine
			wg.Wait()
			assert.Equal(t, tc.status, status)

			raw := logs.String()
			for _, secret := range []string{logSecret, logOld, logText, "marzipan", logPhone[1:]} {
				assert.NotContains(t, raw, secret)
			}
			records := logs.take(t)
			require.Len(t, records, len(tc.want), raw)
			for i, want := range tc.want {
				line := fmt.Sprint(records[i]["msg"], ": ", records[i]["error"], records[i]["reason"], records[i]["panic"])
				assert.Contains(t, line, want)
				if tc.status != 400 && tc.status != 401 { // a request that is refused has no event
					assert.Equal(t, "whd_7", records[i]["delivery_id"], "which delivery it was")
					assert.Equal(t, "agent.message", records[i]["event"])
				}
			}
		})
	}
}

// detailedError is an error that a logger can print more of than its text.
type detailedError struct{ text, details string }

func (e *detailedError) Error() string                { return e.text }
func (e *detailedError) MarshalJSON() ([]byte, error) { return json.Marshal(e.details) }
func (e *detailedError) LogValue() slog.Value         { return slog.StringValue(e.details) }
func (e *detailedError) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(e.details)) }

func TestWebhookHandler_LogsOfAnErrorItsTextOnly(t *testing.T) {
	err := &detailedError{"database is down", "details:\n" + logText}
	for name, tc := range map[string]struct {
		callback func() error
		store    agentphone.Store
		secrets  func(*http.Request) ([]string, error)
		want     string
	}{
		"of the callback":         {func() error { return err }, nil, nil, "database is down"},
		"joined":                  {func() error { return errors.Join(err, errors.New("twice")) }, nil, nil, "database is down twice"},
		"panic":                   {func() error { panic(err) }, nil, nil, "database is down"},
		"of the store":            {nil, failingStore(err, nil), nil, "database is down"},
		"of SecretsFunc":          {nil, nil, func(*http.Request) ([]string, error) { return nil, err }, "database is down"},
		"nil pointer in an error": {func() error { return (*detailedError)(nil) }, nil, nil, "nil pointer"},
	} {
		for kind, handler := range map[string]func(io.Writer) slog.Handler{
			"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				var logs jsonLog
				config := onMessage(func(context.Context) error { return tc.callback() })
				config.Store, config.SecretsFunc, config.Logger = tc.store, tc.secrets, slog.New(handler(&logs))
				secrets := []string{apitest.Secret}
				if tc.secrets != nil {
					secrets = nil
				}
				h, err := agentphone.NewWebhookHandler(secrets, config)
				require.NoError(t, err)
				assert.GreaterOrEqual(t, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code, 500)
				assert.Contains(t, logs.String(), tc.want)
				assert.NotContains(t, logs.String(), "details")
				assert.NotContains(t, logs.String(), logText)
			})
		}
	}
}

// textsOfRecord returns those of its values that are strings, but for a stack.
func textsOfRecord(record map[string]any) (texts []string) {
	for name, value := range record {
		if text, ok := value.(string); ok && name != "stack" && name != "time" {
			texts = append(texts, text)
		}
	}
	return texts
}

// What the sender of a request, or who quotes him in an error, writes into a log is one line, short, and steers no terminal.
func TestWebhookHandler_LogsTextsOfOthersAsShortLines(t *testing.T) {
	hostile := "x\n2026-01-01 level=INFO msg=\"all is well\"\x1b[2J\u202e\u2028" + strings.Repeat("y", 100_000)
	message := apitest.JSON(t, map[string]any{"event": "agent.message", "channel": "sms", "data": map[string]any{"message": "hi"}})
	for name, tc := range map[string]struct {
		body     string
		callback func() error
		store    agentphone.Store
	}{
		"id":                      {message, func() error { return errors.New("x") }, nil},
		"type of the event":       {apitest.JSON(t, map[string]any{"event": hostile}), func() error { return errors.New("x") }, nil},
		"error of the callback":   {message, func() error { return errors.Join(errors.New(hostile), errors.New("x")) }, nil},
		"panic of the callback":   {message, func() error { panic(hostile) }, nil},
		"panic with an error":     {message, func() error { panic(errors.New(hostile)) }, nil},
		"error of the store":      {message, nil, failingStore(errors.New(hostile), nil)},
		"body that is no event":   {hostile, nil, nil},
		"event without a type":    {`{"x":"` + strings.Repeat("z", 5000) + `"}`, nil, nil},
		"data that is not object": {apitest.JSON(t, map[string]any{"event": "agent.message", "channel": "sms", "data": hostile}), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), Store: tc.store,
				OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.callback() },
				OnUnknown: func(context.Context, *agentphone.Event, *agentphone.UnknownData) error {
					if tc.callback == nil {
						return nil
					}
					return tc.callback()
				}})
			apitest.Serve(h, apitest.SignedRequest(tc.body, hostile))
			records := logs.take(t)
			require.Len(t, records, 1)
			for _, text := range textsOfRecord(records[0]) {
				assert.LessOrEqual(t, len(text), 500)
				assert.False(t, strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' }), "%q", text)
			}
		})
	}
}

// Of a value that is neither an error nor a text only the type is logged: it may be anything, an event too.
func TestWebhookHandler_LogsThePanicButNotTheRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		panics func(*agentphone.Event, *agentphone.MessageData)
		want   string
	}{
		"text":          {func(*agentphone.Event, *agentphone.MessageData) { panic("at the disco") }, "at the disco"},
		"error":         {func(*agentphone.Event, *agentphone.MessageData) { panic(errors.New("at the disco")) }, "at the disco"},
		"runtime error": {func(*agentphone.Event, *agentphone.MessageData) { _ = []int{}[len(os.Args)] }, "index out of range"},
		"nil error":     {func(*agentphone.Event, *agentphone.MessageData) { panic((*agentphone.APIError)(nil)) }, "nil"},
		"event":         {func(e *agentphone.Event, _ *agentphone.MessageData) { panic(e) }, "*agentphone.Event"},
		"event's value": {func(e *agentphone.Event, _ *agentphone.MessageData) { panic(*e) }, "agentphone.Event"},
		"data":          {func(_ *agentphone.Event, d *agentphone.MessageData) { panic(*d) }, "agentphone.MessageData"},
		"bytes":         {func(e *agentphone.Event, _ *agentphone.MessageData) { panic([]byte(e.Raw)) }, "[]uint8"},
		"number":        {func(*agentphone.Event, *agentphone.MessageData) { panic(int64(14155550188)) }, "int64"},
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnMessage: func(_ context.Context, e *agentphone.Event, d *agentphone.MessageData) error {
				tc.panics(e, d)
				return nil
			}})
			body := `{"event":"agent.message","channel":"sms","data":{"message":"` + logText + `","from":"` + logPhone + `"}}`
			assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(body, "whd_1")).Code)
			assert.NotContains(t, logs.String(), logText)
			assert.NotContains(t, logs.String(), logPhone[1:])
			records := logs.take(t)
			require.Len(t, records, 1)
			assert.Contains(t, records[0]["panic"], tc.want)
			assert.Contains(t, records[0]["stack"], "webhooklog_test.go")
		})
	}
}

func panicsWith(value any) { panic(value) }

// The iterator of a Stream panics in a goroutine of its own; what is logged is of the same kind.
func TestWebhookHandler_LogsThePanicOfAnIteratorButNotTheRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		value func(*agentphone.Event) any
		want  string
	}{
		"text":  {func(*agentphone.Event) any { return "at the disco" }, "at the disco"},
		"error": {func(*agentphone.Event) any { return errors.New("at the disco") }, "at the disco"},
		"event": {func(e *agentphone.Event) any { return *e }, "agentphone.Event"},
	} {
		t.Run(name, func(t *testing.T) {
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnVoiceTurn: func(_ context.Context, e *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
				return v.Stream(func(func(string, error) bool) { panicsWith(tc.value(e)) })
			}})
			body := `{"event":"agent.message","channel":"voice","data":{"transcript":"` + logText + `","from":"` + logPhone + `"}}`
			assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(body, "whd_1")).Code)
			assert.NotContains(t, logs.String(), logText)
			assert.NotContains(t, logs.String(), logPhone[1:])
			records := logs.take(t)
			require.Len(t, records, 1)
			assert.Contains(t, records[0]["panic"], tc.want)
			assert.NotContains(t, records[0]["panic"], "goroutine", "the stack is another value")
			assert.Contains(t, records[0]["stack"], "panicsWith", "the stack of the iterator")
		})
	}
}

// Callers hang up: that is not worth an alert.
func TestWebhookHandler_LogsAHangUpAsInfo(t *testing.T) {
	var logs jsonLog
	ctx, hangUp := context.WithCancel(t.Context())
	h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		hangUp()
		return v.Interim("Are you there?")
	}})
	apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1").WithContext(ctx))
	records := logs.take(t)
	require.Len(t, records, 1)
	assert.Equal(t, "INFO", records[0]["level"])
}

// A caller who waits for a model that was given up on hears nothing, and has not hung up.
func TestWebhookHandler_LogsWhatWasCanceledOtherwiseAsAnError(t *testing.T) {
	var logs jsonLog
	h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return errors.Join(v.Say(logText), v.Press("4711"), fmt.Errorf("asking the model: %w", context.Canceled))
	}})
	assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1")).Code)
	records := logs.take(t)
	require.Len(t, records, 1)
	assert.Equal(t, "ERROR", records[0]["level"])
}

func TestVoiceResponse_IsLoggedWithoutWhatItSays(t *testing.T) {
	var out bytes.Buffer
	voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		err := errors.Join(v.Say(logText), v.Press("4711"))
		slog.New(slog.NewTextHandler(&out, nil)).Info("turn", "voice", v)
		return err
	}).ServeHTTP(httptest.NewRecorder(), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Contains(t, out.String(), "VoiceResponse")
	assert.NotContains(t, out.String(), logText)
	assert.NotContains(t, out.String(), "4711")
}

func TestWebhookHandler_LogsToTheDefaultLogger(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(out) // SetDefault had redirected it
		log.SetFlags(flags)
	}()
	var logs jsonLog
	slog.SetDefault(logs.logger())
	h, err := agentphone.NewWebhookHandler([]string{apitest.Secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			return errors.New("database is down")
		},
	})
	require.NoError(t, err)
	assert.Equal(t, 500, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code)
	assert.Contains(t, logs.String(), "database is down")
}
