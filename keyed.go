package agentphone

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// keyedConfig holds the settings of calls with an idempotency key.
type keyedConfig struct {
	store     func() Store
	settle    time.Duration
	retention time.Duration
	lease     time.Duration
}

func defaultKeyedConfig() keyedConfig {
	return keyedConfig{
		store:  sync.OnceValue(func() Store { return NewMemoryStore() }),
		settle: 10 * time.Minute, retention: 30 * 24 * time.Hour, lease: defaultLease,
	}
}

// keyedCall is a call with an idempotency key. docs/idempotency.md describes what it does, in the same order.
type keyedCall struct {
	keyedConfig
	client      *Client
	op          *operation
	req         *transport.Request
	rc          *requestConfig
	finder      finder // nil if no list shows the effect
	key         string // in the store
	fingerprint string // of the parameters

	claim   *Claim
	askedAt time.Time // when the claim was requested, by the local clock
	lease   *keyLease
	state   keyState
}

// keyState is the note of a claim: what whoever claims the key next, if this claim lapses, has to know.
type keyState struct {
	Fingerprint string `json:"fingerprint"`
	// Until is when the last request that may have taken effect can have gone out, by the store's clock. If it is zero that is
	// the end of the claim. A claim that only looks for the effect writes it on, or looking often would put off the settling
	// for ever.
	Until time.Time `json:"until,omitzero"`
}

// keyRecord is the value of a completed claim.
type keyRecord struct {
	Fingerprint string          `json:"fingerprint"`
	Status      int             `json:"status"`
	RequestID   string          `json:"requestId,omitzero"`
	Body        json.RawMessage `json:"body"`
}

func (c *Client) newKeyedCall(op *operation, req *transport.Request, rc *requestConfig, params any) *keyedCall {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n%s", req.Method, req.URL.RequestURI(), req.Body)
	scope := url.PathEscape(req.URL.Host) + "/" + url.PathEscape(req.Header.Get(subAccountHeader))
	var find finder
	if op.find != nil {
		find = op.find(params)
	}
	return &keyedCall{
		finder: find, keyedConfig: c.cfg.keyed, client: c, op: op, req: req, rc: rc,
		key:         "send:" + scope + "/" + url.PathEscape(op.String()) + "/" + rc.idempotencyKey,
		fingerprint: hex.EncodeToString(sum.Sum(nil)),
	}
}

// do makes the call take effect at most once and decodes its result into out.
func (k *keyedCall) do(ctx context.Context, out any) error {
	k.askedAt = time.Now()
	claim, err := checkedClaim(k.store().Claim(ctx, k.key, ClaimOptions{
		Lease: k.keyedConfig.lease, Retention: k.retention, Note: encodeState(keyState{Fingerprint: k.fingerprint}),
	}))
	if err != nil {
		return k.storeError(err)
	}
	k.claim = claim
	switch {
	case claim.Status == ClaimCompleted:
		return k.replay(ctx, out)
	case claim.Status == ClaimHeld:
		return &PendingError{k.op.String(), claim.RetryAfter, ErrIdempotencyKeyInUse}
	case !claim.LapsedAt.IsZero():
		return k.resume(ctx, out)
	}
	k.hold(ctx, keyState{Fingerprint: k.fingerprint})
	return k.send(ctx, out)
}

// replay returns the recorded result.
func (k *keyedCall) replay(ctx context.Context, out any) error {
	var record keyRecord
	if err := json.Unmarshal(k.claim.Value, &record); err != nil {
		return k.storeError(fmt.Errorf("the record of the idempotency key cannot be read: %w", err))
	}
	if record.Fingerprint != k.fingerprint {
		return fmt.Errorf("agentphone: %s: %w", k.op, ErrIdempotencyKeyReused)
	}
	res := record.response()
	k.rc.settled(res, true)
	return k.client.decode(ctx, k.op, res, out)
}

// resume continues where an earlier claim lapsed: by a crash, or with an unknown outcome. Nothing is sent before it is certain that
// what that claim may have sent did not take effect.
func (k *keyedCall) resume(ctx context.Context, out any) error {
	earlier := keyState{}
	if err := json.Unmarshal(k.claim.Note, &earlier); err != nil || earlier.Fingerprint != k.fingerprint {
		k.lapse(ctx, k.claim.Note)
		if err != nil {
			return k.storeError(fmt.Errorf("the note of the idempotency key cannot be read: %w", err))
		}
		return fmt.Errorf("agentphone: %s: %w", k.op, ErrIdempotencyKeyReused)
	}
	if earlier.Until.IsZero() {
		earlier.Until = k.claim.LapsedAt
	}
	k.hold(ctx, earlier)
	found, err := k.find(k.lease.ctx, out)
	if found || err != nil {
		return k.unsettled(ctx, err)
	}
	if waited := k.storeNow().Sub(earlier.Until); k.finder == nil || waited < k.settle {
		return k.unsettled(ctx, &PendingError{k.op.String(), k.retryAfter(earlier.Until), fmt.Errorf("an earlier attempt: %w", ErrOutcomeUnknown)})
	}
	k.state = keyState{Fingerprint: k.fingerprint}
	if err := k.lease.setNote(encodeState(k.state)); err != nil {
		k.lease.end()
		return k.storeError(err)
	}
	return k.send(ctx, out)
}

// maxRecorded is the size in bytes of the largest response that is recorded. Real ones are a hundredth of it.
const maxRecorded = 1 << 20

var errTooLargeToRecord = fmt.Errorf("the body is larger than %d MiB, the most that is recorded with an idempotency key", maxRecorded>>20)

// send sends the request under the lease and settles its key.
func (k *keyedCall) send(ctx context.Context, out any) error {
	res, err := k.client.exchange(k.lease.ctx, k.op, k.req, k.rc)
	if err == nil && len(res.Body) > maxRecorded {
		err = k.client.decodeError(k.op, res, errTooLargeToRecord)
	}
	if err == nil {
		if err = k.client.decode(ctx, k.op, res, out); err == nil {
			return k.unsettled(ctx, k.complete(ctx, res, resultID(res.Body)))
		}
	}
	if !errors.Is(err, ErrOutcomeUnknown) {
		if errors.Is(context.Cause(k.lease.ctx), ErrClaimLost) && ctx.Err() == nil {
			err = k.storeError(ErrClaimLost) // the lease ended in a wait
		}
		k.lease.end()
		k.release(ctx)
		return err
	}
	k.state.Until = k.storeNow()
	k.lease.keepNote(encodeState(k.state))
	if ctx.Err() == nil {
		if found, findErr := k.find(k.lease.ctx, out); found || findErr != nil {
			return k.unsettled(ctx, findErr)
		}
	}
	return k.unsettled(ctx, &PendingError{k.op.String(), k.retryAfter(k.state.Until), err})
}

// hold begins the lease of the claim, whose note is the state from its first renewal on.
func (k *keyedCall) hold(ctx context.Context, state keyState) {
	k.state = state
	k.lease = holdLease(ctx, k.store(), k.claim, k.keyedConfig.lease, encodeState(state), k.askedAt)
	k.req.MaySend = k.lease.valid
}

// unsettled ends the lease. If err is not nil the claim lapses now, with its note.
func (k *keyedCall) unsettled(ctx context.Context, err error) error {
	k.lease.end()
	if err != nil {
		k.lapse(ctx, k.lease.note)
	}
	return err
}

// find looks for the effect of an earlier attempt and, if there is one that settled no other key, completes the key with it.
func (k *keyedCall) find(ctx context.Context, out any) (bool, error) {
	if k.finder == nil {
		return false, nil
	}
	since := k.askedAt.Add(k.claim.FirstAt.Sub(k.claim.Now)) // by the local clock
	for found, err := range k.finder(ctx, k.client, since, []RequestOption{k.lookOptions()}) {
		if err != nil {
			return false, k.pending(fmt.Errorf("looking for its effect: %w", err))
		}
		body, err := json.Marshal(found.result)
		if err == nil && len(body) > maxRecorded {
			err = errTooLargeToRecord
		}
		if err != nil {
			return false, k.pending(err)
		}
		res := &transport.Response{Status: http.StatusOK, Header: http.Header{}, Body: body}
		err = k.complete(ctx, res, found.id)
		if errors.Is(err, errOtherKeys) {
			continue
		}
		if err != nil {
			return false, err
		}
		k.rc.settled(res, false)
		return true, k.client.decode(ctx, k.op, res, out)
	}
	return false, nil
}

// errOtherKeys reports a result that has settled another key.
var errOtherKeys = errors.New("the result belongs to another idempotency key")

// complete records a result: first that it belongs to this key, so that it settles no other with the same parameters.
func (k *keyedCall) complete(ctx context.Context, res *transport.Response, id string) error {
	ctx, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	apiKey := cmp.Or(res.Key, k.req.Key) // which the store must not have, even if the response quotes it
	if id = string(redact.Bytes([]byte(id), apiKey)); k.finder != nil && id != "" {
		key := "result:" + url.PathEscape(k.req.URL.Host) + "/" + id
		claim, err := checkedClaim(k.store().Claim(ctx, key, ClaimOptions{Lease: k.retention, Retention: k.retention, Note: []byte(k.key)}))
		switch {
		case err != nil:
			return k.pending(err)
		case claim.Status != ClaimGranted && string(claim.Note) != k.key:
			if k.state.Until.IsZero() { // the result of our own request, which another call took for its own
				return k.pending(errOtherKeys)
			}
			return errOtherKeys
		}
	}
	record := keyRecord{Fingerprint: k.fingerprint, Status: res.Status, RequestID: requestID(res), Body: redact.Bytes(res.Body, apiKey)}
	if !json.Valid(record.Body) {
		record.Body = nil
	}
	value, err := json.Marshal(record)
	if err != nil {
		return k.pending(err)
	}
	if err := k.store().Complete(ctx, k.claim, value); err != nil {
		return k.pending(err)
	}
	return nil
}

// lapse lets the claim lapse now. Should the store fail, it lapses by itself.
func (k *keyedCall) lapse(ctx context.Context, note []byte) {
	ctx, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	_ = k.store().Renew(ctx, k.claim, 0, note)
}

// release frees the key after a failure that certainly had no effect. Should the store fail, the claim lapses by itself, and whoever
// repeats the call waits until it is settled that there was none.
func (k *keyedCall) release(ctx context.Context) {
	ctx, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	_ = k.store().Release(ctx, k.claim)
}

// storeNow is the present time by the store's clock, as that was at the claim.
func (k *keyedCall) storeNow() time.Time { return k.claim.Now.Add(time.Since(k.askedAt)) }

// retryAfter returns how long it takes until what may have been sent before a time has settled; 0 if it never does.
func (k *keyedCall) retryAfter(until time.Time) time.Duration {
	if k.finder == nil {
		return 0
	}
	return max(until.Add(k.settle).Sub(k.storeNow()), time.Second)
}

// pending reports a call that has, or may have, taken effect, and whose key could not be settled because of err.
func (k *keyedCall) pending(err error) error {
	return &PendingError{k.op.String(), k.keyedConfig.lease, fmt.Errorf("%w: settling the idempotency key: %w", ErrOutcomeUnknown, k.shown(err))}
}

// storeError reports that the store failed before anything was sent.
func (k *keyedCall) storeError(err error) error {
	return &keyStoreError{fmt.Errorf("agentphone: %s: the store of idempotency keys: %w", k.op, k.shown(err))}
}

// keyStoreError is temporary: this call sent nothing.
type keyStoreError struct{ error }

func (e *keyStoreError) Unwrap() error        { return e.error }
func (e *keyStoreError) Is(target error) bool { return target == ErrTemporary }

func (k *keyedCall) shown(err error) error { return redact.Error(err, k.req.Key) }

// settled notes a result that was recorded by an earlier call, or else was found in a list.
func (rc *requestConfig) settled(res *transport.Response, replayed bool) {
	rc.response.set(res)
	rc.response.mark(replayed, !replayed)
	rc.observed.mark(res.Status, replayed)
}

// lookOptions are those of the call that its look needs too: the sub-account and other headers.
func (k *keyedCall) lookOptions() RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.unobserved = true
		maps.Copy(rc.header, k.req.Header)
		return nil
	})
}

func encodeState(s keyState) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // of times and strings
	}
	return b
}

func (r keyRecord) response() *transport.Response {
	header := http.Header{}
	if r.RequestID != "" {
		header.Set("X-Request-Id", r.RequestID)
	}
	body := r.Body
	if string(body) == "null" {
		body = nil
	}
	return &transport.Response{Status: r.Status, Header: header, Body: body}
}

// resultID returns the id of what a response says was created.
func resultID(body []byte) string {
	var result struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(body, &result)
	return result.ID
}
