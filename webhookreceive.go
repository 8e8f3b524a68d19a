package agentphone

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
)

// receive checks the method, the size and the signature of a request and parses its event. It responds itself, and
// reports false, if the request is none that the handler accepts.
func (h *webhookHandler) receive(w http.ResponseWriter, r *http.Request) (*delivery, bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return nil, false
	}
	body, ok := h.readBody(w, r)
	if !ok {
		return nil, false
	}
	if err := h.verifier.Verify(body, r.Header); err != nil {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook request refused", "reason", err)
		refuse(w, http.StatusUnauthorized)
		return nil, false
	}
	event, mismatch, err := parseEvent(body)
	if err != nil {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook request refused", "reason", err)
		refuse(w, http.StatusBadRequest)
		return nil, false
	}
	event.DeliveryID = r.Header.Get(WebhookIDHeader)
	if mismatch {
		h.Logger.WarnContext(r.Context(), "agentphone: webhook event has unexpected data",
			"event", event.Type, "delivery_id", event.DeliveryID)
	}
	return &delivery{event: event, id: storeID(event)}, true
}

// readBody reads the body of a request up to MaxBodyBytes.
func (h *webhookHandler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.Body == nil { // in a request that a test made
		return nil, true
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBodyBytes))
	if err == nil {
		return body, true
	}
	status := http.StatusBadRequest
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	refuse(w, status)
	return nil, false
}

// maxDeliveryID is the length of the longest id that a store sees, far above the length of AgentPhone's. Ids are not
// signed: without a limit anybody who captured a request could fill a store.
const maxDeliveryID = 200

// storeID returns the id by which a store knows the delivery of an event: its own, or a digest of one that is too
// long, or of the body if it has none.
func storeID(event *Event) string {
	id := event.DeliveryID
	if id != "" && len(id) <= maxDeliveryID {
		return id
	}
	sum := sha256.Sum256([]byte(cmp.Or(id, string(event.Raw))))
	return "sha256:" + hex.EncodeToString(sum[:])
}
