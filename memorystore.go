package agentphone

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

const defaultMaxKeys = 100_000

// deliveryKeys is the prefix of the keys that a webhook handler claims.
const deliveryKeys = "delivery:"

// MemoryStore is a [Store] in memory, for one process: what it knows ends with that. It is the default of a handler. It is safe for
// concurrent use; make it with [NewMemoryStore].
//
// It has room for a number of keys. When that is full, the deliveries that were handled longest ago are forgotten. Other keys are
// not, before their retention ends, for a text would be sent twice: a claim of a new one is [ErrStoreFull].
type MemoryStore struct {
	maxKeys int

	mu         sync.Mutex
	entries    map[string]*memoryEntry
	deliveries entryQueue
	others     entryQueue
	tokens     int
}

// MemoryStoreOption configures a [MemoryStore].
type MemoryStoreOption func(*MemoryStore)

// WithMaxKeys sets how many keys the store has room for, 100,000 by default. One takes about 300 bytes, and its note and value.
func WithMaxKeys(n int) MemoryStoreOption {
	return func(s *MemoryStore) {
		if n > 0 {
			s.maxKeys = n
		}
	}
}

// NewMemoryStore returns an empty store.
func NewMemoryStore(opts ...MemoryStoreOption) *MemoryStore {
	s := &MemoryStore{maxKeys: defaultMaxKeys, entries: map[string]*memoryEntry{}}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

type memoryEntry struct {
	key       string
	token     string
	completed bool
	firstAt   time.Time
	expires   time.Time
	retention time.Duration
	note      []byte
	value     []byte

	place int // in its queue, from 1; 0 is not in it
}

// Claim implements [Store].
func (s *MemoryStore) Claim(ctx context.Context, key string, opts ClaimOptions) (*Claim, error) {
	if err := cmp.Or(ctx.Err(), opts.check(key)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.forget(now)
	c := &Claim{Key: key, Now: now}
	e := s.entries[key]
	switch {
	case e == nil:
		if !s.makeRoom(now) {
			return nil, ErrStoreFull
		}
		e = &memoryEntry{key: key, firstAt: now, note: bytes.Clone(opts.Note)}
		s.entries[key] = e
	case e.completed:
		c.Status, c.Value = ClaimCompleted, bytes.Clone(e.value)
		return c, nil
	case now.Before(e.expires):
		c.Status, c.RetryAfter, c.Note = ClaimHeld, e.expires.Sub(now), bytes.Clone(e.note)
		return c, nil
	default:
		c.Note, c.LapsedAt = bytes.Clone(e.note), e.expires
	}
	s.tokens++
	e.token, e.retention = strconv.Itoa(s.tokens), opts.Retention
	s.lease(e, now.Add(opts.Lease))
	c.Status, c.Token, c.Expires, c.FirstAt = ClaimGranted, e.token, e.expires, e.firstAt
	return c, nil
}

func (o ClaimOptions) check(key string) error {
	switch {
	case key == "":
		return &ValidationError{"key", "is empty"}
	case o.Lease <= 0:
		return &ValidationError{"Lease", "is not positive"}
	case o.Retention <= 0:
		return &ValidationError{"Retention", "is not positive"}
	}
	return nil
}

// Renew implements [Store].
func (s *MemoryStore) Renew(_ context.Context, c *Claim, lease time.Duration, note []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	e := s.owned(c)
	if e == nil || !now.Before(e.expires) {
		return ErrClaimLost
	}
	e.note = bytes.Clone(note)
	s.lease(e, now.Add(max(lease, 0)))
	return nil
}

// Complete implements [Store].
func (s *MemoryStore) Complete(_ context.Context, c *Claim, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.owned(c)
	if e == nil {
		return ErrClaimLost
	}
	e.completed, e.value, e.note = true, bytes.Clone(value), nil
	s.queue(e).set(e, time.Now())
	return nil
}

// Release implements [Store].
func (s *MemoryStore) Release(_ context.Context, c *Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.owned(c)
	if e == nil {
		return ErrClaimLost
	}
	s.remove(e)
	return nil
}

// owned returns the entry of a claim if that is still the caller's.
func (s *MemoryStore) owned(c *Claim) *memoryEntry {
	if c == nil || c.Token == "" {
		return nil
	}
	e := s.entries[c.Key]
	if e == nil || e.completed || e.token != c.Token {
		return nil
	}
	return e
}

func (s *MemoryStore) queue(e *memoryEntry) *entryQueue {
	if strings.HasPrefix(e.key, deliveryKeys) {
		return &s.deliveries
	}
	return &s.others
}

func (s *MemoryStore) lease(e *memoryEntry, expires time.Time) {
	e.expires = expires
	s.queue(e).set(e, expires)
}

func (s *MemoryStore) remove(e *memoryEntry) {
	delete(s.entries, e.key)
	heap.Remove(s.queue(e), e.place-1)
}

// forget removes what is past its retention.
func (s *MemoryStore) forget(now time.Time) {
	for _, q := range []*entryQueue{&s.deliveries, &s.others} {
		for len(q.slots) > 0 && !now.Before(q.slots[0].end) {
			s.remove(q.slots[0].entry)
		}
	}
}

// makeRoom reports whether there is room for another key. The delivery whose retention ends first was handled longest ago.
func (s *MemoryStore) makeRoom(now time.Time) bool {
	if len(s.entries) < s.maxKeys {
		return true
	}
	if len(s.deliveries.slots) == 0 {
		return false
	}
	first := s.deliveries.slots[0]
	if now.Before(first.end.Add(-first.entry.retention)) {
		return false // it is held, and so are all others
	}
	s.remove(first.entry)
	return true
}

// entryQueue is a heap of entries by the end of their retention.
type entryQueue struct{ slots []queueSlot }

// queueSlot has the time beside the entry: reading it there takes much longer if there are many entries.
type queueSlot struct {
	end   time.Time
	entry *memoryEntry
}

func (q *entryQueue) Len() int           { return len(q.slots) }
func (q *entryQueue) Less(i, j int) bool { return q.slots[i].end.Before(q.slots[j].end) }
func (q *entryQueue) Swap(i, j int) {
	q.slots[i], q.slots[j] = q.slots[j], q.slots[i]
	q.slots[i].entry.place, q.slots[j].entry.place = i+1, j+1
}
func (q *entryQueue) Push(any) {} // set does without
func (q *entryQueue) Pop() any {
	last := len(q.slots) - 1
	q.slots[last].entry.place = 0
	q.slots[last] = queueSlot{}
	q.slots = q.slots[:last]
	return nil
}

// set puts an entry into the queue, or in its new place. Its retention begins at a time.
func (q *entryQueue) set(e *memoryEntry, begin time.Time) {
	if e.place == 0 {
		q.slots = append(q.slots, queueSlot{entry: e})
		e.place = len(q.slots)
	}
	q.slots[e.place-1].end = begin.Add(e.retention)
	heap.Fix(q, e.place-1)
}
