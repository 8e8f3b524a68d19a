package agentphone

import (
	queue "container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// DeliveryStore remembers which deliveries were handled, for AgentPhone delivers an event again if it did
// not see a 200. A store that several processes share (a database table, Redis) keeps them from
// handling a delivery twice; [MemoryDeliveryStore] does for one process.
//
// The handler calls Claim before a callback, then Done if the callback succeeded or Release if not, and gives each
// 5 seconds. A claim must expire by itself, for the process that made it may have crashed; it must last longer than
// a callback can take, which is 10 minutes or TurnTimeout: Release and Done do not say whose claim they end.
type DeliveryStore interface {
	Claim(ctx context.Context, deliveryID string) (DeliveryClaim, error)
	Done(ctx context.Context, deliveryID string) error
	Release(ctx context.Context, deliveryID string) error
}

// DeliveryClaim is the answer to a claim.
type DeliveryClaim int

const (
	DeliveryGranted DeliveryClaim = iota + 1 // handle it: nobody else does
	DeliveryHeld                             // somebody handles it now
	DeliveryHandled                          // it was handled
)

// ErrDeliveryStoreFull is the error of a [MemoryDeliveryStore] when MaxDeliveries are being handled at once.
var ErrDeliveryStoreFull = errors.New("agentphone: too many deliveries are being handled")

const (
	defaultMaxDeliveries = 100_000
	defaultDeliveryKeep  = 24 * time.Hour
	defaultClaimLife     = 11 * time.Minute
)

// MemoryDeliveryStore is a [DeliveryStore] for one process. The zero value is ready; set its fields before
// its first use. It is safe for concurrent use.
type MemoryDeliveryStore struct {
	MaxDeliveries int           // how many it remembers, 100,000 by default; the oldest go first
	Keep          time.Duration // how long it remembers one, 24 h by default
	ClaimLife     time.Duration // how long a claim lasts, 11 min by default; shorter than a callback it lets two run

	mu      sync.Mutex
	held    map[string]time.Time // until when
	handled map[string]*queue.Element
	order   queue.List // of handledDelivery, oldest first
}

type handledDelivery struct {
	id    string
	until time.Time
}

// Claim grants a delivery that is neither held nor handled.
func (s *MemoryDeliveryStore) Claim(_ context.Context, deliveryID string) (DeliveryClaim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.forget(now)
	if _, ok := s.handled[deliveryID]; ok {
		return DeliveryHandled, nil
	}
	if until, ok := s.held[deliveryID]; ok && now.Before(until) {
		return DeliveryHeld, nil
	}
	if len(s.held) >= s.limit() {
		for id, until := range s.held {
			if !now.Before(until) {
				delete(s.held, id)
			}
		}
		if len(s.held) >= s.limit() {
			return 0, ErrDeliveryStoreFull
		}
	}
	if s.held == nil {
		s.held, s.handled = map[string]time.Time{}, map[string]*queue.Element{}
	}
	s.held[deliveryID] = now.Add(positive(s.ClaimLife, defaultClaimLife))
	return DeliveryGranted, nil
}

// Done remembers that a delivery was handled.
func (s *MemoryDeliveryStore) Done(_ context.Context, deliveryID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, deliveryID)
	if s.handled == nil {
		s.held, s.handled = map[string]time.Time{}, map[string]*queue.Element{}
	}
	if _, ok := s.handled[deliveryID]; !ok {
		now := time.Now()
		s.handled[deliveryID] = s.order.PushBack(handledDelivery{deliveryID, now.Add(positive(s.Keep, defaultDeliveryKeep))})
		s.forget(now)
	}
	return nil
}

// Release gives a claim up: the delivery may be claimed again.
func (s *MemoryDeliveryStore) Release(_ context.Context, deliveryID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, deliveryID)
	return nil
}

func (s *MemoryDeliveryStore) limit() int { return positive(s.MaxDeliveries, defaultMaxDeliveries) }

func positive[N int | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// forget drops what is too old, or too much.
func (s *MemoryDeliveryStore) forget(now time.Time) {
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		d := e.Value.(handledDelivery)
		if s.order.Len() <= s.limit() && now.Before(d.until) {
			return
		}
		s.order.Remove(e)
		delete(s.handled, d.id)
	}
}
