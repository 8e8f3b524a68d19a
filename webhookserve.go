package agentphone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// route returns what serves the delivery and how long its callback may take. It alone decides by the kind of the event.
func (h *webhookHandler) route(d *delivery) (serve func(context.Context, http.ResponseWriter), timeout time.Duration) {
	var callback func(context.Context) error
	switch data := d.event.Data.(type) {
	case *VoiceTurnData:
		return func(ctx context.Context, w http.ResponseWriter) { h.serveTurn(ctx, w, d, data) }, h.TurnTimeout
	case *MessageData:
		callback = bind(h.OnMessage, d.event, data)
	case *CallEndedData:
		callback = bind(h.OnCallEnded, d.event, data)
	case *ReactionData:
		callback = bind(h.OnReaction, d.event, data)
	case *ContactSharedData:
		callback = bind(h.OnUnknown, d.event, &UnknownData{Raw: data.Raw})
	case *UnknownData:
		callback = bind(h.OnUnknown, d.event, data)
	}
	return func(ctx context.Context, w http.ResponseWriter) { h.serveEvent(ctx, w, d, callback) }, callbackTimeout
}

// bind returns a callback with its arguments, or one that ignores the event if the callback is nil.
func bind[D EventData](callback func(context.Context, *Event, D) error, event *Event, data D) func(context.Context) error {
	return func(ctx context.Context) error {
		if callback == nil {
			return nil
		}
		return callback(ctx, event, data)
	}
}

// serveEvent serves any event but a voice turn: the response is a status without a body.
func (h *webhookHandler) serveEvent(ctx context.Context, w http.ResponseWriter, d *delivery, callback func(context.Context) error) {
	if !d.handled {
		err := h.callBack(ctx, d, func() error { return callback(ctx) })
		h.settle(ctx, d, err) // before the response, or the sender could deliver the event again before the store knows
		if err != nil {
			refuse(w, http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

// serveTurn serves a voice turn: the response is the answer that OnVoiceTurn gives, or an empty one if that was given
// before.
func (h *webhookHandler) serveTurn(ctx context.Context, w http.ResponseWriter, d *delivery, turn *VoiceTurnData) {
	voice := newVoiceResponse(ctx, w)
	defer voice.close() // if the callback ends its goroutine
	if !d.handled {
		err := h.callBack(ctx, d, func() error {
			if h.OnVoiceTurn == nil {
				return nil
			}
			return h.OnVoiceTurn(ctx, d.event, turn, voice)
		})
		said, begun := voice.close()
		if said && errors.Is(err, ErrVoiceAnswered) { // the callback tried to say more: the turn itself went well
			err = nil
		}
		h.settle(ctx, d, err)
		if err != nil && !begun {
			refuse(w, http.StatusInternalServerError)
			return
		}
	}
	if err := voice.finish(); err != nil {
		h.logFailure(ctx, d, "sending the answer", err)
	}
}

// callBack runs a callback and returns a panic as an error. A callback that ends its goroutine (runtime.Goexit, as
// testing.T.FailNow does) takes the handler with it: callBack settles its delivery, for nobody else will.
func (h *webhookHandler) callBack(ctx context.Context, d *delivery, callback func() error) (err error) {
	returned := false
	defer func() {
		switch p := recover(); {
		case p != nil:
			h.log(ctx, slog.LevelError, "the callback panicked", d.event,
				slog.String("panic", panicText(p)), slog.String("stack", string(debug.Stack())))
			err = errPanicked
		case !returned:
			h.settle(ctx, d, errGoexit)
		}
	}()
	err = callback()
	returned = true
	return err
}

// panicText returns what is logged of the value of a panic: its text if it is an error or a string, which are the program's own words. Anything
// else may be an event, or hold what people said.
func panicText(p any) string {
	switch p.(type) {
	case error, string:
		return redact.Text(fmt.Sprint(p), "")
	}
	return fmt.Sprintf("%T", p)
}
