package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// replica is a bot in a process of its own, as far as the API, the store and the sender of events can tell. Once it has
// crashed, nothing that it does reaches any of them.
type replica struct {
	agentphone.Store
	http.Handler
	crashed atomic.Bool
	crash   func(*http.Request) moment // in which request to the API it crashes
}

type moment int

const (
	never moment = iota
	beforeEffect
	afterEffect
)

var errCrashed = errors.New("the process has crashed")

// newReplica returns one of several bots that share a store.
func newReplica(t *testing.T, srv *agentphonetest.Server, store agentphone.Store, secret string) *replica {
	t.Helper()
	r := &replica{Store: store, crash: func(*http.Request) moment { return never }}
	bot, err := newBot(srv.Client(agentphone.WithMaxRetries(0), agentphone.WithStore(r), agentphone.WithHTTPClient(&http.Client{
		Transport: apitest.RoundTripFunc(func(req *http.Request) (*http.Response, error) { return r.roundTrip(srv, req) }),
	})), r, secret)
	require.NoError(t, err)
	r.Handler = bot
	return r
}

func (r *replica) roundTrip(srv *agentphonetest.Server, req *http.Request) (*http.Response, error) {
	when := r.crash(req)
	if when == beforeEffect {
		r.crashed.Store(true)
	}
	if r.crashed.Load() {
		return nil, errCrashed
	}
	res, err := srv.Transport().RoundTrip(req)
	if when == afterEffect {
		r.crashed.Store(true)
		return nil, errCrashed
	}
	return res, err
}

func (r *replica) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !r.crashed.Load() {
		r.Handler.ServeHTTP(w, req)
	}
	if r.crashed.Load() {
		panic(http.ErrAbortHandler) // the connection breaks
	}
}

func (r *replica) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if r.crashed.Load() {
		return nil, errCrashed
	}
	return r.Store.Claim(ctx, key, opts)
}

func (r *replica) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if r.crashed.Load() {
		return errCrashed
	}
	return r.Store.Renew(ctx, c, lease, note)
}

func (r *replica) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	if r.crashed.Load() {
		return errCrashed
	}
	return r.Store.Complete(ctx, c, value)
}

func (r *replica) Release(ctx context.Context, c *agentphone.Claim) error {
	if r.crashed.Load() {
		return errCrashed
	}
	return r.Store.Release(ctx, c)
}

// balance returns a handler that gives each request to the next of some replicas that has not crashed.
func balance(replicas ...*replica) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for range replicas {
			if r := replicas[int(n.Add(1)-1)%len(replicas)]; !r.crashed.Load() {
				r.ServeHTTP(w, req)
				return
			}
		}
	})
}

// Whenever a replica crashes, another one finishes what it began, and sends no second reply.
func TestSMSBot_RepliesOnceIfAReplicaCrashes(t *testing.T) {
	for name, crash := range map[string]struct {
		method string
		when   moment
	}{
		"before the reply is sent":      {http.MethodPost, beforeEffect},
		"after the reply is sent":       {http.MethodPost, afterEffect},
		"before the state is saved":     {http.MethodPatch, beforeEffect},
		"between the state and the 200": {http.MethodPatch, afterEffect},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := agentphonetest.NewServer(agentphonetest.WithEchoes(), agentphonetest.WithDeliveryPauses(
					time.Minute, 5*time.Minute, 30*time.Minute, 2*time.Hour))
				defer srv.Close()
				store, secret := agentphone.NewMemoryStore(), setWebhook(t, srv)
				first, second := newReplica(t, srv, store, secret), newReplica(t, srv, store, secret)
				srv.SetReceiver(balance(first, second))
				first.crash = func(req *http.Request) moment {
					if req.Method == crash.method {
						return crash.when
					}
					return never
				}
				assert.Equal(t, []string{"Hi! For how many people?"}, text(srv, human, "Can I book a table?"))
				assert.True(t, first.crashed.Load())
				assert.Equal(t, []string{"Hi! For how many people?", "And at what time?"}, text(srv, human, "4"))
				for _, d := range srv.Deliveries() {
					assert.Equal(t, "success", d.Status)
				}
			})
		})
	}
}

func TestSMSBot_RepliesOnceToDuplicatesAtOnce(t *testing.T) {
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
	defer srv.Close()
	store, secret := agentphone.NewMemoryStore(), setWebhook(t, srv)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Delay: 100 * time.Millisecond})
	var duplicates sync.WaitGroup
	srv.SetReceiver(balance(newReplica(t, srv, store, secret), newReplica(t, srv, store, secret)))
	delivered := make(chan []string)
	go func() { delivered <- text(srv, human, "Can I book a table?") }()
	require.Eventually(t, func() bool { return len(srv.Deliveries()) > 0 }, 5*time.Second, time.Millisecond)
	id := srv.Deliveries()[0].ID
	for range 10 {
		duplicates.Go(func() {
			status, _, err := srv.Redeliver(id, agentphonetest.Redelivery{Times: 5})
			assert.NoError(t, err)
			assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status)
		})
	}
	duplicates.Wait()
	assert.Equal(t, []string{"Hi! For how many people?"}, <-delivered)
}
