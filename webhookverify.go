package agentphone

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a webhook request.
const (
	WebhookSignatureHeader = "X-Webhook-Signature" // sha256=HEX
	WebhookTimestampHeader = "X-Webhook-Timestamp" // Unix seconds
	WebhookIDHeader        = "X-Webhook-ID"        // of the delivery; the same when it is delivered again
	WebhookEventHeader     = "X-Webhook-Event"
)

// Why a webhook request is refused, for [errors.Is].
var (
	ErrWebhookNoSignature  = errors.New("agentphone: the webhook request has no signature, or an unreadable one")
	ErrWebhookBadSignature = errors.New("agentphone: the webhook request's signature is wrong")
	ErrWebhookTimestamp    = errors.New("agentphone: the webhook request's timestamp is missing, unreadable, too old or too new")
	// ErrWebhookNoSecret: a check with an empty secret would let everybody in.
	ErrWebhookNoSecret = errors.New("agentphone: the webhook secret is empty")
)

// defaultWebhookTolerance is how far a request's timestamp may be from now, either way.
const defaultWebhookTolerance = 5 * time.Minute

// VerifyWebhook checks that a webhook request comes from AgentPhone and was signed
// within the last five minutes. payload is the body, byte for byte as received: verify before
// decoding. secret is [Webhook].Secret, whole, with its prefix.
//
// A request that is sent twice within the five minutes passes twice. AgentPhone's own repetitions have one
// [WebhookIDHeader]; it is not signed, so somebody who sends a captured request again can give it another.
func VerifyWebhook(payload []byte, header http.Header, secret string) error {
	secrets := []string{secret}
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	return verifyWebhook(payload, header, secrets, defaultWebhookTolerance)
}

// WebhookVerifier is VerifyWebhook with several secrets: setting a webhook makes a new one, and
// until all that was signed with the old one is delivered, both must pass. It is safe for concurrent
// use. Printed, it does not show its secrets.
type WebhookVerifier struct {
	secrets   func() []string
	tolerance time.Duration
}

// WebhookVerifierOption configures a [WebhookVerifier].
type WebhookVerifierOption func(*WebhookVerifier) error

// WithWebhookTolerance sets how far a request's timestamp may be from now, either way: five minutes
// by default.
func WithWebhookTolerance(d time.Duration) WebhookVerifierOption {
	return func(v *WebhookVerifier) error {
		if d <= 0 {
			return &ValidationError{"webhook tolerance", "is not positive"}
		}
		v.tolerance = d
		return nil
	}
}

// NewWebhookVerifier accepts a signature by any of the secrets. An empty secret, or none, is
// [ErrWebhookNoSecret]; one with white space in it is a *[ValidationError].
func NewWebhookVerifier(secrets []string, opts ...WebhookVerifierOption) (*WebhookVerifier, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	secrets = slices.Clone(secrets)
	v := &WebhookVerifier{secrets: func() []string { return secrets }, tolerance: defaultWebhookTolerance}
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

func checkSecrets(secrets []string) error {
	if len(secrets) == 0 || slices.Contains(secrets, "") {
		return ErrWebhookNoSecret
	}
	for _, secret := range secrets {
		if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return &ValidationError{"webhook secret", "has white space, a control character or a character outside ASCII"}
		}
	}
	return nil
}

// Verify checks a request as [VerifyWebhook] does.
func (v *WebhookVerifier) Verify(payload []byte, header http.Header) error {
	if v == nil || v.secrets == nil {
		return ErrWebhookNoSecret
	}
	return verifyWebhook(payload, header, v.secrets(), v.tolerance)
}

func verifyWebhook(payload []byte, header http.Header, secrets []string, tolerance time.Duration) error {
	hexSum, ok := strings.CutPrefix(strings.TrimSpace(header.Get(WebhookSignatureHeader)), "sha256=")
	if !ok {
		return ErrWebhookNoSignature
	}
	var given [sha256.Size]byte
	if len(hexSum) != hex.EncodedLen(len(given)) {
		return ErrWebhookNoSignature
	}
	if _, err := hex.Decode(given[:], []byte(hexSum)); err != nil {
		return ErrWebhookNoSignature
	}
	timestamp := header.Get(WebhookTimestampHeader)
	signed, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || len(timestamp) > len("9999999999") { // beyond, time.Unix would overflow
		return ErrWebhookTimestamp
	}
	if age := time.Since(time.Unix(signed, 0)); age > tolerance || age < -tolerance {
		return ErrWebhookTimestamp
	}
	match := false
	for _, secret := range secrets { // all of them, so that the time does not tell which
		match = hmac.Equal(given[:], webhookSum(payload, timestamp, secret)) || match
	}
	if !match {
		return ErrWebhookBadSignature
	}
	return nil
}

// SignWebhook returns the headers that AgentPhone would send with payload at a time:
// signature and timestamp. It is for tests of receivers.
func SignWebhook(payload []byte, secret string, at time.Time) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set(WebhookTimestampHeader, timestamp)
	h.Set(WebhookSignatureHeader, "sha256="+hex.EncodeToString(webhookSum(payload, timestamp, secret)))
	return h
}

// webhookSum signs the timestamp and the body, so that neither can be replaced.
func webhookSum(payload []byte, timestamp, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(payload)
	return mac.Sum(nil)
}
