package agentphone

import (
	queue "container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// DeliveryStore records which deliveries have been handled, because AgentPhone delivers an event again if it did not
// get the response 200. A store that several processes share (a database table, Redis) keeps them from handling a
// delivery twice; a [MemoryDeliveryStore] is for one process.
//
// A handler calls Claim before the callback, then Done if the callback succeeded or Release if it failed. The context
// of each call ends after 5 seconds. A claim must expire by itself, because the process that made it may crash, but not
// before the callback's time is over, which is 10 minutes or TurnTimeout: Done and Release do not tell whose claim
// they end. An implementation must be safe for concurrent use.
type DeliveryStore interface {
	// Claim claims a delivery that is neither claimed nor handled, for the caller alone.
	Claim(ctx context.Context, deliveryID string) (DeliveryClaim, error)
	// Done records that a delivery has been handled, and ends its claim.
	Done(ctx context.Context, deliveryID string) error
	// Release ends the claim of a delivery that has not been handled, so that it can be claimed again.
	Release(ctx context.Context, deliveryID string) error
}

// DeliveryClaim is the result of a claim.
type DeliveryClaim int

const (
	DeliveryGranted DeliveryClaim = iota + 1 // the caller is to handle the delivery
	DeliveryHeld                             // somebody else is handling it
	DeliveryHandled                          // it has been handled
)

// ErrDeliveryStoreFull is returned by [MemoryDeliveryStore.Claim] when MaxDeliveries are being handled at once.
var ErrDeliveryStoreFull = errors.New("agentphone: too many deliveries are being handled")

const (
	defaultMaxDeliveries = 100_000
	defaultDeliveryKeep  = 24 * time.Hour
	defaultClaimLife     = 11 * time.Minute
)

// MemoryDeliveryStore is a [DeliveryStore] for one process. The zero value is ready to use. Its fields must not be
// changed after the first use. It is safe for concurrent use.
type MemoryDeliveryStore struct {
	// MaxDeliveries is how many handled deliveries are remembered, the latest ones, and how many may be claimed at
	// once. If not positive, it is 100,000.
	MaxDeliveries int

	// Keep is how long a handled delivery is remembered. If not positive, it is 24 hours.
	Keep time.Duration

	// ClaimLife is how long a claim lasts. If not positive, it is 11 minutes. If it is shorter than a callback takes,
	// the delivery may be handled twice.
	ClaimLife time.Duration

	mu      sync.Mutex
	held    map[string]time.Time // when the claim expires
	handled map[string]*queue.Element
	order   queue.List // of handledDelivery, the oldest first
}

type handledDelivery struct {
	id    string
	until time.Time
}

// Claim grants a delivery that is neither held nor handled. The error is [ErrDeliveryStoreFull].
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

// Done records that a delivery has been handled. The error is nil.
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

// Release ends a claim, so that the delivery can be claimed again. The error is nil.
func (s *MemoryDeliveryStore) Release(_ context.Context, deliveryID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, deliveryID)
	return nil
}

func (s *MemoryDeliveryStore) limit() int { return positive(s.MaxDeliveries, defaultMaxDeliveries) }

// positive returns n if it is positive, else the default.
func positive[N int | time.Duration](n, byDefault N) N {
	if n > 0 {
		return n
	}
	return byDefault
}

// forget removes handled deliveries that are too old or too many. The caller holds s.mu.
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
