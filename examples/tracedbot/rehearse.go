package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/sqlstore"
)

// rehearse runs two replicas in memory, behind a load balancer, has people text and call them, and prints one of the traces and
// what Prometheus would scrape.
func rehearse(ctx context.Context) error {
	fmt.Println("No -addr: two replicas, people and a model in memory. Nothing is real.")
	srv := agentphonetest.NewServer()
	defer srv.Close()
	webhook, err := srv.Client().Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://tracedbot.example.com/webhook"})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tracedbot")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var traces traces
	models, err := newTelemetry(ctx, sdktrace.WithSyncer(traces.of("model")))
	if err != nil {
		return err
	}
	model := httptest.NewServer(newModel(models, func(text string) string { return "You said: " + text }))
	defer model.Close()
	var replicas []*telemetry
	var bots []http.Handler
	for n := range 2 {
		store, err := sqlstore.OpenSQLite(ctx, filepath.Join(dir, "store.db"))
		if err != nil {
			return err
		}
		t, err := newTelemetry(ctx, sdktrace.WithSyncer(traces.of(fmt.Sprint("replica ", n+1))))
		if err != nil {
			return err
		}
		bot, err := newBot(srv.Client(agentphone.WithStore(store), agentphone.WithHooks(t.hooks)), store, model.URL+"/chat", t, webhook.Secret)
		if err != nil {
			return err
		}
		replicas, bots = append(replicas, t), append(bots, bot)
	}
	srv.SetReceiver(balance(bots...))

	for _, text := range []string{"Hello!", "Do you take reservations?", "For two, please."} {
		srv.Receive(agentphonetest.IncomingMessage{From: "+14155550123", To: srv.PhoneNumber(), Body: text, Channel: agentphone.ChannelIMessage})
		srv.WaitDeliveries()
	}
	call := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
	if _, err := srv.CallerSays(call, "Are you open tonight?"); err != nil {
		return err
	}
	fmt.Print("\nThe trace of the first text:\n")
	fmt.Print(traces.first("webhook agent.message"))
	for n, t := range replicas {
		fmt.Printf("\n/metrics of replica %d:\n", n+1)
		for line := range strings.Lines(scrape(t)) {
			if name, _, _ := strings.Cut(line, "{"); strings.HasPrefix(name, "agentphone_") && strings.HasSuffix(name, "_count") {
				fmt.Print("  ", ofScope.ReplaceAllString(line, ""))
			}
		}
	}
	return errors.Join(replicas[0].shutdown(ctx), replicas[1].shutdown(ctx), models.shutdown(ctx))
}

// newModel returns a stand-in for a model, which continues the trace of its caller.
func newModel(t *telemetry, reply func(text string) string) http.Handler {
	chat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"reply": reply(asked.Text)})
	})
	return otelhttp.NewHandler(chat, "chat", otelhttp.WithTracerProvider(t.tracers), otelhttp.WithMeterProvider(t.meters),
		otelhttp.WithPropagators(propagation.TraceContext{}))
}

// balance gives the requests to the handlers in turn.
func balance(handlers ...http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[int(n.Add(1)-1)%len(handlers)].ServeHTTP(w, r)
	})
}

// ofScope are labels that are the same for all metrics of otelagentphone.
var ofScope = regexp.MustCompile(`,?otel_scope_\w+="[^"]*"`)

// scrape returns the metrics as Prometheus gets them.
func scrape(t *telemetry) string {
	w := httptest.NewRecorder()
	t.metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// traces are the spans of several services.
type traces struct {
	mu    sync.Mutex
	spans []span
}

type span struct {
	sdktrace.ReadOnlySpan
	service string
}

// of returns an exporter for a service.
func (t *traces) of(service string) sdktrace.SpanExporter { return &exporter{t, service} }

type exporter struct {
	traces  *traces
	service string
}

func (e *exporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.traces.mu.Lock()
	defer e.traces.mu.Unlock()
	for _, s := range spans {
		e.traces.spans = append(e.traces.spans, span{s, e.service})
	}
	return nil
}

func (e *exporter) Shutdown(context.Context) error { return nil }

// first returns the trace of the first span with a name, as a tree.
func (t *traces) first(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.spans, func(a, b span) int { return a.StartTime().Compare(b.StartTime()) })
	i := slices.IndexFunc(t.spans, func(s span) bool { return s.Name() == name })
	if i < 0 {
		return ""
	}
	var b strings.Builder
	t.write(&b, t.spans[i], 1)
	return b.String()
}

func (t *traces) write(b *strings.Builder, s span, depth int) {
	fmt.Fprintf(b, "%s%s (%s, %s)\n", strings.Repeat("  ", depth), s.Name(), s.service, s.SpanKind())
	for _, child := range t.spans {
		if child.SpanContext().TraceID() == s.SpanContext().TraceID() && child.Parent().SpanID() == s.SpanContext().SpanID() {
			t.write(b, child, depth+1)
		}
	}
}
