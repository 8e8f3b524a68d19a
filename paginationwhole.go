package agentphone

import (
	"context"
	"errors"
	"iter"
)

// wholeByOffset iterates over a list as allByOffset does, and leaves out nothing that is in it all the while: what was not seen is not
// there. What is deleted meanwhile pulls what follows to the pages before, which have been read. So each page begins with the last items
// of the page before and, if none of them is there any more, is read from further back. Who looks for an effect uses it.
//
// The order of the list has to stay. A server whose pages cannot overlap, for they have one item, or no ids, is believed if its total stays.
func wholeByOffset[T any](limit int, id func(*T) string, fetch func(offset, limit int) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		pages := overlappingPages[T]{id: id, fetch: fetch, margin: 1}
		allByOffset(0, limit, id, pages.next)(yield)
	}
}

// overlappingPages reads pages of which each is known to go on where the one before ended.
type overlappingPages[T any] struct {
	id       func(*T) string
	fetch    func(offset, limit int) (*Page[T], error)
	end      int                // offset of what follows the page before
	margin   int                // how many items of that the next page is to begin with
	overlap  int                // how many it can
	total    int                // when it was read
	previous [2]map[string]bool // ids of the last two pages that had items
	detours  int                // pages that did not go on there
}

// maxDetours is more than it takes to read any list from further back, down to its beginning, each time twice as far.
const maxDetours = 40

var errListChanged = errors.New("the list changed too much while it was read")

// next returns the next page. It keeps count of the offset itself.
func (p *overlappingPages[T]) next(_, limit int) (*Page[T], error) {
	for back := p.overlap; ; {
		offset := max(0, p.end-back)
		page, err := p.fetch(offset, limit)
		if err != nil {
			return nil, err
		}
		if offset == 0 || p.goesOn(page, offset) {
			p.read(page, offset, limit)
			return page, nil
		}
		if p.detours++; p.detours > maxDetours {
			return nil, listError(errListChanged)
		}
		p.margin = min(4*p.margin, limit/2)
		back = max(2*back, p.margin)
	}
}

// goesOn reports whether nothing can be missing between a page and the one before: it has an item that was seen.
func (p *overlappingPages[T]) goesOn(page *Page[T], offset int) bool {
	for i := range page.Data {
		if id := p.id(&page.Data[i]); p.previous[0][id] || p.previous[1][id] {
			return true
		}
	}
	cannotOverlap := offset == p.end || len(page.Data) == 0 && page.HasMore
	return cannotOverlap && page.Total > 0 && page.Total == p.total
}

func (p *overlappingPages[T]) read(page *Page[T], offset, limit int) {
	n := len(page.Data)
	p.end, p.overlap, p.total = offset+n, 0, page.Total
	if n == 0 {
		p.end += limit
		return
	}
	ids := make(map[string]bool, n)
	for i := range page.Data {
		ids[p.id(&page.Data[i])] = true
	}
	delete(ids, "")
	p.previous[0], p.previous[1] = ids, p.previous[0]
	if p.id(&page.Data[n-1]) != "" {
		p.overlap = min(p.margin, n/2)
	}
}

func wholeCalls(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[Call, error] {
	return wholeByOffset(maxPage, func(c *Call) string { return c.ID }, func(offset, limit int) (*Page[Call], error) {
		return c.Calls.List(ctx, ListCallsParams{Direction: DirectionOutbound, Offset: offset, Limit: limit}, opts...)
	})
}

func wholeNumbers(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[PhoneNumber, error] {
	return wholeByOffset(maxPage, func(n *PhoneNumber) string { return n.ID }, func(offset, limit int) (*Page[PhoneNumber], error) {
		return c.Numbers.List(ctx, ListNumbersParams{Offset: offset, Limit: limit}, opts...)
	})
}

func wholeAgents(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[Agent, error] {
	return wholeByOffset(maxPage, func(a *Agent) string { return a.ID }, func(offset, limit int) (*Page[Agent], error) {
		return c.Agents.List(ctx, ListAgentsParams{Offset: offset, Limit: limit}, opts...)
	})
}

func wholeContacts(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[Contact, error] {
	return wholeByOffset(maxContactsPage, func(c *Contact) string { return c.ID }, func(offset, limit int) (*Page[Contact], error) {
		return c.Contacts.List(ctx, ListContactsParams{Offset: offset, Limit: limit}, opts...)
	})
}

func wholeSubAccounts(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[SubAccount, error] {
	return wholeByOffset(maxSubAccountsPage, func(a *SubAccount) string { return a.ID }, func(offset, limit int) (*Page[SubAccount], error) {
		return c.SubAccounts.List(ctx, ListSubAccountsParams{Offset: offset, Limit: limit}, opts...)
	})
}
