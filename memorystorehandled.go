package agentphone

import (
	"hash/maphash"
	"slices"
	"time"
)

// handledKeys are the keys of the deliveries that were handled, in the order in which they were. As there are many, and each delivery looks
// for its key here, they take little memory: a digest stands for the key, and nothing has a pointer that the garbage collector would
// have to follow.
//
// All times are since the store was made.
type handledKeys struct {
	ends  map[keyDigest]time.Duration // of the retention of each
	line  []handledKey                // from first on; may have some that are not in ends any more
	first int
}

type handledKey struct {
	key keyDigest
	end time.Duration
}

// keyDigest is a digest that is another one in each process. Nobody can foresee it, so nobody can make two keys that have the same. That they
// have by chance is less likely than that memory errs.
type keyDigest [2]uint64

var digestSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func digestOf(key string) keyDigest {
	return keyDigest{maphash.String(digestSeeds[0], key), maphash.String(digestSeeds[1], key)}
}

func newHandledKeys() handledKeys { return handledKeys{ends: map[keyDigest]time.Duration{}} }

// add adds a key whose retention ends at a time.
func (h *handledKeys) add(key keyDigest, end time.Duration) {
	k := handledKey{key, end}
	h.ends[k.key] = end
	if len(h.line) == cap(h.line) {
		h.closeUp()
	}
	h.line = append(h.line, k)
}

// closeUp makes room in the line, if a third of it can be had. Looking for who is gone takes longer than moving the others.
func (h *handledKeys) closeUp() {
	n := len(h.line)
	if h.first > n/3 {
		h.line, h.first = slices.Delete(h.line, 0, h.first), 0
	} else if n-len(h.ends) > n/3 {
		h.line, h.first = slices.DeleteFunc(h.line, h.isGone), 0
	}
}

// has reports whether a key is there. One may be behind others with a longer retention.
func (h *handledKeys) has(key keyDigest, now time.Duration) bool {
	end, ok := h.ends[key]
	if ok && end <= now {
		delete(h.ends, key)
		return false
	}
	return ok
}

// forget removes the keys that came first and are past their retention.
func (h *handledKeys) forget(now time.Duration) {
	for h.first < len(h.line) && h.line[h.first].end <= now {
		h.step()
	}
}

// removeFirst removes the key that came first, or reports that there is none.
func (h *handledKeys) removeFirst() bool {
	for h.first < len(h.line) {
		if h.step() {
			return true
		}
	}
	return false
}

// step removes the first of the line, and reports whether its key was there.
func (h *handledKeys) step() bool {
	first := h.line[h.first]
	h.first++
	if h.isGone(first) {
		return false
	}
	delete(h.ends, first.key)
	return true
}

// isGone reports whether a key is not there any more, or was added again later.
func (h *handledKeys) isGone(k handledKey) bool {
	end, ok := h.ends[k.key]
	return !ok || end != k.end
}
