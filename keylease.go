package agentphone

import (
	"context"
	"errors"
	"sync"
	"time"
)

// keyLease keeps a granted claim of an idempotency key until it is ended: it renews the claim at every third of its length. Its context ends with the
// lease, or when the store says that the claim is lost, so that nothing goes out under a claim that somebody else may have by then.
type keyLease struct {
	store  Store
	claim  *Claim
	length time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
	term   leaseTerm

	mu     sync.Mutex // held while the claim is renewed
	note   []byte
	asked  bool // for a renewal of the claim, which may reach the store at any time, whatever came of it here
	ended  bool
	renew  *time.Timer
	expiry *time.Timer
}

// holdLease keeps a claim that was asked for at a time, by the local clock: the store's lease ends no sooner than length after that.
func holdLease(ctx context.Context, store Store, claim *Claim, length time.Duration, note []byte, askedAt time.Time) *keyLease {
	l := &keyLease{store: store, claim: claim, length: length, note: note}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.mu.Lock() // a timer can fire before it is stored
	defer l.mu.Unlock()
	l.term.begin(askedAt, length)
	left := l.term.left()
	l.expiry = time.AfterFunc(left, func() { l.cancel(ErrClaimLost) })
	l.renew = time.AfterFunc(min(left, length)/3, l.keep)
	return l
}

// valid returns an error, and ends the lease, if the lease has expired. It does not trust the timer, which in a process that was
// stopped, or on a machine that slept, may not have fired yet.
func (l *keyLease) valid() error {
	if l.term.left() <= 0 {
		l.cancel(ErrClaimLost)
	}
	return l.ctx.Err()
}

// keep renews the claim and plans the next time.
func (l *keyLease) keep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	_ = l.extend() // the lease ends by itself if the store cannot be asked
	l.renew.Reset(l.length / 3)
}

// setNote replaces the note in the store, and with it extends the lease. An earlier renewal that reaches the store after this one would bring
// back its note: a connection hangs, and the command is sent again over another. So a claim that has been renewed lapses with the note
// instead, and claimAnew claims the key again. Whatever is late is for a claim that is lost.
func (l *keyLease) setNote(note []byte, claimAnew func(context.Context) (*Claim, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note = note
	if !l.asked {
		return l.extend()
	}
	claim, asked, err := l.replacement(claimAnew)
	if err != nil {
		l.cancel(ErrClaimLost)
		return err
	}
	l.claim, l.asked = claim, false
	l.begin(asked)
	l.renew.Reset(l.length / 3)
	return nil
}

// sends says that whatever has been asked under this claim has the note of the request that goes out now. What is late of that can still undo
// the note of its result; to claim anew for that, too, would have a slow store lose the response.
func (l *keyLease) sends() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = false
}

// replacement lets the claim lapse now and returns another, and when it was asked for.
func (l *keyLease) replacement(claimAnew func(context.Context) (*Claim, error)) (*Claim, time.Time, error) {
	l.renew.Stop() // until there is another
	// That the claim is lost a store may also say of a lapse that it was asked for twice: claimAnew sees.
	if err := l.ask(0); err != nil && !errors.Is(err, ErrClaimLost) {
		return nil, time.Time{}, err
	}
	ctx, cancel := l.storeContext()
	defer cancel()
	asked := time.Now()
	claim, err := claimAnew(ctx)
	return claim, asked, err
}

// keepNote replaces the note from the next renewal on.
func (l *keyLease) keepNote(note []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note = note
}

// extend renews the claim for the length of the lease.
func (l *keyLease) extend() error {
	asked := time.Now()
	err := l.ask(l.length)
	switch {
	case errors.Is(err, ErrClaimLost): // somebody else may have it already
		l.cancel(ErrClaimLost)
	case err == nil && l.ctx.Err() == nil:
		l.begin(asked)
	}
	return err
}

// ask asks the store to renew the claim.
func (l *keyLease) ask(length time.Duration) error {
	ctx, cancel := l.storeContext()
	defer cancel()
	l.asked = true
	return l.store.Renew(ctx, l.claim, length, l.note)
}

// begin begins the time of a lease that was asked for at a time.
func (l *keyLease) begin(asked time.Time) {
	l.term.begin(asked, l.length)
	l.expiry.Reset(l.term.left())
}

func (l *keyLease) storeContext() (context.Context, context.CancelFunc) {
	return storeContext(l.ctx, min(storeTimeout, l.length/3))
}

// end stops renewing, and reports whether it had not been ended before. Nothing that was begun with the lease's context goes on.
func (l *keyLease) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.ended
	l.ended = true
	l.renew.Stop()
	l.expiry.Stop()
	l.cancel(nil)
	return first
}

// storeContext is for a call of a Store that has to be made although ctx may have ended.
func storeContext(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), timeout)
}
