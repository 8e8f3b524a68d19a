package agentphonetest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestMessagesBothWaysMakeOneConversation(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	sent := sendText(t, srv, human, "Are you there?")
	assert.Equal(t, agentphone.ChannelSMS, sent.Channel)
	assert.Equal(t, srv.PhoneNumber(), sent.FromNumber)
	received := srv.ReceiveMessage(human, srv.PhoneNumber(), "Yes.")

	list, err := client.Conversations.List(ctx, agentphone.ListConversationsParams{})
	require.NoError(t, err)
	require.Len(t, list.Data, 1)
	c := list.Data[0]
	assert.Equal(t, sent.ConversationID, c.ID)
	assert.Equal(t, human, c.Participant)
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
	assert.Equal(t, human, detail.Messages[0].FromNumber)
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
	assert.Equal(t, human, messages.Data[0].From)

	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, usage.Stats.TotalMessages)
	assert.Equal(t, 2, usage.Stats.MessagesLast24h)

	all := srv.Messages()
	require.Len(t, all, 2)
	assert.Equal(t, "Are you there?", all[0].Body)
	assert.Equal(t, "Yes.", all[1].Body)
}

func TestUsageForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		sendText(t, srv, human, "hi")
		placeCall(t, srv, human)
		time.Sleep(8 * 24 * time.Hour)
		usage, err := srv.Client().Usage.Get(t.Context())
		require.NoError(t, err)
		assert.Zero(t, usage.Stats.MessagesLast7d)
		assert.Zero(t, usage.Stats.CallsLast24h)
		assert.Equal(t, 1, usage.Stats.MessagesLast30d)
		assert.Equal(t, 1, usage.Stats.TotalCalls)
	})
}

func TestTimesOfMessagesIncreaseWhileTheClockStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		for i := range 7 {
			sendText(t, srv, human, fmt.Sprint(i))
		}
		all := srv.Messages()
		for i := range all[1:] {
			assert.Equal(t, time.Microsecond, all[i+1].ReceivedAt.Sub(all[i].ReceivedAt.Time))
		}
		client, ctx := srv.Client(), t.Context()
		page, err := client.Numbers.ListMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{Limit: 2, Before: all[5].ReceivedAt})
		require.NoError(t, err)
		assert.True(t, page.HasMore)
		assert.Equal(t, "4", page.Data[0].Body)
		page, err = client.Numbers.ListMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{After: all[5].ReceivedAt})
		require.NoError(t, err)
		require.Len(t, page.Data, 1)
		assert.Equal(t, "6", page.Data[0].Body)
		assert.False(t, page.HasMore)
		each, err := agentphone.Collect(client.Numbers.AllMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{Limit: 2}), 0)
		require.NoError(t, err)
		assert.Len(t, each, 7)
	})
}

func TestConversationsAreListedByTheirLatestMessage(t *testing.T) {
	srv := newServer(t)
	first := sendText(t, srv, "+14155550001", "a")
	sendText(t, srv, "+14155550002", "b")
	srv.ReceiveMessage("+14155550001", srv.PhoneNumber(), "c")
	list, err := srv.Client().Conversations.List(t.Context(), agentphone.ListConversationsParams{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, first.ConversationID, list.Data[0].ID)
	assert.Equal(t, 2, list.Total)
}

func TestTheChannelFollowsTheMessage(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	for want, p := range map[agentphone.Channel]agentphone.SendMessageParams{
		agentphone.ChannelSMS:      {ToNumber: "12345", Body: "hi"},
		agentphone.ChannelMMS:      {ToNumber: human, MediaURL: "https://example.com/a.png", MediaURLs: []string{"https://example.com/b.png"}},
		agentphone.ChannelIMessage: {ToNumber: "ada@example.com", Body: "hi"},
	} {
		p.AgentID = srv.AgentID()
		sent, err := client.Messages.Send(ctx, p)
		require.NoError(t, err)
		assert.Equal(t, want, sent.Channel)
		if want == agentphone.ChannelMMS {
			assert.Equal(t, []string{"https://example.com/a.png", "https://example.com/b.png"}, sent.MediaURLs)
		}
	}
	styled, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: human, Body: "!", SendStyle: agentphone.SendStyleSlam})
	require.NoError(t, err)
	assert.Equal(t, agentphone.ChannelIMessage, styled.Channel)
	srv.ReceiveMessage(human, srv.PhoneNumber(), "wow")
	all := srv.Messages()
	assert.Equal(t, agentphone.ChannelIMessage, all[len(all)-1].Channel, "the answer comes the same way")
}

func TestAReplyShowsWhatItRepliesTo(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	asked := srv.ReceiveMessage(human, srv.PhoneNumber(), "Open today?")
	for parent, unresolved := range map[string]bool{asked: false, "msg_none": true} {
		sent, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: human, Body: "Yes.", ReplyToMessageID: parent})
		require.NoError(t, err)
		assert.Equal(t, parent, sent.ReplyToMessageID)
		require.NotNil(t, sent.ReplyParentUnresolved)
		assert.Equal(t, unresolved, *sent.ReplyParentUnresolved)
		for _, m := range srv.Messages() {
			if m.ID == sent.ID && !unresolved {
				assert.Equal(t, "Open today?", m.ReplyTo.Message)
			}
		}
	}
}

func TestTheSenderCanBeANumber(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	other, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.NoError(t, err)
	for _, p := range []agentphone.SendMessageParams{{NumberID: other.ID}, {FromNumber: other.PhoneNumber}} {
		p.ToNumber, p.Body = human, "hi"
		sent, err := client.Messages.Send(ctx, p)
		require.NoError(t, err)
		assert.Equal(t, other.PhoneNumber, sent.FromNumber)
		p.AgentID = srv.AgentID()
		_, err = client.Messages.Send(ctx, p)
		require.ErrorIs(t, err, agentphone.ErrBadRequest, "it is not the agent's")
	}
	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{FromNumber: human, ToNumber: human, Body: "hi"})
	var answer *agentphone.APIError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, agentphone.CodePhoneNumberNotFound, answer.Code)
	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_none", ToNumber: human, Body: "hi"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestRecipientsMakeAGroup(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	members := []string{human, "ada@example.com"}
	sent, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), Recipients: members, Body: "All here?"})
	require.NoError(t, err)
	assert.Equal(t, agentphone.ChannelIMessage, sent.Channel)
	assert.Regexp(t, "^grp_", sent.ToNumber)
	srv.ReceiveMessage("ada@example.com", sent.ToNumber, "I am.")
	again, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: sent.ToNumber, Body: "Good."})
	require.NoError(t, err)
	assert.Equal(t, sent.ConversationID, again.ConversationID)

	group, err := client.Conversations.Get(ctx, sent.ConversationID)
	require.NoError(t, err)
	assert.True(t, group.IsGroup)
	assert.Equal(t, sent.ToNumber, group.GroupID)
	require.Len(t, group.Participants, 2)
	assert.Equal(t, "ada@example.com", group.Participants[1].Identifier)
	require.Len(t, group.Messages, 3)
	assert.Equal(t, "ada@example.com", group.Messages[1].SenderIdentifier)

	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "grp_none", Body: "hi"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}
