package agentphone_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Calls with equal parameters under different keys, each of which has an effect of its own. In what follows one key could take the
// effect of the other, which would then be sent once more.

// sendUnknown sends a text whose outcome stays unknown although it took effect: the response is lost, and looking for it fails.
func sendUnknown(t *testing.T, srv *agentphonetest.Server, c *agentphone.Client, k string) {
	t.Helper()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
	srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/numbers/{number_id}/messages", Status: 400})
	_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key(k))
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
}

// assertEachHasOne repeats the calls of keys for an hour, and requires that in the end each has a message and there are no others.
func assertEachHasOne(t *testing.T, srv *agentphonetest.Server, c *agentphone.Client, keys ...string) {
	t.Helper()
	keyOf := map[string]string{}
	for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Minute) {
		for _, k := range keys {
			m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key(k))
			if err != nil {
				require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				continue
			}
			if other := keyOf[m.ID]; other != "" {
				require.Equal(t, k, other, "both have %s", m.ID)
			}
			keyOf[m.ID] = k
		}
	}
	assert.Len(t, keyOf, len(keys))
	assert.Len(t, srv.Messages(), len(keys))
}

func TestWithIdempotencyKey_CrashBeforeTheResultIsRecordedDoesNotTakeAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		store := &faultyStore{Store: agentphone.NewMemoryStore(), completes: true}
		c := srv.Client(agentphone.WithStore(store))
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("a"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		store.completes = false
		time.Sleep(time.Second)
		sendUnknown(t, srv, c, "b") // a newer one, which a would find first
		var response agentphone.Response
		m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("a"), agentphone.WithResponse(&response))
		require.NoError(t, err)
		assert.Equal(t, srv.Messages()[0].ID, m.ID)
		assert.True(t, response.Replayed)
		assertEachHasOne(t, srv, c, "a", "b")
	})
}

// A store that fails while the result is recorded: the call is not reported as done, and the next one has the same result.
func TestWithIdempotencyKey_StoreThatFailsAfterTheRequestLosesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		store faultyStore
		fault agentphonetest.Fault
	}{
		"renew":                  {faultyStore{renews: true}, agentphonetest.Fault{}},
		"complete":               {faultyStore{completes: true}, agentphonetest.Fault{}},
		"complete what it found": {faultyStore{completes: true}, agentphonetest.Fault{Reset: true}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
				store := &test.store
				store.Store = agentphone.NewMemoryStore()
				test.fault.Operation = "POST /v1/messages"
				srv.InjectFault(test.fault)
				c := srv.Client(agentphone.WithStore(store))
				_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
				require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				store.renews, store.completes = false, false
				time.Sleep(time.Minute)
				assertEachHasOne(t, srv, c, "k")
			})
		})
	}
}

// A result that is recorded for what no one knows is not this key's.
func TestWithIdempotencyKey_OwnerThatCannotBeReadIsAnError(t *testing.T) {
	claim := &agentphone.Claim{Status: agentphone.ClaimHeld, Note: []byte("?")}
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`),
		agentphone.WithStore(silentStore{agentphone.NewMemoryStore(), claim, "result:"}))
	_, err := c.Messages.Send(t.Context(), validSend, key("k"))
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.Len(t, s.Requests(), 1)
}

// The message of a call that got its response is nobody else's.
func TestWithIdempotencyKey_ReportedResultIsNotTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("a"))
		require.NoError(t, err)
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500}) // no effect
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("b"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assertEachHasOne(t, srv, c, "a", "b")
	})
}

// The first key's response is slow, and the second takes its message before it is there.
func TestWithIdempotencyKey_KeyWhoseOwnResultAnotherTookGetsOne(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Delay: 5 * time.Second})
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500}) // no effect
		first := make(chan error)
		go func() {
			_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("a"))
			first <- err
		}()
		time.Sleep(time.Second)
		m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("b"))
		require.NoError(t, err)
		assert.Equal(t, srv.Messages()[0].ID, m.ID)
		require.ErrorIs(t, <-first, agentphone.ErrOutcomeUnknown)
		assertEachHasOne(t, srv, c, "a", "b")
	})
}

// An operation without a result has nothing to record, and is not sent again all the same.
func TestWithIdempotencyKey_EmptyResponseIsReplayed(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(204, ""))
	for range 2 {
		require.NoError(t, c.Do(t.Context(), "POST", "/v1/things", nil, nil, key("k")))
	}
	assert.Len(t, s.Requests(), 1)
}

// The second key was first used so much later that it would not take the text of the first for its own.
func TestWithIdempotencyKey_KeyWhoseResultAnotherTookFindsThatOfTheOther(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		sendUnknown(t, srv, c, "a")
		time.Sleep(20 * time.Minute)
		sendUnknown(t, srv, c, "b")
		time.Sleep(20 * time.Minute) // both have settled
		assertEachHasOne(t, srv, c, "a", "b")
	})
}

// The second key sends late, since its attempts meet a rate limit, and takes the text of the first for its own, which is still on its
// way. The first has to wait for that.
func TestWithIdempotencyKey_KeyWhoseResultAnotherTookWaitsForThatOfTheOther(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		store := agentphone.NewMemoryStore()
		c := srv.Client(agentphone.WithStore(store))
		sendUnknown(t, srv, c, "a")
		time.Sleep(time.Minute)
		const limited = 12
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 429, Header: http.Header{"Retry-After": {"50"}}, Times: limited})
		late := &lateTransport{RoundTripper: srv.Transport(), at: limited + 1, by: 5 * time.Minute}
		b := srv.Client(agentphone.WithStore(store), agentphone.WithMaxRetries(limited), agentphone.WithHTTPClient(&http.Client{Transport: late}))
		m, err := b.Messages.Send(t.Context(), text(srv, "hi"), key("b"))
		require.NoError(t, err)
		require.Len(t, srv.Messages(), 1)
		require.Equal(t, srv.Messages()[0].ID, m.ID, "it took the other's")
		assertEachHasOne(t, srv, c, "a", "b")
	})
}

// lateTransport loses one POST, which arrives later all the same.
type lateTransport struct {
	http.RoundTripper
	at    int // counts POSTs from 1
	by    time.Duration
	posts int
}

func (l *lateTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		l.posts++
	}
	if r.Method != http.MethodPost || l.posts != l.at {
		return l.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	time.AfterFunc(l.by, func() { _, _ = l.RoundTripper.RoundTrip(again) })
	return nil, errors.New("connection reset by peer")
}

// placeAt places a call with a greeting under a key after a while, and repeats it until it has a result or never gets one.
func placeAt(t *testing.T, srv *agentphonetest.Server, c *agentphone.Client, k, greeting string, after time.Duration) (id string, err error) {
	t.Helper()
	time.Sleep(after)
	for range 5 {
		var placed *agentphone.Call
		placed, err = c.Calls.Create(t.Context(), agentphone.CreateCallParams{
			AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x", InitialGreeting: &greeting,
		}, key(k))
		if err == nil {
			return placed.ID, nil
		}
		time.Sleep(11 * time.Minute)
	}
	return "", err
}

// Of two calls that differ only in what the list does not show, one may be taken for the other. Neither rings twice.
func TestWithIdempotencyKey_CallsThatTheListDoesNotTellApartRingOnce(t *testing.T) {
	const first, second = "Your table is ready", "Your table is canceled"
	place := func(t *testing.T, faults ...agentphonetest.Fault) (calls map[string]int, ids [2]string, errs [2]error) {
		inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
			for _, f := range faults {
				f.Operation = "POST /v1/calls"
				srv.InjectFault(f)
			}
			c := srv.Client()
			var wg sync.WaitGroup
			wg.Go(func() { ids[0], errs[0] = placeAt(t, srv, c, "a", first, 0) })
			wg.Go(func() { ids[1], errs[1] = placeAt(t, srv, c, "b", second, time.Second) })
			wg.Wait()
			calls = map[string]int{}
			for _, r := range srv.Requests() {
				for _, greeting := range []string{first, second} {
					if r.Operation == "POST /v1/calls" && strings.Contains(string(r.Body), greeting) {
						calls[greeting]++
					}
				}
			}
		})
		return calls, ids, errs
	}
	t.Run("one is lost while the other is in flight", func(t *testing.T) {
		requests, ids, errs := place(t,
			agentphonetest.Fault{Reset: true, BeforeEffect: true, Delay: 2 * time.Second, Matching: first},
			agentphonetest.Fault{Delay: 3 * time.Second, Matching: second})
		require.NoError(t, errs[1])
		assert.NotEmpty(t, ids[1])
		assert.Equal(t, map[string]int{first: 1, second: 1}, requests, "its own response is its own result")
	})
	t.Run("both are unknown", func(t *testing.T) {
		requests, _, errs := place(t,
			agentphonetest.Fault{Reset: true, BeforeEffect: true, Delay: 4 * time.Second, Matching: first},
			agentphonetest.Fault{Reset: true, Delay: 4 * time.Second, Matching: second})
		require.NoError(t, errs[0])
		var pending *agentphone.PendingError
		require.ErrorAs(t, errs[1], &pending)
		require.ErrorIs(t, errs[1], agentphone.ErrOutcomeUnknown)
		assert.Zero(t, pending.RetryAfter, "nobody can tell any more")
		assert.Equal(t, map[string]int{first: 1, second: 1}, requests)
	})
}

// Ids may be unique only among things of a kind.
func TestWithIdempotencyKey_ResultsOfOtherOperationsAreNoObstacle(t *testing.T) {
	c, api := apitest.NewClient(t, apitest.Always(200, `{"id":"1"}`))
	_, err := c.Messages.Send(t.Context(), validSend, key("k"))
	require.NoError(t, err)
	_, err = c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "n"}, key("k"))
	require.NoError(t, err)
	assert.Len(t, api.Requests(), 2)
}

// An API that uses an id twice, as one that says "queued" to each, has accepted each request all the same.
func TestWithIdempotencyKey_ResponseIsTheResultThoughItsIDWasUsedBefore(t *testing.T) {
	for name, crash := range map[string]bool{"at once": false, "after a crash": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				store := &resultStore{Store: agentphone.NewMemoryStore()}
				c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						sent++
						return apitest.Response(200, `{"id":"queued"}`), nil
					}
					return apitest.Response(200, `{"data":[],"hasMore":false}`), nil
				}, agentphone.WithStore(store))
				_, err := c.Messages.Send(t.Context(), plainText, key("a"))
				require.NoError(t, err)
				if crash {
					store.crashes = true
					_, err := c.Messages.Send(t.Context(), plainText, key("b"))
					require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
					store.crashes, store.crashed = false, false
				}
				for range 3 {
					time.Sleep(time.Hour)
					m, err := c.Messages.Send(t.Context(), plainText, key("b"))
					require.NoError(t, err)
					assert.Equal(t, "queued", m.ID)
				}
				assert.Equal(t, 2, sent)
			})
		})
	}
}

// resultStore is the store of a process that crashes, if it is to, when it claims a result.
type resultStore struct {
	agentphone.Store
	crashes, crashed bool
}

var errCrashed = errors.New("crashed")

func (s *resultStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if s.crashes && strings.HasPrefix(key, "result:") {
		s.crashed = true
		return nil, errCrashed
	}
	return s.Store.Claim(ctx, key, opts)
}

func (s *resultStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if s.crashed {
		return errCrashed
	}
	return s.Store.Renew(ctx, c, lease, note)
}
