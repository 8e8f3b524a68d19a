package agentphone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// Page is one page of a list. To iterate over all pages use the All method that stands beside each List method. The
// iteration ends with an error if the server returns the same pages again and again, or pages with nothing new.
type Page[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"hasMore"` // whether more items follow those of this page
	Total   int  `json:"total"`   // number of items on all pages; 0 if the API gives none, as for messages
}

// Collect returns the first limit items of an iterator, such as those that the All methods return, or all of them if
// limit is 0. If the iterator yields an error, Collect returns it with the items before it.
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

// pageBody decodes the response to a list in each of the shapes that the API uses: an object with the items in data or
// in items, or a bare array.
type pageBody[T any] struct {
	Data    []T   `json:"data"`
	Items   []T   `json:"items"`
	HasMore *bool `json:"hasMore"`
	Total   *int  `json:"total"`
}

var errNoList = errors.New("the body is not a list")

func (p *pageBody[T]) decodeBody(body []byte) error {
	if body[0] == '[' {
		return lenientjson.Unmarshal(body, &p.Data)
	}
	if err := lenientjson.Unmarshal(body, p); err != nil {
		return err
	}
	if p.Data == nil {
		p.Data = p.Items
	}
	isEmpty := len(p.Data) == 0 // which would be evidence
	if isEmpty && failureIn(body) != (failure{}) || bytes.Contains(body, []byte(`"success"`)) && bool(failureIn(body).Success) {
		return errIsErrorObject
	}
	if p.Data == nil && p.HasMore == nil && p.Total == nil {
		return errNoList // an empty page has one of them
	}
	return nil
}

// list is do for a page of a list that begins at offset. Where the response has no hasMore, offset and total tell
// whether more items follow.
func list[T any](ctx context.Context, s *service, op *operation, args []string, params any, offset int, opts []RequestOption) (*Page[T], error) {
	var p pageBody[T]
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

// maxEmptyPages is how many empty pages in a row an iteration accepts from a server that says that more items follow.
const maxEmptyPages = 10

var (
	errEmptyPages   = fmt.Errorf("the server returned over %d empty pages in a row", maxEmptyPages)
	errRepeatedPage = errors.New("the server returned the same page again")
)

// allByOffset iterates over a list that is paged by offset. An item that was on one of the two pages before is not
// yielded again: new items push older ones down to the next page while the iteration runs. limit is the page size: the largest that
// the API allows, unless the caller gave one.
func allByOffset[T any](offset, limit int, id func(*T) string, fetch func(offset, limit int) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		var previous, beforePrevious map[string]bool // ids of the last two pages that had items
		next, emptyPages, stalePages := offset, 0, 0
		cycle := pageCycle{seed: maphash.MakeSeed()}
		for {
			page, err := fetch(next, limit)
			if err != nil {
				yield(zero, err)
				return
			}
			ids := make(map[string]bool, len(page.Data))
			stale := true
			for i := range page.Data {
				item := &page.Data[i]
				id := id(item)
				ids[id] = true
				if id != "" && (previous[id] || beforePrevious[id]) {
					continue
				}
				stale = false
				if !yield(*item, nil) {
					return
				}
			}
			switch {
			case !page.HasMore:
				return
			case len(page.Data) == 0:
				next += limit
				if emptyPages++; emptyPages > maxEmptyPages {
					yield(zero, listError(errEmptyPages))
					return
				}
				continue
			case stale:
				stalePages++
			default:
				stalePages = 0
			}
			sum, identified := sumOf(&cycle, page.Data, id)
			// Items without ids may all look the same. Before where the list says that it ends, few are no sign.
			certain := identified || next >= page.Total
			if cycle.closed(sum, len(page.Data), next, page.Total, certain) || stalePages > maxLockstep {
				yield(zero, listError(errRepeatedPage))
				return
			}
			next += len(page.Data)
			emptyPages = 0
			previous, beforePrevious = ids, previous
		}
	}
}

func listError(err error) error { return fmt.Errorf("agentphone: listing: %w", err) }
