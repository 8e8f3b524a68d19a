package agentphonetest

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// How much of what happened the feed keeps: as much as is within both limits, and at least the last event.
const (
	feedEvents = 10_000
	feedBytes  = 16 << 20
)

// feed is what happened lately, as the control handler's streams send it. The server is never held up by them: they read
// what they have not sent yet, and what is dropped meanwhile they have lost. Server.mu guards it.
type feed struct {
	epoch    string // begins the ids of events, so that those of another server are not taken for its own
	events   []feedEvent
	dropped  int // events that were before
	bytes    int // of the data of events
	watchers waiters
	observe  time.Time // when observeCalls is due
}

type feedEvent struct {
	name string
	data []byte // JSON
}

func newFeed() *feed {
	return &feed{epoch: strconv.FormatInt(time.Now().UnixNano(), 36), watchers: waiters{}}
}

// end is the number of events so far.
func (f *feed) end() int { return f.dropped + len(f.events) }

// id is the id of the event before which there were n-1 others.
func (f *feed) id(n int) string { return f.epoch + "-" + strconv.Itoa(n) }

// after returns how many events there were up to one with an id. lost reports that the feed no longer has all that came
// after it.
func (f *feed) after(id string) (n int, lost bool) {
	epoch, number, _ := strings.Cut(id, "-")
	n, err := strconv.Atoi(number)
	if err != nil || epoch != f.epoch || n < f.dropped || n > f.end() {
		return f.end(), true
	}
	return n, false
}

func (f *feed) add(e feedEvent) {
	f.events, f.bytes = append(f.events, e), f.bytes+len(e.data)
	for len(f.events) > feedEvents || f.bytes > feedBytes && len(f.events) > 1 {
		f.bytes -= len(f.events[0].data)
		f.events[0] = feedEvent{}
		f.events = f.events[1:]
		f.dropped++
	}
	f.watchers.wake()
}

// publish adds an event to the feed if there is one. The caller holds s.mu, here and in all that follows.
func (s *Server) publish(name string, view func() object) {
	if s.feed != nil {
		s.feed.add(feedEvent{name, encode(view())})
	}
}

func (s *Server) publishRequest(r *record) { s.publish("request", r.view) }

func (s *Server) publishConversation(c *conversation) {
	s.publish("conversation", c.controlView)
}

func (s *Server) publishMessage(m *message) { s.publish("message", m.controlView) }

func (s *Server) publishVerification(v *verification) { s.publish("verification", v.view) }

func (s *Server) publishDelivery(d *delivery) { s.publish("delivery", d.controlView) }

func (s *Server) publishSetup() { s.publish("setup", s.setupView) }

// publishAttempt publishes the last attempt of a delivery.
func (s *Server) publishAttempt(d *delivery) {
	s.publish("attempt", func() object {
		a := d.last()
		return object{
			"deliveryId": d.id, "status": d.status, "nextAttemptAt": stamp(d.next), "attempt": a.view(len(d.attempts)),
		}
	})
}

// published is what was published of a call.
type published struct {
	begun  bool
	status string
	digits string
	lines  int
}

// publishCall publishes what is new of a call: what was said, and its status. It keeps count without a feed, too, so that
// a feed begins with what is new then.
func (s *Server) publishCall(c *call) {
	m := c.now()
	said, status := m.said(), string(m.status())
	p := &c.published
	news := !p.begun || status != p.status || c.digits != p.digits
	if news && !m.final {
		s.publish("call", m.controlView)
	}
	for i, line := range said[p.lines:] {
		s.publish("line", func() object { return m.lineView(p.lines+i, line) })
	}
	if news && m.final { // after the last that was said
		s.publish("call", m.controlView)
	}
	*p = published{true, status, c.digits, len(said)}
}

// observeCalls publishes what the scripts of calls have come to, since nothing else does when the time comes, and
// returns when it is to be called again at the latest. It looks at the calls in progress only when one of them changes.
func (s *Server) observeCalls() time.Time {
	f := s.feed
	if time.Now().Before(f.observe) {
		return f.observe
	}
	s.deliverEnds()
	f.observe = time.Now().Add(heartbeatInterval)
	for _, e := range s.ends {
		m := e.call.now()
		s.publishCall(e.call)
		if next := time.Now().Add(m.untilChange()); !m.final && next.Before(f.observe) {
			f.observe = next
		}
	}
	return f.observe
}

// accountPaths begin the paths of the operations that change what an account's view shows.
var accountPaths = []string{"/v1/agents", "/v1/numbers", "/v1/webhooks"}

// publishAccountOf publishes an account that an operation may have changed.
func (s *Server) publishAccountOf(op *operation, a *account) {
	if op.method == "GET" || a == nil {
		return
	}
	for _, path := range accountPaths {
		if strings.HasPrefix(op.path, path) {
			s.publishAccount(a)
			return
		}
	}
}

// publishAccount publishes an account if its view is another one than the last time.
func (s *Server) publishAccount(a *account) {
	if s.feed == nil || !s.exists(a) {
		return
	}
	if v := a.controlView(); !bytes.Equal(encode(v), a.published) {
		a.published = encode(v)
		s.publish("account", func() object { return v })
	}
}
