package agentphone

import (
	"context"
	"errors"
	"time"
)

// Store keeps claims: who handles a key now, and what came of it. A webhook handler claims each delivery, so that one which arrives
// twice is handled once; a client claims idempotency keys. [NewMemoryStore] is a Store for one process; the modules redisstore and
// sqlstore have ones that many processes share. agentphonetest.TestStore tests an implementation of yours.
//
// A claim is a lease: it ends by itself unless it is renewed, so a process that crashed blocks a key no longer than that. All
// times are those of the store's own clock; that of the caller may be wrong. A key may be of any length: that of a client has ids of the
// API in it. A Store is safe for concurrent use.
type Store interface {
	// Claim takes key for opts.Lease if nobody holds or has completed it, or if the last lease has lapsed. It returns an
	// error only if the store does not know: a key that is held or completed is a Claim with that Status.
	Claim(ctx context.Context, key string, opts ClaimOptions) (*Claim, error)
	// Renew extends the lease of a granted claim to lease from now and replaces its note. With a lease of 0 the claim lapses
	// now; the note remains for whoever claims the key next. A lease that has lapsed cannot be renewed: [ErrClaimLost].
	Renew(ctx context.Context, c *Claim, lease time.Duration, note []byte) error
	// Complete records the result of a granted claim, which later claims return for the claim's retention. It succeeds although
	// the lease has lapsed, as long as nobody else has claimed the key; then it is [ErrClaimLost].
	Complete(ctx context.Context, c *Claim, value []byte) error
	// Release frees the key of a granted claim, as if it had never been claimed. It fails as Complete does.
	Release(ctx context.Context, c *Claim) error
}

// ClaimOptions are the parameters of a claim.
type ClaimOptions struct {
	Lease     time.Duration // how long the claim holds unless it is renewed; required
	Retention time.Duration // how long a completed or lapsed claim is remembered; required
	// Note is kept with a claim of a key that nobody had, and returned to who claims the key after the claim has lapsed. A claim
	// after one that lapsed keeps the note of that until it is renewed: its holder may crash before it has read it.
	Note []byte
}

// ClaimStatus says what came of [Store].Claim.
type ClaimStatus int

const (
	ClaimGranted   ClaimStatus = iota + 1 // the key is the caller's until the lease ends
	ClaimHeld                             // somebody else holds it: again after RetryAfter
	ClaimCompleted                        // it was completed with Value
)

// Claim is what [Store].Claim returns.
type Claim struct {
	Key    string
	Status ClaimStatus
	Now    time.Time // the store's clock at the claim

	// If granted:
	Token    string    // tells this claim from earlier and later ones of the key
	Expires  time.Time // when the lease ends, unless renewed
	LapsedAt time.Time // when the lease of the claim before ended; zero if there was none
	FirstAt  time.Time // when the key was claimed first: Now, unless claims of it have lapsed

	// Note is, if granted, what the claim before left when it lapsed, and if held, that of the holder.
	Note []byte

	RetryAfter time.Duration // if held: until the lease of the holder ends
	Value      []byte        // if completed
}

// ErrClaimLost reports that a claim is no longer the caller's: its lease has lapsed, or somebody else has claimed the key since.
var ErrClaimLost = errors.New("agentphone: the claim is lost")

// ErrStoreFull is the error of a [MemoryStore] that has no room for another key.
var ErrStoreFull = errors.New("agentphone: the store is full")
