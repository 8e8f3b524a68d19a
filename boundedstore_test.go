package agentphone_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// hangingStore never returns from a renewal, whatever its context says.
type hangingStore struct{ agentphone.Store }

func (hangingStore) Renew(context.Context, *agentphone.Claim, time.Duration, []byte) error { select {} }

func TestWithIdempotencyKey_StoreThatHangsDoesNotHoldTheCall(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client(agentphone.WithStore(hangingStore{agentphone.NewMemoryStore()}))
	done := make(chan error, 1)
	go func() {
		_, err := c.Messages.Send(context.Background(), text(srv, "hi"), key("k"))
		done <- err
	}()
	select {
	case err := <-done:
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	case <-time.After(time.Minute):
		t.Fatal("the call hangs")
	}
}
