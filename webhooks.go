package agentphone

import (
	"context"
	"fmt"
	"net/url"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// WebhooksService manages webhooks: the URLs to which the API sends events. The account has one, and an agent can have
// one of its own, which is used instead. To receive events see [NewWebhookHandler].
type WebhooksService service

var (
	opGetWebhook         = operation{name: "Webhooks.Get", method: "GET", path: "/v1/webhooks", idempotent: true, emptyOK: true}
	opSetWebhook         = operation{name: "Webhooks.Set", method: "POST", path: "/v1/webhooks"}
	opDeleteWebhook      = operation{name: "Webhooks.Delete", method: "DELETE", path: "/v1/webhooks", idempotent: true, emptyOK: true}
	opTestWebhook        = operation{name: "Webhooks.Test", method: "POST", path: "/v1/webhooks/test", idempotent: true}
	opGetAgentWebhook    = operation{name: "Webhooks.GetForAgent", method: "GET", path: "/v1/agents/{agent_id}/webhook", idempotent: true, emptyOK: true}
	opSetAgentWebhook    = operation{name: "Webhooks.SetForAgent", method: "POST", path: "/v1/agents/{agent_id}/webhook"}
	opDeleteAgentWebhook = operation{name: "Webhooks.DeleteForAgent", method: "DELETE", path: "/v1/agents/{agent_id}/webhook", idempotent: true, emptyOK: true}
	opTestAgentWebhook   = operation{name: "Webhooks.TestForAgent", method: "POST", path: "/v1/agents/{agent_id}/webhook/test", idempotent: true}
)

// Webhook is a URL to which the API sends events. It is zero if no webhook is set.
//
// Its Secret is not shown if it is printed with any verb or logged with log/slog, but is if it is encoded as JSON or
// printed as an unexported field of another struct.
type Webhook struct {
	ID             string    `json:"id"` // "" if no webhook is set
	URL            string    `json:"url"`
	Secret         string    `json:"secret"`       // signs the requests: see [NewWebhookHandler] and [VerifyWebhook]
	Status         string    `json:"status"`       // such as "active"
	ContextLimit   int       `json:"contextLimit"` // number of recent messages in each event
	TimeoutSeconds int       `json:"timeout"`      // how long your server may take to answer a voice turn
	CreatedAt      Timestamp `json:"createdAt"`
}

// String returns a text of the webhook without its secret.
func (w Webhook) String() string {
	return fmt.Sprintf("Webhook{ID:%s URL:%s Secret:%s Status:%s ContextLimit:%d TimeoutSeconds:%d}",
		w.ID, w.URL, redact.Mark, w.Status, w.ContextLimit, w.TimeoutSeconds)
}

// Format writes what String returns, whatever the verb.
func (w Webhook) Format(f fmt.State, verb rune) { redact.Print(f, verb, w.String()) }

// SetWebhookParams are the parameters of [WebhooksService.Set] and [WebhooksService.SetForAgent].
type SetWebhookParams struct {
	URL string `json:"url"` // required: an absolute URL
	// ContextLimit is the number of recent messages in each event, 0 (none) to 50; if nil the API decides.
	ContextLimit *int `json:"contextLimit,omitzero"`
	// TimeoutSeconds is how long your server may take to answer a voice turn, 5 to 120; the default is 30.
	TimeoutSeconds int `json:"timeout,omitzero"`
}

func (p SetWebhookParams) validate() error {
	if err := required("url", p.URL); err != nil {
		return err
	}
	if u, err := url.Parse(p.URL); err != nil || u.Host == "" {
		return &ValidationError{"url", "is not an absolute URL"}
	}
	if err := secondsBetween("timeout", p.TimeoutSeconds, 5, 120); err != nil {
		return err
	}
	if p.ContextLimit != nil {
		return inRange("contextLimit", *p.ContextLimit, 0)
	}
	return nil
}

// Get returns the account's webhook, or the zero Webhook if none is set. Retried. (GET /v1/webhooks)
func (s *WebhooksService) Get(ctx context.Context, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opGetWebhook, nil, nil, opts)
}

// Set sets or replaces the account's webhook and returns it with a new secret. Your server should accept the old secret
// too until it has the new one. The API accepts 10 requests a minute. (POST /v1/webhooks)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] read the current URL and secret
// with [WebhooksService.Get].
func (s *WebhooksService) Set(ctx context.Context, params SetWebhookParams, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opSetWebhook, nil, params, opts)
}

// Delete deletes the account's webhook. Retried. (DELETE /v1/webhooks)
func (s *WebhooksService) Delete(ctx context.Context, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteWebhook, nil, nil, opts)
}

// TestWebhookOptions are optional parameters of [WebhooksService.Test], given as a request option.
type TestWebhookOptions struct {
	AgentID string // the agent that the test event names
}

func (p TestWebhookOptions) apply(rc *requestConfig) error {
	if is, err := rc.isFor("TestWebhookOptions", &opTestWebhook); !is {
		return err
	}
	if p.AgentID != "" {
		rc.query.Set("agentId", p.AgentID)
	}
	return nil
}

// WebhookTest is the result of a test event: your server's response to it.
type WebhookTest struct {
	Success    bool    `json:"success"`    // whether your server accepted the event
	StatusCode int     `json:"statusCode"` // HTTP status; 0 if there was no response
	ResponseMs float64 `json:"responseMs"` // time until the response, in milliseconds
	Error      string  `json:"error"`      // what went wrong; "" if nothing did
}

// Test sends a test event, signed like all others, to the account's webhook and returns the response.
// [TestWebhookOptions] may be given as an option. The API accepts 10 requests a minute. Retried.
// (POST /v1/webhooks/test)
func (s *WebhooksService) Test(ctx context.Context, opts ...RequestOption) (*WebhookTest, error) {
	return do[WebhookTest](ctx, (*service)(s), &opTestWebhook, nil, nil, opts)
}

// GetForAgent returns an agent's own webhook, or the zero Webhook if none is set. Retried.
// (GET /v1/agents/{agent_id}/webhook)
func (s *WebhooksService) GetForAgent(ctx context.Context, agentID string, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opGetAgentWebhook, []string{agentID}, nil, opts)
}

// SetForAgent sets or replaces an agent's own webhook and returns it with a new secret, as [WebhooksService.Set] does
// for the account. (POST /v1/agents/{agent_id}/webhook)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] read the current URL and secret
// with [WebhooksService.GetForAgent].
func (s *WebhooksService) SetForAgent(ctx context.Context, agentID string, params SetWebhookParams, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opSetAgentWebhook, []string{agentID}, params, opts)
}

// DeleteForAgent deletes an agent's own webhook, so that the account's is used again. Retried.
// (DELETE /v1/agents/{agent_id}/webhook)
func (s *WebhooksService) DeleteForAgent(ctx context.Context, agentID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteAgentWebhook, []string{agentID}, nil, opts)
}

// TestForAgent sends a test event to an agent's own webhook and returns the response. Retried.
// (POST /v1/agents/{agent_id}/webhook/test)
func (s *WebhooksService) TestForAgent(ctx context.Context, agentID string, opts ...RequestOption) (*WebhookTest, error) {
	return do[WebhookTest](ctx, (*service)(s), &opTestAgentWebhook, []string{agentID}, nil, opts)
}
