package agentphonetest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
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

func TestReceive_ChannelMediaAndReply(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	question := sendText(t, srv, person, "A picture?")
	files := []string{"https://example.com/a.png", "https://example.com/b.png"}
	to := srv.PhoneNumber()
	for _, c := range []struct {
		message agentphonetest.IncomingMessage
		want    agentphone.Channel
	}{
		{agentphonetest.IncomingMessage{From: person, To: to, Body: "hi"}, agentphone.ChannelSMS},
		{agentphonetest.IncomingMessage{From: person, To: to, MediaURLs: files, ReplyTo: question.ID}, agentphone.ChannelMMS},
		{agentphonetest.IncomingMessage{From: friend, To: to, MediaURLs: files}, agentphone.ChannelIMessage},
		{agentphonetest.IncomingMessage{From: "ada@example.com", To: to, Body: "hi"}, agentphone.ChannelIMessage},
		{agentphonetest.IncomingMessage{From: friend, To: to, Body: "hi", Channel: agentphone.ChannelSMS}, agentphone.ChannelSMS},
		{agentphonetest.IncomingMessage{From: friend, To: to, Body: "hi", Channel: "whatsapp"}, "whatsapp"},
		{agentphonetest.IncomingMessage{From: friend, To: to, Body: "hi"}, "whatsapp"},
	} {
		id := srv.Receive(c.message)
		e := r.events[len(r.events)-1]
		data := r.data()
		assert.Equal(t, id, data["messageId"])
		assert.Equal(t, c.want, e.Channel, "%+v", c.message)
		assert.Len(t, data["mediaUrls"], len(c.message.MediaURLs))
		if c.message.MediaURLs != nil {
			assert.Equal(t, files[0], data["mediaUrl"])
		}
		assert.Equal(t, c.message.ReplyTo != "", data["replyTo"] != nil)
	}
	reply := srv.Messages()[2].ReplyTo
	require.NotNil(t, reply)
	assert.Equal(t, "A picture?", reply.Message)
	assert.Panics(t, func() { srv.Receive(agentphonetest.IncomingMessage{From: person, To: person}) })
}

func TestShareContact_IsDelivered(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	card := fields{"name": "Ada", "phoneNumber": "+14155550001"}
	srv.ShareContact(friend, srv.PhoneNumber(), card)
	srv.ReceiveMessage(friend, srv.PhoneNumber(), "Call her")
	srv.ShareContact(friend, srv.PhoneNumber(), card)
	require.Len(t, r.events, 3)
	conversation := r.events[1].Data.(*agentphone.MessageData).ConversationID
	for i, want := range map[int]any{0: nil, 2: conversation} {
		e := r.events[i]
		assert.EqualValues(t, "agent.contact_shared", e.Type)
		assert.Equal(t, agentphone.ChannelIMessage, e.Channel)
		assert.Equal(t, srv.AgentID(), e.AgentID)
		var payload struct{ Data fields }
		require.NoError(t, json.Unmarshal(r.bodies[i], &payload))
		delete(payload.Data, "receivedAt")
		assert.Equal(t, fields{
			"conversationId": want, "numberId": srv.NumberID(), "from": friend, "to": srv.PhoneNumber(), "direction": "inbound", "contact": card,
		}, payload.Data)
	}
	assert.Len(t, r.events[2].RecentHistory, 1)
	assert.Len(t, srv.Messages(), 1, "it is no message")
	assert.Panics(t, func() { srv.ShareContact(friend, person, card) })
}
