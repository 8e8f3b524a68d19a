package agentphone

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
)

// boundCallback is a callback of the config with its arguments. All but OnVoiceTurn do without the VoiceResponse.
type boundCallback func(context.Context, *VoiceResponse) error

// callback returns the callback for a delivery, or nil if the config has none. It alone decides by the kind of the event.
func (h *WebhookHandler) callback(d *delivery) boundCallback {
	switch data := d.event.Data.(type) {
	case *VoiceTurnData:
		if onVoiceTurn := h.config.OnVoiceTurn; onVoiceTurn != nil {
			return func(ctx context.Context, voice *VoiceResponse) error { return onVoiceTurn(ctx, d.event, data, voice) }
		}
	case *MessageData:
		if isSent(data.Direction) {
			return bind(h.config.OnSent, d.event, EventData(data))
		}
		return bind(h.config.OnMessage, d.event, data)
	case *ReactionData:
		if isSent(data.Direction) {
			return bind(h.config.OnSent, d.event, EventData(data))
		}
		return bind(h.config.OnReaction, d.event, data)
	case *CallEndedData:
		return bind(h.config.OnCallEnded, d.event, data)
	case *ContactSharedData:
		if h.config.OnContactShared == nil {
			return bind(h.config.OnUnknown, d.event, &UnknownData{Raw: data.Raw})
		}
		return bind(h.config.OnContactShared, d.event, data)
	case *UnknownData:
		return bind(h.config.OnUnknown, d.event, data)
	}
	return nil
}

// isSent reports whether a message or a reaction is one that the agent sent. The direction of a voice turn is that of the call.
//
// Published is [DirectionOutbound], but other APIs have forms such as "outbound-api" and "outgoing", and a bot that takes one of those for
// what somebody said replies to itself for ever. Any other direction may be of something that somebody said.
func isSent(direction Direction) bool {
	return begins(direction, "out")
}

func begins(direction Direction, with string) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(string(direction))), with)
}

// bind returns a callback with its arguments, or nil if there is none.
func bind[D EventData](f func(context.Context, *Event, D) error, event *Event, data D) boundCallback {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, _ *VoiceResponse) error { return f(ctx, event, data) }
}

// ignore serves a delivery that there is no callback for, without claiming it. One that there would be a callback for if its data could be
// read is not lost: it comes again, perhaps to a version that can read it.
func (h *WebhookHandler) ignore(w http.ResponseWriter, d *delivery) {
	switch {
	case d.mismatch && h.wants(d.event):
		d.ended(DeliveryFailed, refuse(w, http.StatusInternalServerError))
		return
	case d.isTurn():
		_ = h.finish(d, newVoiceResponse(d.values, w, false))
	default:
		w.WriteHeader(http.StatusOK)
	}
	d.ended(DeliveryHandled, http.StatusOK)
}

// wants reports whether there is a callback for events of a kind, whatever their data.
func (h *WebhookHandler) wants(event *Event) bool {
	c := &h.config
	switch kindOf(event.Type, event.Channel) {
	case voiceTurnKind:
		return c.OnVoiceTurn != nil
	case messageKind:
		return c.OnMessage != nil || c.OnSent != nil
	case reactionKind:
		return c.OnReaction != nil || c.OnSent != nil
	case callEndedKind:
		return c.OnCallEnded != nil
	}
	return false
}

// serveEvent serves any event but a voice turn: the response is a status without a body.
func (h *WebhookHandler) serveEvent(ctx context.Context, w http.ResponseWriter, d *delivery, callback boundCallback) {
	outcome := DeliveryDuplicate
	if !d.handled {
		err := h.callBack(ctx, d, callback, nil)
		h.settle(d, err) // before the response, or the sender could deliver the event again before the store knows
		outcome = deliveryOutcome(err)
		if err != nil {
			d.ended(outcome, refuse(w, http.StatusInternalServerError))
			return
		}
	}
	w.WriteHeader(http.StatusOK)
	d.ended(outcome, http.StatusOK)
}

// serveTurn serves a voice turn: the response is the answer that OnVoiceTurn gives, or an empty one if that was given
// before.
func (h *WebhookHandler) serveTurn(ctx context.Context, w http.ResponseWriter, d *delivery, callback boundCallback) {
	voice := newVoiceResponse(ctx, w, h.config.Hooks.Delivery != nil)
	defer voice.close() // if the callback ends its goroutine
	if d.handled {
		_ = h.finish(d, voice)
		d.ended(DeliveryDuplicate, http.StatusOK)
		return
	}
	err := h.callBack(ctx, d, callback, voice)
	state := voice.close()
	if state.said && isOnly(err, ErrVoiceAnswered) { // the callback tried to say more: the turn itself went well
		h.log(d, slog.LevelWarn, "what came after the last words was not said")
		err = nil
	}
	if err == nil && state.unsent && d.isSenderGone() {
		err = errSenderGone
	}
	h.logCallback(d, err)
	if err != nil && !state.begun {
		h.settleTurn(d, err) // before the response, or the redelivery could find the delivery claimed
		d.ended(deliveryOutcome(err), refuse(w, http.StatusInternalServerError))
		return
	}
	// The caller does not wait for the store, which is told whether the answer could be sent.
	if failure := h.finish(d, voice); err == nil && state.unsent {
		err = failure
	}
	h.settleTurn(d, err)
	d.ended(deliveryOutcome(err), http.StatusOK)
}

// finish sends the last words of the answer to a voice turn.
func (h *WebhookHandler) finish(d *delivery, voice *VoiceResponse) error {
	err := voice.finish()
	if err != nil {
		if d.isSenderGone() {
			err = errSenderGone
		}
		h.logFailure(d, "sending the answer", err)
	}
	d.firstWords = voice.out.firstWords
	return err
}

// callBack runs a callback and returns a panic as an error. A callback that ends its goroutine (runtime.Goexit, as
// testing.T.FailNow does) takes the handler with it: callBack settles its delivery, for nobody else will.
func (h *WebhookHandler) callBack(ctx context.Context, d *delivery, callback boundCallback, voice *VoiceResponse) (err error) {
	returned := false
	defer func() {
		switch p := recover(); {
		case p != nil:
			h.logPanic(d, p)
			err = errPanicked
		case !returned:
			h.settle(d, errGoexit)
			d.ended(DeliveryFailed, 0)
		}
	}()
	err = callback(ctx, voice)
	returned = true
	return err
}
