package agentphone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// deliver handles an event if nobody else does or did.
func (h *webhookHandler) deliver(w http.ResponseWriter, r *http.Request, event *Event, id string) {
	ctx := r.Context()
	lifetime := h.lifetime(event)
	rc := http.NewResponseController(w)
	// For all that is not a line of a turn: see VoiceResponse.writeLine.
	_ = rc.SetWriteDeadline(time.Now().Add(2*storeTimeout + lifetime + answerTime))
	defer func() { _ = rc.SetWriteDeadline(time.Time{}) }() // it would outlive the request
	claim, err := h.claim(ctx, id)
	switch {
	case err != nil:
		h.failed(ctx, event, "claiming the delivery", err)
		refuse(w, http.StatusServiceUnavailable)
		return
	case claim == DeliveryHandled:
		newVoiceResponse(ctx, w).answer(h, event)
		return
	case claim != DeliveryGranted:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusConflict)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()
	voice := newVoiceResponse(ctx, w)
	settled := false
	defer func() { // the callback ended its goroutine
		if !settled {
			h.settle(ctx, event, id, errGone)
		}
	}()
	err = h.callBack(ctx, event, voice)
	said, begun := voice.close()
	if said && errors.Is(err, ErrVoiceAnswered) { // by the callback itself: that is no failure of the turn
		err = nil
	}
	settled = true
	h.settle(ctx, event, id, err)
	if err != nil && !begun {
		refuse(w, http.StatusInternalServerError)
		return
	}
	voice.answer(h, event)
}

// lifetime of a callback: a turn has its time, all else the claim's.
func (h *webhookHandler) lifetime(event *Event) time.Duration {
	if _, ok := event.Data.(*VoiceTurnData); ok {
		return h.TurnTimeout
	}
	return callbackTime
}

// answer is the 200: for a voice turn with what was said, for all else without a body.
func (v *VoiceResponse) answer(h *webhookHandler, event *Event) {
	if _, ok := event.Data.(*VoiceTurnData); !ok {
		v.w.WriteHeader(http.StatusOK)
		return
	}
	if err := v.finish(); err != nil {
		h.failed(v.ctx, event, "answering", err)
	}
}

// callBack makes an error of a panic.
func (h *webhookHandler) callBack(ctx context.Context, event *Event, voice *VoiceResponse) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.Logger.ErrorContext(ctx, "agentphone: webhook callback panicked",
				"event", event.Type, "delivery_id", event.DeliveryID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	switch data := event.Data.(type) {
	case *MessageData:
		if h.OnMessage != nil {
			return h.OnMessage(ctx, event, data)
		}
	case *VoiceTurnData:
		if h.OnVoiceTurn != nil {
			return h.OnVoiceTurn(ctx, event, data, voice)
		}
	case *CallEndedData:
		if h.OnCallEnded != nil {
			return h.OnCallEnded(ctx, event, data)
		}
	case *ReactionData:
		if h.OnReaction != nil {
			return h.OnReaction(ctx, event, data)
		}
	case *UnknownData:
		if h.OnUnknown != nil {
			return h.OnUnknown(ctx, event, data)
		}
	}
	return nil
}

var (
	errPanicked = errors.New("the callback panicked")
	errGone     = errors.New("the callback ended its goroutine")
)

func (h *webhookHandler) failed(ctx context.Context, event *Event, doing string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) { // the sender hung up, as callers do
		level = slog.LevelInfo
	}
	h.Logger.Log(ctx, level, "agentphone: webhook: "+doing+" failed",
		"event", event.Type, "delivery_id", event.DeliveryID, "error", err)
}

func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }
