package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/agentphone/agentphone-go"
)

// The loopback benchmarks start this program a second time, as their server.
func TestMain(m *testing.M) {
	serveIfAsked()
	os.Exit(m.Run())
}

func loopbackServer(t testing.TB) *server {
	t.Helper()
	s, err := startServer(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// The comparison is fair only if all decode the same values from the same bytes.
func TestAllClientsDecodeTheSameValues(t *testing.T) {
	memory := &api{calls: listedPage}
	for where, clients := range map[string][]client{
		"in memory": inMemoryClients(memory),
		"loopback":  newClients(loopbackServer(t).url, pool),
	} {
		for kind, body := range map[string]string{
			smallGET: numberJSON, smallPOST: sentJSON, listOf100: string(memory.appendCalls(nil, 0, listedPage)),
		} {
			var want any
			if err := json.Unmarshal([]byte(body), &want); err != nil {
				t.Fatal(err)
			}
			for i := range clients {
				c := &clients[i]
				got, err := c.call(t.Context(), kind)
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", where, kind, c.name, err)
				}
				if !reflect.DeepEqual(asJSON(t, got), normalized(want)) {
					t.Errorf("%s, %s: %s decodes\n%v\nof\n%v", where, kind, c.name, asJSON(t, got), normalized(want))
				}
			}
		}
	}
}

// asJSON returns the JSON that a decoded response is encoded as.
func asJSON(t *testing.T, response any) any {
	t.Helper()
	data, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return normalized(out)
}

// normalized replaces empty values with null: a client may decode either to the other.
func normalized(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = normalized(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = normalized(v[key])
		}
	}
	return v
}

// Both walk over every item, and over each once.
func TestWalksSeeEveryItem(t *testing.T) {
	const items, turns = 250, 1000
	for _, w := range allItems(&api{calls: items}) {
		expectItems(t, w, items)
	}
	for _, w := range spokenTurns(&api{turns: turns}) {
		expectItems(t, w, turns)
	}
	sdk := newSDK(inMemoryURL, &http.Client{Transport: &api{calls: items}})
	calls, err := agentphone.Collect(sdk.Calls.All(t.Context(), agentphone.ListCallsParams{}), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range calls {
		if c.ID != fmt.Sprintf("call_%08d", i) {
			t.Fatalf("call %d is %s", i, c.ID)
		}
	}
}

func expectItems(t *testing.T, w walk, want int) {
	t.Helper()
	seen := 0
	if err := w.over(t.Context(), func() { seen++ }); err != nil || seen != want {
		t.Errorf("%s sees %d of %d: %v", w.name, seen, want, err)
	}
}

// A check that accepts everything would be fast.
func TestWebhookChecksRefuse(t *testing.T) {
	for i, check := range []func([]byte, http.Header, string) error{bareHMAC, agentphone.VerifyWebhook} {
		if check([]byte("a"), agentphone.SignWebhook([]byte("b"), "secret", time.Now()), "secret") == nil {
			t.Errorf("check %d accepts another payload", i)
		}
	}
	for _, c := range webhookChecks(1 << 10) {
		if err := c.call(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Both handlers do the job: they respond to what is genuine and refuse what is not.
func TestWebhookHandlersDoTheSame(t *testing.T) {
	for name, h := range webhookHandlers() {
		for _, event := range deliveredEvents {
			if err := delivering(h, event.body)(t.Context()); err != nil {
				t.Errorf("%s, %s: %v", name, event.name, err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(event.body))
			r.Header = agentphone.SignWebhook([]byte(event.body), webhookSecret, time.Now())
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if said := strings.Contains(w.Body.String(), firstWords); w.Code != http.StatusOK || said != (event.body == turnEvent) {
				t.Errorf("%s, %s: %d %q", name, event.name, w.Code, w.Body)
			}
			r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(event.body+" "))
			r.Header = agentphone.SignWebhook([]byte(event.body), webhookSecret, time.Now())
			w = httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s, %s, forged: %d", name, event.name, w.Code)
			}
		}
	}
}

func TestKeyedSendsUseTheirStores(t *testing.T) {
	for _, name := range keyedColumns {
		t.Run(name, func(t *testing.T) {
			send, calls, stop, err := keyedSender(t.Context(), name)
			if errors.Is(err, errMissing) {
				t.Skip("its server is not installed")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			for range 2 {
				if err := send(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := calls.Load(); (got == 8) != (name != unkeyed) {
				t.Errorf("%d calls of the store", got)
			}
		})
	}
}

// Each column makes its requests and handles its deliveries, and the spans are there if they should be.
func TestHooksAreThoseOfTheirColumns(t *testing.T) {
	requests, deliveries := hookContenders()
	for i := range hookColumns {
		for _, c := range []contender{requests[i], deliveries[i]} {
			if err := c.call(t.Context()); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	for column, want := range map[string]bool{idleHooks: false, otelNoop: false, otelSDK: true} {
		ctx, end := hooksOf(column).Operation(t.Context(), agentphone.OperationInfo{})
		if got := trace.SpanFromContext(ctx).IsRecording(); got != want {
			t.Errorf("%s: a span is recorded: %t", column, got)
		}
		end(agentphone.OperationResult{})
	}
	if hooksOf(noHooks).Operation != nil {
		t.Error("no hooks are some")
	}
}

// benchmark runs the contenders one after the other. The command lets them take turns, which is more exact.
func benchmark(b *testing.B, name string, parallel bool, list []contender) {
	for _, c := range list {
		b.Run(name+"/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			if !parallel {
				for b.Loop() {
					if err := c.call(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.call(b.Context()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkInMemory(b *testing.B) {
	clients := inMemoryClients(&api{calls: listedPage})
	for _, kind := range kinds {
		benchmark(b, kind, false, contenders(clients, kind))
	}
}

func BenchmarkLoopback(b *testing.B) {
	clients := newClients(loopbackServer(b).url, pool)
	for _, kind := range kinds {
		benchmark(b, kind, false, contenders(clients, kind))
		benchmark(b, kind+" at once", true, contenders(clients, kind))
	}
}

func BenchmarkVerifyWebhook(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		benchmark(b, fmt.Sprintf("%dKiB", size>>10), false, webhookChecks(size))
	}
}

func BenchmarkWalk(b *testing.B) {
	for name, walks := range map[string][]walk{
		"All of 1000 calls":        allItems(&api{calls: 1000}),
		"transcript of 1000 turns": spokenTurns(&api{turns: 1000}),
	} {
		var list []contender
		for _, w := range walks {
			list = append(list, contender{w.name, func(ctx context.Context) error { return w.over(ctx, func() {}) }})
		}
		benchmark(b, name, false, list)
	}
}

func BenchmarkWebhookHandler(b *testing.B) {
	for _, event := range deliveredEvents {
		benchmark(b, event.name, false, deliveryContenders(event.body))
	}
}

func BenchmarkHooks(b *testing.B) {
	requests, deliveries := hookContenders()
	benchmark(b, "request", false, requests)
	benchmark(b, "delivery", false, deliveries)
}
