package agentphone_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// slowStore takes its time for the claims of an idempotency key after the first.
type slowStore struct {
	agentphone.Store
	by     time.Duration
	claims int
}

func (s *slowStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if strings.HasPrefix(key, "send:") {
		if s.claims++; s.claims > 1 {
			time.Sleep(s.by)
		}
	}
	return s.Store.Claim(ctx, key, opts)
}

func TestWithIdempotencyKey_SlowStoreDoesNotShortenTheSettleTime(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client(agentphone.WithStore(&slowStore{Store: agentphone.NewMemoryStore(), by: 25 * time.Second}), agentphone.WithSettleTime(40*time.Second))
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		var pending *agentphone.PendingError
		require.ErrorAs(t, err, &pending, "25 s after the request")
		assert.Equal(t, 15*time.Second, pending.RetryAfter)
		assert.Empty(t, srv.Messages())
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err, "50 s after the request")
	})
}

// A call that does not return leaves a claim that lapses at once, instead of one that is renewed for ever.
func TestWithIdempotencyKey_CallThatDoesNotReturnIsReconciled(t *testing.T) {
	for name, stop := range map[string]func(){"panic": func() { panic("stop") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
				store := agentphone.NewMemoryStore()
				stopping := apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					_, _ = srv.Transport().RoundTrip(r)
					stop()
					return nil, nil
				})
				c := srv.Client(agentphone.WithStore(store), agentphone.WithHTTPClient(&http.Client{Transport: stopping}))
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					_, _ = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
				}()
				<-done
				assertReconciled(t, srv, srv.Client(agentphone.WithStore(store)))
			})
		})
	}
}

// A claim with other parameters neither takes the key from those that it was used with, nor puts off when their call has settled.
func TestWithIdempotencyKey_OtherParametersDoNotPutOffTheSettling(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		store := agentphone.NewMemoryStore()
		crashed, crash := context.WithCancel(t.Context())
		hung := srv.Client(agentphone.WithStore(&crashingStore{Store: store, crashed: crashed}))
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500, Delay: time.Second}) // no effect
		go func() { _, _ = hung.Messages.Send(crashed, text(srv, "hi"), key("k")) }()
		time.Sleep(time.Second / 2)
		crash()
		c := srv.Client(agentphone.WithStore(store))
		for range 11 {
			time.Sleep(time.Minute)
			_, err := c.Messages.Send(t.Context(), text(srv, "other"), key("k"))
			require.ErrorIs(t, err, agentphone.ErrIdempotencyKeyReused)
		}
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		assert.Len(t, srv.Messages(), 1)
	})
}

// A retention is only seen in the store.
func TestWithKeyRetention_IsThatOfTheClaims(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client(agentphone.WithKeyRetention(time.Hour))
		for range 2 {
			for range 2 {
				_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
				require.NoError(t, err)
			}
			time.Sleep(time.Hour)
		}
		assert.Len(t, srv.Messages(), 2)
	})
}

// What another program has written under a key is an error, and nothing is sent.
func TestWithIdempotencyKey_RecordThatCannotBeReadSendsNothing(t *testing.T) {
	for name, claim := range map[string]*agentphone.Claim{
		"record": {Status: agentphone.ClaimCompleted, Value: []byte("?")},
		"note":   {Status: agentphone.ClaimGranted, Token: "t", LapsedAt: time.Now(), Note: []byte("?")},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`),
				agentphone.WithStore(silentStore{agentphone.NewMemoryStore(), claim, "send:"}))
			_, err := c.Messages.Send(t.Context(), validSend, key("k"))
			require.ErrorContains(t, err, "the "+name+" of the idempotency key cannot be read")
			require.ErrorIs(t, err, agentphone.ErrTemporary)
			assert.Empty(t, s.Requests())
		})
	}
}

// A store that fails when all has settled, and the request could be sent again: it is not.
func TestWithIdempotencyKey_StoreThatFailsBeforeARepeatedRequestSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		store := &faultyStore{Store: agentphone.NewMemoryStore()}
		c := srv.Client(agentphone.WithStore(store))
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		time.Sleep(20 * time.Minute)
		store.renews = true
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrTemporary)
		assert.Empty(t, srv.Messages())
		store.renews = false
		time.Sleep(time.Minute)
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		assert.Len(t, srv.Messages(), 1)
	})
}

// A request under a key costs at most four round trips to the store, and one that is repeated costs one.
func TestWithIdempotencyKey_AsksTheStoreAsLittleAsCanBe(t *testing.T) {
	for name, tc := range map[string]struct {
		send   func(*agentphone.Client, *agentphonetest.Server) error
		first  string
		replay string
	}{
		"a result that can be looked for": {
			func(c *agentphone.Client, srv *agentphonetest.Server) error {
				_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
				return err
			}, "claim send, renew send, claim result, complete send", "claim send",
		},
		"a result that no list shows": {
			func(c *agentphone.Client, srv *agentphonetest.Server) error {
				_, err := c.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://example.com/"}, key("k"))
				return err
			}, "claim send, complete send", "claim send",
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := agentphonetest.NewServer()
			defer srv.Close()
			store := &countingStore{Store: agentphone.NewMemoryStore()}
			c := srv.Client(agentphone.WithStore(store))
			require.NoError(t, tc.send(c, srv))
			assert.Equal(t, tc.first, strings.Join(store.asked, ", "))
			store.asked = nil
			require.NoError(t, tc.send(c, srv))
			assert.Equal(t, tc.replay, strings.Join(store.asked, ", "))
		})
	}
}

// countingStore notes what it is asked.
type countingStore struct {
	agentphone.Store
	asked []string
}

func (s *countingStore) note(what, key string) {
	kind, _, _ := strings.Cut(key, ":")
	s.asked = append(s.asked, what+" "+kind)
}

func (s *countingStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	s.note("claim", key)
	return s.Store.Claim(ctx, key, opts)
}

func (s *countingStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	s.note("renew", c.Key)
	return s.Store.Renew(ctx, c, lease, note)
}

func (s *countingStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	s.note("complete", c.Key)
	return s.Store.Complete(ctx, c, value)
}

func (s *countingStore) Release(ctx context.Context, c *agentphone.Claim) error {
	s.note("release", c.Key)
	return s.Store.Release(ctx, c)
}
