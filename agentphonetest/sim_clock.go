package agentphonetest

import (
	"context"
	"errors"
	"time"
)

// The server has no timers of its own. What waits (a request with wait, a stream, a fault's delay, a pause between
// attempts) sleeps until the time of the next change that it can foresee, and is woken by all other changes.

var errClosed = errors.New("agentphonetest: the server is closed")

// changed wakes everything that waits: something was said, a call was ended, a delivery finished, the server was
// closed. The caller holds s.mu.
func (s *Server) changed() {
	s.changes++
	for wake := range s.waiting {
		close(wake)
		delete(s.waiting, wake)
	}
}

// wakeOnChange returns a channel that the next call of changed closes. The caller holds s.mu.
//
// Each wait has a channel of its own: in a bubble of testing/synctest the clock advances only while everything waits on
// channels of the bubble.
func (s *Server) wakeOnChange() chan struct{} {
	wake := make(chan struct{})
	s.waiting[wake] = true
	return wake
}

// pause waits until d has passed or something has changed. seen is s.changes as of the state that the caller last saw,
// so that no change in between is missed. The error is that of ctx, or errClosed. The caller does not hold s.mu.
func (s *Server) pause(ctx context.Context, d time.Duration, seen int) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	if s.changes != seen {
		s.mu.Unlock()
		return ctx.Err()
	}
	wake := s.wakeOnChange()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, wake)
		s.mu.Unlock()
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

// sleep waits until d has passed, whatever changes meanwhile. Its errors are those of pause.
func (s *Server) sleep(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	for left := d; left > 0; left = time.Until(end) {
		s.mu.Lock()
		seen := s.changes
		s.mu.Unlock()
		if err := s.pause(ctx, left, seen); err != nil {
			return err
		}
	}
	return nil
}
