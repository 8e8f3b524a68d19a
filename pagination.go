package agentphone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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
