package agentphone

import (
	"errors"
	"iter"
	"time"
)

// allByTime iterates over messages, newest first. The API pages them by time only and two
// messages can bear the same time, so each page begins just after the oldest time of the one
// before, and what was given already is left out by its id. Messages that arrive meanwhile are
// newer than any page that follows.
func allByTime[T any](params ListMessagesParams, key func(*T) (id string, at Timestamp), fetch func(ListMessagesParams) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		p := params
		if p.Limit == 0 {
			p.Limit = maxMessagesPage
		}
		given := map[string]time.Time{} // what the next page may hold again
		unit := time.Second
		empty := 0
		for {
			page, err := fetch(p)
			if err != nil {
				yield(none, err)
				return
			}
			var oldest time.Time
			fresh := 0
			for i := range page.Data {
				item := &page.Data[i]
				id, at := key(item)
				if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
					oldest = at.Time
				}
				unit = min(unit, precision(at.Time))
				_, known := given[id]
				if known && id != "" || !p.Before.IsZero() && at.After(p.Before.Time) {
					continue // the latter: the server does not keep to the time asked for
				}
				given[id] = at.Time
				fresh++
				if !yield(*item, nil) {
					return
				}
			}
			next := NewTimestamp(oldest.Truncate(unit).Add(unit))
			if !params.Before.IsZero() && next.After(params.Before.Time) {
				next = params.Before // the caller's own bound holds
			}
			switch {
			case !page.HasMore:
				return
			case len(page.Data) == 0:
				if empty++; empty > maxEmptyPages {
					yield(none, listError(errEmptyPages))
					return
				}
				continue
			case oldest.IsZero():
				yield(none, listError(errNoTime))
				return
			case fresh == 0 && !p.Before.IsZero() && !next.Before(p.Before.Time):
				if p.Limit == maxMessagesPage {
					yield(none, listError(stuckError(page, key)))
					return
				}
				p.Limit = maxMessagesPage // the page is full of what was given: look further
				continue
			}
			empty = 0
			p.Before = next
			for id, at := range given {
				if at.After(next.Time) {
					delete(given, id)
				}
			}
		}
	}
}

// precision is the unit that a time is written in: to look past a time is to look past all
// that the unit holds, for what is shown may have been cut.
func precision(t time.Time) time.Duration {
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return time.Second
	case ns%int(time.Millisecond) == 0:
		return time.Millisecond
	}
	return time.Microsecond
}

// stuckError tells a page that is all of one time from a server that repeats itself.
func stuckError[T any](page *Page[T], key func(*T) (string, Timestamp)) error {
	_, first := key(&page.Data[0])
	_, last := key(&page.Data[len(page.Data)-1])
	if first.Equal(last.Time) && len(page.Data) > 1 {
		return errSameTime
	}
	return errRepeats
}

var (
	errSameTime = errors.New("more messages bear one timestamp than the server gives on a page")
	errNoTime   = errors.New("a page of messages has no timestamps to go on from")
)
