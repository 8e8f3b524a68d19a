package agentphone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// apiKey is a key and the header made of it. A client holds it in a closure, so that printing the client does not show
// it, however deep the printer looks.
type apiKey struct{ key, authorization string }

// tokenCharacters are those of a Bearer token (RFC 6750, 2.1), which may end in "=". Go quotes each of them as it is, so
// that a key is found in an error that quotes it.
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// newAPIKey returns an error if key cannot be one. It may be "", which stands for no key.
func newAPIKey(key string) (apiKey, error) {
	if strings.Trim(strings.TrimRight(key, "="), tokenCharacters) != "" {
		return apiKey{}, &ValidationError{"API key", "has a character that no Bearer token has"}
	}
	return apiKey{key, "Bearer " + key}, nil
}

// authorize sets the key of a request, unless its operation needs none.
func (c *config) authorize(ctx context.Context, op *operation, req *transport.Request) error {
	k := c.key()
	if c.keySource != nil && !op.noKey {
		key, err := c.keySource(ctx)
		if err != nil {
			c.recent().add(key) // with an error too, it may be what the error quotes
			return temporaryError{fmt.Errorf("agentphone: %s: API key: %w", op, causedBy(err, c.recent().add(k.key)))}
		}
		if k, err = newAPIKey(key); err != nil {
			return fmt.Errorf("agentphone: %s: API key: %w", op, err)
		}
	}
	req.Key = k.key
	if c.keySource != nil {
		req.Key = c.recent().add(k.key)
	}
	if op.noKey {
		return nil
	}
	if k.key == "" {
		return fmt.Errorf("agentphone: %s: %w", op, ErrNoAPIKey)
	}
	req.Authorization = k.authorization
	return nil
}

// recentKeys are the keys that a source has supplied lately: a server may quote one after it was replaced.
type recentKeys struct {
	mu   sync.Mutex
	keys []string
}

const maxRecentKeys = 16

// add adds a key, unless it is "", and returns all, as package redact takes them: a key before those that it begins with.
func (r *recentKeys) add(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key != "" && !slices.Contains(r.keys, key) {
		r.keys = append(r.keys, key)
		r.keys = r.keys[max(0, len(r.keys)-maxRecentKeys):]
	}
	all := slices.Clone(r.keys)
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return strings.Join(all, redact.KeySeparator)
}
