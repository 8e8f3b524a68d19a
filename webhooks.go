package agentphone

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// WebhooksService sets where the API sends its events: for the account, and for single
// agents, whose own webhook goes before the account's.
type WebhooksService service

var (
	opGetWebhook         = operation{method: "GET", path: "/v1/webhooks", idempotent: true, emptyOK: true}
	opSetWebhook         = operation{method: "POST", path: "/v1/webhooks"}
	opDeleteWebhook      = operation{method: "DELETE", path: "/v1/webhooks", idempotent: true, emptyOK: true}
	opTestWebhook        = operation{method: "POST", path: "/v1/webhooks/test", idempotent: true}
	opGetAgentWebhook    = operation{method: "GET", path: "/v1/agents/{agent_id}/webhook", idempotent: true, emptyOK: true}
	opSetAgentWebhook    = operation{method: "POST", path: "/v1/agents/{agent_id}/webhook"}
	opDeleteAgentWebhook = operation{method: "DELETE", path: "/v1/agents/{agent_id}/webhook", idempotent: true, emptyOK: true}
	opTestAgentWebhook   = operation{method: "POST", path: "/v1/agents/{agent_id}/webhook/test", idempotent: true}
)

// Webhook is where events are sent. If none is set, all its fields are zero. Printed or logged,
// it does not show its secret; encoded as JSON, or within an unexported field of a struct that is printed,
// it does.
type Webhook struct {
	ID             string    `json:"id"` // "" if no webhook is set
	URL            string    `json:"url"`
	Secret         string    `json:"secret"` // for [VerifyWebhook]
	Status         string    `json:"status"`
	ContextLimit   int       `json:"contextLimit"` // messages of recent history that each event carries
	TimeoutSeconds int       `json:"timeout"`      // how long a voice turn may take to answer
	CreatedAt      Timestamp `json:"createdAt"`
}

// String is the webhook without its secret.
func (w Webhook) String() string {
	return fmt.Sprintf("Webhook{ID:%s URL:%s Secret:%s Status:%s ContextLimit:%d TimeoutSeconds:%d}",
		w.ID, w.URL, redact.Mark, w.Status, w.ContextLimit, w.TimeoutSeconds)
}

// Format prints String whatever the verb.
func (w Webhook) Format(f fmt.State, verb rune) { formatText(f, verb, w.String()) }

// LogValue is String.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// SetWebhookParams are the parameters of [WebhooksService.Set] and SetForAgent.
type SetWebhookParams struct {
	URL            string `json:"url"`                   // required
	ContextLimit   *int   `json:"contextLimit,omitzero"` // messages of recent history in each event, 50 at most; 0 is none
	TimeoutSeconds int    `json:"timeout,omitzero"`      // for a voice turn: 5 to 120; the API's default is 30
}

func (p SetWebhookParams) validate() error {
	if err := required("url", p.URL); err != nil {
		return err
	}
	if u, err := url.Parse(p.URL); err != nil || u.Host == "" {
		return &ValidationError{"url", "is not an absolute URL"}
	}
	if p.TimeoutSeconds != 0 && (p.TimeoutSeconds < 5 || p.TimeoutSeconds > 120) {
		return &ValidationError{"timeout", "is not within 5 to 120 seconds"}
	}
	if p.ContextLimit != nil {
		return inRange("contextLimit", *p.ContextLimit, 0)
	}
	return nil
}

// Get returns the account's webhook; if none is set, its ID is "". Retried.
// (GET /v1/webhooks)
func (s *WebhooksService) Get(ctx context.Context, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opGetWebhook, nil, nil, opts)
}

// Set sets the account's webhook, in place of any other, and makes a new secret: until the
// receiver knows it, it must go on accepting the old one. (POST /v1/webhooks)
//
// Acts once: after [ErrOutcomeUnknown] read the secret that is in force with Get.
func (s *WebhooksService) Set(ctx context.Context, params SetWebhookParams, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opSetWebhook, nil, params, opts)
}

// Delete removes the account's webhook. Retried. (DELETE /v1/webhooks)
func (s *WebhooksService) Delete(ctx context.Context, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteWebhook, nil, nil, opts)
}

// TestWebhookOptions are optional parameters of [WebhooksService.Test], given as a request option.
type TestWebhookOptions struct {
	AgentID string // whose event the test looks like
}

func (p TestWebhookOptions) apply(rc *requestConfig) error {
	if err := rc.only("TestWebhookOptions", &opTestWebhook); err != nil {
		return err
	}
	if p.AgentID != "" {
		rc.query.Set("agentId", p.AgentID)
	}
	return nil
}

// WebhookTest is what came of a test event.
type WebhookTest struct {
	Success    bool    `json:"success"`
	StatusCode int     `json:"statusCode"` // 0 if the receiver did not answer
	ResponseMs float64 `json:"responseMs"`
	Error      string  `json:"error"`
}

// Test sends a made-up event to the account's webhook. [TestWebhookOptions] may be given as an
// option. Retried. (POST /v1/webhooks/test)
func (s *WebhooksService) Test(ctx context.Context, opts ...RequestOption) (*WebhookTest, error) {
	return do[WebhookTest](ctx, (*service)(s), &opTestWebhook, nil, nil, opts)
}

// GetForAgent returns an agent's own webhook; if none is set, its ID is "". Retried.
// (GET /v1/agents/{agent_id}/webhook)
func (s *WebhooksService) GetForAgent(ctx context.Context, agentID string, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opGetAgentWebhook, []string{agentID}, nil, opts)
}

// SetForAgent is Set for an agent's own webhook. (POST /v1/agents/{agent_id}/webhook)
//
// Acts once: after [ErrOutcomeUnknown] read the secret that is in force with GetForAgent.
func (s *WebhooksService) SetForAgent(ctx context.Context, agentID string, params SetWebhookParams, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, (*service)(s), &opSetAgentWebhook, []string{agentID}, params, opts)
}

// DeleteForAgent removes an agent's own webhook; the account's serves it again. Retried.
// (DELETE /v1/agents/{agent_id}/webhook)
func (s *WebhooksService) DeleteForAgent(ctx context.Context, agentID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteAgentWebhook, []string{agentID}, nil, opts)
}

// TestForAgent sends a made-up event to an agent's own webhook. Retried.
// (POST /v1/agents/{agent_id}/webhook/test)
func (s *WebhooksService) TestForAgent(ctx context.Context, agentID string, opts ...RequestOption) (*WebhookTest, error) {
	return do[WebhookTest](ctx, (*service)(s), &opTestAgentWebhook, []string{agentID}, nil, opts)
}
