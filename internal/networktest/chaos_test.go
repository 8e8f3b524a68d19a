package networktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

const (
	chaosOperations = 5000
	chaosGoroutines = 64
)

const defaultChaosSeed = 20261124

// chaosSeed returns the seed of the faults: the text that CHAOS_SEED is set to, or the default if it is empty. The order
// in which requests arrive depends on the scheduler, so a seed does not repeat a run exactly.
func chaosSeed(text string) (uint64, error) {
	if text == "" {
		return defaultChaosSeed, nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("CHAOS_SEED=%s is not a number from 0 to %d", text, uint64(math.MaxUint64))
	}
	return seed, nil
}

func TestChaosSeed_IsANumber(t *testing.T) {
	for text, want := range map[string]uint64{"": defaultChaosSeed, "0": 0, "7": 7, "18446744073709551615": math.MaxUint64} {
		seed, err := chaosSeed(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, seed, text)
	}
	for _, text := range []string{"abc", "-1", "1.5", "7 ", "18446744073709551616"} {
		_, err := chaosSeed(text)
		assert.ErrorContains(t, err, "CHAOS_SEED="+text+" is not a number", text)
	}
}

// Not parallel: it counts goroutines.
func TestChaos_NothingIsLostAndNothingIsDoneTwice(t *testing.T) {
	seed, err := chaosSeed(os.Getenv("CHAOS_SEED"))
	require.NoError(t, err)
	t.Logf("CHAOS_SEED=%d", seed)
	for name, resets := range map[string]int{"HTTP/1.1": 2, "HTTP/2": 40} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			runChaos(t, seed, name == "HTTP/2", resets)
			assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 20*time.Millisecond,
				"goroutines are left behind")
		})
	}
}

func runChaos(t *testing.T, seed uint64, http2 bool, resets int) {
	srv := agentphonetest.NewServer()
	proxy := newChaosProxy(srv, seed, resets)
	host := httptest.NewUnstartedServer(proxy)
	host.EnableHTTP2 = http2
	host.Config.ConnState = proxy.count
	host.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, chaosConn{}, c) }
	host.Listener = chaosListener{host.Listener, proxy}
	host.Config.ErrorLog = discardLog
	host.StartTLS()
	transport := host.Client().Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = chaosGoroutines
	c, err := agentphone.NewClient(srv.APIKey(), agentphone.WithBaseURL(host.URL), agentphone.WithHTTPClient(&http.Client{Transport: transport}),
		agentphone.WithRetryWait(time.Millisecond, 10*time.Millisecond), agentphone.WithTimeout(2*time.Second), agentphone.WithMaxRetries(5))
	require.NoError(t, err)

	run := newChaosRun(t, c, srv)
	jobs := make(chan int)
	var all sync.WaitGroup
	for range chaosGoroutines {
		all.Go(func() {
			for i := range jobs {
				run.operation(i)
			}
		})
	}
	for i := range chaosOperations {
		jobs <- i
	}
	close(jobs)
	all.Wait()

	transport.CloseIdleConnections()
	assert.Eventually(t, func() bool { return proxy.open() == 0 }, 10*time.Second, 10*time.Millisecond, "connections are left open")
	host.Close()
	run.check()
	t.Logf("faults:   %s", tally(proxy.faults))
	t.Logf("outcomes: %s", tally(run.outcomes))
	t.Logf("%d requests for %d operations over %d connections", proxy.requests, chaosOperations, proxy.connections)
	srv.Close()
}

func tally(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return strings.Join(parts, ", ")
}

// chaosRun calls operations. Those that are not idempotent carry a mark, by which the server's records tell how often each
// took effect.
type chaosRun struct {
	t   *testing.T
	c   *agentphone.Client
	srv *agentphonetest.Server

	toDelete []string // contacts

	mu       sync.Mutex
	errs     map[string]error // by mark
	deleted  map[string]bool  // contacts whose deletion was reported
	outcomes map[string]int
}

func newChaosRun(t *testing.T, c *agentphone.Client, srv *agentphonetest.Server) *chaosRun {
	r := &chaosRun{t: t, c: c, srv: srv, errs: map[string]error{}, deleted: map[string]bool{}, outcomes: map[string]int{}}
	for i := range chaosOperations / len(chaosOperationKinds) {
		contact, err := srv.Client().Contacts.Create(t.Context(), agentphone.CreateContactParams{
			PhoneNumber: fmt.Sprintf("+1650%07d", i), Name: "to delete",
		})
		require.NoError(t, err)
		r.toDelete = append(r.toDelete, contact.ID)
	}
	return r
}

// chaosOperationKinds are the operations of a run. The mark is "" for those that are idempotent.
var chaosOperationKinds = []func(r *chaosRun, ctx context.Context, n int) (mark string, err error){
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		mark := fmt.Sprint("text ", n)
		_, err := r.c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: r.srv.AgentID(), ToNumber: "+14155550199", Body: mark})
		return mark, err
	},
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		mark := fmt.Sprintf("+1212%07d", n)
		_, err := r.c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: r.srv.AgentID(), ToNumber: mark, SystemPrompt: "Say hello."})
		return mark, err
	},
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		mark := fmt.Sprintf("+1310%07d", n)
		_, err := r.c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: mark, Name: "Ada"})
		return mark, err
	},
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		mark := fmt.Sprint("agent ", n)
		_, err := r.c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: mark})
		return mark, err
	},
	func(r *chaosRun, ctx context.Context, _ int) (string, error) {
		_, err := r.c.Numbers.List(ctx, agentphone.ListNumbersParams{})
		return "", err
	},
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		_, err := r.c.Agents.Update(ctx, r.srv.AgentID(), agentphone.UpdateAgentParams{Description: agentphone.Value(fmt.Sprint(n))})
		return "", err
	},
	func(r *chaosRun, ctx context.Context, _ int) (string, error) {
		for _, err := range r.c.Calls.All(ctx, agentphone.ListCallsParams{Limit: 10}) {
			return "", err
		}
		return "", nil
	},
	func(r *chaosRun, ctx context.Context, n int) (string, error) {
		id := r.toDelete[n]
		err := r.c.Contacts.Delete(ctx, id)
		if errors.Is(err, agentphone.ErrNotFound) {
			err = nil // the response to a first attempt was lost
		}
		if err == nil {
			r.mu.Lock()
			r.deleted[id] = true
			r.mu.Unlock()
		}
		return "", err
	},
}

func (r *chaosRun) operation(i int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	mark, err := chaosOperationKinds[i%len(chaosOperationKinds)](r, ctx, i/len(chaosOperationKinds))
	assert.NoError(r.t, ctx.Err(), "an operation does not end")
	outcome := "done"
	switch {
	case errors.Is(err, agentphone.ErrOutcomeUnknown):
		outcome = "unknown"
	case err != nil:
		outcome = "failed"
	}
	kind := "not idempotent: "
	if mark == "" {
		kind = "idempotent: "
		assert.NotErrorIs(r.t, err, agentphone.ErrOutcomeUnknown)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[kind+outcome]++
	if mark != "" {
		r.errs[mark] = err
	}
}

// check compares what the client reported with what took effect.
func (r *chaosRun) check() {
	t, ctx, c := r.t, r.t.Context(), r.srv.Client()
	effects := map[string]int{}
	for _, m := range r.srv.Messages() {
		effects[m.Body]++
	}
	for _, call := range r.srv.Calls() {
		effects[call.ToNumber]++
	}
	contacts, err := agentphone.Collect(c.Contacts.All(ctx, agentphone.ListContactsParams{}), 0)
	require.NoError(t, err)
	for _, contact := range contacts {
		effects[contact.PhoneNumber]++
		assert.False(t, r.deleted[contact.ID], "a contact exists whose deletion was reported")
	}
	agents, err := agentphone.Collect(c.Agents.All(ctx, agentphone.ListAgentsParams{}), 0)
	require.NoError(t, err)
	for _, agent := range agents {
		effects[agent.Name]++
	}
	for mark, err := range r.errs {
		switch n := effects[mark]; {
		case err == nil:
			assert.Equal(t, 1, n, "%s was reported as done", mark)
		case errors.Is(err, agentphone.ErrOutcomeUnknown):
			assert.LessOrEqual(t, n, 1, "%s took effect more than once", mark)
			if n == 1 {
				r.outcomes["not idempotent: unknown that took effect"]++
			}
		default:
			assert.Zero(t, n, "%s took effect, but was reported as failed: %v", mark, err)
		}
	}
	for _, outcome := range []string{"not idempotent: done", "not idempotent: unknown", "not idempotent: unknown that took effect", "idempotent: done"} {
		assert.NotZero(t, r.outcomes[outcome], "%s: none, so the faults were not mixed enough to show anything", outcome)
	}
}
