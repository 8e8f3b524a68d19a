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

const (
	deliveryKeys = "delivery:" // the prefix of the keys that a webhook handler claims
	resultKeys   = "result:"   // of those that stand for the result of a call with an idempotency key, which claims it
)

// MemoryStore is a [Store] in memory, for one process: what it knows ends with that. It is the default of a handler. It is safe for
// concurrent use; make it with [NewMemoryStore].
//
// It has room for a number of deliveries, and for as many other keys with their results. When that is full, the deliveries that were handled longest ago are
// forgotten. Other keys are not, before their retention ends, for a text would be sent twice: a claim of a new one is [ErrStoreFull].
type MemoryStore struct {
	maxKeys int
	made    time.Time

	mu         sync.Mutex
	entries    map[string]*memoryEntry
	deliveries entryQueue  // but those that were handled
	handled    handledKeys // they have no entries
	results    entryQueue  // as many as there are calls: one that was sent is not refused the room for its result
	others     entryQueue
	tokens     int
}

// MemoryStoreOption configures a [MemoryStore].
type MemoryStoreOption func(*MemoryStore)

// WithMaxKeys sets how many deliveries, and how many other keys, the store has room for: 100,000 of each by default. A delivery that was
// handled takes about 80 bytes, another key and its result about 600, and each its note and value.
func WithMaxKeys(n int) MemoryStoreOption {
	return func(s *MemoryStore) {
		if n > 0 {
			s.maxKeys = n
		}
	}
}

// NewMemoryStore returns an empty store.
func NewMemoryStore(opts ...MemoryStoreOption) *MemoryStore {
	s := &MemoryStore{maxKeys: defaultMaxKeys, made: time.Now(), entries: map[string]*memoryEntry{}, handled: newHandledKeys()}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

type memoryEntry struct {
	key       string
	digest    keyDigest
	token     int
	completed bool
	firstAt   time.Time
	expires   time.Time
	retention time.Duration
	note      []byte
	value     []byte
	place     int // in its queue, from 1; 0 is not in one
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
	digest := digestOf(key)
	if s.handled.has(digest, now.Sub(s.made)) {
		c.Status = ClaimCompleted
		return c, nil
	}
	e := s.entries[key]
	switch {
	case e == nil:
		e = &memoryEntry{key: key, digest: digest, firstAt: now, note: bytes.Clone(opts.Note)}
		if !s.makeRoom(e, now) {
			return nil, ErrStoreFull
		}
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
	e.token, e.retention = s.tokens, opts.Retention
	s.lease(e, now.Add(opts.Lease))
	c.Status, c.Token, c.Expires, c.FirstAt = ClaimGranted, strconv.Itoa(e.token), e.expires, e.firstAt
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
	now, q := time.Now(), s.queue(e)
	if q == &s.deliveries && value == nil {
		s.remove(e)
		s.handled.add(e.digest, now.Add(e.retention).Sub(s.made))
		return nil
	}
	e.completed, e.value, e.note = true, bytes.Clone(value), nil
	q.set(e, now)
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
	if c == nil {
		return nil
	}
	e := s.entries[c.Key]
	if e == nil || e.completed || strconv.Itoa(e.token) != c.Token {
		return nil
	}
	return e
}

func (s *MemoryStore) queue(e *memoryEntry) *entryQueue {
	switch {
	case strings.HasPrefix(e.key, deliveryKeys):
		return &s.deliveries
	case strings.HasPrefix(e.key, resultKeys):
		return &s.results
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
	for _, q := range []*entryQueue{&s.deliveries, &s.results, &s.others} {
		for len(q.slots) > 0 && !now.Before(q.slots[0].end) {
			s.remove(q.slots[0].entry)
		}
	}
	s.handled.forget(now.Sub(s.made))
}

// makeRoom reports whether there is room for an entry. For a delivery, one makes room that nobody holds.
func (s *MemoryStore) makeRoom(e *memoryEntry, now time.Time) bool {
	q := s.queue(e)
	switch {
	case q == &s.results:
		return true
	case q == &s.others:
		return len(q.slots) < s.maxKeys
	case len(q.slots)+len(s.handled.ends) < s.maxKeys, s.handled.removeFirst():
		return true
	}
	first := q.slots[0] // the lease of this one ended, or ends, first
	if now.Before(first.end.Add(-first.entry.retention)) {
		return false
	}
	s.remove(first.entry)
	return true
}

// entryQueue is a heap of entries by the end of their retention.
type entryQueue struct{ slots []entrySlot }

// entrySlot has the end of the retention beside the entry: reading it there takes much longer if there are many entries.
type entrySlot struct {
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
	q.slots[last] = entrySlot{}
	q.slots = q.slots[:last]
	return nil
}

// set puts an entry into the queue, or in its new place. Its retention begins at a time.
func (q *entryQueue) set(e *memoryEntry, begin time.Time) {
	if e.place == 0 {
		q.slots = append(q.slots, entrySlot{entry: e})
		e.place = len(q.slots)
	}
	q.slots[e.place-1].end = begin.Add(e.retention)
	heap.Fix(q, e.place-1)
}
