package agentphone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
)

// canonicalIDHeader is [WebhookIDHeader] in the form of a key of an [http.Header].
var canonicalIDHeader = http.CanonicalHeaderKey(WebhookIDHeader)

// receive checks the method, the signature and the size of a request and parses its event. If the request is none that the
// handler accepts, it responds itself and returns the status.
func (h *WebhookHandler) receive(w http.ResponseWriter, r *http.Request) (d *delivery, refused int) {
	deadline := readDeadline{http.NewResponseController(w)}
	deadline.setForBody(r)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, refuse(w, http.StatusMethodNotAllowed)
	}
	signature, err := readSignature(r.Header, h.config.Tolerance)
	if err != nil {
		return nil, h.refuseUnsigned(w, r, err) // before its body, of which anybody can send any number
	}
	s := share{of: &h.unverified}
	defer s.giveBack()
	body, refused := h.readBody(w, r, &s)
	if refused != 0 {
		return nil, refused
	}
	deadline.clear()
	if refused = h.verify(w, r, &signature, body); refused != 0 {
		return nil, refused
	}
	event, mismatch, err := parseEvent(body)
	if err != nil {
		h.logRefusal(r.Context(), err)
		return nil, refuse(w, http.StatusBadRequest)
	}
	event.DeliveryID = r.Header.Get(canonicalIDHeader)
	d = &delivery{event: event, tenant: h.tenant(r), mismatch: mismatch, request: r.Context(), values: context.WithoutCancel(r.Context())}
	if mismatch {
		h.log(d, slog.LevelWarn, "the event has unexpected data")
	}
	return d, 0
}

// verify verifies the signature of a request. The secrets are asked for only if the rest is right. If they cannot be had, the request may be
// genuine all the same: it gets a status after which it comes again.
func (h *WebhookHandler) verify(w http.ResponseWriter, r *http.Request, s *signature, body []byte) (refused int) {
	if !s.isWithin(h.config.Tolerance) { // any more: middleware may let a body take long
		return h.refuseUnsigned(w, r, ErrWebhookTimestamp)
	}
	signers, err := h.signers(r)
	if err != nil {
		logAttrs(r.Context(), h.config.Logger, slog.LevelError, "agentphone: webhook: getting the secrets failed",
			slog.String("error", loggedText(err)))
		return refuseForNow(w, 0)
	}
	if !s.isBy(signers, body) {
		return h.refuseUnsigned(w, r, ErrWebhookBadSignature)
	}
	return 0
}

func (h *WebhookHandler) refuseUnsigned(w http.ResponseWriter, r *http.Request, reason error) int {
	h.logRefusal(r.Context(), reason)
	return refuse(w, http.StatusUnauthorized)
}

// tenant returns whose delivery a request is. Fixed secrets have one owner.
func (h *WebhookHandler) tenant(r *http.Request) string {
	switch {
	case h.config.TenantFunc != nil:
		return h.config.TenantFunc(r)
	case h.config.SecretsFunc != nil:
		tenant := r.URL.RequestURI()
		if sent := r.RequestURI; sent != "" && sent != tenant { // middleware may have taken the tenant out of the URL, or put it in
			tenant += "\n" + sent
		}
		return tenant
	}
	return ""
}

// maxDeliveryID is the length of the longest id that is part of a key, far above the length of AgentPhone's.
const maxDeliveryID = 128

// deliveryKey returns the key by which a store knows the delivery of an event: its id together with a digest of its body.
//
// The id is not signed, so it does not identify a delivery alone: a captured request that was sent under the id of another one would have
// that count as handled. The body is signed. A redelivery is assumed to have the same body, byte for byte, as a delivery is recorded
// once and sent until it succeeds; its timestamp and signature are new. Were it not so, the event would be handled once for each body, and
// not be lost.
//
// The digest is of the tenant too, since a tenant can sign with its own secrets what another one got. It is not of the secret: a redelivery
// may be signed with the one that has replaced it.
//
// A store need not cope with what anybody can write into a header: an id that is too long, or has other characters than printable
// ASCII, is digested too.
func deliveryKey(tenant, id string, body []byte) string {
	key := make([]byte, 0, len(deliveryKeys)+maxDeliveryID+len(":")+2*sha256.Size)
	key = append(key, deliveryKeys...)
	if len(id) <= maxDeliveryID && !strings.ContainsFunc(id, isUnprintable) {
		key = append(key, id...)
	} else {
		sum := sha256.Sum256([]byte(id))
		key = hex.AppendEncode(key, sum[:])
	}
	sum := sha256.Sum256(body)
	if tenant != "" {
		owner := sha256.Sum256([]byte(tenant))
		sum = sha256.Sum256(append(owner[:], sum[:]...))
	}
	return string(hex.AppendEncode(append(key, ':'), sum[:]))
}
