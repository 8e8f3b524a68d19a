package agentphonetest

import (
	"maps"
	"net/http"
	"time"
)

type agent struct {
	id      string
	created time.Time
	fields  object // as agentDefaults names them, and name
	webhook *webhook
}

func (a *agent) ident() string        { return a.id }
func (a *agent) text(f string) string { return a.fields.text(f) }
func (a *account) agentNamed(id string) (*agent, error) {
	found, ok := a.agents.get(id)
	if !ok {
		return nil, notFound("Agent")
	}
	return found, nil
}

var agentOperations = []*operation{
	get("/v1/agents", (*Server).listAgents, page(100)...),
	post("/v1/agents", (*Server).createAgent, agentFields(text("name").required().atLeast(1))),
	get("/v1/agents/{agent_id}", (*Server).getAgent),
	patch("/v1/agents/{agent_id}", (*Server).updateAgent, agentFields(text("name").orNull().atLeast(1))),
	remove("/v1/agents/{agent_id}", (*Server).deleteAgent),
	post("/v1/agents/{agent_id}/numbers", (*Server).attachNumber, fields{text("numberId").required()}),
	remove("/v1/agents/{agent_id}/numbers/{number_id}", (*Server).detachNumber),
	get("/v1/agents/{agent_id}/calls", (*Server).listAgentCalls, page(100)...),
	get("/v1/agents/{agent_id}/conversations", (*Server).listAgentConversations, page(100)...),
}

func (s *Server) addAgent(acc *account, given object) *agent {
	a := &agent{id: s.id("agt"), created: now(), fields: agentDefaults()}
	a.set(given)
	acc.agents.add(a)
	return a
}

// set takes over the fields that are given. Null clears a field that may be null, gives the
// default back to the voice, and leaves the others alone.
func (a *agent) set(given object) {
	defaults := agentDefaults()
	for _, f := range agentFields(text("name")) {
		v, ok := given[f.name]
		switch {
		case !ok:
		case v != nil || defaults[f.name] == nil && f.name != "name":
			a.fields[f.name] = v
		case f.name == "voice":
			a.fields[f.name] = defaults[f.name]
		}
	}
}

// hostedPrompt refuses a hosted agent without a prompt.
func hostedPrompt(fields object) error {
	if fields.text("voiceMode") == "hosted" && fields.text("systemPrompt") == "" {
		return badField("systemPrompt", "systemPrompt is required when voiceMode is 'hosted'")
	}
	return nil
}

func (a *account) agentView(ag *agent) object {
	v := maps.Clone(ag.fields)
	v["id"] = ag.id
	v["createdAt"] = stamp(ag.created)
	v["numbers"] = views(a.numbersOf(ag.id), (*phone).asAgentNumber)
	return v
}

func (s *Server) listAgents(in *input) (any, error) {
	out := pageOf(in.account.agents.list, in.query, defaultPage, in.account.agentView)
	delete(out, "hasMore") // this list alone does not say
	return out, nil
}

func (s *Server) createAgent(in *input) (any, error) {
	if err := hostedPrompt(in.body); err != nil {
		return nil, err
	}
	return in.account.agentView(s.addAgent(in.account, in.body)), nil
}

func (s *Server) getAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	return in.account.agentView(a), nil
}

func (s *Server) updateAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	changed := &agent{fields: maps.Clone(a.fields)}
	changed.set(in.body)
	if err := hostedPrompt(changed.fields); err != nil {
		return nil, err
	}
	a.fields = changed.fields
	return in.account.agentView(a), nil
}

func (s *Server) deleteAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	for _, n := range in.account.numbersOf(a.id) {
		n.agentID = ""
	}
	// All that it did stays, and is nobody's.
	for _, c := range in.account.conversations.list {
		forget(&c.agentID, a.id)
	}
	for _, c := range in.account.calls.list {
		forget(&c.agentID, a.id)
	}
	for _, m := range in.account.messages.list {
		forget(&m.agentID, a.id)
	}
	in.account.agents.remove(a.id)
	return object{"success": true, "id": a.id, "name": a.text("name")}, nil
}

func forget(id *string, gone string) {
	if *id == gone {
		*id = ""
	}
}

func (s *Server) attachNumber(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	n, err := in.account.activeNumber(in.body.text("numberId"))
	if err != nil {
		return nil, err
	}
	n.agentID = a.id
	for _, c := range in.account.conversations.where(func(c *conversation) bool { return c.number == n }) {
		c.agentID = a.id
	}
	return object{"agentId": a.id, "number": n.asAgentNumber()}, nil
}

func (s *Server) detachNumber(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	n, err := in.account.activeNumber(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	if n.agentID != a.id {
		return nil, refuse(http.StatusNotFound, "Number is not attached to this agent")
	}
	n.agentID = ""
	return succeeded, nil
}
