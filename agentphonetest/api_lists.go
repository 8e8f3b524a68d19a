package agentphonetest

import (
	"maps"
	"slices"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// store keeps items by id, in the order in which they were added.
type store[T interface{ ident() string }] struct {
	byID  map[string]stored[T]
	list  []T
	order []int // of the items of list; it only ascends
	next  int   // the order of the next item
}

type stored[T any] struct {
	item  T
	order int
}

func (st *store[T]) add(item T) {
	if st.byID == nil {
		st.byID = map[string]stored[T]{}
	}
	st.byID[item.ident()] = stored[T]{item, st.next}
	st.list, st.order = append(st.list, item), append(st.order, st.next)
	st.next++
}

func (st *store[T]) get(id string) (T, bool) {
	found, ok := st.byID[id]
	return found.item, ok
}

func (st *store[T]) remove(id string) {
	found, ok := st.byID[id]
	if !ok {
		return
	}
	i, _ := slices.BinarySearch(st.order, found.order)
	st.list, st.order = slices.Delete(st.list, i, i+1), slices.Delete(st.order, i, i+1)
	delete(st.byID, id)
}

// where returns the items for which keep is true.
func where[T any](items []T, keep func(T) bool) []T {
	var out []T
	for _, item := range items {
		if keep(item) {
			out = append(out, item)
		}
	}
	return out
}

// newestFirst returns a copy of items, last first.
func newestFirst[T any](items []T) []T {
	out := slices.Clone(items)
	slices.Reverse(out)
	return out
}

// latest returns the last items, at most limit.
func latest[T any](items []T, limit int) []T { return items[max(0, len(items)-limit):] }

// since returns the items that are not before a time, and countSince how many they are. items are in the order of their
// times.
func since[T any](items []T, at func(T) time.Time, start time.Time) []T {
	i, _ := slices.BinarySearchFunc(items, start, func(item T, start time.Time) int { return at(item).Compare(start) })
	return items[i:]
}

func countSince[T any](items []T, at func(T) time.Time, start time.Time) int {
	return len(since(items, at, start))
}

// listed returns the items of a list that it shows already: WithListDelay. The caller holds s.mu.
func listed[T any](s *Server, items []T, at func(T) time.Time) []T {
	if s.listDelay <= 0 {
		return items
	}
	return items[:len(items)-countSince(items, at, time.Now().Add(1-s.listDelay))]
}

// grouped sorts items into groups by key.
func grouped[T any](items []T, key func(T) string) map[string][]T {
	out := map[string][]T{}
	for _, item := range items {
		out[key(item)] = append(out[key(item)], item)
	}
	return out
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

const defaultPage = 20

// pageQuery describes the query of a list that is paged by offset.
func pageQuery(maxLimit float64, more ...schema.Field) []schema.Field {
	return append([]schema.Field{schema.Integer("limit").Min(1).Max(maxLimit), schema.Integer("offset").Min(0)}, more...)
}

// bounds returns where in a list of n items the page begins and ends that a query is for.
func bounds(n int, query schema.Values, defaultLimit int) (from, to int) {
	from = min(query.Int("offset", 0), n)
	return from, from + min(query.Int("limit", defaultLimit), n-from)
}

// cutNewest returns the items of the page that a query is for, of a list that is shown last first.
func cutNewest[T any](items []T, query schema.Values, defaultLimit int) []T {
	from, to := bounds(len(items), query, defaultLimit)
	return newestFirst(items[len(items)-to : len(items)-from])
}

// pageOf returns the page of a list that a query is for.
func pageOf[T any](items []T, query schema.Values, defaultLimit int, view func(T) object) object {
	from, to := bounds(len(items), query, defaultLimit)
	return page(items[from:to], len(items), query, view)
}

// newestPageOf returns the page that a query is for, of a list that is shown last first.
func newestPageOf[T any](items []T, query schema.Values, defaultLimit int, view func(T) object) object {
	return page(cutNewest(items, query, defaultLimit), len(items), query, view)
}

func page[T any](shown []T, total int, query schema.Values, view func(T) object) object {
	return object{
		"data":    views(shown, view),
		"hasMore": query.Int("offset", 0)+len(shown) < total,
		"total":   total,
	}
}

// views returns the views of items. It is never nil, so that it is encoded as a list.
func views[T any](items []T, view func(T) object) []object {
	out := make([]object, 0, len(items))
	for _, item := range items {
		out = append(out, view(item))
	}
	return out
}
