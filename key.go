package agentphone

import (
	"context"
	"fmt"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// apiKey is a key with its header. A client holds it in a function, so that no printer, however deep it looks, finds it.
type apiKey struct{ key, authorization string }

// newAPIKey refuses what cannot be a key. "" is none.
func newAPIKey(key string) (apiKey, error) {
	return apiKey{key, "Bearer " + key}, checkKey(key)
}

// authorize gives a request its key. An operation that needs none gets none.
func (c *config) authorize(ctx context.Context, op *operation, req *transport.Request) error {
	k := c.key()
	if c.keySource != nil && !op.noKey {
		key, err := c.keySource(ctx)
		if err == nil {
			k, err = newAPIKey(key)
		}
		if err != nil {
			return fmt.Errorf("agentphone: %s: API key: %w", op, err)
		}
	}
	req.Key = k.key
	if op.noKey {
		return nil
	}
	if k.key == "" {
		return fmt.Errorf("agentphone: %s: %w", op, ErrNoAPIKey)
	}
	req.Authorization = k.authorization
	return nil
}
