package agentphonetest

import (
	"context"
	"errors"
	"time"
)

var errClosed = errors.New("agentphonetest: the server was closed")

// changed wakes all that wait, to look again: a call was ended, the server was closed. The
// caller holds s.mu.
func (s *Server) changed() {
	s.changes++
	for wake := range s.waiting {
		close(wake)
		delete(s.waiting, wake)
	}
}

// pause returns when d has passed or changed was called. seen is s.changes as it was when the
// caller last looked, so that no change in between is missed. The caller does not hold s.mu.
//
// The channel is made here, for each pause: in a synctest bubble only a wait on channels of the
// bubble itself lets the clock go on.
func (s *Server) pause(ctx context.Context, d time.Duration, seen int) error {
	wake := make(chan struct{})
	s.mu.Lock()
	closed, stale := s.closed, s.changes != seen
	if !closed && !stale {
		s.waiting[wake] = true
	}
	s.mu.Unlock()
	switch {
	case closed:
		return errClosed
	case stale:
		return ctx.Err()
	}
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

// sleep returns when d has passed, whatever changes meanwhile.
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
