package agentphonetest

import (
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// webhook is the webhook of an account or an agent.
type webhook struct {
	id           string
	url          string
	secret       string
	contextLimit int
	timeout      int // seconds
	created      time.Time
}

// view is null for a nil webhook: the API reports a webhook that was never set as null, not as 404.
func (w *webhook) view() any {
	if w == nil {
		return nil
	}
	return object{
		"id": w.id, "url": w.url, "secret": w.secret, "status": "active",
		"contextLimit": w.contextLimit, "timeout": w.timeout, "createdAt": stamp(w.created),
	}
}

var webhookFields = schema.Fields{
	schema.Text("url").Required().Format(schema.URL),
	schema.Integer("contextLimit").Nullable().Min(0).Max(50),
	schema.Integer("timeout").Nullable().Min(5).Max(120),
}

var webhookOperations = []*operation{
	get("/v1/webhooks", (*Server).getWebhook),
	post("/v1/webhooks", (*Server).setWebhook, webhookFields),
	post("/v1/webhooks/test", (*Server).testWebhook, nil).withQuery(schema.Text("agentId")).thatWaits(),
	remove("/v1/webhooks", (*Server).deleteWebhook),
	get("/v1/agents/{agent_id}/webhook", (*Server).getAgentWebhook),
	post("/v1/agents/{agent_id}/webhook", (*Server).setAgentWebhook, webhookFields),
	remove("/v1/agents/{agent_id}/webhook", (*Server).deleteAgentWebhook),
	post("/v1/agents/{agent_id}/webhook/test", (*Server).testAgentWebhook, nil).thatWaits(),
}

// newWebhook returns the webhook of an account that replaces another, which may be nil. It keeps the id and has a new
// secret.
func (s *Server) newWebhook(a *account, old *webhook, given schema.Values) *webhook {
	w := &webhook{
		url: given.Text("url"), secret: s.newWebhookSecret(a),
		contextLimit: given.Int("contextLimit", 10), timeout: given.Int("timeout", 30),
	}
	if old != nil {
		w.id, w.created = old.id, old.created
	} else {
		w.id, w.created = s.id("wh"), now()
	}
	return w
}

func (s *Server) newWebhookSecret(a *account) string {
	made := s.secret("whsec")
	if s.webhookSecret != "" && (a == s.starter || a.parent == s.starter) {
		return s.webhookSecret
	}
	return made
}

func (s *Server) getWebhook(in *input) (any, error) { return in.account.webhook.view(), nil }

func (s *Server) setWebhook(in *input) (any, error) {
	in.account.webhook = s.newWebhook(in.account, in.account.webhook, in.body)
	return in.account.webhook.view(), nil
}

func (s *Server) getAgentWebhook(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	return a.webhook.view(), nil
}

func (s *Server) setAgentWebhook(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	a.webhook = s.newWebhook(in.account, a.webhook, in.body)
	return a.webhook.view(), nil
}

var errWebhookNotFound = notFound("Webhook")

func (s *Server) deleteWebhook(in *input) (any, error) {
	if in.account.webhook == nil {
		return nil, errWebhookNotFound
	}
	in.account.webhook = nil
	return succeeded, nil
}

func (s *Server) deleteAgentWebhook(in *input) (any, error) {
	a, err := in.agent()
	switch {
	case err != nil:
		return nil, err
	case a.webhook == nil:
		return nil, errWebhookNotFound
	}
	a.webhook = nil
	return succeeded, nil
}

// testWebhook sends a test message to the account's webhook. The agent that it is for may be named.
func (s *Server) testWebhook(in *input) (any, error) {
	s.mu.Lock()
	w, agentID := in.account.webhook, in.query.Text("agentId")
	_, known := in.account.agents.get(agentID)
	s.mu.Unlock()
	switch {
	case agentID != "" && !known:
		return nil, notFound("Agent")
	case w == nil:
		return nil, errWebhookNotFound
	}
	return s.sendTest(in, w, "", agentID), nil
}

func (s *Server) testAgentWebhook(in *input) (any, error) {
	s.mu.Lock()
	a, err := in.agent()
	var w *webhook
	if err == nil {
		w = a.webhook
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case w == nil:
		return nil, errWebhookNotFound
	}
	return s.sendTest(in, w, a.id, a.id), nil
}

// sendTest delivers a test message to a webhook, in one attempt, and returns the result. owner is the id of the agent
// whose own webhook it is, or "".
func (s *Server) sendTest(in *input, w *webhook, owner, agentID string) object {
	s.mu.Lock()
	var number *phoneNumber
	for _, n := range in.account.activeNumbers() {
		if number == nil || n.agentID == agentID {
			number = n
		}
	}
	data := object{
		"conversationId": s.id("conv"), "numberId": nil, "from": "+15555550100", "to": nil,
		"message": "This is a test.", "mediaUrl": nil, "mediaUrls": []string{},
		"direction": agentphone.DirectionInbound, "receivedAt": stamp(now()),
	}
	if number != nil {
		data["numberId"], data["to"] = number.id, number.e164
		if agentID == "" {
			agentID = number.agentID
		}
	}
	d := s.addDelivery(in.account, w, owner, event{
		kind: agentphone.EventMessage, channel: agentphone.ChannelSMS, agentID: agentID, data: data,
	})
	s.mu.Unlock()

	a := s.attemptOnce(in.ctx, d)
	s.mu.Lock()
	d.record(a)
	s.publishAttempt(d)
	s.deliveryFinished()
	s.mu.Unlock()
	result := object{
		"success": a.failure == "", "statusCode": nil,
		"responseMs": float64(a.took.Milliseconds()), "error": orNull(a.failure),
	}
	if a.status != 0 {
		result["statusCode"] = a.status
	}
	return result
}
