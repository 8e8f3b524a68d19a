package agentphonetest

import (
	"container/heap"
	"time"
)

// ends is a heap of the calls that may have ended without notice, by when they end. A call is in it again if it is ended
// before its time.
type ends []end

type end struct {
	at   time.Time
	call *call
}

func (e ends) Len() int { return len(e) }

func (e ends) Less(i, j int) bool {
	if order := e[i].at.Compare(e[j].at); order != 0 {
		return order < 0
	}
	return e[i].call.order < e[j].call.order
}

func (e ends) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)   { *e = append(*e, x.(end)) }

func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = end{}
	*e = (*e)[:len(*e)-1]
	return last
}

// expectEnd has deliverEnds notice that a call is over after some time. The caller holds s.mu.
func (s *Server) expectEnd(c *call, after time.Duration) {
	heap.Push(&s.ends, end{c.started.Add(after), c})
	if s.feed != nil {
		s.feed.observe = time.Time{}
	}
}

// deliverEnds delivers the ends of calls that have ended since it was last called. The caller holds s.mu.
func (s *Server) deliverEnds() {
	for len(s.ends) > 0 && !s.ends[0].at.After(time.Now()) {
		c := heap.Pop(&s.ends).(end).call
		if c.now().final {
			s.publishCall(c)
			s.deliverSoon(s.endDelivery(c))
		}
	}
}
