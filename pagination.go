package agentphone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Page is one page of a list.
type Page[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"hasMore"`
	Total   int  `json:"total"` // items on all pages; 0 for lists that do not count (messages)
}

// Collect reads at most limit items of an iterator into a slice; limit 0 is all of them. On
// an error it returns what came before it too.
//
//	calls, err := agentphone.Collect(client.Calls.All(ctx, agentphone.ListCallsParams{}), 500)
func Collect[T any](seq iter.Seq2[T, error], limit int) ([]T, error) {
	switch {
	case limit < 0:
		return nil, &ValidationError{"limit", "is negative"}
	case seq == nil:
		return nil, &ValidationError{"seq", "is nil"}
	}
	var out []T
	for item, err := range seq {
		if err != nil {
			return out, err
		}
		out = append(out, item)
		if len(out) == limit {
			break
		}
	}
	return out, nil
}

// answeredPage is every shape of a list that the API answers with.
type answeredPage[T any] struct {
	Data    []T   `json:"data"`
	Items   []T   `json:"items"`
	HasMore *bool `json:"hasMore"`
	Total   *int  `json:"total"`
}

var errNoList = errors.New("it holds no list")

func (p *answeredPage[T]) decodeBody(body []byte) error {
	if body[0] == '[' {
		return json.Unmarshal(body, &p.Data)
	}
	if err := json.Unmarshal(body, p); err != nil {
		return err
	}
	if p.Data == nil {
		p.Data = p.Items
	}
	if p.Data == nil && p.HasMore == nil && p.Total == nil {
		return errNoList // not an empty page: an answer of another kind
	}
	return nil
}

// list is do for a page. offset is where the page begins, to tell whether there is more
// where the answer does not say so.
func list[T any](ctx context.Context, s *service, op *operation, args []string, params any, offset int, opts []RequestOption) (*Page[T], error) {
	var p answeredPage[T]
	if err := s.send(ctx, op, args, params, &p, opts); err != nil {
		return nil, err
	}
	page := &Page[T]{Data: p.Data}
	if p.Total != nil {
		page.Total = *p.Total
	}
	if p.HasMore != nil {
		page.HasMore = *p.HasMore
	} else {
		page.HasMore = len(page.Data) > 0 && offset+len(page.Data) < page.Total
	}
	return page, nil
}

// errRepeats ends an iteration over a list that makes no progress.
var errRepeats = errors.New("the server gave the same page again")

// maxEmptyPages in a row are read on from, as long as the server says that there is more.
const maxEmptyPages = 10

var errEmptyPages = fmt.Errorf("the server gave over %d empty pages in a row", maxEmptyPages)

// allByOffset iterates over a list that is paged by offset. Items of the page before are
// not given again: they come back when new ones push the list down meanwhile.
func allByOffset[T any](offset, limit int, id func(*T) string, fetch func(offset, limit int) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var given, before map[string]bool // ids of the two pages before
		at, empty, stale := offset, 0, 0
		for {
			page, err := fetch(at, limit)
			if err != nil {
				yield(none, err)
				return
			}
			ids := make(map[string]bool, len(page.Data))
			fresh := 0
			for i := range page.Data {
				item := &page.Data[i]
				id := id(item)
				ids[id] = true
				if id != "" && (given[id] || before[id]) {
					continue
				}
				fresh++
				if !yield(*item, nil) {
					return
				}
			}
			switch {
			case !page.HasMore:
				return
			case len(page.Data) == 0:
				at += limit
				if empty++; empty > maxEmptyPages {
					yield(none, listError(errEmptyPages))
					return
				}
			case fresh == 0 && stale > 0:
				yield(none, listError(errRepeats))
				return
			default:
				// A page of nothing new may be the list that grew by as much: the next one tells.
				at += len(page.Data)
				empty, stale = 0, stale+1
				if fresh > 0 {
					stale = 0
				}
				given, before = ids, given
			}
		}
	}
}

func listError(err error) error { return fmt.Errorf("agentphone: listing: %w", err) }

// pageSize is that of an All method: as large as the API allows, for fewest requests.
func pageSize(limit int) int {
	if limit == 0 {
		return maxPage
	}
	return limit
}

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
