package agentphone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/internal/leasetime"
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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Of a claim that was cut off nobody would know whether it was granted: it gets the time of a lease.
	claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(opts.Lease, leasetime.Key))
	return within(ctx, func() (*Claim, error) {
		defer cancel()
		return s.store.Claim(claiming, key, opts)
	}, func() func(*Claim) {
		if strings.HasPrefix(key, resultKeys) { // the key that it is for may have been completed with it meanwhile, or will be
			return func(*Claim) {}
		}
		return func(late *Claim) {
			ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
			defer cancel()
			giveBack(ctx, s, late)
		}
	})
}

// giveBack undoes a claim, if it was granted, that nobody needs. The key had been free, or it gets back what a claim that lapsed had left.
func giveBack(ctx context.Context, store Store, c *Claim) {
	switch {
	case c == nil || c.Status != ClaimGranted:
	case c.LapsedAt.IsZero():
		_ = store.Release(ctx, c)
	default:
		_ = store.Renew(ctx, c, 0, c.Note)
	}
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
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, call() }, func() func(struct{}) { return func(struct{}) {} })
	return err
}

// within returns what call, of a store, returns. If ctx ends sooner, it calls abandoned, and what that returns gets the value that comes late.
func within[T any](ctx context.Context, call func() (T, error), abandoned func() (late func(T))) (T, error) {
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
		late := abandoned()
		go func() { late((<-returned).value) }()
		var none T
		return none, ctx.Err()
	}
}
