package agentphonetest

import (
	"context"
	"errors"
	"time"
)

// The server has no timers of its own. What waits (a request with wait, a stream, a fault's delay, a pause between
// attempts) sleeps until the time of the next change that it can foresee, and is woken by other changes of the call that
// it waits for.

var errClosed = errors.New("agentphonetest: the server is closed")

// waiters are what waits for the same thing. Each has a channel of its own, with room for one signal: in a bubble of
// testing/synctest the clock advances only while everything waits on channels of the bubble.
type waiters map[chan struct{}]bool

// wake wakes them. The caller holds s.mu.
func (w waiters) wake() {
	for c := range w {
		select {
		case c <- struct{}{}:
		default: // it was woken before
		}
	}
}

// changed publishes the change of a call and wakes what waits for it: something was said, or it was ended. The caller
// holds s.mu.
func (s *Server) changed(c *call) {
	s.publishCall(c)
	c.changes++
	c.waiting.wake()
}

// pause waits until d has passed or the call has changed. seen is c.changes as of the state that the caller last saw, so
// that no change in between is missed. The error is that of ctx, or errClosed. The caller does not hold s.mu.
func (s *Server) pause(ctx context.Context, d time.Duration, c *call, seen int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.changes != seen {
		return ctx.Err()
	}
	if c.waiting == nil {
		c.waiting = waiters{}
	}
	return s.waitAmong(ctx, c.waiting, d)
}

// sleep waits until d has passed. Its errors are those of pause.
func (s *Server) sleep(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := time.Now().Add(d)
	for left := d; left > 0; left = time.Until(end) {
		if err := s.waitAmong(ctx, s.waiting, left); err != nil {
			return err
		}
	}
	return nil
}

// waitAmong waits until d has passed, the waiters are woken, or the server is closed. The caller holds s.mu, which is
// released meanwhile.
func (s *Server) waitAmong(ctx context.Context, w waiters, d time.Duration) error {
	if s.closed {
		return errClosed
	}
	wake := make(chan struct{}, 1)
	w[wake], s.waiting[wake] = true, true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(w, wake)
		delete(s.waiting, wake)
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
	case <-timer.C:
	}
	return nil
}

// awaitDeliveries waits until all deliveries are finished, even if the server is closed, or ctx ends.
func (s *Server) awaitDeliveries(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wake := make(chan struct{}, 1)
	s.idle[wake] = true
	defer delete(s.idle, wake)
	for s.unfinished > 0 && ctx.Err() == nil {
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
}

// deliveryFinished wakes what waits for all deliveries if this was the last one. The caller holds s.mu.
func (s *Server) deliveryFinished() {
	if s.unfinished--; s.unfinished == 0 {
		s.idle.wake()
	}
}
