package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestConversationsGet_HasMessages(t *testing.T) {
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

func TestConversationsGet_HasChannelAndCapabilities(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(
		`{"id":"conv_1","channel":"whatsapp","capabilities":{"typing":true,"new":{"x":1}}}`,
		`{"id":"conv_1","channel":null,"capabilities":null}`))
	conv, err := c.Conversations.Get(t.Context(), "conv_1")
	require.NoError(t, err)
	assert.Equal(t, agentphone.ChannelWhatsApp, conv.Channel)
	assert.Equal(t, map[string]any{"typing": true, "new": map[string]any{"x": 1.0}}, conv.Capabilities)
	conv, err = c.Conversations.Get(t.Context(), "conv_1")
	require.NoError(t, err)
	assert.Empty(t, conv.Channel)
	assert.Nil(t, conv.Capabilities)
}
