package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func startGroup(t *testing.T, srv *agentphonetest.Server) *agentphone.SentMessage {
	t.Helper()
	sent, err := srv.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{
		AgentID: srv.AgentID(), Recipients: []string{person, "ada@example.com"}, Body: "hi",
	})
	require.NoError(t, err)
	return sent
}

func TestConversations_UpdateSetsMetadataAndAGroupsName(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	single := "/v1/conversations/" + sendText(t, srv, person, "hi").ConversationID
	group := "/v1/conversations/" + startGroup(t, srv).ConversationID
	assert.Equal(t, fields{"topic": "tea"}, request(t, client, "PATCH", single, fields{"metadata": fields{"topic": "tea"}})["metadata"])
	assert.Equal(t, fields{"topic": "tea"}, request(t, client, "PATCH", single, fields{})["metadata"], "absent leaves it")
	assert.Nil(t, request(t, client, "PATCH", single, fields{"metadata": nil})["metadata"])
	assert.Nil(t, request(t, client, "PATCH", single, fields{"group_name": "x"})["groupName"], "it is for groups, and ignored")
	assert.Equal(t, "Team", request(t, client, "PATCH", group, fields{"group_name": "Team"})["groupName"])
	assert.Equal(t, "Team", request(t, client, "GET", group, nil)["groupName"])
	require.ErrorIs(t, refused(t, client, "PATCH", "/v1/conversations/conv_none", fields{}), agentphone.ErrNotFound)
	require.ErrorIs(t, refused(t, client, "PATCH", single, fields{"metadata": "x"}), agentphone.ErrValidation)
}

func TestConversations_MessagesAreNewestFirst(t *testing.T) {
	srv := newServer(t)
	sendText(t, srv, "+14155550001", "other")
	first := sendText(t, srv, person, "one")
	srv.ReceiveMessage(person, srv.PhoneNumber(), "two")
	page := request(t, srv.Client(), "GET", "/v1/conversations/"+first.ConversationID+"/messages", nil)
	list := items(t, page, "data")
	require.Len(t, list, 2)
	assert.Equal(t, "two", list[0]["body"])
	assert.Equal(t, false, page["hasMore"])
	assert.NotContains(t, page, "total")
}

func TestConversations_ShowTheChannelAndWhatThePersonHas(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	for name, c := range map[string]struct {
		id           string
		channel      string
		capabilities any
	}{
		"SMS":      {sendText(t, srv, person, "hi").ConversationID, "sms", fields{"imessage": false, "sms": true}},
		"iMessage": {sendText(t, srv, friend, "hi").ConversationID, "imessage", fields{"imessage": true, "sms": true}},
		"email":    {sendText(t, srv, "ada@example.com", "hi").ConversationID, "imessage", fields{"imessage": true, "sms": false}},
		"group":    {startGroup(t, srv).ConversationID, "imessage", nil},
	} {
		t.Run(name, func(t *testing.T) {
			detail := request(t, client, "GET", "/v1/conversations/"+c.id, nil)
			assert.Equal(t, c.channel, detail["channel"])
			assert.Equal(t, c.capabilities, detail["capabilities"])
			for _, summary := range items(t, request(t, client, "GET", "/v1/conversations", nil), "data") {
				if summary["id"] == c.id {
					assert.Equal(t, c.channel, summary["channel"])
				}
			}
		})
	}
}

func TestConversations_IMessageFeaturesAreRefusedElsewhere(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	sms, imessage := sendText(t, srv, person, "hi"), startGroup(t, srv)
	picture, heart := fields{"image_url": "https://example.com/a.png"}, fields{"reaction": "love"}
	for path, body := range map[string]fields{
		"/v1/conversations/" + sms.ConversationID + "/typing":     {},
		"/v1/conversations/" + sms.ConversationID + "/background": picture,
		"/v1/messages/" + sms.ID + "/reactions":                   heart,
	} {
		require.ErrorIs(t, refused(t, client, "POST", path, body), agentphone.ErrBadRequest)
	}
	base := "/v1/conversations/" + imessage.ConversationID
	assert.Equal(t, "sent", request(t, client, "POST", base+"/typing", nil)["status"])
	set := request(t, client, "POST", base+"/background", picture)
	assert.Equal(t, true, set["changed"])
	again := request(t, client, "POST", base+"/background", picture)
	assert.Equal(t, false, again["changed"])
	assert.Equal(t, set["backgroundId"], again["backgroundId"])
	assert.Empty(t, request(t, client, "DELETE", base+"/background", nil))
	assert.InDelta(t, 2, request(t, client, "POST", base+"/background", picture)["backgroundVersion"], 0)
}

func TestConversations_ListIsSortedByLatestMessage(t *testing.T) {
	srv := newServer(t)
	first := sendText(t, srv, "+14155550001", "a")
	sendText(t, srv, "+14155550002", "b")
	srv.ReceiveMessage("+14155550001", srv.PhoneNumber(), "c")
	list, err := srv.Client().Conversations.List(t.Context(), agentphone.ListConversationsParams{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, first.ConversationID, list.Data[0].ID)
	assert.Equal(t, 2, list.Total)
}
