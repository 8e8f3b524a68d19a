package agentphone

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"
)

const (
	maxMarks     = 4096        // of a turnSequence
	maxHeld      = 256 << 10   // bytes of held turns
	turnOverhead = 64          // bytes that a held turn takes besides its texts
	maxTurnDelay = time.Minute // how much older than the newest turn one can be that is sent for the first time
)

// turnSequence remembers a sequence of turns by hashes of its beginnings, of all of them or, if there are many, of every second,
// fourth, ....
type turnSequence struct {
	seed  maphash.Seed
	n     int
	first uint64 // hash of the first turn's role and words
	hash  uint64 // of all turns
	step  int
	marks []uint64 // hashes of the first step, 2*step, 3*step, ... turns
}

func (s *turnSequence) add(turn TranscriptEntry) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, text := range []string{string(turn.Role), turn.Content} {
		writeNumber(&h, uint64(len(text)))
		_, _ = h.WriteString(text)
	}
	if s.n++; s.n == 1 {
		s.first, s.step = h.Sum64(), 1
	}
	writeNumber(&h, uint64(turn.CreatedAt.Unix()))
	writeNumber(&h, uint64(turn.CreatedAt.Nanosecond()))
	writeNumber(&h, s.hash)
	s.hash = h.Sum64()
	if s.n%s.step != 0 {
		return
	}
	if len(s.marks) == maxMarks {
		for i := range maxMarks / 2 {
			s.marks[i] = s.marks[2*i+1]
		}
		s.marks, s.step = s.marks[:maxMarks/2], 2*s.step
		if s.n%s.step != 0 {
			return
		}
	}
	s.marks = append(s.marks, s.hash)
}

func writeNumber(h *maphash.Hash, n uint64) {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], n)
	_, _ = h.Write(b[:])
}

// beginsWith reports whether s begins with the turns of t, which are no more than those of s. Where s has no mark it is not known.
func (s *turnSequence) beginsWith(t *turnSequence) (begins, known bool) {
	switch {
	case t.n == s.n:
		return t.hash == s.hash, true
	case t.n%s.step == 0:
		return t.hash == s.marks[t.n/s.step-1], true
	}
	return false, false
}

// transcriptReplay tells the turns that a server sends again, on a further connection, from those that it sends for the first
// time. It takes turns for repetitions only while all that the connection has brought is, by role, content and time, how the
// transcript began. The first turn that is not is new, and so are all that follow, though some may have been given before: a
// server that resumes, or replays a part, in another order or otherwise, shows in nothing else.
//
// The turns that were left out until then may have been new too. So those that are not too old for it are held, and given then,
// unless the transcript was replayed whole. Only a server that resumes with the very turns, times included, which were all that
// was given so far cannot be told from one that replays them.
type transcriptReplay struct {
	given     turnSequence // the transcript as it was given, and as a server may replay it
	sent      turnSequence // what this connection has brought, while replaying
	newest    time.Time    // of the turns given
	replaying bool

	held   []TranscriptEntry // left out, on earlier connections too if they broke before it was clear what they were
	size   int               // bytes of held
	proven int               // how many of held are known to fit
}

func newTranscriptReplay() *transcriptReplay {
	return &transcriptReplay{given: turnSequence{seed: maphash.MakeSeed()}}
}

// connect begins a connection.
func (r *transcriptReplay) connect() {
	r.replaying = r.given.n > 0
	r.sent = turnSequence{seed: r.given.seed}
	r.proven = len(r.held)
}

// next returns the turns to give after the connection has brought one.
func (r *transcriptReplay) next(turn TranscriptEntry) []TranscriptEntry {
	if !r.replaying {
		r.given.add(turn)
		r.see(turn)
		return []TranscriptEntry{turn}
	}
	r.sent.add(turn)
	r.held = append(r.held, turn)
	r.size += heldSize(turn)
	fits, known := r.given.beginsWith(&r.sent)
	switch {
	case known && !fits:
		return r.diverge()
	case r.sent.n == r.given.n: // replayed whole
		r.replaying = false
		r.held, r.size = nil, 0
		return nil
	case known:
		r.keepRecent()
	}
	if r.size > maxHeld { // that so many fitted by chance is out of the question
		r.size = 0
		r.held = slices.Delete(r.held, 0, r.proven)
		r.proven = 0
		for _, turn := range r.held {
			r.size += heldSize(turn)
		}
	}
	if r.size > maxHeld {
		return r.diverge()
	}
	return nil
}

// rest returns the turns to give at the end of the transcript.
func (r *transcriptReplay) rest() []TranscriptEntry {
	if !r.replaying {
		return nil
	}
	return r.diverge()
}

// diverge ends a replay that does not fit, and returns the turns that were held.
func (r *transcriptReplay) diverge() []TranscriptEntry {
	turns := r.held
	r.held, r.size, r.replaying = nil, 0, false
	// Where the words at least begin as before, the server has another transcript now, and will replay that. Otherwise it
	// has gone on, or what it replays no further connection can rely on.
	replaced := r.sent.n > 0 && r.sent.first == r.given.first
	if replaced {
		r.given = r.sent
	}
	for _, turn := range turns {
		r.see(turn)
		if !replaced {
			r.given.add(turn)
		}
	}
	return turns
}

func (r *transcriptReplay) see(turn TranscriptEntry) {
	if turn.CreatedAt.After(r.newest) {
		r.newest = turn.CreatedAt.Time
	}
}

// keepRecent makes all held turns proven ones, and drops those that are too old to be new.
func (r *transcriptReplay) keepRecent() {
	kept := r.held[:r.proven]
	for _, turn := range r.held[r.proven:] {
		if turn.CreatedAt.IsZero() || r.newest.Sub(turn.CreatedAt.Time) <= maxTurnDelay {
			kept = append(kept, turn)
		} else {
			r.size -= heldSize(turn)
		}
	}
	clear(r.held[len(kept):])
	r.held, r.proven = kept, len(kept)
}

func heldSize(turn TranscriptEntry) int { return len(turn.Role) + len(turn.Content) + turnOverhead }
