package agentphone

import (
	"encoding/json"
	"hash/maphash"
)

// How often a page must come back before it counts as repeated: where a list that changes meanwhile does not explain it, where
// the page has a single item, and where the list may be growing as fast as it is read.
const (
	maxReturns      = 2
	maxReturnsOfOne = 10
	maxLockstep     = 100

	// largePage is the number of items that do not by chance come back together in a list that grows and shrinks.
	largePage = 10
)

// pageCycle tells whether a server returns the same pages again and again, however many they are. It remembers one page at a
// time, each for twice as long as the one before (Brent's algorithm), until that comes back.
//
// A page can come back in an honest list too: when as many items were added at the top as the iteration has passed since. Then
// the list's total has grown by as much, unless others were deleted.
type pageCycle struct {
	seed     maphash.Seed
	sum      uint64 // of the remembered page
	offset   int
	total    int
	wavers   bool // the total has changed since
	age      int  // pages since
	lifetime int  // pages until another is remembered; 0 before the first
	returns  int  // of the remembered page
	strange  int  // those that changes of the list do not explain
}

// sumOf returns a hash of a page's items, whatever their order. identified reports whether all have an id; what is known of
// items without may be the same for many.
func sumOf[T any](c *pageCycle, items []T, id func(*T) string) (sum uint64, identified bool) {
	identified = true
	for i := range items {
		if id := id(&items[i]); id != "" {
			sum += maphash.String(c.seed, id)
			continue
		}
		identified = false
		content, _ := json.Marshal(&items[i])
		sum += maphash.Bytes(c.seed, content)
	}
	return sum, identified
}

// closed reports whether the page with this sum and number of items, at an offset of a list with this total, closes a cycle.
// certain reports whether pages with the same sum are the same page.
func (c *pageCycle) closed(sum uint64, items, offset, total int, certain bool) bool {
	c.age++
	c.wavers = c.wavers || total != c.total
	switch {
	case c.lifetime > 0 && sum == c.sum:
		c.lifetime = max(c.lifetime, 2*c.age) // for the next return
		enough := maxReturns
		if items == 1 {
			enough = maxReturnsOfOne
		}
		grew := total-c.total >= offset-c.offset
		if certain && !grew && (items >= largePage || !c.wavers) {
			c.strange++
		}
		c.returns++
		return c.strange >= enough || c.returns >= maxLockstep
	case c.age >= c.lifetime:
		*c = pageCycle{seed: c.seed, sum: sum, offset: offset, total: total, lifetime: max(1, 2*c.lifetime)}
	}
	return false
}
