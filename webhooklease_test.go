package agentphone_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"os/exec"
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

// sharing returns a store that shares what it knows with another one, as that of a second process does.
func sharing(s agentphone.Store) *testStore { return &testStore{Store: s} }

// The process dies in a callback: its store is not asked any more.
func TestWebhookHandler_CrashBlocksADeliveryForOneLease(t *testing.T) {
	for _, lease := range []time.Duration{0, 3 * time.Second, time.Minute} {
		t.Run(fmt.Sprint("Lease ", lease), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := agentphone.NewMemoryStore()
				dead, first := make(chan struct{}), sharing(shared)
				var gone atomic.Bool
				first.renew = func(ctx context.Context, c *agentphone.Claim, lease time.Duration) error {
					if gone.Load() {
						return errors.New("the process is gone")
					}
					return shared.Renew(ctx, c, lease, nil)
				}
				first.release = func(context.Context, *agentphone.Claim) error { return errors.New("the process is gone") }
				crashing := onMessage(func(context.Context) error { <-dead; return errors.New("dead") })
				crashing.Store, crashing.Lease = first, lease
				go apitest.Serve(newHandler(t, crashing), apitest.SignedRequest(apitest.TextEvent, "x"))
				if lease == 0 {
					lease = 30 * time.Second
				}
				time.Sleep(lease * 3 / 2)
				gone.Store(true)
				crashed := time.Now()

				calls := 0
				config := onMessage(func(context.Context) error { calls++; return nil })
				config.Store, config.Lease = sharing(shared), lease
				h := newHandler(t, config)
				for {
					w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
					if w.Code == 200 {
						break
					}
					require.Equal(t, 503, w.Code)
					time.Sleep(100 * time.Millisecond)
				}
				assert.LessOrEqual(t, time.Since(crashed), lease)
				assert.Greater(t, time.Since(crashed), lease/2, "it had been renewed")
				assert.Equal(t, 1, calls)
				close(dead)
			})
		})
	}
}

// A claim in memory is not renewed, and outlasts the callback nevertheless.
func TestWebhookHandler_ClaimInMemoryOutlastsTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		h := newHandler(t, onMessage(func(ctx context.Context) error {
			calls++
			<-ctx.Done()
			time.Sleep(24 * time.Hour) // takes no notice of that
			return nil
		}))
		status := make(chan int, 1)
		go func() { status <- apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code }()
		for range 20 {
			time.Sleep(59 * time.Minute)
			w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
			assert.Equal(t, 503, w.Code)
			assert.Equal(t, "30", w.Header().Get("Retry-After"))
		}
		assert.Equal(t, 200, <-status)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		assert.Equal(t, 1, calls)
	})
}

// Even if the callback takes no notice of its context.
func TestWebhookHandler_ClaimOutlastsTheCallback(t *testing.T) {
	for kind, body := range map[string]string{"message": apitest.TextEvent, "turn": apitest.TurnEvent} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := agentphone.NewMemoryStore()
				var running, most, calls atomic.Int32
				var renewals atomic.Int32
				use := func(ctx context.Context) error {
					calls.Add(1)
					most.Store(max(most.Load(), running.Add(1)))
					defer running.Add(-1)
					<-ctx.Done()
					time.Sleep(2 * time.Minute) // cleans up
					return nil
				}
				replica := func() http.Handler {
					config := onMessage(use)
					config.OnVoiceTurn = func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
						return use(ctx)
					}
					store := sharing(shared)
					store.renew = func(ctx context.Context, c *agentphone.Claim, lease time.Duration) error {
						renewals.Add(1)
						return shared.Renew(ctx, c, lease, nil)
					}
					config.Store = store
					return newHandler(t, config)
				}
				first, second := replica(), replica()
				status := make(chan int, 1)
				go func() { status <- apitest.Serve(first, apitest.SignedRequest(body, "x")).Code }()
				synctest.Wait()
				for running.Load() > 0 {
					assert.Equal(t, 503, apitest.Serve(second, apitest.SignedRequest(body, "x")).Code)
					time.Sleep(7100 * time.Millisecond) // never the moment in which the callback ends
				}
				assert.Equal(t, 200, <-status)
				assert.Equal(t, 200, apitest.Serve(second, apitest.SignedRequest(body, "x")).Code)
				assert.EqualValues(t, 1, most.Load())
				assert.EqualValues(t, 1, calls.Load())
				assert.Positive(t, renewals.Load())

				before := renewals.Load()
				time.Sleep(time.Hour)
				assert.Equal(t, before, renewals.Load(), "nothing is renewed after the callback")
			})
		})
	}
}

// A store that fails, or hangs, for less than a lease loses nothing.
func TestWebhookHandler_RenewalIsTriedAgain(t *testing.T) {
	for name, trouble := range map[string]func(context.Context) error{
		"failing":                         func(context.Context) error { return errors.New("store is down") },
		"slow":                            func(ctx context.Context) error { return wait(ctx, time.Hour) },
		"hanging in spite of its context": func(context.Context) error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(2 * time.Hour)
				began, shared := time.Now(), agentphone.NewMemoryStore()
				store := sharing(shared)
				store.renew = func(ctx context.Context, c *agentphone.Claim, lease time.Duration) error {
					if since := time.Since(began); since < 25*time.Second {
						return trouble(ctx)
					}
					return shared.Renew(ctx, c, lease, nil)
				}
				var logs jsonLog
				config := onMessage(func(ctx context.Context) error { time.Sleep(2 * time.Minute); return ctx.Err() })
				config.Store, config.Logger = store, logs.logger()
				status := make(chan int, 1)
				go func() {
					status <- apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "x")).Code
				}()
				synctest.Wait()
				config.Store = sharing(shared)
				other := newHandler(t, config)
				for range 11 {
					time.Sleep(10 * time.Second)
					assert.Equal(t, 503, apitest.Serve(other, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
				}
				assert.Equal(t, 200, <-status)
				assert.Contains(t, logs.String(), "renewing the claim failed")
			})
		})
	}
}

// The store forgets the claim while the callback runs, and somebody else is granted it: the callback had better stop.
func TestWebhookHandler_LostClaimEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, store := agentphone.NewMemoryStore(), newTestStore()
		_, err := shared.Claim(t.Context(), "delivery:other", anHour) // or its first token were that of the store that forgets
		require.NoError(t, err)
		store.renew = func(ctx context.Context, c *agentphone.Claim, lease time.Duration) error {
			return shared.Renew(ctx, c, lease, nil) // which does not know it
		}
		store.complete = func(ctx context.Context, c *agentphone.Claim) error { return shared.Complete(ctx, c, nil) }
		store.release = func(ctx context.Context, c *agentphone.Claim) error { return shared.Release(ctx, c) }
		var logs jsonLog
		began := time.Now()
		var cause error
		var after time.Duration
		config := onMessage(func(ctx context.Context) error {
			<-ctx.Done()
			cause, after = context.Cause(ctx), time.Since(began)
			return ctx.Err()
		})
		config.Store, config.Logger = store, logs.logger()
		status := make(chan int, 1)
		go func() {
			status <- apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "x")).Code
		}()
		synctest.Wait()
		config = onMessage(func(context.Context) error { time.Sleep(time.Minute); return nil })
		config.Store = sharing(shared)
		assert.Equal(t, 200, apitest.Serve(newHandler(t, config), apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		assert.Equal(t, 500, <-status)
		require.ErrorIs(t, cause, agentphone.ErrClaimLost)
		assert.Equal(t, 10*time.Second, after)
		assert.Contains(t, logs.String(), "renewing the claim failed")
		assert.NotContains(t, logs.String(), `"INFO"`, "it was not the sender")
	})
}

// It was handled, whoever else has handled it too.
func TestWebhookHandler_LostClaimOfASuccessfulCallbackGets200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := newTestStore()
		lost.renew = func(context.Context, *agentphone.Claim, time.Duration) error { return agentphone.ErrClaimLost }
		lost.complete = func(context.Context, *agentphone.Claim) error { return agentphone.ErrClaimLost }
		var logs jsonLog
		config := onMessage(func(context.Context) error { time.Sleep(time.Minute); return nil })
		// A caller waits for the answer.
		config.OnVoiceTurn = sleepyTurn(25 * time.Second)
		config.Store, config.Logger = lost, logs.logger()
		h := newHandler(t, config)
		assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		assert.Contains(t, logs.String(), "marking the delivery as done failed")
		assert.JSONEq(t, `{"text":"<nil>"}`, apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "y")).Body.String())
	})
}

// StoreCall has the arguments of the methods of [StoreService].
type StoreCall struct {
	Key   string
	Opts  agentphone.ClaimOptions
	Claim agentphone.Claim
	Lease time.Duration
}

// StoreService is a store for other processes, over net/rpc.
type StoreService struct{ store agentphone.Store }

func (s *StoreService) Claim(call StoreCall, out *agentphone.Claim) error {
	c, err := s.store.Claim(context.Background(), call.Key, call.Opts)
	if err == nil {
		*out = *c
	}
	return err
}

func (s *StoreService) Renew(call StoreCall, _ *bool) error {
	return s.store.Renew(context.Background(), &call.Claim, call.Lease, nil)
}

func (s *StoreService) Complete(call StoreCall, _ *bool) error {
	return s.store.Complete(context.Background(), &call.Claim, nil)
}

func (s *StoreService) Release(call StoreCall, _ *bool) error {
	return s.store.Release(context.Background(), &call.Claim)
}

// remoteStore is the store of another process.
type remoteStore struct{ *rpc.Client }

func (s remoteStore) Claim(_ context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	c := &agentphone.Claim{}
	return c, s.Call("Store.Claim", StoreCall{Key: key, Opts: opts}, c)
}

func (s remoteStore) Renew(_ context.Context, c *agentphone.Claim, lease time.Duration, _ []byte) error {
	return s.Call("Store.Renew", StoreCall{Claim: *c, Lease: lease}, nil)
}

func (s remoteStore) Complete(_ context.Context, c *agentphone.Claim, _ []byte) error {
	return s.Call("Store.Complete", StoreCall{Claim: *c}, nil)
}

func (s remoteStore) Release(_ context.Context, c *agentphone.Claim) error {
	return s.Call("Store.Release", StoreCall{Claim: *c}, nil)
}

const storeAddress = "AGENTPHONE_TEST_STORE"

// The test's own binary is the process: with storeAddress set it serves a handler whose callback never returns.
func TestWebhookHandler_DeliveryOfAKilledProcessIsHandledByAnother(t *testing.T) {
	const lease = time.Second
	if addr := os.Getenv(storeAddress); addr != "" {
		client, err := rpc.Dial("tcp", addr)
		require.NoError(t, err)
		config := onMessage(func(context.Context) error { fmt.Println("called back"); select {} })
		config.Store, config.Lease = remoteStore{client}, lease
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		fmt.Println("http://" + listener.Addr().String())
		require.NoError(t, http.Serve(listener, newHandler(t, config)))
	}

	store := agentphone.NewMemoryStore()
	services := rpc.NewServer()
	require.NoError(t, services.RegisterName("Store", &StoreService{store}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go services.ServeConn(conn)
		}
	}()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), storeAddress+"="+listener.Addr().String())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	url := lines.Text()

	var sender sync.WaitGroup
	sender.Go(func() {
		res, err := http.DefaultClient.Do(signedTo(t.Context(), url, apitest.TextEvent, "whd_1"))
		if err == nil {
			_ = res.Body.Close()
			t.Errorf("status %d from a process that was killed", res.StatusCode)
		}
	})
	require.True(t, lines.Scan())
	assert.Equal(t, "called back", lines.Text())
	time.Sleep(lease + lease/2) // real time: two processes
	config := onMessage(func(context.Context) error { return nil })
	config.Store, config.Lease = store, lease
	h := newHandler(t, config)
	assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code, "renewed")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	killed := time.Now()
	sender.Wait()
	require.Eventually(t, func() bool {
		return apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Code == 200
	}, 10*time.Second, 20*time.Millisecond)
	assert.Less(t, time.Since(killed), lease+500*time.Millisecond)
}
