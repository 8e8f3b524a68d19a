package agentphone

import (
	"context"
	"iter"
)

// AgentsService manages agents: the phone personas, with their voice, prompt and numbers.
type AgentsService service

var (
	opListAgents             = operation{method: "GET", path: "/v1/agents"}
	opCreateAgent            = operation{method: "POST", path: "/v1/agents", once: true}
	opGetAgent               = operation{method: "GET", path: "/v1/agents/{agent_id}"}
	opUpdateAgent            = operation{method: "PATCH", path: "/v1/agents/{agent_id}"}
	opDeleteAgent            = operation{method: "DELETE", path: "/v1/agents/{agent_id}"}
	opAttachNumber           = operation{method: "POST", path: "/v1/agents/{agent_id}/numbers"}
	opDetachNumber           = operation{method: "DELETE", path: "/v1/agents/{agent_id}/numbers/{number_id}", emptyAnswer: true}
	opListAgentCalls         = operation{method: "GET", path: "/v1/agents/{agent_id}/calls"}
	opListAgentConversations = operation{method: "GET", path: "/v1/agents/{agent_id}/conversations"}
)

// ListAgentsParams are the parameters of [AgentsService.List] and All.
type ListAgentsParams struct {
	Limit  int `url:"limit,omitempty"` // 1 to 100; the API's default is 20, that of All 100
	Offset int `url:"offset,omitempty"`
}

func (p ListAgentsParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// maxPage is the largest page of most lists.
const maxPage = 100

// List returns one page of the account's agents. Retried. (GET /v1/agents)
func (s *AgentsService) List(ctx context.Context, params ListAgentsParams, opts ...RequestOption) (*Page[Agent], error) {
	return list[Agent](ctx, (*service)(s), &opListAgents, nil, params, params.Offset, opts)
}

// All iterates over all agents, page by page as they are needed. (GET /v1/agents)
func (s *AgentsService) All(ctx context.Context, params ListAgentsParams, opts ...RequestOption) iter.Seq2[Agent, error] {
	return allByOffset(params.Offset, pageSize(params.Limit), func(a *Agent) string { return a.ID },
		func(offset, limit int) (*Page[Agent], error) {
			return s.List(ctx, ListAgentsParams{Limit: limit, Offset: offset}, opts...)
		})
}

// Get returns an agent. [ErrNotFound] if there is none with the id. Retried.
// (GET /v1/agents/{agent_id})
func (s *AgentsService) Get(ctx context.Context, agentID string, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opGetAgent, []string{agentID}, nil, opts)
}

// Create makes an agent. Sign-up made a starter agent: look for it with List first.
// (POST /v1/agents)
//
// A hosted agent needs a SystemPrompt. Acts once: after [ErrOutcomeUnknown] list the
// agents and look for the name before creating it again.
func (s *AgentsService) Create(ctx context.Context, params CreateAgentParams, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opCreateAgent, nil, params, opts)
}

// Update changes the fields that are set and leaves the others. Retried.
// (PATCH /v1/agents/{agent_id})
func (s *AgentsService) Update(ctx context.Context, agentID string, params UpdateAgentParams, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opUpdateAgent, []string{agentID}, params, opts)
}

// DeletedAgent is the answer to [AgentsService.Delete].
type DeletedAgent struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
	Name    string `json:"name"`
}

// Delete deletes an agent for good; its numbers stay, with no agent. Retried: if the answer to
// a first attempt was lost, the error of the second is [ErrNotFound].
// (DELETE /v1/agents/{agent_id})
func (s *AgentsService) Delete(ctx context.Context, agentID string, opts ...RequestOption) (*DeletedAgent, error) {
	return do[DeletedAgent](ctx, (*service)(s), &opDeleteAgent, []string{agentID}, nil, opts)
}

// AttachNumberParams are the parameters of [AgentsService.AttachNumber].
type AttachNumberParams struct {
	NumberID string `json:"numberId"` // required
}

func (p AttachNumberParams) validate() error { return required("numberId", p.NumberID) }

// AttachedNumber is the answer to [AgentsService.AttachNumber].
type AttachedNumber struct {
	AgentID string      `json:"agentId"`
	Number  AgentNumber `json:"number"`
}

// AttachNumber gives a number to an agent, which then answers its calls and messages.
// Retried. (POST /v1/agents/{agent_id}/numbers)
func (s *AgentsService) AttachNumber(ctx context.Context, agentID string, params AttachNumberParams, opts ...RequestOption) (*AttachedNumber, error) {
	return do[AttachedNumber](ctx, (*service)(s), &opAttachNumber, []string{agentID}, params, opts)
}

// DetachNumber takes a number from an agent. The account keeps, and pays for, the number.
// Retried: if the answer to a first attempt was lost, the error of the second may be [ErrNotFound].
// (DELETE /v1/agents/{agent_id}/numbers/{number_id})
func (s *AgentsService) DetachNumber(ctx context.Context, agentID, numberID string, opts ...RequestOption) (*Success, error) {
	return do[Success](ctx, (*service)(s), &opDetachNumber, []string{agentID, numberID}, nil, opts)
}

// ListCalls returns one page of an agent's calls, newest first. Only Limit and Offset of
// params may be set: this list has no filters. Retried. (GET /v1/agents/{agent_id}/calls)
func (s *AgentsService) ListCalls(ctx context.Context, agentID string, params ListCallsParams, opts ...RequestOption) (*Page[Call], error) {
	return listScopedCalls(ctx, (*service)(s), &opListAgentCalls, agentID, params, opts)
}

// AllCalls iterates over an agent's calls, newest first. (GET /v1/agents/{agent_id}/calls)
func (s *AgentsService) AllCalls(ctx context.Context, agentID string, params ListCallsParams, opts ...RequestOption) iter.Seq2[Call, error] {
	return allCalls(params, func(p ListCallsParams) (*Page[Call], error) {
		return s.ListCalls(ctx, agentID, p, opts...)
	})
}

// ListConversations returns one page of an agent's conversations. Retried.
// (GET /v1/agents/{agent_id}/conversations)
func (s *AgentsService) ListConversations(ctx context.Context, agentID string, params ListConversationsParams, opts ...RequestOption) (*Page[Conversation], error) {
	return list[Conversation](ctx, (*service)(s), &opListAgentConversations, []string{agentID}, params, params.Offset, opts)
}

// AllConversations iterates over an agent's conversations.
// (GET /v1/agents/{agent_id}/conversations)
func (s *AgentsService) AllConversations(ctx context.Context, agentID string, params ListConversationsParams, opts ...RequestOption) iter.Seq2[Conversation, error] {
	return allConversations(params, func(p ListConversationsParams) (*Page[Conversation], error) {
		return s.ListConversations(ctx, agentID, p, opts...)
	})
}
