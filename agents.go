package agentphone

import (
	"cmp"
	"context"
	"iter"
)

// AgentsService manages agents: phone personas, each with a voice, a prompt and the numbers that it answers.
type AgentsService service

var (
	opListAgents             = operation{name: "Agents.List", method: "GET", path: "/v1/agents", idempotent: true}
	opCreateAgent            = operation{name: "Agents.Create", method: "POST", path: "/v1/agents", find: findBy(findAgent)}
	opGetAgent               = operation{name: "Agents.Get", method: "GET", path: "/v1/agents/{agent_id}", idempotent: true}
	opUpdateAgent            = operation{name: "Agents.Update", method: "PATCH", path: "/v1/agents/{agent_id}", idempotent: true}
	opDeleteAgent            = operation{name: "Agents.Delete", method: "DELETE", path: "/v1/agents/{agent_id}", idempotent: true}
	opAttachNumber           = operation{name: "Agents.AttachNumber", method: "POST", path: "/v1/agents/{agent_id}/numbers", idempotent: true}
	opDetachNumber           = operation{name: "Agents.DetachNumber", method: "DELETE", path: "/v1/agents/{agent_id}/numbers/{number_id}", idempotent: true, emptyOK: true}
	opListAgentCalls         = operation{name: "Agents.ListCalls", method: "GET", path: "/v1/agents/{agent_id}/calls", idempotent: true}
	opListAgentConversations = operation{name: "Agents.ListConversations", method: "GET", path: "/v1/agents/{agent_id}/conversations", idempotent: true}
)

// ListAgentsParams are the parameters of [AgentsService.List] and [AgentsService.All].
type ListAgentsParams struct {
	Limit  int `url:"limit,omitempty"`  // page size, 1 to 100; the default is 20, and 100 for All
	Offset int `url:"offset,omitempty"` // number of agents to skip
}

func (p ListAgentsParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// maxPage is the largest page size of most lists.
const maxPage = 100

// List returns one page of the account's agents. Retried. (GET /v1/agents)
func (s *AgentsService) List(ctx context.Context, params ListAgentsParams, opts ...RequestOption) (*Page[Agent], error) {
	return list[Agent](ctx, (*service)(s), &opListAgents, nil, params, params.Offset, opts)
}

// All iterates over all agents of the account, requesting each page when it is needed. Retried. (GET /v1/agents)
func (s *AgentsService) All(ctx context.Context, params ListAgentsParams, opts ...RequestOption) iter.Seq2[Agent, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxPage), func(a *Agent) string { return a.ID },
		func(offset, limit int) (*Page[Agent], error) {
			return s.List(ctx, ListAgentsParams{Limit: limit, Offset: offset}, opts...)
		})
}

// Get returns an agent. It fails with [ErrNotFound] if there is none with that id. Retried.
// (GET /v1/agents/{agent_id})
func (s *AgentsService) Get(ctx context.Context, agentID string, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opGetAgent, []string{agentID}, nil, opts)
}

// Create creates an agent. An account has a starter agent from sign-up, which List returns. The API accepts 30 requests a minute.
// (POST /v1/agents)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for an agent of that name
// with [AgentsService.List] before creating it again.
func (s *AgentsService) Create(ctx context.Context, params CreateAgentParams, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opCreateAgent, nil, params, opts)
}

// Update changes the fields of an agent that are set in params and leaves the others as they are. The API accepts 20 requests a
// minute. Retried. (PATCH /v1/agents/{agent_id})
func (s *AgentsService) Update(ctx context.Context, agentID string, params UpdateAgentParams, opts ...RequestOption) (*Agent, error) {
	return do[Agent](ctx, (*service)(s), &opUpdateAgent, []string{agentID}, params, opts)
}

// DeletedAgent is the result of [AgentsService.Delete].
type DeletedAgent struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
	Name    string `json:"name"`
}

// Delete deletes an agent, which cannot be undone. Its numbers remain with the account, attached to no agent. The API accepts 30
// requests a minute. Retried: after a lost response, a retry that finds nothing left to delete succeeds; then ID and Name are empty.
// (DELETE /v1/agents/{agent_id})
func (s *AgentsService) Delete(ctx context.Context, agentID string, opts ...RequestOption) (*DeletedAgent, error) {
	return do[DeletedAgent](ctx, (*service)(s), &opDeleteAgent, []string{agentID}, nil, opts)
}

// AttachNumberParams are the parameters of [AgentsService.AttachNumber].
type AttachNumberParams struct {
	NumberID string `json:"numberId"` // required
}

func (p AttachNumberParams) validate() error { return required("numberId", p.NumberID) }

// AttachedNumber is the result of [AgentsService.AttachNumber].
type AttachedNumber struct {
	AgentID string      `json:"agentId"`
	Number  AgentNumber `json:"number"`
}

// AttachNumber attaches a number to an agent, which then takes the number's calls and messages. Retried.
// (POST /v1/agents/{agent_id}/numbers)
func (s *AgentsService) AttachNumber(ctx context.Context, agentID string, params AttachNumberParams, opts ...RequestOption) (*AttachedNumber, error) {
	return do[AttachedNumber](ctx, (*service)(s), &opAttachNumber, []string{agentID}, params, opts)
}

// DetachNumber detaches a number from an agent. The account keeps the number and continues to pay for it; see
// [NumbersService.Release]. Retried: after a lost response, a retry that finds nothing
// left to delete succeeds. (DELETE /v1/agents/{agent_id}/numbers/{number_id})
func (s *AgentsService) DetachNumber(ctx context.Context, agentID, numberID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDetachNumber, []string{agentID, numberID}, nil, opts)
}

// ListCalls returns one page of an agent's calls, newest first. Only Limit and Offset of params may be set: the API has
// no filters here, and others are a *[ValidationError]. Retried. (GET /v1/agents/{agent_id}/calls)
func (s *AgentsService) ListCalls(ctx context.Context, agentID string, params ListCallsParams, opts ...RequestOption) (*Page[Call], error) {
	return listScopedCalls(ctx, (*service)(s), &opListAgentCalls, agentID, params, opts)
}

// AllCalls iterates over an agent's calls, newest first. As for [AgentsService.ListCalls], params must have no filters.
// Retried. (GET /v1/agents/{agent_id}/calls)
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

// AllConversations iterates over an agent's conversations. Retried.
// (GET /v1/agents/{agent_id}/conversations)
func (s *AgentsService) AllConversations(ctx context.Context, agentID string, params ListConversationsParams, opts ...RequestOption) iter.Seq2[Conversation, error] {
	return allConversations(params, func(p ListConversationsParams) (*Page[Conversation], error) {
		return s.ListConversations(ctx, agentID, p, opts...)
	})
}

// VoiceMode says what speaks for an agent in its calls.
type VoiceMode string

const (
	VoiceModeHosted  VoiceMode = "hosted"  // a model that AgentPhone runs with the agent's SystemPrompt
	VoiceModeWebhook VoiceMode = "webhook" // your server, which gets each turn as a webhook request
)

// ModelTier is the trade between a hosted agent's speed and its quality.
type ModelTier string

const (
	ModelTierTurbo    ModelTier = "turbo"    // the fastest
	ModelTierBalanced ModelTier = "balanced" // the default
	ModelTierMax      ModelTier = "max"      // the best
)

// STTMode is the trade between the speed of speech recognition (speech to text) and its accuracy.
type STTMode string

const (
	STTModeFast     STTMode = "fast"
	STTModeAccurate STTMode = "accurate"
)

// AmbientSound is a background sound that is played behind an agent's voice.
type AmbientSound string

const (
	AmbientSoundNone       AmbientSound = "none"
	AmbientSoundOffice     AmbientSound = "office"
	AmbientSoundCoffeeShop AmbientSound = "coffee-shop"
	AmbientSoundOutdoor    AmbientSound = "outdoor"
)

// DenoisingMode says what is removed from the audio of the human.
type DenoisingMode string

const (
	DenoisingNoise                    DenoisingMode = "noise-cancellation"
	DenoisingNoiseAndBackgroundSpeech DenoisingMode = "noise-and-background-speech-cancellation"
)

// Agent is a phone persona. The fields that can be set are described at [CreateAgentParams].
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
	Numbers                 []AgentNumber `json:"numbers"` // those attached; the API leaves them out of some responses
}

// AgentNumber is a number that is attached to an agent.
type AgentNumber struct {
	ID          string       `json:"id"`
	PhoneNumber string       `json:"phoneNumber"` // E.164
	Status      NumberStatus `json:"status"`
	Type        string       `json:"type"`
}

// CreateAgentParams are the parameters of [AgentsService.Create]. Fields that are zero are not sent and get the API's
// default.
type CreateAgentParams struct {
	Name                    string        `json:"name"` // required
	Description             string        `json:"description,omitzero"`
	VoiceMode               VoiceMode     `json:"voiceMode,omitzero"` // default VoiceModeWebhook, which needs a webhook: see [WebhooksService]
	EnableMessaging         *bool         `json:"enableMessaging,omitzero"`
	ModelTier               ModelTier     `json:"modelTier,omitzero"`
	SystemPrompt            string        `json:"systemPrompt,omitzero"`          // instructions for the model; required for VoiceModeHosted
	BeginMessage            string        `json:"beginMessage,omitzero"`          // said first when a call connects
	Voice                   string        `json:"voice,omitzero"`                 // a VoiceID of [VoicesService.List]; default [DefaultVoice]
	TransferNumber          string        `json:"transferNumber,omitzero"`        // E.164: where calls are transferred to
	CustomTools             []CustomTool  `json:"customTools,omitzero"`           // of a hosted agent; 20 at most
	VoicemailMessage        string        `json:"voicemailMessage,omitzero"`      // left on voicemail; 1,000 characters at most
	CallScreeningIdentity   string        `json:"callScreeningIdentity,omitzero"` // who is calling, as told to a call screener
	CallScreeningPurpose    string        `json:"callScreeningPurpose,omitzero"`  // why, as told to a call screener
	STTMode                 STTMode       `json:"sttMode,omitzero"`
	AmbientSound            AmbientSound  `json:"ambientSound,omitzero"`
	DenoisingMode           DenoisingMode `json:"denoisingMode,omitzero"`           // default DenoisingNoise
	MaxSilenceMs            int           `json:"maxSilenceMs,omitzero"`            // silence that ends a call: 10,000 to 3,600,000 ms; default 600,000
	VoiceSpeed              float64       `json:"voiceSpeed,omitzero"`              // 0.5 (half) to 2 (double); default 1
	InterruptionSensitivity *float64      `json:"interruptionSensitivity,omitzero"` // 0 (never interrupted) to 1 (by any sound); default 0.8
	EnableBackchannel       *bool         `json:"enableBackchannel,omitzero"`       // short sounds of listening, such as "mhm"
	Language                Language      `json:"language,omitzero"`                // default [LanguageEnUS]
}

func (p CreateAgentParams) validate() error {
	if p.VoiceMode == VoiceModeHosted && p.SystemPrompt == "" {
		return &ValidationError{"systemPrompt", "is required for a hosted agent"}
	}
	return firstOf(required("name", p.Name), optionalE164("transferNumber", p.TransferNumber), checkTools(p.CustomTools))
}

// UpdateAgentParams are the parameters of [AgentsService.Update]. A field that is an absent [Optional] or an empty
// string is not sent and not changed. An empty TransferNumber or VoicemailMessage removes it. The fields are described
// at [CreateAgentParams].
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
