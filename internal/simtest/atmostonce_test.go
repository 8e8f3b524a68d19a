package simtest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

var (
	seeds = flag.Int("seeds", 10_000, "how many histories to simulate")
	seed  = flag.Uint64("seed", 0, "simulate only this history")
)

// What the promise assumes, and the simulation keeps to: a request that the client gave up on takes effect within longestFlight if
// ever, and lists show an effect within longestLag. Together they are shorter than the settle time.
const (
	longestFlight = 120 * time.Second
	longestLag    = 60 * time.Second
	longestSkew   = 20 * time.Minute // of the API's and the store's clocks
	longestWay    = time.Minute      // of a renewal to the store
)

// api is the model of an API that knows nothing of idempotency keys.
type api struct {
	mu      sync.Mutex
	rand    *rand.Rand
	skew    time.Duration
	trouble int // in percent
	effects []effect
}

type effect struct {
	id, to, body string
	at, seen     time.Time // by the bubble's clock
}

func (a *api) chance(percent int) bool { return a.rand.IntN(100) < percent }

// RoundTrip serves GET /v1/numbers, GET /v1/numbers/{id}/messages and POST /v1/messages. The process that asks may be suspended
// before its request leaves, whatever its context says by then.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet {
		return a.list(r)
	}
	var body struct {
		To   string `json:"to_number"`
		Body string `json:"body"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	a.mu.Lock()
	trouble, late, what := a.chance(a.trouble), time.Duration(a.rand.Int64N(int64(longestFlight))), a.rand.IntN(7)
	a.mu.Unlock()
	if !trouble {
		return a.sent(a.act(body.To, body.Body)), nil
	}
	switch what {
	case 0:
		return a.respond(429, `{}`, "Retry-After", "40"), nil
	case 1:
		return a.respond(503, `{}`, "Retry-After", "3"), nil
	case 2: // lost on its way
		return nil, errors.New("connection reset by peer")
	case 3: // the effect is there, the response is lost
		a.act(body.To, body.Body)
		return nil, errors.New("connection reset by peer")
	case 4:
		a.act(body.To, body.Body)
		return a.respond(500, `{}`), nil
	case 5: // given up on; it arrives later
		time.AfterFunc(late, func() { a.act(body.To, body.Body) })
		return nil, errors.New("connection reset by peer")
	}
	// Suspended before it leaves, and not woken by its context.
	time.Sleep(late)
	id := a.act(body.To, body.Body)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return a.sent(id), nil
}

func (a *api) act(to, body string) (id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	id = fmt.Sprint("msg_", len(a.effects)+1)
	seen := now
	if a.chance(a.trouble) {
		seen = now.Add(time.Duration(a.rand.Int64N(int64(longestLag))))
	}
	a.effects = append(a.effects, effect{id, to, body, now, seen})
	return id
}

func (a *api) sent(id string) *http.Response {
	return a.respond(200, `{"id":"`+id+`","status":"queued"}`)
}

func (a *api) respond(status int, body string, header ...string) *http.Response {
	res := apitest.Response(status, body, header...)
	res.Header.Set("Date", time.Now().Add(a.skew).UTC().Format(http.TimeFormat))
	return res
}

func (a *api) list(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.chance(a.trouble / 4):
		return nil, errors.New("connection reset by peer")
	case a.chance(a.trouble / 4): // a look at all numbers may take minutes
		return a.respond(429, `{}`, "Retry-After", fmt.Sprint(a.rand.IntN(60))), nil
	case !strings.HasSuffix(r.URL.Path, "/messages"):
		return a.respond(200, `{"data":[{"id":"num_1","agentId":"agt_1"},{"id":"num_2","agentId":"agt_1"},{"id":"num_3","agentId":"agt_1"}],"hasMore":false,"total":3}`), nil
	case !strings.Contains(r.URL.Path, "num_1"):
		return a.respond(200, `{"data":[],"hasMore":false}`), nil
	}
	var items []string
	for i := len(a.effects) - 1; i >= 0; i-- {
		if e := a.effects[i]; !e.seen.After(time.Now()) {
			items = append(items, fmt.Sprintf(`{"id":%q,"from":"+14155550100","to":%q,"body":%q,"direction":"outbound","channel":"sms","receivedAt":%q}`,
				e.id, e.to, e.body, e.at.Add(a.skew).UTC().Format(time.RFC3339Nano)))
		}
	}
	return a.respond(200, `{"data":[`+strings.Join(items, ",")+`],"hasMore":false}`), nil
}

// process is one that may crash: from then on its store does nothing.
type process struct {
	agentphone.Store
	skew    time.Duration // of the store's clock
	dead    chan struct{}
	rand    *rand.Rand
	mu      sync.Mutex
	trouble int
}

var errDead = errors.New("the process has crashed")

// ask fails for a dead process, and now and then for a living one: before the store did anything, or after.
func (p *process) ask(do func() error) error {
	p.mu.Lock()
	before, after := p.rand.IntN(100) < p.trouble/8, p.rand.IntN(100) < p.trouble/8
	p.mu.Unlock()
	if before {
		return errors.New("store: connection refused")
	}
	select {
	case <-p.dead:
		return errDead
	default:
	}
	if err := do(); err != nil {
		return err
	}
	if after {
		return errors.New("store: connection reset")
	}
	return nil
}

func (p *process) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (c *agentphone.Claim, err error) {
	err = p.ask(func() (err error) {
		c, err = p.Store.Claim(ctx, key, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, t := range []*time.Time{&c.Now, &c.Expires, &c.LapsedAt, &c.FirstAt} {
		if !t.IsZero() {
			*t = t.Add(p.skew)
		}
	}
	return c, nil
}

// Renew may arrive once more, late, even if the process is dead by then: it was sent again when the first seemed to be lost.
func (p *process) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	p.mu.Lock()
	again, late := p.rand.IntN(100) < p.trouble/4, time.Duration(p.rand.Int64N(int64(longestWay)))
	p.mu.Unlock()
	if again {
		time.AfterFunc(late, func() { _ = p.Store.Renew(context.WithoutCancel(ctx), c, lease, note) })
	}
	return p.ask(func() error { return p.Store.Renew(ctx, c, lease, note) })
}

func (p *process) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	return p.ask(func() error { return p.Store.Complete(ctx, c, value) })
}

func (p *process) Release(ctx context.Context, c *agentphone.Claim) error {
	return p.ask(func() error { return p.Store.Release(ctx, c) })
}

// history is what came of one seed.
type history struct {
	results map[string]map[string]bool // by key: the ids that were reported
	crashes int
	took    time.Duration
	a       *api
}

// live simulates workers that repeat calls under keys, of which some have equal parameters, until each has a result.
func live(t *testing.T, seed uint64, settle time.Duration) (h history) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 1))
		skew := func() time.Duration { return time.Duration(r.Int64N(int64(2*longestSkew))) - longestSkew }
		a := &api{rand: rand.New(rand.NewPCG(seed, 2)), skew: skew(), trouble: []int{0, 30, 60, 90}[r.IntN(4)]}
		store, storeSkew := agentphone.NewMemoryStore(), skew()
		h = history{results: map[string]map[string]bool{}, a: a}
		began := time.Now()
		var mu sync.Mutex
		var workers sync.WaitGroup
		keys, processes := 1+r.IntN(4), 1+r.IntN(3)
		for n := range processes {
			pr := rand.New(rand.NewPCG(seed, uint64(10+n)))
			workers.Go(func() {
				open := pr.Perm(keys)
				for len(open) > 0 {
					p := &process{Store: store, skew: storeSkew, dead: make(chan struct{}), rand: rand.New(rand.NewPCG(seed, pr.Uint64())), trouble: a.trouble}
					ctx, kill := context.WithCancel(t.Context())
					if pr.IntN(100) < a.trouble/3 { // it will crash
						death := time.AfterFunc(time.Duration(pr.Int64N(int64(2*time.Minute))), func() {
							close(p.dead)
							kill()
							mu.Lock()
							h.crashes++
							mu.Unlock()
						})
						defer death.Stop()
					}
					c := apitest.NewClientOver(t, a, agentphone.WithStore(p), agentphone.WithSettleTime(settle))
					for len(open) > 0 && ctx.Err() == nil {
						i := pr.IntN(len(open)) // calls with equal parameters overlap
						key := fmt.Sprint("key-", open[i])
						m, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_1", ToNumber: "+14155550123", Body: fmt.Sprint("text ", open[i]%2)},
							agentphone.WithIdempotencyKey(key))
						if err == nil {
							mu.Lock()
							if h.results[key] == nil {
								h.results[key] = map[string]bool{}
							}
							h.results[key][m.ID] = true
							mu.Unlock()
							open = slices.Delete(open, i, i+1)
							continue
						}
						wait := time.Duration(pr.Int64N(int64(time.Minute)))
						var pending *agentphone.PendingError
						if errors.As(err, &pending) && pr.IntN(2) == 0 {
							wait = pending.RetryAfter
						}
						time.Sleep(wait)
					}
					kill()
				}
			})
		}
		workers.Wait()
		h.took = time.Since(began)
		time.Sleep(longestFlight + longestLag) // what is on its way arrives
		for k := range keys {
			key := fmt.Sprint("key-", k)
			if len(h.results[key]) == 0 {
				h.results[key] = nil
			}
		}
	})
	return h
}

// twice counts the effects beyond one for each key.
func (h history) twice() int { return len(h.a.effects) - len(h.results) }

// TestAtMostOnce_OverRandomHistories is the promise of docs/idempotency.md.
func TestAtMostOnce_OverRandomHistories(t *testing.T) {
	from, to := uint64(1), uint64(*seeds)
	if testing.Short() {
		to = 500
	}
	if *seed != 0 {
		from, to = *seed, *seed
	}
	var crashes, effects int
	var longest time.Duration
	for s := from; s <= to; s++ {
		settle := 10 * time.Minute
		if s%2 == 0 {
			settle = longestFlight + longestLag + 5*time.Second // hardly longer than it must be
		}
		h := live(t, s, settle)
		ids := map[string]string{}
		for key, results := range h.results {
			require.Len(t, results, 1, "-seed=%d: results of %s", s, key)
			for id := range results {
				require.Empty(t, ids[id], "-seed=%d: %s is the result of %s and %s", s, id, key, ids[id])
				ids[id] = key
			}
		}
		require.Zero(t, h.twice(), "-seed=%d: %d keys, effects %+v", s, len(h.results), h.a.effects)
		require.Less(t, h.took, 6*time.Hour, "-seed=%d", s)
		crashes, effects, longest = crashes+h.crashes, effects+len(h.a.effects), max(longest, h.took)
	}
	t.Logf("%d histories, %d effects, %d crashes, 0 twice, 0 lost; the longest took %v", to-from+1, effects, crashes, longest.Round(time.Second))
}

// The settle time is what the promise hangs on: with one that is shorter than a request can be on its way, the simulation finds
// what goes wrong. A simulation that could not fail would prove nothing.
func TestAtMostOnce_FailsIfTheSettleTimeIsTooShort(t *testing.T) {
	twice := 0
	for s := range uint64(1500) {
		twice += live(t, s+1, 5*time.Second).twice()
	}
	require.Positive(t, twice)
	t.Logf("%d twice in 1500 histories with a settle time of 5 s", twice)
}
