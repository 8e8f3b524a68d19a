package agentphonetest

import "slices"

// store keeps things by id, in the order in which they were added.
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

// newestFirst is a copy of items, last first.
func newestFirst[T any](items []T) []T {
	out := slices.Clone(items)
	slices.Reverse(out)
	return out
}

const defaultPage = 20

// cut returns the page that a query asks for.
func cut[T any](items []T, query object, defaultLimit int) []T {
	from := min(query.integer("offset", 0), len(items))
	return items[from:min(from+query.integer("limit", defaultLimit), len(items))]
}

// pageOf answers with a page of a list.
func pageOf[T any](items []T, query object, defaultLimit int, view func(T) object) object {
	shown := cut(items, query, defaultLimit)
	return object{
		"data":    views(shown, view),
		"hasMore": query.integer("offset", 0)+len(shown) < len(items),
		"total":   len(items),
	}
}

// views makes the items of a list; it is never null.
func views[T any](items []T, view func(T) object) []object {
	out := make([]object, 0, len(items))
	for _, item := range items {
		out = append(out, view(item))
	}
	return out
}
