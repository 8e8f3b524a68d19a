package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const human = "+14155550123"

// thinking is how long the model takes to answer a caller.
const thinking = 300 * time.Millisecond

// deployment is two replicas of the bot, processes that share a store, behind a load balancer, with the API and a model.
type deployment struct {
	srv     *agentphonetest.Server
	model   *fakeModel
	scraped []string // addresses of /metrics
	stop    func()
}

func deploy(t *testing.T, env ...string) *deployment {
	d := &deployment{srv: agentphonetest.NewServer(), model: &fakeModel{failed: map[string]bool{}}}
	t.Cleanup(d.srv.Close)
	base := d.srv.Start()
	var replicas []http.Handler
	balancer := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(balancer.Close)
	webhook, err := d.srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: balancer.URL + "/webhook"})
	require.NoError(t, err)
	model := httptest.NewServer(d.model)
	t.Cleanup(model.Close)

	store := filepath.Join(t.TempDir(), "store.db")
	var stops []func()
	for range 2 {
		addr, metrics := apitest.FreeAddress(t), apitest.FreeAddress(t)
		cmd := apitest.Program(t, append(env,
			"AGENTPHONE_API_KEY="+d.srv.APIKey(), "AGENTPHONE_BASE_URL="+base, "AGENTPHONE_WEBHOOK_SECRET="+webhook.Secret,
		), "-addr", addr, "-metrics", metrics, "-store", store, "-model", model.URL)
		var said strings.Builder
		cmd.Stderr = &said
		apitest.StartServer(t, cmd, addr)
		replicas = append(replicas, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr}))
		d.scraped = append(d.scraped, metrics)
		stops = append(stops, func() {
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			require.NoError(t, cmd.Wait(), "%s", &said)
		})
	}
	balancer.Config.Handler = balance(replicas...)
	d.stop = sync.OnceFunc(func() {
		for _, stop := range stops {
			stop()
		}
	})
	return d
}

// fakeModel is a model that takes its time with callers, and fails the first time that it is asked to.
type fakeModel struct {
	mu     sync.Mutex
	traces []string
	failed map[string]bool
}

func (m *fakeModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Text string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	if _, rest, ok := strings.Cut(r.Header.Get("Traceparent"), "-"); ok {
		id, _, _ := strings.Cut(rest, "-")
		m.traces = append(m.traces, id)
	}
	fails := strings.Contains(asked.Text, "fail") && !m.failed[asked.Text]
	m.failed[asked.Text] = true
	m.mu.Unlock()
	switch {
	case fails:
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	case strings.HasPrefix(asked.Text, "call:"):
		time.Sleep(thinking)
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"reply": "I see."})
}

// calledIn returns the ids of the traces that the model was called in.
func (m *fakeModel) calledIn() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.traces)
}

// traffic is what people do: texts, some of which go wrong in some way, and a call.
type traffic struct {
	texts, turns, refused, unknown, failed int
	first                                  string // the id of the first text
}

// run has people text and call for some seconds.
func (d *deployment) run(t *testing.T, texts, turns int) traffic {
	did := traffic{texts: texts, turns: turns, refused: (texts - 1) / 3, unknown: 1, failed: 1}
	d.srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusTooManyRequests})
	d.srv.InjectFault(agentphonetest.Fault{
		Operation: "POST /v1/messages/{message_id}/reactions", Status: http.StatusBadRequest, Every: 3, Times: -1,
	})
	call := d.srv.ReceiveCall(human, d.srv.PhoneNumber())
	var talking sync.WaitGroup
	talking.Go(func() {
		for range turns {
			answer, err := d.srv.CallerSays(call, "call: are you open?")
			assert.NoError(t, err)
			assert.NotNil(t, answer)
		}
	})
	for n := range texts {
		text := "Hello!"
		switch n {
		case texts / 2:
			text = "fail once, please"
		case texts - 1:
			d.srv.WaitDeliveries()
			d.srv.ClearFaults()
			d.srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages/{message_id}/reactions", Reset: true})
		}
		id := d.srv.Receive(agentphonetest.IncomingMessage{From: human, To: d.srv.PhoneNumber(), Body: text, Channel: agentphone.ChannelIMessage})
		if n == 0 {
			did.first = id
		}
		time.Sleep(100 * time.Millisecond)
	}
	talking.Wait()
	d.srv.WaitDeliveries()
	return did
}
