package agentphonetest

import (
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

type webhook struct {
	id           string
	url          string
	secret       string
	contextLimit int
	timeout      int // seconds
	created      time.Time
}

// view is null if there is no webhook.
func (w *webhook) view() any {
	if w == nil {
		return nil
	}
	return object{
		"id": w.id, "url": w.url, "secret": w.secret, "status": "active",
		"contextLimit": w.contextLimit, "timeout": w.timeout, "createdAt": stamp(w.created),
	}
}

var webhookFields = fields{
	text("url").required().like(webAddress),
	integer("contextLimit").orNull().atLeast(0).atMost(50),
	integer("timeout").orNull().atLeast(5).atMost(120),
}

var webhookOperations = []*operation{
	get("/v1/webhooks", (*Server).getWebhook),
	post("/v1/webhooks", (*Server).setWebhook, webhookFields),
	post("/v1/webhooks/test", (*Server).testWebhook, nil).with(text("agentId")).thatWaits(),
	remove("/v1/webhooks", (*Server).deleteWebhook),
	get("/v1/agents/{agent_id}/webhook", (*Server).getAgentWebhook),
	post("/v1/agents/{agent_id}/webhook", (*Server).setAgentWebhook, webhookFields),
	remove("/v1/agents/{agent_id}/webhook", (*Server).deleteAgentWebhook),
	post("/v1/agents/{agent_id}/webhook/test", (*Server).testAgentWebhook, nil).thatWaits(),
}

// newWebhook takes the place of another, whose id it keeps. Its secret is always new.
func (s *Server) newWebhook(before *webhook, given object) *webhook {
	w := &webhook{
		url: given.text("url"), secret: s.secret("whsec"),
		contextLimit: given.integer("contextLimit", 10), timeout: given.integer("timeout", 30),
	}
	if before != nil {
		w.id, w.created = before.id, before.created
	} else {
		w.id, w.created = s.id("wh"), now()
	}
	return w
}

func (s *Server) getWebhook(in *input) (any, error) { return in.account.webhook.view(), nil }

func (s *Server) setWebhook(in *input) (any, error) {
	in.account.webhook = s.newWebhook(in.account.webhook, in.body)
	return in.account.webhook.view(), nil
}

func (s *Server) getAgentWebhook(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	return a.webhook.view(), nil
}

func (s *Server) setAgentWebhook(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	a.webhook = s.newWebhook(a.webhook, in.body)
	return a.webhook.view(), nil
}

var errNoWebhook = notFound("Webhook")

func (s *Server) deleteWebhook(in *input) (any, error) {
	if in.account.webhook == nil {
		return nil, errNoWebhook
	}
	in.account.webhook = nil
	return succeeded, nil
}

func (s *Server) deleteAgentWebhook(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	switch {
	case err != nil:
		return nil, err
	case a.webhook == nil:
		return nil, errNoWebhook
	}
	a.webhook = nil
	return succeeded, nil
}

// testWebhook sends a made-up message of an agent to the account's webhook.
func (s *Server) testWebhook(in *input) (any, error) {
	s.mu.Lock()
	w, agentID := in.account.webhook, in.query.text("agentId")
	_, known := in.account.agents.get(agentID)
	s.mu.Unlock()
	switch {
	case agentID != "" && !known:
		return nil, notFound("Agent")
	case w == nil:
		return nil, errNoWebhook
	}
	return s.sendTest(in, w, "", agentID), nil
}

func (s *Server) testAgentWebhook(in *input) (any, error) {
	s.mu.Lock()
	a, err := in.account.agentNamed(in.path("agent_id"))
	var w *webhook
	if err == nil {
		w = a.webhook
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case w == nil:
		return nil, errNoWebhook
	}
	return s.sendTest(in, w, a.id, a.id), nil
}

// sendTest sends a made-up message to a webhook, once, and says what came of it. owner is the agent whose
// own webhook it is, or "".
func (s *Server) sendTest(in *input, w *webhook, owner, agentID string) object {
	s.mu.Lock()
	var number *phone
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
		data["numberId"], data["to"] = number.id, number.phone
		if agentID == "" {
			agentID = number.agentID
		}
	}
	d := s.addDelivery(in.account, w, owner, happening{
		event: agentphone.EventMessage, channel: agentphone.ChannelSMS, agentID: agentID, data: data,
	})
	s.mu.Unlock()

	o := s.post(in.ctx, d)
	took := time.Since(o.began)
	s.mu.Lock()
	d.note(o)
	s.mu.Unlock()
	s.settle(d)
	result := object{
		"success": o.failure == "", "statusCode": nil,
		"responseMs": float64(took.Milliseconds()), "error": orNull(o.failure),
	}
	if o.code != 0 {
		result["statusCode"] = o.code
	}
	return result
}
