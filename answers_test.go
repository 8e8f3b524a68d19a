package agentphone_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestVoicesWithUnknownTraits(t *testing.T) {
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

func TestACallTellsNullFromZero(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(
		`{"id":"c","status":"in-progress","agentId":null,"endedAt":null,"durationSeconds":null,"recordingAvailable":null,"transcripts":[{"id":"t","transcript":null,"confidence":null,"response":"Hello","createdAt":"2026-04-19T17:20:11"}]}`,
		`{"id":"c","status":"completed","endedAt":"2026-04-19T17:21:11.5+00:00","durationSeconds":0,"recordingAvailable":false,"transcripts":[{"id":"t","transcript":"Hi","confidence":0,"response":null}]}`))
	call, err := c.Calls.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Nil(t, call.DurationSeconds)
	assert.Nil(t, call.RecordingAvailable)
	assert.Nil(t, call.Transcripts[0].Confidence)
	assert.True(t, call.EndedAt.IsZero())
	assert.False(t, call.Final())
	assert.Equal(t, []agentphone.TranscriptEntry{{
		Role: agentphone.RoleAgent, Content: "Hello", CreatedAt: agentphone.NewTimestamp(time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)),
	}}, call.Dialogue())

	call, err = c.Calls.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Equal(t, agentphone.Ptr(0.0), call.DurationSeconds)
	assert.Equal(t, agentphone.Ptr(false), call.RecordingAvailable)
	assert.Equal(t, agentphone.Ptr(0.0), call.Transcripts[0].Confidence)
	assert.True(t, call.Final())
	assert.Equal(t, agentphone.RoleUser, call.Dialogue()[0].Role)
}

func TestTheSenderOfAMessageHasTwoNames(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[{"id":"1","from_":"+1","to":"+2"},{"id":"2","from":"+1"},{"id":"3","from":"+1","from_":"+9"}],"hasMore":false}`))
	messages, err := c.Numbers.ListMessages(t.Context(), "num_1", agentphone.ListMessagesParams{})
	require.NoError(t, err)
	for _, m := range messages.Data {
		assert.Equal(t, "+1", m.From)
	}
	assert.Equal(t, "+2", messages.Data[0].To)
}

func TestNoWebhookIsAZeroWebhook(t *testing.T) {
	for _, body := range []string{`null`, ``, ` null `} {
		c, _ := apitest.NewClient(t, apitest.Always(200, body))
		w, err := c.Webhooks.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, agentphone.Webhook{}, *w)
		w, err = c.Webhooks.GetForAgent(t.Context(), "agt_1")
		require.NoError(t, err)
		assert.Empty(t, w.ID)
	}
}

func TestAConversationHasItsMessages(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"conv_1","agentId":null,"isGroup":true,"participants":[{"identifier":"+1","name":null}],"metadata":{"step":2},
		"messages":[{"id":"m1","body":"hi","channel":"imessage","mediaUrls":["https://m"],"reactions":[{"id":"r","reactionType":"🎉"}],"replyTo":{"messageId":"m0","message":"x"}},
		{"id":"m2","channel":null,"replyTo":null}]}`))
	conv, err := c.Conversations.Get(t.Context(), "conv_1")
	require.NoError(t, err)
	assert.Equal(t, "conv_1", conv.ID)
	assert.Equal(t, 2.0, conv.Metadata["step"])
	assert.Equal(t, "+1", conv.Participants[0].Identifier)
	assert.Equal(t, agentphone.ReactionType("🎉"), conv.Messages[0].Reactions[0].ReactionType)
	assert.Equal(t, "m0", conv.Messages[0].ReplyTo.MessageID)
	assert.Nil(t, conv.Messages[1].ReplyTo)
}

func TestUsageWithoutLimitsOfThePlan(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"plan":{"name":"payg"},"numbers":{"used":1,"limit":10,"remaining":9},"stats":{"totalCalls":3}}`))
	usage, err := c.Usage.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "payg", usage.Plan.Name)
	assert.Equal(t, agentphone.NumberLimits{Used: 1, Limit: 10, Remaining: 9}, usage.Numbers)
	assert.Equal(t, 3, usage.Stats.TotalCalls)
}
