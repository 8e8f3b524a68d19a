package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// byHand is the handler that a webhook handler is measured against: net/http, crypto/hmac and encoding/json, as one would
// write it for one's own service. It does not know a redelivery.
type byHand struct {
	secret string
	turn   func(context.Context, *handEvent, http.ResponseWriter) error // if it is nil, "Hello" is said
}

// handEvent has the fields of both kinds of events that are measured, so that each is decoded at once.
type handEvent struct {
	Event             string         `json:"event"`
	Channel           string         `json:"channel"`
	Timestamp         time.Time      `json:"timestamp"`
	AgentID           string         `json:"agentId"`
	ConversationState map[string]any `json:"conversationState"`
	RecentHistory     []struct {
		Content          string    `json:"content"`
		Direction        string    `json:"direction"`
		Channel          string    `json:"channel"`
		At               time.Time `json:"at"`
		MessageID        string    `json:"messageId"`
		SenderIdentifier string    `json:"senderIdentifier"`
	} `json:"recentHistory"`
	Data struct {
		NumberID  string `json:"numberId"`
		From      string `json:"from"`
		To        string `json:"to"`
		Direction string `json:"direction"`

		ConversationID string    `json:"conversationId"`
		Message        string    `json:"message"`
		MediaURL       string    `json:"mediaUrl"`
		MediaURLs      []string  `json:"mediaUrls"`
		ReceivedAt     time.Time `json:"receivedAt"`
		MessageID      string    `json:"messageId"`
		Contact        *struct {
			ID          string `json:"id"`
			Name        string `json:"name"`
			Email       string `json:"email"`
			PhoneNumber string `json:"phoneNumber"`
		} `json:"contact"`
		ReplyTo          map[string]any `json:"replyTo"`
		Group            map[string]any `json:"group"`
		SenderIdentifier string         `json:"senderIdentifier"`

		CallID     string   `json:"callId"`
		Status     string   `json:"status"`
		Transcript string   `json:"transcript"`
		Confidence *float64 `json:"confidence"`
	} `json:"data"`
}

type handLine struct {
	Text    string `json:"text"`
	Interim bool   `json:"interim,omitempty"`
}

func (h *byHand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	signed, err := strconv.ParseInt(r.Header.Get("X-Webhook-Timestamp"), 10, 64)
	if age := time.Since(time.Unix(signed, 0)); err != nil || age.Abs() > 5*time.Minute {
		http.Error(w, "too old", http.StatusUnauthorized)
		return
	}
	if err := bareHMAC(body, r.Header, h.secret); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var event handEvent
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch {
	case event.Channel != "voice":
		w.WriteHeader(http.StatusOK)
	case h.turn != nil:
		if err := h.turn(r.Context(), &event, w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(handLine{Text: firstWords})
	}
}

// bareHMAC is the least that verifying a webhook's signature takes: computing the HMAC and comparing it.
func bareHMAC(payload []byte, header http.Header, secret string) error {
	given, err := hex.DecodeString(strings.TrimPrefix(header.Get("X-Webhook-Signature"), "sha256="))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(header.Get("X-Webhook-Timestamp")))
	mac.Write([]byte{'.'})
	mac.Write(payload)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return errors.New("the signature is wrong")
	}
	return nil
}
