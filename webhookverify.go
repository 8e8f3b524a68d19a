package agentphone

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Headers of a webhook request.
const (
	WebhookSignatureHeader = "X-Webhook-Signature" // sha256=HEX
	WebhookTimestampHeader = "X-Webhook-Timestamp" // Unix seconds
	WebhookIDHeader        = "X-Webhook-ID"        // of the delivery; the same when it is redelivered
	WebhookEventHeader     = "X-Webhook-Event"     // the EventType
)

// Errors of [VerifyWebhook] and [WebhookVerifier], for use with [errors.Is].
var (
	ErrWebhookNoSignature  = errors.New("agentphone: the webhook request has no signature, or a malformed one")
	ErrWebhookBadSignature = errors.New("agentphone: the webhook request's signature is wrong")
	ErrWebhookTimestamp    = errors.New("agentphone: the webhook request's timestamp is missing, malformed, too old or too new")
	// ErrWebhookNoSecret is returned for an empty secret: with it anybody could sign.
	ErrWebhookNoSecret = errors.New("agentphone: the webhook secret is empty")
)

// defaultWebhookTolerance is how far the timestamp of a request may be from now, in either direction.
const defaultWebhookTolerance = 5 * time.Minute

// VerifyWebhook verifies that a webhook request was signed with secret, at most 5 minutes ago (or ahead). payload is
// the body of the request, byte for byte as it was received. secret is the Secret of the [Webhook] with its prefix,
// whsec_.
//
// The error is [ErrWebhookNoSignature], [ErrWebhookTimestamp], [ErrWebhookBadSignature] or, for an invalid
// secret, [ErrWebhookNoSecret] or a *[ValidationError].
//
// A request that is received twice within the 5 minutes is valid twice. Redeliveries by AgentPhone have the same
// [WebhookIDHeader], but that header is not signed: whoever replays a captured request can change it.
func VerifyWebhook(payload []byte, header http.Header, secret string) error {
	signers, err := newSigners([]string{secret})
	if err != nil {
		return err
	}
	return verifyWebhook(payload, header, signers, defaultWebhookTolerance)
}

// WebhookVerifier verifies webhook requests as [VerifyWebhook] does, with several secrets and another tolerance.
// [WebhooksService.Set] makes a new secret; until all that was signed with the old one has been delivered, both must be
// accepted. A WebhookVerifier is safe for concurrent use and does not print its secrets.
type WebhookVerifier struct {
	signers   func() []signer
	tolerance time.Duration
}

// WebhookVerifierOption configures a [WebhookVerifier].
type WebhookVerifierOption func(*WebhookVerifier) error

// WithWebhookTolerance sets how far the timestamp of a request may be from now, in either direction. It must be
// positive; the default is 5 minutes.
func WithWebhookTolerance(d time.Duration) WebhookVerifierOption {
	return func(v *WebhookVerifier) error {
		if d <= 0 {
			return &ValidationError{"webhook tolerance", "is not positive"}
		}
		v.tolerance = d
		return nil
	}
}

// NewWebhookVerifier returns a verifier that accepts a signature by any of the secrets. An empty secret, or none, is
// [ErrWebhookNoSecret]; a secret with white space, control characters or characters outside ASCII is a
// *[ValidationError].
func NewWebhookVerifier(secrets []string, opts ...WebhookVerifierOption) (*WebhookVerifier, error) {
	signers, err := newSigners(secrets)
	if err != nil {
		return nil, err
	}
	v := &WebhookVerifier{signers: func() []signer { return signers }, tolerance: defaultWebhookTolerance}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Verify verifies a request as [VerifyWebhook] does. The error of a nil or zero WebhookVerifier is
// [ErrWebhookNoSecret].
func (v *WebhookVerifier) Verify(payload []byte, header http.Header) error {
	if v == nil || v.signers == nil {
		return ErrWebhookNoSecret
	}
	return verifyWebhook(payload, header, v.signers(), v.tolerance)
}

func verifyWebhook(payload []byte, header http.Header, signers []signer, tolerance time.Duration) error {
	signature, err := readSignature(header, tolerance)
	if err == nil && !signature.isBy(signers, payload) {
		err = ErrWebhookBadSignature
	}
	return err
}

// signature is what the header of a webhook request says of its signature.
type signature struct {
	sum       [sha256.Size]byte
	timestamp string
	at        time.Time
}

// readSignature reads a signature and checks its age.
func readSignature(header http.Header, tolerance time.Duration) (s signature, err error) {
	hexSum, ok := strings.CutPrefix(strings.TrimSpace(header.Get(WebhookSignatureHeader)), "sha256=")
	if !ok || len(hexSum) != hex.EncodedLen(len(s.sum)) {
		return s, ErrWebhookNoSignature
	}
	if _, err := hex.Decode(s.sum[:], []byte(hexSum)); err != nil {
		return s, ErrWebhookNoSignature
	}
	s.timestamp = header.Get(WebhookTimestampHeader)
	signed, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil || len(s.timestamp) > len("9999999999") { // time.Unix overflows on longer ones
		return s, ErrWebhookTimestamp
	}
	s.at = time.Unix(signed, 0)
	if !s.isWithin(tolerance) {
		return s, ErrWebhookTimestamp
	}
	return s, nil
}

// isWithin reports whether the signature was made within a time from now, in either direction.
func (s *signature) isWithin(tolerance time.Duration) bool {
	age := time.Since(s.at)
	return age <= tolerance && age >= -tolerance
}

// isBy reports whether the signature is of the payload, by one of the signers.
func (s *signature) isBy(signers []signer, payload []byte) bool {
	match := false
	for i := range signers { // all of them, so that the time it takes does not tell which one matches
		match = signers[i].signed(s, payload) || match
	}
	return match
}

// SignWebhook returns the signature and timestamp headers of a webhook request with the body payload, signed with
// secret at a time. It is meant for tests of webhook handlers.
func SignWebhook(payload []byte, secret string, at time.Time) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set(WebhookTimestampHeader, timestamp)
	h.Set(WebhookSignatureHeader, "sha256="+hex.EncodeToString(newMAC(secret).sum(payload, timestamp)))
	return h
}

// signer has a secret. It is safe for concurrent use.
type signer struct {
	secret string
	idle   atomic.Pointer[mac] // to be used again: making one takes as long as signing a small payload
}

// newSigners returns a signer for each of the secrets, if all are valid.
func newSigners(secrets []string) ([]signer, error) {
	if len(secrets) == 0 || slices.Contains(secrets, "") {
		return nil, ErrWebhookNoSecret
	}
	signers := make([]signer, len(secrets))
	for i, secret := range secrets {
		if err := printable("webhook secret", secret); err != nil {
			return nil, err
		}
		signers[i].secret = secret
	}
	return signers, nil
}

// signed reports whether the signature of the payload is by this signer.
func (s *signer) signed(given *signature, payload []byte) bool {
	m := s.idle.Swap(nil)
	if m == nil {
		m = newMAC(s.secret)
	} else {
		m.hash.Reset()
	}
	match := hmac.Equal(given.sum[:], m.sum(payload, given.timestamp))
	s.idle.Store(m)
	return match
}

// mac computes signatures.
type mac struct {
	hash   hash.Hash
	buffer [64]byte
}

func newMAC(secret string) *mac { return &mac{hash: hmac.New(sha256.New, []byte(secret))} }

// sum returns the signature of the timestamp and the body. It is valid until the next.
func (m *mac) sum(payload []byte, timestamp string) []byte {
	m.hash.Write(append(append(m.buffer[:0], timestamp...), '.'))
	m.hash.Write(payload)
	return m.hash.Sum(m.buffer[:0])
}
