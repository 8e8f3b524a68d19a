// Package otelagentphone is what traces and measures a client and a webhook handler of agentphone with OpenTelemetry.
//
//	hooks := otelagentphone.Hooks()
//	client, err := agentphone.NewClientFromEnv(agentphone.WithHooks(hooks))
//	handler, err := agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{Hooks: hooks, OnMessage: reply})
//
// Each operation is a span, with a span for each of its attempts, and each delivery of a webhook is one. The context of a
// delivery is that of its callback, so a text that comes in, what the callback does about it and the reply are one trace.
//
// Nothing that is exported has a phone number, an id of the API but that of a delivery, a body, the text of an error or the API
// key. For that reason the spans of attempts lack url.full, which the semantic conventions would have.
package otelagentphone
