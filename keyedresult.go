package agentphone

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/agentphone/agentphone-go/internal/elapsed"
	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// keyRecord is the result of a call with an idempotency key, and the value of a completed claim.
type keyRecord struct {
	Fingerprint string          `json:"fingerprint"`
	ID          string          `json:"id,omitzero"` // of what was created
	Status      int             `json:"status"`
	RequestID   string          `json:"requestId,omitzero"`
	Body        json.RawMessage `json:"body"`
}

// record returns a response as the store keeps it: without the API key, even if the response quotes it.
func (k *keyedCall) record(res *transport.Response, id string) *keyRecord {
	apiKey := cmp.Or(res.Key, k.req.Key)
	record := &keyRecord{
		Fingerprint: k.fingerprint, ID: string(redact.Bytes([]byte(id), apiKey)),
		Status: res.Status, RequestID: requestID(res), Body: redact.Bytes(res.Body, apiKey),
	}
	if !json.Valid(record.Body) {
		record.Body = nil
	}
	return record
}

func (r *keyRecord) response() *transport.Response {
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

// resultOwner is the note of a claimed result.
type resultOwner struct {
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	// Of a key that found the result in a list. It may have taken that of another key with equal parameters, whose call then needs
	// what the owner's requests did.
	Window keyWindow `json:"window,omitzero"`
}

// errOtherKeys reports a result that has settled another key.
var errOtherKeys = errors.New("the result belongs to another idempotency key")

// find looks for the effect of an earlier attempt and, if there is one that settled no other key, completes the key with it.
func (k *keyedCall) find(ctx context.Context, out any) (bool, error) {
	if k.finder == nil {
		return false, nil
	}
	since, doubtful := k.state.Since, false
	// A key's window begins when the key was claimed first, or before. Of that time a store in memory has the monotonic reading, too.
	age := max(elapsed.AtMost(since, k.claim.Now), elapsed.AtMost(k.claim.FirstAt, k.claim.Now))
	byLocalClock := k.askedAt.Add(-age)
	for found, err := range k.finder(ctx, k.client, byLocalClock, []RequestOption{k.lookOptions()}) {
		if err != nil {
			if errors.Is(context.Cause(ctx), ErrClaimLost) { // the error says that the context was canceled
				err = ErrClaimLost
			}
			pending := k.pending(fmt.Errorf("looking for its effect: %w", err))
			if isUnlisted(err) {
				pending.RetryAfter = 0
			}
			return false, pending
		}
		if found.doubtful || found.id == "" {
			doubtful = true
			continue
		}
		body := marshal(found.result)
		if len(body) > maxRecorded {
			return false, k.pending(errTooLargeToRecord)
		}
		record := k.record(&transport.Response{Status: http.StatusOK, Body: body}, found.id)
		if completed, err := k.completeWith(ctx, record, fromList, false, out); completed || err != nil {
			return completed, err
		}
	}
	if k.state.Since.Before(since) { // another key has taken a result, perhaps this one's
		return k.find(ctx, out)
	}
	if doubtful {
		k.state.Doubtful = true
		k.widen(k.state.keyWindow)
	}
	return false, nil
}

// completeKnown completes the key with the result that an earlier claim was about to complete it with, if there is one.
func (k *keyedCall) completeKnown(ctx context.Context, origin resultOrigin, out any) (bool, error) {
	if k.state.Result == nil {
		return false, nil
	}
	return k.completeWith(ctx, k.state.Result, origin, true, out)
}

// completeWith completes the key with a result of an earlier attempt, unless it belongs to another key.
func (k *keyedCall) completeWith(ctx context.Context, record *keyRecord, origin resultOrigin, replayed bool, out any) (bool, error) {
	switch err := k.complete(ctx, record, origin); {
	case errors.Is(err, errOtherKeys):
		return false, nil
	case err != nil:
		return false, err
	}
	res := record.response()
	k.rc.settled(res, replayed)
	return true, k.client.decode(ctx, k.op, res, out)
}

// complete records a result: first that the key is about to have it, then that it belongs to this key, so that it settles no other
// with the same parameters.
func (k *keyedCall) complete(ctx context.Context, record *keyRecord, origin resultOrigin) error {
	ctx, cancel := storeContext(ctx, storeTimeout)
	defer cancel()
	if k.finder != nil && record.ID != "" {
		if err := k.own(ctx, record, origin); err != nil {
			return err
		}
	}
	if err := k.store().Complete(ctx, k.claim, marshal(record)); err != nil {
		return k.pending(err)
	}
	return nil
}

// resultOrigin is where a key has a result from.
type resultOrigin bool

const (
	fromResponse resultOrigin = true // to a request with this key
	fromList     resultOrigin = false
)

// own makes a result that of this key.
func (k *keyedCall) own(ctx context.Context, record *keyRecord, origin resultOrigin) error {
	note := marshal(resultOwner{k.key, k.fingerprint, k.state.keyWindow})
	k.state.Result = record
	if err := k.setNote(); err != nil {
		return k.pending(err)
	}
	key := resultKeys + k.scope + "/" + record.ID
	claim, err := checkedClaim(k.store().Claim(ctx, key, ClaimOptions{Lease: k.retention, Retention: k.retention, Note: note}))
	if err != nil {
		return k.pending(err)
	}
	if claim.Status == ClaimGranted {
		return nil
	}
	var owner resultOwner
	if err := json.Unmarshal(claim.Note, &owner); err != nil {
		return k.pending(err)
	}
	if owner.Key == k.key {
		return nil
	}
	ownersOrigin := resultOrigin(owner.Window == (keyWindow{}))
	switch {
	case origin == fromResponse && ownersOrigin == fromResponse:
		return nil // two responses with one id: the API has used it twice, and a request that succeeded is not repeated
	case ownersOrigin == fromResponse:
		k.widen(k.state.keyWindow)
	case owner.Fingerprint == k.fingerprint:
		k.widen(owner.Window)
	case origin == fromResponse:
		return nil // whatever the owner took it for
	default:
		k.state.Doubtful = true
		k.widen(k.state.keyWindow)
	}
	return errOtherKeys
}
