package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go"
)

// The columns of the sends with idempotency keys. The first is what the others are measured against.
const (
	unkeyed       = "no key"
	memoryStore   = "memory"
	redisStore    = "Redis"
	sqliteStore   = "SQLite"
	postgresStore = "PostgreSQL"
)

var keyedColumns = []string{unkeyed, memoryStore, redisStore, sqliteStore, postgresStore}

const (
	storeCalls     = "store calls/send"
	sendsPerSecond = "sends/s"
)

// The target of issue 13: one call of the store claims the key, one the result, and one records it.
var storeCallsTarget = target{atMost, 3}

// keyedSends measures what an idempotency key adds to a send, on the API in memory. The stores are not measured in turns, for some take
// a thousand times as long as others.
func keyedSends(ctx context.Context, p plan) (rows []row, err error) {
	one := map[string][]sample{}
	asked := map[string]float64{}
	many := map[int]map[string][]sample{}
	atOnce := []int{1, 4, 16, 64}
	for _, n := range atOnce {
		many[n] = map[string][]sample{}
	}
	for _, name := range keyedColumns {
		send, calls, stop, err := keyedSender(ctx, name)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(os.Stderr, "%s is left out: its server is not installed\n", name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer stop()
		for _, n := range atOnce {
			samples, err := compare(ctx, p.longer(4), n, []contender{{name, send}})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			many[n][name] = samples[name]
		}
		one[name] = many[1][name]
		before := calls.Load()
		const sends = 20
		if _, err := run(ctx, 1, sends, send); err != nil {
			return nil, err
		}
		asked[name] = float64(calls.Load()-before) / sends
	}
	rows = rowsOf("send with an idempotency key", one, nil, nanoseconds, allocations)
	rows = append(rows, row{Case: "send with an idempotency key", Unit: storeCalls, Values: once(asked), Target: &storeCallsTarget})
	for _, n := range atOnce {
		rows = append(rows, rowsOf(fmt.Sprintf("sends with idempotency keys, %d at once", n), many[n], nil, sendsPerSecond)...)
	}
	for i := range rows {
		rows[i].Columns = keyedColumns
	}
	return rows, nil
}

// keyedSender returns a function that sends a message, each time under a new key, and the number of calls of its store.
func keyedSender(ctx context.Context, name string) (send func(context.Context) error, calls *atomic.Int64, stop func(), err error) {
	calls = new(atomic.Int64)
	carrier := &http.Client{Transport: &api{sends: new(atomic.Int64)}}
	if name == unkeyed {
		c := newSDK(inMemoryURL, carrier)
		return func(ctx context.Context) error { _, err := c.Messages.Send(ctx, sentParams); return err }, calls, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "agentphone-bench")
	if err != nil {
		return nil, nil, nil, err
	}
	var store agentphone.Store
	closeStore := func() {}
	for _, s := range stores {
		if s.name == name {
			store, closeStore, err = s.open(ctx, dir)
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, nil, err
	}
	// Of what the store in memory would keep in its 30 days there is no room for that of the longest measurement.
	c := newSDK(inMemoryURL, carrier, agentphone.WithStore(countingStore{store, calls}),
		agentphone.WithSettleTime(time.Second/2), agentphone.WithKeyRetention(time.Second))
	var n atomic.Int64
	send = func(ctx context.Context) error {
		_, err := c.Messages.Send(ctx, sentParams, agentphone.WithIdempotencyKey("job-"+strconv.FormatInt(n.Add(1), 10)))
		return err
	}
	return send, calls, func() { closeStore(); _ = os.RemoveAll(dir) }, nil
}

// countingStore counts the calls of a store, each of which is one round trip to it.
type countingStore struct {
	agentphone.Store
	calls *atomic.Int64
}

func (s countingStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	s.calls.Add(1)
	return s.Store.Claim(ctx, key, opts)
}

func (s countingStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	s.calls.Add(1)
	return s.Store.Renew(ctx, c, lease, note)
}

func (s countingStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	s.calls.Add(1)
	return s.Store.Complete(ctx, c, value)
}

func (s countingStore) Release(ctx context.Context, c *agentphone.Claim) error {
	s.calls.Add(1)
	return s.Store.Release(ctx, c)
}
