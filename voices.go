package agentphone

import "context"

// VoicesService lists the voices that agents can speak with.
type VoicesService service

var opListVoices = operation{method: "GET", path: "/v1/agents/voices", idempotent: true}

// Voice is a voice that an agent can speak with.
type Voice struct {
	VoiceID         string `json:"voice_id"` // the value of [CreateAgentParams].Voice and [CreateCallParams].Voice
	VoiceName       string `json:"voice_name"`
	Provider        string `json:"provider"`          // such as "elevenlabs", "cartesia", "openai"
	Gender          string `json:"gender"`            // such as "female"; "" if unknown
	Accent          string `json:"accent"`            // such as "American"; "" if unknown
	PreviewAudioURL string `json:"preview_audio_url"` // on another host: do not send it the key; "" if there is none
}

// DefaultVoice is the VoiceID of the voice that an agent has by default, "Skylar, Friendly Guide".
const DefaultVoice = "custom_voice_ea22ba5fdfaa18f39c274851c1"

// List returns all voices, some hundreds, on one page. Retried. (GET /v1/agents/voices)
func (s *VoicesService) List(ctx context.Context, opts ...RequestOption) (*Page[Voice], error) {
	return list[Voice](ctx, (*service)(s), &opListVoices, nil, nil, 0, opts)
}
