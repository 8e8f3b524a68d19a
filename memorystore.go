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

	mu         sync.Mutex
	entries    map[string]*memoryEntry
	deliveries entryQueue // but those that were handled
	handled    entryLine  // the deliveries that were, which are so many that a heap would take longer
	results    entryQueue // as many as there are calls: one that was sent is not refused the room for its result
	others     entryQueue
	tokens     int
}

// MemoryStoreOption configures a [MemoryStore].
type MemoryStoreOption func(*MemoryStore)

// WithMaxKeys sets how many deliveries, and how many other keys, the store has room for: 100,000 of each by default. A delivery takes about 300
// bytes, another key and its result about twice that, and each its note and value.
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

	place   int       // in its queue, or its line, from 1; 0 is not in one
	inLine  bool      // not in the queue
	lineEnd time.Time // in the line: the end of its retention
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
	if e != nil && e.inLine && !now.Before(e.lineEnd) { // behind one with a longer retention
		s.remove(e)
		e = nil
	}
	switch {
	case e == nil:
		e = &memoryEntry{key: key, firstAt: now, note: bytes.Clone(opts.Note)}
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
	now := time.Now()
	if q := s.queue(e); q == &s.deliveries {
		heap.Remove(q, e.place-1)
		e.lineEnd = now.Add(e.retention)
		s.handled.push(e)
	} else {
		q.set(e, now)
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
	if e.inLine {
		s.handled.remove(e)
	} else {
		heap.Remove(s.queue(e), e.place-1)
	}
}

// forget removes what is past its retention.
func (s *MemoryStore) forget(now time.Time) {
	for _, q := range []*entryQueue{&s.deliveries, &s.results, &s.others} {
		for len(q.slots) > 0 && !now.Before(q.slots[0].end) {
			s.remove(q.slots[0].entry)
		}
	}
	for e := s.handled.first(); e != nil && !now.Before(e.lineEnd); e = s.handled.first() {
		s.remove(e)
	}
}

// makeRoom reports whether there is room for an entry. For a delivery, one makes room that nobody holds.
func (s *MemoryStore) makeRoom(e *memoryEntry, now time.Time) bool {
	q := s.queue(e)
	switch {
	case q == &s.results:
		return true
	case q == &s.others:
		return len(q.slots) < s.maxKeys
	case len(q.slots)+s.handled.n < s.maxKeys:
		return true
	}
	if oldest := s.handled.first(); oldest != nil {
		s.remove(oldest)
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

// entryLine is a line of entries, in the order in which they came. Its zero value is empty.
type entryLine struct {
	places []*memoryEntry // nil is one who has left
	left   int            // places[0] has the place left+1
	n      int
}

func (l *entryLine) push(e *memoryEntry) {
	l.places = append(l.places, e)
	l.n++
	e.inLine, e.place = true, l.left+len(l.places)
}

// first returns the entry that came first, or nil.
func (l *entryLine) first() *memoryEntry {
	if l.n == 0 {
		return nil
	}
	return l.places[0]
}

func (l *entryLine) remove(e *memoryEntry) {
	l.places[e.place-l.left-1] = nil
	l.n--
	e.inLine, e.place = false, 0
	for len(l.places) > 0 && l.places[0] == nil {
		l.places = l.places[1:]
		l.left++
	}
}
