package agentphone

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
