package agentphone

import (
	"context"
	"iter"
)

// AgentsService manages agents: the phone personas, with their voice, prompt and numbers.
type AgentsService service

var (
	opListAgents             = operation{method: "GET", path: "/v1/agents", idempotent: true}
	opCreateAgent            = operation{method: "POST", path: "/v1/agents"}
	opGetAgent               = operation{method: "GET", path: "/v1/agents/{agent_id}", idempotent: true}
	opUpdateAgent            = operation{method: "PATCH", path: "/v1/agents/{agent_id}", idempotent: true}
	opDeleteAgent            = operation{method: "DELETE", path: "/v1/agents/{agent_id}", idempotent: true}
	opAttachNumber           = operation{method: "POST", path: "/v1/agents/{agent_id}/numbers", idempotent: true}
	opDetachNumber           = operation{method: "DELETE", path: "/v1/agents/{agent_id}/numbers/{number_id}", idempotent: true, emptyOK: true}
	opListAgentCalls         = operation{method: "GET", path: "/v1/agents/{agent_id}/calls", idempotent: true}
	opListAgentConversations = operation{method: "GET", path: "/v1/agents/{agent_id}/conversations", idempotent: true}
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
func (s *AgentsService) DetachNumber(ctx context.Context, agentID, numberID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDetachNumber, []string{agentID, numberID}, nil, opts)
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

// VoiceMode says who holds an agent's calls.
type VoiceMode string

const (
	VoiceModeHosted  VoiceMode = "hosted"  // AgentPhone's model, with the agent's SystemPrompt
	VoiceModeWebhook VoiceMode = "webhook" // your server, turn by turn, over the webhook
)

// ModelTier trades a hosted agent's speed for quality.
type ModelTier string

const (
	ModelTierTurbo    ModelTier = "turbo"
	ModelTierBalanced ModelTier = "balanced" // the API's default
	ModelTierMax      ModelTier = "max"
)

// STTMode trades the speed of speech recognition for accuracy.
type STTMode string

const (
	STTModeFast     STTMode = "fast"
	STTModeAccurate STTMode = "accurate"
)

// AmbientSound is played behind an agent's voice.
type AmbientSound string

const (
	AmbientSoundNone       AmbientSound = "none"
	AmbientSoundOffice     AmbientSound = "office"
	AmbientSoundCoffeeShop AmbientSound = "coffee-shop"
	AmbientSoundOutdoor    AmbientSound = "outdoor"
)

// DenoisingMode says what is taken out of the caller's sound.
type DenoisingMode string

const (
	DenoisingNoise                    DenoisingMode = "noise-cancellation"
	DenoisingNoiseAndBackgroundSpeech DenoisingMode = "noise-and-background-speech-cancellation"
)

// Agent is a phone persona.
type Agent struct {
	ID                      string        `json:"id"`
	Name                    string        `json:"name"`
	Description             string        `json:"description"`
	VoiceMode               VoiceMode     `json:"voiceMode"`
	EnableMessaging         bool          `json:"enableMessaging"`
	ModelTier               ModelTier     `json:"modelTier"`
	SystemPrompt            string        `json:"systemPrompt"`
	BeginMessage            string        `json:"beginMessage"`
	Voice                   string        `json:"voice"`
	TransferNumber          string        `json:"transferNumber"`
	CustomTools             []CustomTool  `json:"customTools"`
	VoicemailMessage        string        `json:"voicemailMessage"`
	CallScreeningIdentity   string        `json:"callScreeningIdentity"`
	CallScreeningPurpose    string        `json:"callScreeningPurpose"`
	STTMode                 STTMode       `json:"sttMode"`
	AmbientSound            AmbientSound  `json:"ambientSound"`
	DenoisingMode           DenoisingMode `json:"denoisingMode"`
	MaxSilenceMs            int           `json:"maxSilenceMs"`
	VoiceSpeed              float64       `json:"voiceSpeed"`
	InterruptionSensitivity float64       `json:"interruptionSensitivity"`
	EnableBackchannel       bool          `json:"enableBackchannel"`
	Language                Language      `json:"language"`
	CreatedAt               Timestamp     `json:"createdAt"`
	Numbers                 []AgentNumber `json:"numbers"` // where the API gives them
}

// AgentNumber is a number as its agent shows it.
type AgentNumber struct {
	ID          string       `json:"id"`
	PhoneNumber string       `json:"phoneNumber"`
	Status      NumberStatus `json:"status"`
	Type        string       `json:"type"`
}

// CreateAgentParams are the parameters of [AgentsService.Create]. What is left out gets the
// API's default.
type CreateAgentParams struct {
	Name                    string        `json:"name"` // required
	Description             string        `json:"description,omitzero"`
	VoiceMode               VoiceMode     `json:"voiceMode,omitzero"` // the API's default is webhook
	EnableMessaging         *bool         `json:"enableMessaging,omitzero"`
	ModelTier               ModelTier     `json:"modelTier,omitzero"`
	SystemPrompt            string        `json:"systemPrompt,omitzero"`   // required if hosted
	BeginMessage            string        `json:"beginMessage,omitzero"`   // said first when a call connects
	Voice                   string        `json:"voice,omitzero"`          // a [Voice].VoiceID; else [DefaultVoice]
	TransferNumber          string        `json:"transferNumber,omitzero"` // E.164
	CustomTools             []CustomTool  `json:"customTools,omitzero"`    // of a hosted agent; 20 at most
	VoicemailMessage        string        `json:"voicemailMessage,omitzero"`
	CallScreeningIdentity   string        `json:"callScreeningIdentity,omitzero"` // who calls, told to a call screener
	CallScreeningPurpose    string        `json:"callScreeningPurpose,omitzero"`
	STTMode                 STTMode       `json:"sttMode,omitzero"`
	AmbientSound            AmbientSound  `json:"ambientSound,omitzero"`
	DenoisingMode           DenoisingMode `json:"denoisingMode,omitzero"`           // default noise-cancellation
	MaxSilenceMs            int           `json:"maxSilenceMs,omitzero"`            // hangs up after this much silence: 10,000 to 3,600,000 ms, default 600,000
	VoiceSpeed              float64       `json:"voiceSpeed,omitzero"`              // 0.5 (half) to 2 (double), default 1
	InterruptionSensitivity *float64      `json:"interruptionSensitivity,omitzero"` // 0 (never interrupted) to 1 (by any sound), default 0.8
	EnableBackchannel       *bool         `json:"enableBackchannel,omitzero"`
	Language                Language      `json:"language,omitzero"` // default en-US
}

func (p CreateAgentParams) validate() error {
	if p.VoiceMode == VoiceModeHosted && p.SystemPrompt == "" {
		return &ValidationError{"systemPrompt", "is required for a hosted agent"}
	}
	return firstOf(required("name", p.Name), optionalE164("transferNumber", p.TransferNumber), checkTools(p.CustomTools))
}

// UpdateAgentParams are the parameters of [AgentsService.Update]. An [Optional] is left alone
// unless it is set; an empty enum is left alone too.
type UpdateAgentParams struct {
	Name                    Optional[string]       `json:"name,omitzero"`
	Description             Optional[string]       `json:"description,omitzero"`
	VoiceMode               VoiceMode              `json:"voiceMode,omitzero"`
	EnableMessaging         Optional[bool]         `json:"enableMessaging,omitzero"`
	ModelTier               ModelTier              `json:"modelTier,omitzero"`
	SystemPrompt            Optional[string]       `json:"systemPrompt,omitzero"`
	BeginMessage            Optional[string]       `json:"beginMessage,omitzero"`
	Voice                   Optional[string]       `json:"voice,omitzero"`
	TransferNumber          Optional[string]       `json:"transferNumber,omitzero"` // E.164
	CustomTools             Optional[[]CustomTool] `json:"customTools,omitzero"`
	VoicemailMessage        Optional[string]       `json:"voicemailMessage,omitzero"`
	CallScreeningIdentity   Optional[string]       `json:"callScreeningIdentity,omitzero"`
	CallScreeningPurpose    Optional[string]       `json:"callScreeningPurpose,omitzero"`
	STTMode                 STTMode                `json:"sttMode,omitzero"`
	AmbientSound            AmbientSound           `json:"ambientSound,omitzero"`
	DenoisingMode           DenoisingMode          `json:"denoisingMode,omitzero"`
	MaxSilenceMs            Optional[int]          `json:"maxSilenceMs,omitzero"`
	VoiceSpeed              Optional[float64]      `json:"voiceSpeed,omitzero"`
	InterruptionSensitivity Optional[float64]      `json:"interruptionSensitivity,omitzero"`
	EnableBackchannel       Optional[bool]         `json:"enableBackchannel,omitzero"`
	Language                Language               `json:"language,omitzero"`
}

func (p UpdateAgentParams) validate() error {
	number, _ := p.TransferNumber.Get()
	tools, _ := p.CustomTools.Get()
	return firstOf(optionalE164("transferNumber", number), checkTools(tools))
}
