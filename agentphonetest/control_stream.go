package agentphonetest

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	// streamWriteTimeout is how long a client of a stream may take to read a batch of events.
	streamWriteTimeout = 10 * time.Second
	// streamBatch is about how many bytes are written at once.
	streamBatch = 256 << 10
)

// streamEvents sends the feed's events as they come, from the one after Last-Event-ID (of the header, or else of the
// query's after) on.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	stream := &feedStream{server: s}
	after := cmp.Or(r.Header.Get("Last-Event-Id"), r.URL.Query().Get("after"))
	s.mu.Lock()
	stream.sent = s.feed.end()
	if after != "" {
		stream.sent, stream.lost = s.feed.after(after)
	}
	s.mu.Unlock()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	for batch := []byte(": connected\n\n"); ; {
		_ = out.SetWriteDeadline(time.Now().Add(streamWriteTimeout)) // not supported in memory
		if _, err := w.Write(batch); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Time{}) // over HTTP/2 it would break the stream when nothing is being written
		var err error
		if batch, err = stream.next(r.Context()); err != nil {
			return
		}
	}
}

// feedStream is one connection to the feed.
type feedStream struct {
	server *Server
	sent   int  // how many of the feed's events were sent, or came before the stream
	lost   bool // some that were not sent are gone
}

// next waits for events, or for as long as the connection may be silent, and returns what is to be sent.
func (t *feedStream) next(ctx context.Context) ([]byte, error) {
	s, f := t.server, t.server.feed
	silence := time.Now().Add(heartbeatInterval)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		wake := s.observeCalls()
		if batch := t.due(); batch != nil {
			return batch, nil
		}
		if !time.Now().Before(silence) {
			return []byte(": heartbeat\n\n"), nil
		}
		if silence.Before(wake) {
			wake = silence
		}
		if err := s.waitAmong(ctx, f.watchers, time.Until(wake)); err != nil {
			return nil, err
		}
	}
}

// due returns the next events that were not sent, or nil.
func (t *feedStream) due() (batch []byte) {
	f := t.server.feed
	if t.lost = t.lost || t.sent < f.dropped; t.lost {
		t.lost, t.sent = false, f.end()
		return appendFeedEvent(nil, f.id(t.sent), feedEvent{"lost", []byte("{}")})
	}
	for ; t.sent < f.end() && len(batch) < streamBatch; t.sent++ {
		batch = appendFeedEvent(batch, f.id(t.sent+1), f.events[t.sent-f.dropped])
	}
	return batch
}

func appendFeedEvent(to []byte, id string, e feedEvent) []byte {
	return fmt.Appendf(to, "id: %s\nevent: %s\ndata: %s\n\n", id, e.name, e.data)
}
