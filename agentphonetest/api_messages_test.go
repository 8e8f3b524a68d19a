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

func TestMessages_TimesIncreaseWhileTheClockStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		for i := range 7 {
			sendText(t, srv, person, fmt.Sprint(i))
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

func TestMessages_ChannelFollowsFromTheMessage(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	for want, p := range map[agentphone.Channel]agentphone.SendMessageParams{
		agentphone.ChannelSMS:      {ToNumber: "12345", Body: "hi"},
		agentphone.ChannelMMS:      {ToNumber: person, MediaURL: "https://example.com/a.png", MediaURLs: []string{"https://example.com/b.png"}},
		agentphone.ChannelIMessage: {ToNumber: "ada@example.com", Body: "hi"},
	} {
		t.Run(string(want), func(t *testing.T) {
			p.AgentID = srv.AgentID()
			sent, err := client.Messages.Send(ctx, p)
			require.NoError(t, err)
			assert.Equal(t, want, sent.Channel)
			if want == agentphone.ChannelMMS {
				assert.Equal(t, []string{"https://example.com/a.png", "https://example.com/b.png"}, sent.MediaURLs)
			}
		})
	}
	styled, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "!", SendStyle: agentphone.SendStyleSlam})
	require.NoError(t, err)
	assert.Equal(t, agentphone.ChannelIMessage, styled.Channel)
	srv.ReceiveMessage(person, srv.PhoneNumber(), "wow")
	all := srv.Messages()
	assert.Equal(t, agentphone.ChannelIMessage, all[len(all)-1].Channel, "the reply comes the same way")
}

func TestMessages_ReplyShowsItsParent(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	question := srv.ReceiveMessage(person, srv.PhoneNumber(), "Open today?")
	for parent, unresolved := range map[string]bool{question: false, "msg_none": true} {
		t.Run(fmt.Sprint("unresolved ", unresolved), func(t *testing.T) {
			sent, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "Yes.", ReplyToMessageID: parent})
			require.NoError(t, err)
			assert.Equal(t, parent, sent.ReplyToMessageID)
			require.NotNil(t, sent.ReplyParentUnresolved)
			assert.Equal(t, unresolved, *sent.ReplyParentUnresolved)
			for _, m := range srv.Messages() {
				if m.ID == sent.ID && !unresolved {
					assert.Equal(t, "Open today?", m.ReplyTo.Message)
				}
			}
		})
	}
}

func TestMessages_SenderCanBeANumber(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	other, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.NoError(t, err)
	for _, p := range []agentphone.SendMessageParams{{NumberID: other.ID}, {FromNumber: other.PhoneNumber}} {
		t.Run(p.NumberID+p.FromNumber, func(t *testing.T) {
			p.ToNumber, p.Body = person, "hi"
			sent, err := client.Messages.Send(ctx, p)
			require.NoError(t, err)
			assert.Equal(t, other.PhoneNumber, sent.FromNumber)
			p.AgentID = srv.AgentID()
			_, err = client.Messages.Send(ctx, p)
			require.ErrorIs(t, err, agentphone.ErrBadRequest, "it is not the agent's")
		})
	}
	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{FromNumber: person, ToNumber: person, Body: "hi"})
	var apiErr *agentphone.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, agentphone.CodePhoneNumberNotFound, apiErr.Code)
	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "agt_none", ToNumber: person, Body: "hi"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestMessages_RecipientsMakeAGroup(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	members := []string{person, "ada@example.com"}
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

func TestMessages_EachReactionIsOnTheMessage(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	sent := startGroup(t, srv)
	path := "/v1/messages/" + sent.ID + "/reactions"
	for _, reaction := range []string{"love", "🎉", "love"} {
		made := request(t, client, "POST", path, fields{"reaction": reaction})
		assert.Equal(t, reaction, made["reaction_type"])
		assert.Equal(t, sent.ID, made["message_id"])
	}
	for _, wrong := range []string{"hate", ""} {
		require.ErrorIs(t, refused(t, client, "POST", path, fields{"reaction": wrong}), agentphone.ErrValidation)
	}
	require.ErrorIs(t, refused(t, client, "POST", "/v1/messages/msg_none/reactions", fields{"reaction": "love"}), agentphone.ErrNotFound)
	reactions := srv.Messages()[0].Reactions
	require.Len(t, reactions, 3)
	assert.Equal(t, agentphone.ReactionType("🎉"), reactions[1].ReactionType)
	assert.Equal(t, srv.PhoneNumber(), reactions[1].FromNumber)
}

func TestMessages_EmptyTimeIsNoLimit(t *testing.T) {
	srv := newServer(t)
	sent := sendText(t, srv, person, "hello")
	for _, path := range []string{
		"/v1/numbers/" + srv.NumberID() + "/messages?before=&after=",
		"/v1/conversations/" + sent.ConversationID + "/messages?after=&before=",
	} {
		status, body := send(t, srv, "GET", path, "")
		require.Equal(t, 200, status, "%v", body)
		assert.Len(t, body["data"], 1)
	}
}
