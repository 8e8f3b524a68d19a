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

	mu       sync.Mutex
	entries  map[string]*memoryEntry
	byEnd    entryQueue // all, by when they are forgotten
	removals entryQueue // deliveries, by when they may make room
	tokens   int
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
	s := &MemoryStore{
		maxKeys: defaultMaxKeys, entries: map[string]*memoryEntry{},
		byEnd:    entryQueue{at: func(e *memoryEntry) *queueSlot { return &e.end }},
		removals: entryQueue{at: func(e *memoryEntry) *queueSlot { return &e.removal }},
	}
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

	end, removal queueSlot
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
	now := time.Now()
	e.completed, e.value, e.note = true, bytes.Clone(value), nil
	s.byEnd.set(e, now.Add(e.retention))
	if e.isDelivery() {
		s.removals.set(e, now)
	}
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

func (e *memoryEntry) isDelivery() bool { return strings.HasPrefix(e.key, deliveryKeys) }

func (s *MemoryStore) lease(e *memoryEntry, expires time.Time) {
	e.expires = expires
	s.byEnd.set(e, expires.Add(e.retention))
	if e.isDelivery() {
		s.removals.set(e, expires)
	}
}

func (s *MemoryStore) remove(e *memoryEntry) {
	delete(s.entries, e.key)
	s.byEnd.remove(e)
	s.removals.remove(e)
}

// forget removes what is past its retention.
func (s *MemoryStore) forget(now time.Time) {
	for e := s.byEnd.first(); e != nil && !now.Before(e.end.time); e = s.byEnd.first() {
		s.remove(e)
	}
}

// makeRoom reports whether there is room for another key.
func (s *MemoryStore) makeRoom(now time.Time) bool {
	if len(s.entries) < s.maxKeys {
		return true
	}
	e := s.removals.first()
	if e == nil || now.Before(e.removal.time) {
		return false // all are held, or must not be forgotten
	}
	s.remove(e)
	return true
}

// entryQueue is a heap of entries by a time of theirs. An entry knows its place in it.
type entryQueue struct {
	entries []*memoryEntry
	at      func(*memoryEntry) *queueSlot
}

type queueSlot struct {
	time  time.Time
	place int // in the queue, from 1; 0 is not in it
}

func (q *entryQueue) Len() int { return len(q.entries) }
func (q *entryQueue) Less(i, j int) bool {
	return q.at(q.entries[i]).time.Before(q.at(q.entries[j]).time)
}
func (q *entryQueue) Swap(i, j int) {
	q.entries[i], q.entries[j] = q.entries[j], q.entries[i]
	q.at(q.entries[i]).place, q.at(q.entries[j]).place = i+1, j+1
}
func (q *entryQueue) Push(e any) {
	q.entries = append(q.entries, e.(*memoryEntry))
	q.at(e.(*memoryEntry)).place = len(q.entries)
}
func (q *entryQueue) Pop() any {
	last := len(q.entries) - 1
	e := q.entries[last]
	q.entries[last] = nil
	q.entries = q.entries[:last]
	q.at(e).place = 0
	return e
}

func (q *entryQueue) first() *memoryEntry {
	if len(q.entries) == 0 {
		return nil
	}
	return q.entries[0]
}

func (q *entryQueue) set(e *memoryEntry, at time.Time) {
	slot := q.at(e)
	slot.time = at
	if slot.place == 0 {
		heap.Push(q, e)
	} else {
		heap.Fix(q, slot.place-1)
	}
}

func (q *entryQueue) remove(e *memoryEntry) {
	if place := q.at(e).place; place > 0 {
		heap.Remove(q, place-1)
	}
}
