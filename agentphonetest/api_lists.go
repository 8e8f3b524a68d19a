package agentphonetest

import (
	"maps"
	"slices"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// store keeps items by id, in the order in which they were added.
type store[T interface{ ident() string }] struct {
	byID map[string]T
	list []T
}

func (st *store[T]) add(item T) {
	if st.byID == nil {
		st.byID = map[string]T{}
	}
	st.byID[item.ident()] = item
	st.list = append(st.list, item)
}

func (st *store[T]) get(id string) (T, bool) {
	item, ok := st.byID[id]
	return item, ok
}

func (st *store[T]) remove(id string) {
	delete(st.byID, id)
	st.list = slices.DeleteFunc(st.list, func(item T) bool { return item.ident() == id })
}

// where returns the items for which keep is true.
func (st *store[T]) where(keep func(T) bool) []T {
	var out []T
	for _, item := range st.list {
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

// cut returns the items of the page that a query is for.
func cut[T any](items []T, query schema.Values, defaultLimit int) []T {
	from := min(query.Int("offset", 0), len(items))
	return items[from:min(from+query.Int("limit", defaultLimit), len(items))]
}

// pageOf returns the page of a list that a query is for.
func pageOf[T any](items []T, query schema.Values, defaultLimit int, view func(T) object) object {
	shown := cut(items, query, defaultLimit)
	return object{
		"data":    views(shown, view),
		"hasMore": query.Int("offset", 0)+len(shown) < len(items),
		"total":   len(items),
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
