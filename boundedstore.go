package agentphone

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// boundedStore is a Store whose calls return when their context ends, even if the store hangs in spite of it. What a store does after
// that counts as not known.
type boundedStore struct{ store Store }

// bounded returns a store whose calls end with their contexts.
func bounded(store Store) Store {
	if _, inMemory := store.(*MemoryStore); inMemory {
		return store // returns at once
	}
	return boundedStore{store}
}

func (s boundedStore) Claim(ctx context.Context, key string, opts ClaimOptions) (*Claim, error) {
	return within(ctx, func() (*Claim, error) { return s.store.Claim(ctx, key, opts) })
}

func (s boundedStore) Renew(ctx context.Context, c *Claim, lease time.Duration, note []byte) error {
	return endWithin(ctx, func() error { return s.store.Renew(ctx, c, lease, note) })
}

func (s boundedStore) Complete(ctx context.Context, c *Claim, value []byte) error {
	return endWithin(ctx, func() error { return s.store.Complete(ctx, c, value) })
}

func (s boundedStore) Release(ctx context.Context, c *Claim) error {
	return endWithin(ctx, func() error { return s.store.Release(ctx, c) })
}

func endWithin(ctx context.Context, call func() error) error {
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func within[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	returned := make(chan result, 1)
	go func() {
		r := result{err: errors.New("the store ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("the store panicked: %s", panicText(p))
			}
			returned <- r
		}()
		r.value, r.err = call()
	}()
	select {
	case r := <-returned:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-returned: // at the same moment
		return r.value, r.err
	default:
		var none T
		return none, ctx.Err()
	}
}
