package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

// What the settle time of the processes has to cover, with room for a slow machine.
const (
	attemptTimeout = 500 * time.Millisecond  // of the processes
	longestFlight  = 1200 * time.Millisecond // of a request, whether its sender still waits or lives
	longestLag     = 300 * time.Millisecond  // of a list
	settleTime     = 5 * time.Second
)

// api is the API in memory with faults.
type api struct {
	*agentphonetest.Server
	url   string
	posts chan struct{} // receives what takes a POST

	mu     sync.Mutex
	rand   *rand.Rand
	shown  map[string]time.Time // when the lists begin to show what was created, by id
	faults map[string]int
}

func newAPI(seed uint64) *api {
	a := &api{
		Server: agentphonetest.NewServer(), posts: make(chan struct{}, 1<<16),
		rand: rand.New(rand.NewPCG(seed, 1)), shown: map[string]time.Time{}, faults: map[string]int{},
	}
	host := httptest.NewServer(a)
	a.url = host.URL
	return a
}

// upTo returns a random duration.
func (a *api) upTo(longest time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Duration(a.rand.Int64N(int64(longest)))
}

// fault is what goes wrong with a POST.
type fault struct {
	name    string
	percent int
	status  int           // of the response, if it is not the request's own
	effect  bool          // before the response
	reset   bool          // instead of a response
	late    time.Duration // at most, before the effect
}

var faults = []fault{
	{name: "reset after the effect", percent: 8, effect: true, reset: true},
	{name: "500", percent: 5, status: 500},
	{name: "500 after the effect", percent: 5, effect: true, status: 500},
	{name: "502 after the effect", percent: 5, effect: true, status: 502},
	{name: "429", percent: 8, status: 429},
	{name: "late", percent: 8, effect: true, late: longestFlight},
	{name: "none", percent: 61, effect: true},
}

func (a *api) pick() fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.rand.IntN(100)
	for _, f := range faults {
		if n -= f.percent; n < 0 {
			a.faults[f.name]++
			return f
		}
	}
	panic("the faults are not 100 percent")
}

func (a *api) counted() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.faults)
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		a.list(w, r)
		return
	}
	a.posts <- struct{}{}
	time.Sleep(a.upTo(20 * time.Millisecond))
	f := a.pick()
	if f.late > 0 {
		time.Sleep(a.upTo(f.late))
	}
	res := httptest.NewRecorder()
	if f.effect {
		res = a.act(r)
	}
	if f.reset {
		reset(w)
		return
	}
	if f.status != 0 {
		res = httptest.NewRecorder()
		res.Code = f.status
		res.Header().Set("Retry-After", "1")
	}
	respond(w, res)
}

// act makes a request take effect, even if its sender has gone.
func (a *api) act(r *http.Request) *httptest.ResponseRecorder {
	res := httptest.NewRecorder()
	a.Server.ServeHTTP(res, r.WithContext(context.WithoutCancel(r.Context())))
	var created struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(res.Body.Bytes(), &created) == nil && created.ID != "" {
		at := time.Now().Add(a.upTo(longestLag))
		a.mu.Lock()
		a.shown[created.ID] = at
		a.mu.Unlock()
	}
	return res
}

// list serves a GET, without what lags.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	res := httptest.NewRecorder()
	a.Server.ServeHTTP(res, r)
	var page map[string]any
	if json.Unmarshal(res.Body.Bytes(), &page) == nil {
		if data, ok := page["data"].([]any); ok {
			page["data"] = a.visible(data)
			body, err := json.Marshal(page)
			if err != nil {
				panic(err) // of what was JSON
			}
			res.Body = bytes.NewBuffer(body)
			res.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
	}
	respond(w, res)
}

func (a *api) visible(data []any) []any {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []any{}
	for _, item := range data {
		id, _ := item.(map[string]any)["id"].(string)
		if !a.shown[id].After(now) {
			out = append(out, item)
		}
	}
	return out
}

func respond(w http.ResponseWriter, res *httptest.ResponseRecorder) {
	for name, values := range res.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(res.Code)
	_, _ = io.Copy(w, res.Body)
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// effects returns how often each job took effect, by its parameters, and the ids.
func (a *api) effects() (counts map[string]int, ids map[string]string) {
	counts, ids = map[string]int{}, map[string]string{}
	for _, m := range a.Messages() {
		what := job{Kind: "text", To: strings.TrimPrefix(m.ToNumber, "tel:"), Body: m.Body}.parameters()
		counts[what]++
		ids[m.ID] = what
	}
	for _, c := range a.Calls() {
		what := job{Kind: "call", To: strings.TrimPrefix(c.ToNumber, "tel:")}.parameters()
		counts[what]++
		ids[c.ID] = what
	}
	return counts, ids
}
