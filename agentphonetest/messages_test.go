package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestReceiveMessage_JoinsTheConversation(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	sent := sendText(t, srv, person, "Are you there?")
	assert.Equal(t, agentphone.ChannelSMS, sent.Channel)
	assert.Equal(t, srv.PhoneNumber(), sent.FromNumber)
	received := srv.ReceiveMessage(person, srv.PhoneNumber(), "Yes.")

	list, err := client.Conversations.List(ctx, agentphone.ListConversationsParams{})
	require.NoError(t, err)
	require.Len(t, list.Data, 1)
	c := list.Data[0]
	assert.Equal(t, sent.ConversationID, c.ID)
	assert.Equal(t, person, c.Participant)
	assert.Equal(t, 2, c.MessageCount)
	assert.Equal(t, "Yes.", c.LastMessagePreview)
	assert.Equal(t, srv.AgentID(), c.AgentID)
	assert.Equal(t, srv.NumberID(), c.PhoneNumberID)
	assert.False(t, c.IsGroup)

	detail, err := client.Conversations.Get(ctx, c.ID)
	require.NoError(t, err)
	require.Len(t, detail.Messages, 2)
	assert.Equal(t, received, detail.Messages[0].ID, "newest first")
	assert.Equal(t, agentphone.DirectionInbound, detail.Messages[0].Direction)
	assert.Equal(t, person, detail.Messages[0].FromNumber)
	assert.Equal(t, sent.ID, detail.Messages[1].ID)
	one, err := client.Conversations.Get(ctx, c.ID, agentphone.GetConversationOptions{MessageLimit: 1})
	require.NoError(t, err)
	assert.Len(t, one.Messages, 1)
	_, err = client.Conversations.Get(ctx, "conv_none")
	require.ErrorIs(t, err, agentphone.ErrNotFound)

	its, err := client.Agents.ListConversations(ctx, srv.AgentID(), agentphone.ListConversationsParams{})
	require.NoError(t, err)
	assert.Equal(t, c.ID, its.Data[0].ID)

	messages, err := client.Numbers.ListMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{})
	require.NoError(t, err)
	assert.Equal(t, "Yes.", messages.Data[0].Body)
	assert.Equal(t, person, messages.Data[0].From)

	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, usage.Stats.TotalMessages)
	assert.Equal(t, 2, usage.Stats.MessagesLast24h)

	all := srv.Messages()
	require.Len(t, all, 2)
	assert.Equal(t, "Are you there?", all[0].Body)
	assert.Equal(t, "Yes.", all[1].Body)
}

func TestReceiveReaction_IsRecordedAndDelivered(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	id := srv.ReceiveMessage("ann@example.com", srv.PhoneNumber(), "hello")
	srv.ReceiveReaction("ann@example.com", id, agentphone.ReactionLove)
	require.Len(t, r.events, 2)
	assert.Equal(t, agentphone.ChannelIMessage, r.events[1].Channel)
	data := r.events[1].Data.(*agentphone.ReactionData)
	assert.Equal(t, agentphone.ReactionLove, data.ReactionType)
	assert.Equal(t, id, data.MessageID)
	assert.Equal(t, "hello", data.MessageBody)
	assert.Len(t, srv.Messages()[0].Reactions, 1)
	assert.Panics(t, func() { srv.ReceiveReaction(person, "msg_none", agentphone.ReactionLove) })
	assert.Panics(t, func() { srv.ReceiveReaction(person, id, "lvoe") })
}
