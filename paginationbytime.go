package agentphone

import (
	"cmp"
	"errors"
	"iter"
	"time"
)

// allByTime iterates over messages, newest first. The API pages messages by time only, and several can have the same
// time. So each page begins just after the oldest time of the page before, and messages that were yielded before are
// left out by their ids. Messages that arrive meanwhile are newer than all pages that follow.
//
// Each page but a few must reach further back than the one before. So a server that returns the same pages again and again
// ends the iteration, and only messages of one unit of time need to be remembered.
func allByTime[T any](params ListMessagesParams, key func(*T) (id string, at Timestamp), fetch func(ListMessagesParams) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		p := params
		p.Limit = cmp.Or(p.Limit, maxMessagesPage)
		seen := map[string]time.Time{} // the messages yielded before that the next page may hold again
		unit := time.Second
		emptyPages, stuckPages := 0, 0
		for {
			page, err := fetch(p)
			if err != nil {
				yield(zero, err)
				return
			}
			var oldest time.Time
			yielded := 0
			for i := range page.Data {
				item := &page.Data[i]
				id, at := key(item)
				if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
					oldest = at.Time
				}
				unit = min(unit, precision(at.Time))
				_, known := seen[id]
				if known && id != "" || !p.Before.IsZero() && at.After(p.Before.Time) {
					continue // seen before, or a server that ignores Before
				}
				seen[id] = at.Time
				if at.IsZero() { // it is to be forgotten with its page
					seen[id] = cmp.Or(oldest, p.Before.Time)
				}
				yielded++
				if !yield(*item, nil) {
					return
				}
			}
			next := NewTimestamp(oldest.Truncate(unit).Add(unit))
			if !params.Before.IsZero() && next.After(params.Before.Time) {
				next = params.Before
			}
			stuck := !p.Before.IsZero() && !next.Before(p.Before.Time)
			switch {
			case !page.HasMore:
				return
			case len(page.Data) == 0:
				if emptyPages++; emptyPages > maxEmptyPages {
					yield(zero, listError(errEmptyPages))
					return
				}
				continue
			case oldest.IsZero():
				yield(zero, listError(errNoTime))
				return
			case stuck && (yielded == 0 && p.Limit == maxMessagesPage || stuckPages == maxStuckPages):
				yield(zero, listError(noProgressError(page, key)))
				return
			case stuck:
				stuckPages++
				p.Limit = maxMessagesPage // more messages of one time than the page holds: a larger page reaches beyond them
				continue
			}
			emptyPages, stuckPages = 0, 0
			p.Before = next
			for id, at := range seen {
				if at.After(next.Time) {
					delete(seen, id)
				}
			}
		}
	}
}

// maxStuckPages is how many pages in a row may reach no further back, as they do if messages of the same time arrive meanwhile.
const maxStuckPages = 10

// precision returns the unit in which the API wrote a time. A time may have been truncated to it, so a page must begin
// after the whole unit that holds the time.
func precision(t time.Time) time.Duration {
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return time.Second
	case ns%int(time.Millisecond) == 0:
		return time.Millisecond
	}
	return time.Microsecond
}

// noProgressError returns errSameTime if all messages of a page have the same time, or errRepeatedPage if the server
// repeats itself.
func noProgressError[T any](page *Page[T], key func(*T) (string, Timestamp)) error {
	_, first := key(&page.Data[0])
	_, last := key(&page.Data[len(page.Data)-1])
	if first.Equal(last.Time) && len(page.Data) > 1 {
		return errSameTime
	}
	return errRepeatedPage
}

var (
	errSameTime = errors.New("more messages have the same timestamp than fit on a page")
	errNoTime   = errors.New("a page of messages has no timestamps to continue from")
)
