package agentphone

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// logFailure logs that something that was done for a delivery failed.
func (h *WebhookHandler) logFailure(d *delivery, doing string, err error) {
	level := slog.LevelError
	if d.isTurn() && d.isSenderGone() && errorIs(err, context.Canceled) { // as callers who hang up do
		level = slog.LevelInfo
	}
	h.log(d, level, doing+" failed", slog.String("error", loggedText(err)))
}

// log logs something about a delivery. Its texts are the sender's, and an id is not even signed.
func (h *WebhookHandler) log(d *delivery, level slog.Level, text string, attrs ...slog.Attr) {
	attrs = append(attrs,
		slog.String("event", redact.Text(string(d.event.Type), "")),
		slog.String("delivery_id", redact.Text(d.event.DeliveryID, "")))
	logAttrs(d.values, h.config.Logger, level, "agentphone: webhook: "+text, attrs...)
}

// logRefusal logs that a request was refused.
func (h *WebhookHandler) logRefusal(ctx context.Context, reason error) {
	logAttrs(ctx, h.config.Logger, slog.LevelWarn, "agentphone: webhook: request refused", slog.String("reason", loggedText(reason)))
}

// logPanic logs that the callback panicked. It is called by the function that recovered, while the stack is that of the panic; a panic
// in the iterator of a Stream has brought its own.
func (h *WebhookHandler) logPanic(d *delivery, p any) {
	stack := debug.Stack
	if tokens, ok := p.(*tokensPanic); ok {
		p, stack = tokens.value, func() []byte { return tokens.stack }
	}
	h.log(d, slog.LevelError, "the callback panicked", slog.String("panic", panicText(p)), slog.String("stack", string(stack())))
}

// panicText returns what is logged of the value of a panic: its text if it is an error or a string, which are the program's own words. Anything
// else may be an event, or hold what people said.
func panicText(p any) string {
	switch p := p.(type) {
	case error:
		return loggedText(p)
	case string:
		return redact.Text(p, "")
	}
	return fmt.Sprintf("%T", p)
}
