package agentphone_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

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
