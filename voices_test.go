package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestVoicesList_UnknownTraitsAreEmpty(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[
		{"voice_id":"v1","voice_name":"Marissa","provider":"elevenlabs","gender":"female","accent":"American","preview_audio_url":"https://p"},
		{"voice_id":"v2","voice_name":"X","provider":"openai","gender":null,"accent":null,"preview_audio_url":null},
		{"voice_id":"v3","voice_name":"Y","provider":"qwen3"}]}`))
	voices, err := c.Voices.List(t.Context())
	require.NoError(t, err)
	require.Len(t, voices.Data, 3)
	assert.Equal(t, agentphone.Voice{VoiceID: "v1", VoiceName: "Marissa", Provider: "elevenlabs", Gender: "female", Accent: "American", PreviewAudioURL: "https://p"}, voices.Data[0])
	assert.Equal(t, agentphone.Voice{VoiceID: "v2", VoiceName: "X", Provider: "openai"}, voices.Data[1])
}
