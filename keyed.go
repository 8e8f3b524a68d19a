package agentphone

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/agentphone/agentphone-go/internal/elapsed"
	"github.com/agentphone/agentphone-go/internal/leasetime"
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
		settle: 10 * time.Minute, retention: 30 * 24 * time.Hour, lease: leasetime.Key,
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
	scope       string // of the operation: in which ids and keys are unique
	key         string // in the store
	fingerprint string // of the parameters

	claim     *Claim
	askedAt   time.Time // when the claim was requested, by the local clock
	grantedAt time.Time // when it was returned
	lease     *keyLease
	state     keyState
}

func (c *Client) newKeyedCall(op *operation, req *transport.Request, rc *requestConfig, params any) *keyedCall {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n%s", req.Method, req.URL.RequestURI(), req.Body)
	scope := url.PathEscape(apiHost(req.URL)) + "/" + url.PathEscape(req.Header.Get(subAccountHeader)) + "/" + url.PathEscape(op.String())
	var find finder
	if op.find != nil {
		find = op.find(params)
	}
	return &keyedCall{
		finder: find, keyedConfig: c.cfg.keyed, client: c, op: op, req: req, rc: rc,
		scope:       scope,
		key:         "send:" + scope + "/" + rc.idempotencyKey,
		fingerprint: hex.EncodeToString(sum.Sum(nil)),
	}
}

// apiHost returns the host of a URL, one and the same for all spellings of it and both hosts of the API.
func apiHost(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if defaultPort := map[string]string{"http": "80", "https": "443"}[u.Scheme]; port != "" && port != defaultPort {
		return net.JoinHostPort(host, port)
	}
	if "https://"+host == AltBaseURL {
		return strings.TrimPrefix(DefaultBaseURL, "https://")
	}
	return host
}

// do makes the call take effect at most once and decodes its result into out.
func (k *keyedCall) do(ctx context.Context, out any) error {
	k.askedAt = time.Now()
	claim, err := k.ask(ctx)
	if err != nil {
		return k.storeError(err)
	}
	k.claim, k.grantedAt = claim, time.Now()
	defer k.abandon(ctx)
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
	if err := json.Unmarshal(k.claim.Note, &earlier); err != nil {
		k.lapse(ctx, k.claim.Note)
		return k.storeError(fmt.Errorf("the note of the idempotency key cannot be read: %w", err))
	}
	origin := resultOrigin(earlier.keyWindow == (keyWindow{})) // of its result: only who looks for one writes down a window
	if earlier.Since.IsZero() {
		earlier.Since = k.claim.FirstAt
	}
	if earlier.Until.IsZero() {
		earlier.Until = k.claim.LapsedAt
	}
	if earlier.Unsent {
		k.hold(ctx, earlier)
		return k.sendAgain(ctx, out)
	}
	if earlier.Fingerprint != k.fingerprint {
		k.lapse(ctx, marshal(earlier))
		return fmt.Errorf("agentphone: %s: %w", k.op, ErrIdempotencyKeyReused)
	}
	k.hold(ctx, earlier)
	began := k.earliestNow() // a list that was read early in the look shows no more than what was there then
	if known, err := k.completeKnown(ctx, origin, out); known || err != nil {
		return k.unsettled(ctx, err)
	}
	if found, err := k.find(k.lease.ctx, out); found || err != nil {
		return k.unsettled(ctx, err)
	}
	if waited := elapsed.AtLeast(k.state.Until, began); k.finder == nil || k.state.Doubtful || waited < k.settle {
		return k.unsettled(ctx, &PendingError{k.op.String(), k.retryAfter(), fmt.Errorf("an earlier attempt: %w", ErrOutcomeUnknown)})
	}
	return k.sendAgain(ctx, out)
}

// sendAgain sends the request of a key whose note says that nothing took effect, once the note says it no more and never will again.
func (k *keyedCall) sendAgain(ctx context.Context, out any) error {
	k.state = keyState{Fingerprint: k.fingerprint, By: k.claim.Token}
	if err := k.setNote(); err != nil {
		k.lease.end()
		if errors.Is(err, ErrClaimLost) {
			return &PendingError{k.op.String(), k.keyedConfig.lease, ErrIdempotencyKeyInUse}
		}
		return k.storeError(err)
	}
	k.lease.sends()
	return k.send(ctx, out)
}

// maxRecorded is the size in bytes of the largest response that is recorded, for 30 days. Real ones have about 1 KiB.
const maxRecorded = 64 << 10

var errTooLargeToRecord = fmt.Errorf("the body is larger than %d KiB, the most that is recorded with an idempotency key", maxRecorded>>10)

// send sends the request under the lease and settles its key.
func (k *keyedCall) send(ctx context.Context, out any) error {
	res, err := k.client.exchange(k.lease.ctx, k.op, k.req, k.rc)
	if err == nil && len(res.Body) > maxRecorded {
		err = k.client.decodeError(k.op, res, errTooLargeToRecord)
	}
	if err == nil {
		if err = k.client.decode(ctx, k.op, res, out); err == nil {
			err = k.complete(ctx, k.record(res, resultID(res.Body)), fromResponse)
			if errors.Is(err, errOtherKeys) { // another call took it for its own, so this one still needs one
				k.widen(keyWindow{k.claim.FirstAt, k.latestNow()})
				err = k.pending(err)
			}
			return k.unsettled(ctx, err)
		}
	}
	lost := errors.Is(context.Cause(k.lease.ctx), ErrClaimLost) && ctx.Err() == nil // then the error says that the context was canceled
	if !errors.Is(err, ErrOutcomeUnknown) {
		if lost {
			err = k.storeError(ErrClaimLost)
		}
		k.lease.end()
		k.release(ctx)
		return err
	}
	k.widen(keyWindow{k.claim.FirstAt, k.latestNow()})
	switch {
	case lost:
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, ErrClaimLost)
	case ctx.Err() == nil:
		if found, findErr := k.find(k.lease.ctx, out); found || findErr != nil {
			return k.unsettled(ctx, findErr)
		}
	}
	return k.unsettled(ctx, &PendingError{k.op.String(), k.retryAfter(), err})
}

// pending reports a call that has, or may have, taken effect, and whose key could not be settled because of err.
func (k *keyedCall) pending(err error) *PendingError {
	return &PendingError{k.op.String(), k.keyedConfig.lease, fmt.Errorf("%w: settling the idempotency key: %w", ErrOutcomeUnknown, k.shown(err))}
}

// storeError reports that the store failed before anything was sent.
func (k *keyedCall) storeError(err error) error {
	return &keyStoreError{temporaryError{fmt.Errorf("agentphone: %s: the store of idempotency keys: %w", k.op, k.shown(err))}}
}

type keyStoreError struct{ temporaryError }

func (k *keyedCall) shown(err error) error { return causedBy(err, k.req.Key) }

// settled notes a result that was recorded by an earlier call, or else was found in a list.
func (rc *requestConfig) settled(res *transport.Response, replayed bool) {
	rc.response.set(res)
	rc.response.mark(replayed, !replayed)
	rc.observed.mark(res.Status, replayed)
}

// lookOptions are those of the call that its look needs too: the sub-account and other headers, timeouts and retries.
func (k *keyedCall) lookOptions() RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.unobserved = true
		rc.maxRetries = k.rc.maxRetries
		if k.rc.timeoutSet {
			rc.timeout, rc.timeoutSet = k.rc.timeout, true
		}
		maps.Copy(rc.header, k.req.Header)
		return nil
	})
}

// marshal returns the JSON of what always has one.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // six bytes for one
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
