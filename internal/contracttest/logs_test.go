package contracttest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// logRecord is what is promised of a kind of log record.
type logRecord struct{ levels, attributes map[string]bool }

// logRecords are the records by their message. As a handler of slog it adds what it is given.
type logRecords struct {
	mu        sync.Mutex
	byMessage map[string]logRecord
}

func (l *logRecords) add(message string, levels, attributes []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.byMessage[message]
	if !ok {
		r = logRecord{map[string]bool{}, map[string]bool{}}
		l.byMessage[message] = r
	}
	for _, level := range levels {
		r.levels[level] = true
	}
	for _, name := range attributes {
		r.attributes[name] = true
	}
}

func (l *logRecords) Enabled(context.Context, slog.Level) bool { return true }
func (l *logRecords) WithAttrs([]slog.Attr) slog.Handler       { panic("the package adds none") }
func (l *logRecords) WithGroup(string) slog.Handler            { panic("the package adds none") }

func (l *logRecords) Handle(_ context.Context, r slog.Record) error {
	var names []string
	r.Attrs(func(a slog.Attr) bool {
		names = append(names, a.Key)
		return true
	})
	l.add(r.Message, []string{r.Level.String()}, names)
	return nil
}

// promisedLogs reads the table in docs/observability.md.
func promisedLogs(t *testing.T) *logRecords {
	page, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "\n| message | level | attributes |\n|---|---|---|\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	promised := &logRecords{byMessage: map[string]logRecord{}}
	for line := range strings.SplitSeq(table, "\n") {
		row := regexp.MustCompile("^\\| `([^`]+)` \\| ([A-Z, ]+) \\| ([^|]+) \\|$").FindStringSubmatch(line)
		require.NotNil(t, row, line)
		promised.add(row[1], strings.Split(row[2], ", "), strings.Split(strings.ReplaceAll(row[3], "`", ""), ", "))
	}
	return promised
}

// All that the package logs is in the table, and no more than it is logged.
func TestContract_LogRecordsAreThoseOfTheDocument(t *testing.T) {
	seen := &logRecords{byMessage: map[string]logRecord{}}
	synctest.Test(t, func(t *testing.T) {
		logFromClient(t, slog.New(seen))
		logFromHandler(t, slog.New(seen))
	})
	promised := promisedLogs(t)
	assert.Equal(t, slices.Sorted(maps.Keys(promised.byMessage)), slices.Sorted(maps.Keys(seen.byMessage)))
	for message, want := range promised.byMessage {
		assert.Equal(t, want, seen.byMessage[message], message)
	}
}

// logFromClient has a client write each of its records.
func logFromClient(t *testing.T, logger *slog.Logger) {
	panics := agentphone.WithHooks(agentphone.Hooks{Operation: func(context.Context, agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
		panic("my mistake")
	}})
	c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		switch n {
		case 1:
			return nil, errors.New("broken")
		case 2:
			return apitest.Response(429, ``, "Retry-After", "20", "X-Request-Id", "req_1"), nil
		}
		return apitest.Response(200, `{"id":"x_1"}`), nil
	}, agentphone.WithLogger(logger), panics)
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			time.Sleep(time.Duration(i) * 10 * time.Second)
			assert.NoError(t, apitest.GetAgent(t.Context(), c))
		})
	}
	both.Wait()
}

// logStore is a store that fails in a way.
type logStore struct {
	agentphone.Store
	claim, renew, settle error
}

func (s logStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if s.claim != nil {
		return nil, s.claim
	}
	return s.Store.Claim(ctx, key, opts)
}

func (s logStore) Renew(context.Context, *agentphone.Claim, time.Duration, []byte) error {
	return s.renew
}
func (s logStore) Complete(context.Context, *agentphone.Claim, []byte) error { return s.settle }
func (s logStore) Release(context.Context, *agentphone.Claim) error          { return s.settle }

// deafWriter is a ResponseWriter whose connection is gone.
type deafWriter struct{ http.ResponseWriter }

func (deafWriter) Header() http.Header       { return http.Header{} }
func (deafWriter) WriteHeader(int)           {}
func (deafWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// logFromHandler has a webhook handler write each of its records.
func logFromHandler(t *testing.T, logger *slog.Logger) {
	down := errors.New("down")
	handle := func(store logStore, f func(context.Context) error, configure ...func(*agentphone.WebhookHandlerConfig)) *agentphone.WebhookHandler {
		store.Store = agentphone.NewMemoryStore()
		config := agentphone.WebhookHandlerConfig{
			Logger: logger, Store: store,
			OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error { return f(ctx) },
			OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
				return f(ctx)
			},
		}
		secrets := []string{apitest.Secret}
		for _, c := range configure {
			c(&config)
			secrets = nil
		}
		h, err := agentphone.NewWebhookHandler(secrets, config)
		require.NoError(t, err)
		return h
	}
	ok := func(context.Context) error { return nil }
	fails := func(context.Context) error { return down }
	slow := func(context.Context) error { time.Sleep(time.Minute); return nil }
	text := func() *http.Request { return apitest.SignedRequest(apitest.TextEvent, "whd_1") }

	forged := text()
	forged.Header.Set(agentphone.WebhookTimestampHeader, "1")
	apitest.Serve(handle(logStore{}, ok), forged)
	apitest.Serve(handle(logStore{}, ok, func(c *agentphone.WebhookHandlerConfig) {
		c.SecretsFunc = func(*http.Request) ([]string, error) { return nil, down }
	}), text())
	apitest.Serve(handle(logStore{}, ok), apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":7}`, "whd_1"))
	apitest.Serve(handle(logStore{claim: down}, ok), text())
	apitest.Serve(handle(logStore{renew: down}, slow), text())
	apitest.Serve(handle(logStore{settle: down}, ok), text())
	apitest.Serve(handle(logStore{settle: down}, fails), text())
	apitest.Serve(handle(logStore{}, func(context.Context) error { panic("my mistake") }), text())
	apitest.Serve(handle(logStore{}, ok, func(c *agentphone.WebhookHandlerConfig) {
		c.OnVoiceTurn = func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Hi."), v.Say("Hi!"))
		}
		c.SecretsFunc = func(*http.Request) ([]string, error) { return []string{apitest.Secret}, nil }
	}), apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	handle(logStore{}, ok).ServeHTTP(deafWriter{}, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))

	ctx, cancel := context.WithCancel(t.Context()) // the caller hangs up
	apitest.Serve(handle(logStore{}, func(ctx context.Context) error { cancel(); return ctx.Err() }),
		apitest.SignedRequest(apitest.TurnEvent, "whd_1").WithContext(ctx))
}
