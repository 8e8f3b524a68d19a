package agentphone

import (
	"bytes"
	"context"
	"time"

	"github.com/agentphone/agentphone-go/internal/elapsed"
)

// keyState is the note of a claim: what whoever claims the key next, if this claim lapses, has to know.
type keyState struct {
	Fingerprint string `json:"fingerprint"`
	keyWindow
	// Result is what the key is about to be completed with. It is written before the key claims the result: after a crash in
	// between, the key would take another for its own as well, and whose that was would be sent once more.
	Result *keyRecord `json:"result,omitempty"`
	// Doubtful reports that a list shows what may be the effect of this key's request, or not: it shows too little of it, or another
	// key, with parameters that the list does not show, has taken it for its own. Nobody can tell, and nothing is sent any more.
	Doubtful bool `json:"doubtful,omitzero"`
	// By is the token of the claim that wrote this before it sent the request again, so that no other claim writes the same.
	By string `json:"by,omitzero"`
	// Unsent reports that nothing that may have had an effect was sent: the key is free, though the store could not release it.
	Unsent bool `json:"unsent,omitzero"`
}

// keyWindow is when the requests can have gone out of which one may have had the effect that a key needs, by the store's clock.
type keyWindow struct {
	// Since is zero if the key was claimed first then.
	Since time.Time `json:"since,omitzero"`
	// Until is zero if the claim ends then. A claim that only looks for the effect writes it on, or looking often would put off
	// the settling for ever.
	Until time.Time `json:"until,omitzero"`
}

// ask asks the store for the key.
func (k *keyedCall) ask(ctx context.Context) (*Claim, error) {
	return checkedClaim(k.store().Claim(ctx, k.key, ClaimOptions{
		Lease: k.keyedConfig.lease, Retention: k.retention, Note: marshal(keyState{Fingerprint: k.fingerprint}),
	}))
}

// claimAnew claims the key that this call has just let lapse with its state. It is ErrClaimLost if somebody else has claimed the key since, also
// if nobody has it now: what this call knows may be true no more.
func (k *keyedCall) claimAnew(ctx context.Context) (*Claim, error) {
	askedAt := time.Now()
	claim, err := k.ask(ctx)
	if err != nil {
		return nil, err
	}
	if claim.Status != ClaimGranted || !bytes.Equal(claim.Note, marshal(k.state)) {
		giveBack(ctx, k.store(), claim)
		return nil, ErrClaimLost
	}
	k.claim, k.askedAt, k.grantedAt = claim, askedAt, time.Now()
	return claim, nil
}

// setNote makes the state the note of the claim, which may be another one then.
func (k *keyedCall) setNote() error {
	return k.lease.setNote(marshal(k.state), k.claimAnew)
}

// hold begins the lease of the claim, whose note is the state from its first renewal on.
func (k *keyedCall) hold(ctx context.Context, state keyState) {
	k.state = state
	k.lease = holdLease(ctx, k.store(), k.claim, k.keyedConfig.lease, marshal(state), k.askedAt)
	k.req.MaySend = k.lease.valid
}

// widen makes the state that of a key without a result, whose window covers another one too. It is in the store from the next renewal
// on.
func (k *keyedCall) widen(by keyWindow) {
	if k.state.Since.IsZero() || by.Since.Before(k.state.Since) {
		k.state.Since = by.Since
	}
	if by.Until.After(k.state.Until) {
		k.state.Until = by.Until
	}
	k.state.Result = nil
	k.lease.keepNote(marshal(k.state))
}

// unsettled ends the lease. If err is not nil the claim lapses now, with its note.
func (k *keyedCall) unsettled(ctx context.Context, err error) error {
	k.lease.end()
	if err != nil {
		k.lapse(ctx, k.lease.note)
	}
	return err
}

// abandon lets the claim lapse if the call neither settled it nor returns: after a panic, or runtime.Goexit.
func (k *keyedCall) abandon(ctx context.Context) {
	if k.lease != nil && k.lease.end() {
		k.lapse(ctx, k.lease.note)
	}
}

// lapse lets the claim lapse now. Should the store fail, it lapses by itself.
func (k *keyedCall) lapse(ctx context.Context, note []byte) {
	ctx, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	_ = k.store().Renew(ctx, k.claim, 0, note)
}

// release frees the key after a failure that certainly had no effect. Should the store fail twice, the claim lapses by itself, and
// whoever repeats the call waits until it is settled that there was none.
func (k *keyedCall) release(ctx context.Context) {
	releasing, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	if k.store().Release(releasing, k.claim) != nil {
		k.lapse(ctx, marshal(keyState{Fingerprint: k.fingerprint, Unsent: true}))
	}
}

// latestNow and earliestNow are the bounds of the present time by the store's clock, which it read between askedAt and grantedAt.
func (k *keyedCall) latestNow() time.Time {
	return k.claim.Now.Add(elapsed.AtMost(k.askedAt, time.Now()))
}

func (k *keyedCall) earliestNow() time.Time {
	return k.claim.Now.Add(elapsed.AtLeast(k.grantedAt, time.Now()))
}

// retryAfter returns how long it takes until what may have been sent has settled; 0 if it never does.
func (k *keyedCall) retryAfter() time.Duration {
	if k.finder == nil || k.state.Doubtful {
		return 0
	}
	return max(k.state.Until.Add(k.settle).Sub(k.earliestNow()), time.Second)
}
