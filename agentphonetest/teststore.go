package agentphonetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
)

// TestStore tests an implementation of [agentphone.Store]: who is granted a claim and who is not, leases, tokens, the note
// of a claim that lapsed, retention, and 64 goroutines at once. newStore is called once for each subtest; the stores may
// share a server, for all keys are different. It takes some seconds, since leases have to end by the store's own clock.
//
//	func TestMyStore(t *testing.T) {
//		agentphonetest.TestStore(t, func(t *testing.T) agentphone.Store { return mystore.New(...) })
//	}
func TestStore(t *testing.T, newStore func(t *testing.T) agentphone.Store) {
	for name, test := range map[string]func(*storeTest){
		"ClaimIsGrantedToOne":              (*storeTest).claimIsGrantedToOne,
		"HeldUntilTheLeaseEnds":            (*storeTest).heldUntilTheLeaseEnds,
		"LapsedClaimLeavesItsNote":         (*storeTest).lapsedClaimLeavesItsNote,
		"RenewExtendsAndReplacesTheNote":   (*storeTest).renewExtends,
		"RenewByZeroLapsesNow":             (*storeTest).renewByZeroLapsesNow,
		"CompleteKeepsTheValue":            (*storeTest).completeKeepsTheValue,
		"CompleteAfterTheLease":            (*storeTest).completeAfterTheLease,
		"ReleaseFreesTheKey":               (*storeTest).releaseFreesTheKey,
		"OnlyTheHolderMayChangeTheClaim":   (*storeTest).onlyTheHolder,
		"RetentionEnds":                    (*storeTest).retentionEnds,
		"KeysAreTakenToTheLetter":          (*storeTest).keysToTheLetter,
		"ValuesAreTakenToTheByte":          (*storeTest).valuesToTheByte,
		"EndedContextAndBadInputAreErrors": (*storeTest).badInput,
		"ManyGoroutinesOneIsGranted":       (*storeTest).manyGoroutines,
		"ManyGoroutinesAfterALapse":        (*storeTest).manyGoroutinesAfterALapse,
		"LeaseIsThatOfTheStoresOwnClock":   (*storeTest).storesOwnClock,
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.HasPrefix(name, "ManyGoroutines") { // which would hold up the claims of those that measure time
				t.Parallel()
			}
			test(&storeTest{t, newStore(t), fmt.Sprintf("%s/%d/", t.Name(), time.Now().UnixNano())})
		})
	}
}

const (
	storeLease = time.Second     // for a claim that has to lapse
	tightLease = 3 * time.Second // for one that has to lapse, but not before the next call: a disk can stall for a second
	longLease  = time.Minute
	storeKeep  = time.Hour
)

type storeTest struct {
	*testing.T
	store  agentphone.Store
	prefix string
}

func (t *storeTest) claim(key string, lease time.Duration, note string) *agentphone.Claim {
	t.Helper()
	return t.claimFor(key, agentphone.ClaimOptions{Lease: lease, Retention: storeKeep, Note: []byte(note)})
}

func (t *storeTest) claimFor(key string, opts agentphone.ClaimOptions) *agentphone.Claim {
	t.Helper()
	c, err := t.store.Claim(t.Context(), t.prefix+key, opts)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if c.Key != t.prefix+key || c.Now.IsZero() {
		t.Fatalf("Claim has key %q and the time %v", c.Key, c.Now)
	}
	return c
}

func (t *storeTest) granted(c *agentphone.Claim, note string) *agentphone.Claim {
	t.Helper()
	switch {
	case c.Status != agentphone.ClaimGranted || c.Token == "" || !c.Expires.After(c.Now) || c.FirstAt.IsZero() || c.FirstAt.After(c.Now):
		t.Fatalf("claim is not granted: %+v", c)
	case string(c.Note) != note:
		t.Fatalf("claim has the note %q, want %q", c.Note, note)
	}
	return c
}

func (t *storeTest) fresh(c *agentphone.Claim) *agentphone.Claim {
	t.Helper()
	if t.granted(c, ""); !c.LapsedAt.IsZero() || !c.FirstAt.Equal(c.Now) {
		t.Fatalf("a key that nobody had lapsed at %v and was claimed first at %v", c.LapsedAt, c.FirstAt)
	}
	return c
}

func (t *storeTest) held(c *agentphone.Claim, lease time.Duration) {
	t.Helper()
	if c.Status != agentphone.ClaimHeld || c.RetryAfter <= 0 || c.RetryAfter > lease || c.Token != "" {
		t.Fatalf("claim is not held for up to %v: %+v", lease, c)
	}
}

func (t *storeTest) completed(c *agentphone.Claim, value string) {
	t.Helper()
	if c.Status != agentphone.ClaimCompleted || string(c.Value) != value || c.Token != "" {
		t.Fatalf("claim is not completed with %.40q: %+v", value, c)
	}
}

// outlastLease sleeps until a claim with storeLease has lapsed.
func (t *storeTest) outlastLease() { time.Sleep(storeLease + 50*time.Millisecond) }

func (t *storeTest) ok(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (t *storeTest) lost(what string, err error) {
	t.Helper()
	if !errors.Is(err, agentphone.ErrClaimLost) {
		t.Fatalf("%s: %v, want ErrClaimLost", what, err)
	}
}

func (t *storeTest) claimIsGrantedToOne() {
	c := t.fresh(t.claim("a", longLease, "one"))
	for _, note := range []string{"two", "three"} {
		held := t.claim("a", longLease, note)
		if t.held(held, longLease); string(held.Note) != "one" {
			t.Fatalf("a held claim shows the note %q, want the holder's", held.Note)
		}
	}
	t.ok("Renew", t.store.Renew(t.Context(), c, longLease, []byte("renewed")))
	if held := t.claim("a", longLease, ""); string(held.Note) != "renewed" {
		t.Fatalf("a held claim shows the note %q, want the holder's latest", held.Note)
	}
	t.fresh(t.claim("b", longLease, "other"))
}

func (t *storeTest) heldUntilTheLeaseEnds() {
	t.fresh(t.claim("a", tightLease, ""))
	c := t.claim("a", longLease, "")
	t.held(c, tightLease)
	time.Sleep(c.RetryAfter + 20*time.Millisecond)
	t.granted(t.claim("a", longLease, ""), "")
}

func (t *storeTest) lapsedClaimLeavesItsNote() {
	first := t.fresh(t.claim("a", storeLease, "first"))
	t.outlastLease()
	second := t.granted(t.claim("a", storeLease, "second"), "first")
	if d := second.LapsedAt.Sub(first.Expires).Abs(); d > 5*time.Millisecond || second.Token == first.Token {
		t.Fatalf("lapsed at %v, want %v, with another token: %+v", second.LapsedAt, first.Expires, second)
	}
	if second.LapsedAt.After(second.Now) {
		t.Fatalf("lapsed at %v, after %v", second.LapsedAt, second.Now)
	}
	t.outlastLease()
	third := t.granted(t.claim("a", longLease, "third"), "first") // the second was never renewed
	t.ok("Renew", t.store.Renew(t.Context(), third, 0, []byte("third")))
	fourth := t.granted(t.claim("a", longLease, "fourth"), "third")
	for _, c := range []*agentphone.Claim{second, third, fourth} {
		if d := c.FirstAt.Sub(first.FirstAt).Abs(); d > 5*time.Millisecond {
			t.Fatalf("first claimed at %v, want %v", c.FirstAt, first.FirstAt)
		}
	}
}

func (t *storeTest) renewExtends() {
	c := t.fresh(t.claim("a", tightLease, "first"))
	t.ok("Renew", t.store.Renew(t.Context(), c, longLease, []byte("renewed")))
	lapsed := t.fresh(t.claim("b", storeLease, "first"))
	time.Sleep(tightLease + 50*time.Millisecond)
	held := t.claim("a", longLease, "")
	if t.held(held, longLease); string(held.Note) != "renewed" {
		t.Fatalf("a renewed claim has the note %q", held.Note)
	}
	t.lost("Renew of a lapsed claim", t.store.Renew(t.Context(), lapsed, longLease, []byte("renewed")))
	t.granted(t.claim("b", longLease, ""), "first")
}

func (t *storeTest) renewByZeroLapsesNow() {
	c := t.fresh(t.claim("a", longLease, "first"))
	t.ok("Renew", t.store.Renew(t.Context(), c, 0, []byte("gave up")))
	t.lost("Renew of a lapsed claim", t.store.Renew(t.Context(), c, storeLease, nil))
	next := t.granted(t.claim("a", longLease, ""), "gave up")
	if next.LapsedAt.IsZero() || next.LapsedAt.After(next.Now) || next.Now.Sub(next.LapsedAt) > 10*time.Second {
		t.Fatalf("lapsed at %v, seen at %v", next.LapsedAt, next.Now)
	}
}

func (t *storeTest) completeKeepsTheValue() {
	c := t.fresh(t.claim("a", storeLease, "note"))
	t.ok("Complete", t.store.Complete(t.Context(), c, []byte("result")))
	t.completed(t.claim("a", longLease, ""), "result")
	t.outlastLease()
	t.completed(t.claim("a", longLease, ""), "result")
	t.lost("Complete again", t.store.Complete(t.Context(), c, []byte("other")))
	t.lost("Renew of a completed claim", t.store.Renew(t.Context(), c, longLease, nil))
	t.lost("Release of a completed claim", t.store.Release(t.Context(), c))
	t.completed(t.claim("a", longLease, ""), "result")
}

func (t *storeTest) completeAfterTheLease() {
	c := t.fresh(t.claim("a", storeLease, ""))
	t.outlastLease()
	t.ok("Complete of a lapsed claim that nobody took", t.store.Complete(t.Context(), c, []byte("late")))
	t.completed(t.claim("a", longLease, ""), "late")
}

func (t *storeTest) releaseFreesTheKey() {
	c := t.fresh(t.claim("a", longLease, "note"))
	t.ok("Release", t.store.Release(t.Context(), c))
	t.lost("Release again", t.store.Release(t.Context(), c))
	t.fresh(t.claim("a", longLease, ""))
}

func (t *storeTest) onlyTheHolder() {
	old := t.fresh(t.claim("a", storeLease, "old"))
	t.outlastLease()
	holder := t.granted(t.claim("a", longLease, "new"), "old")
	forged := *holder
	forged.Token = "0" + holder.Token
	none := agentphone.Claim{Key: holder.Key}
	never := agentphone.Claim{Key: t.prefix + "never", Token: holder.Token}
	for name, c := range map[string]*agentphone.Claim{"lapsed": old, "forged": &forged, "without a token": &none, "of another key": &never} {
		t.lost("Renew by a claim "+name, t.store.Renew(t.Context(), c, longLease, nil))
		t.lost("Complete by a claim "+name, t.store.Complete(t.Context(), c, nil))
		t.lost("Release by a claim "+name, t.store.Release(t.Context(), c))
	}
	t.held(t.claim("a", longLease, ""), longLease)
	t.ok("Renew by the holder", t.store.Renew(t.Context(), holder, longLease, nil))
	t.ok("Complete by the holder", t.store.Complete(t.Context(), holder, []byte("v")))
	t.completed(t.claim("a", longLease, ""), "v")
}

func (t *storeTest) retentionEnds() {
	const keep = 3 * storeLease
	c := t.fresh(t.claimFor("completed", agentphone.ClaimOptions{Lease: longLease, Retention: keep}))
	t.ok("Complete", t.store.Complete(t.Context(), c, []byte("v")))
	t.fresh(t.claimFor("lapsed", agentphone.ClaimOptions{Lease: storeLease / 2, Retention: keep, Note: []byte("n")}))
	time.Sleep(storeLease)
	t.completed(t.claim("completed", longLease, ""), "v")
	time.Sleep(2*keep + 200*time.Millisecond)
	t.fresh(t.claim("completed", longLease, ""))
	t.fresh(t.claim("lapsed", longLease, ""))
}

func (t *storeTest) keysToTheLetter() {
	for _, key := range []string{"a", "A", "a ", " a", "é", "e\u0301", "a%", "a_", "a'b", `a"b`, "{a}", "a:b", "a/b", strings.Repeat("k", 255),
		strings.Repeat(rand.Text(), 200), // an id of the API is part of a key
	} {
		t.fresh(t.claim(key, longLease, ""))
	}
}

func (t *storeTest) valuesToTheByte() {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, value := range map[string][]byte{"empty": {}, "nil": nil, "every byte": every, "large": bytes.Repeat(every, 1024)} {
		c := t.fresh(t.claim(name, longLease, ""))
		t.ok("Renew", t.store.Renew(t.Context(), c, longLease, value))
		t.ok("Renew", t.store.Renew(t.Context(), c, 0, value))
		c = t.granted(t.claim(name, longLease, ""), string(value))
		t.ok("Complete", t.store.Complete(t.Context(), c, value))
		t.completed(t.claim(name, longLease, ""), string(value))
	}
}

func (t *storeTest) badInput() {
	for name, opts := range map[string]agentphone.ClaimOptions{
		"no lease": {Retention: storeKeep}, "no retention": {Lease: longLease}, "negative lease": {Lease: -1, Retention: storeKeep},
	} {
		if c, err := t.store.Claim(t.Context(), t.prefix+name, opts); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c, err := t.store.Claim(t.Context(), "", agentphone.ClaimOptions{Lease: longLease, Retention: storeKeep}); err == nil {
		t.Errorf("empty key: %+v", c)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := t.store.Claim(ended, t.prefix+"a", agentphone.ClaimOptions{Lease: longLease, Retention: storeKeep}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %+v, %v", c, err)
	}
	t.fresh(t.claim("a", longLease, ""))
}

const storeGoroutines = 64

// race claims a key by many goroutines at once and returns the claims that were granted.
func (t *storeTest) race(key string) (granted []*agentphone.Claim) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	begin := make(chan struct{})
	for range storeGoroutines {
		all.Go(func() {
			<-begin
			c, err := t.store.Claim(t.Context(), t.prefix+key, agentphone.ClaimOptions{Lease: longLease, Retention: storeKeep, Note: []byte("n")})
			if err != nil {
				t.Errorf("Claim: %v", err)
				return
			}
			if c.Status == agentphone.ClaimGranted {
				mu.Lock()
				granted = append(granted, c)
				mu.Unlock()
			}
		})
	}
	close(begin)
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return granted
}

func (t *storeTest) manyGoroutines() {
	for i := range 20 {
		if granted := t.race(fmt.Sprint(i)); len(granted) != 1 {
			t.Fatalf("%d of %d claims of one key were granted", len(granted), storeGoroutines)
		}
	}
}

func (t *storeTest) manyGoroutinesAfterALapse() {
	const keys = 10
	for i := range keys {
		c := t.fresh(t.claim(fmt.Sprint(i), longLease, "n"))
		t.ok("Renew", t.store.Renew(t.Context(), c, 0, []byte("n")))
	}
	for i := range keys {
		granted := t.race(fmt.Sprint(i))
		if len(granted) != 1 {
			t.Fatalf("%d of %d claims of a lapsed key were granted", len(granted), storeGoroutines)
		}
		t.granted(granted[0], "n")
		if granted[0].LapsedAt.IsZero() {
			t.Fatal("the claim does not say when the last one lapsed")
		}
	}
}

func (t *storeTest) storesOwnClock() {
	before := t.fresh(t.claim("a", longLease, ""))
	if d := before.Expires.Sub(before.Now); (d - longLease).Abs() > time.Second {
		t.Fatalf("a lease of %v ends after %v", longLease, d)
	}
	time.Sleep(storeLease)
	after := t.fresh(t.claim("b", longLease, ""))
	if d := after.Now.Sub(before.Now); d < storeLease-50*time.Millisecond || d > time.Minute {
		t.Fatalf("the store's clock went on by %v in %v", d, storeLease)
	}
}
