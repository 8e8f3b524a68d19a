package agentphonetest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
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

// friend is the phone number of a person who has iMessage; person has not.
const friend = "+14155558888"

func TestMessages_GoByIMessageIfThePersonHasIt(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	picture := []string{"https://example.com/a.png", "https://example.com/b.png"}
	for name, c := range map[string]struct {
		params agentphone.SendMessageParams
		want   agentphone.Channel
	}{
		"short code":                 {agentphone.SendMessageParams{ToNumber: "12346", Body: "hi"}, agentphone.ChannelSMS},
		"without iMessage":           {agentphone.SendMessageParams{ToNumber: person, Body: "hi"}, agentphone.ChannelSMS},
		"without iMessage, a style":  {agentphone.SendMessageParams{ToNumber: person, Body: "!", SendStyle: agentphone.SendStyleSlam}, agentphone.ChannelSMS},
		"without iMessage, a file":   {agentphone.SendMessageParams{ToNumber: person, MediaURL: picture[0]}, agentphone.ChannelMMS},
		"without iMessage, pictures": {agentphone.SendMessageParams{ToNumber: person, MediaURLs: picture}, agentphone.ChannelMMS},
		"iMessage":                   {agentphone.SendMessageParams{ToNumber: friend, Body: "hi"}, agentphone.ChannelIMessage},
		"iMessage, a style":          {agentphone.SendMessageParams{ToNumber: friend, Body: "!", SendStyle: agentphone.SendStyleSlam}, agentphone.ChannelIMessage},
		"iMessage, pictures":         {agentphone.SendMessageParams{ToNumber: friend, MediaURLs: picture}, agentphone.ChannelIMessage},
		"email address":              {agentphone.SendMessageParams{ToNumber: "ada@example.com", Body: "hi"}, agentphone.ChannelIMessage},
	} {
		t.Run(name, func(t *testing.T) {
			c.params.AgentID = srv.AgentID()
			sent, err := client.Messages.Send(ctx, c.params)
			require.NoError(t, err)
			assert.Equal(t, c.want, sent.Channel)
			if c.params.MediaURLs != nil {
				assert.Equal(t, picture, sent.MediaURLs)
			}
			if to, err := agentphone.ParseE164(c.params.ToNumber); err == nil {
				can, err := client.Contacts.Capabilities(ctx, string(to))
				require.NoError(t, err)
				assert.Equal(t, can.Capabilities.IMessage, sent.Channel == agentphone.ChannelIMessage, "as its capabilities say")
			}
		})
	}
	srv.ReceiveMessage(friend, srv.PhoneNumber(), "wow")
	all := srv.Messages()
	assert.Equal(t, agentphone.ChannelIMessage, all[len(all)-1].Channel, "the reply comes the same way")
}

// text is a valid text to a person, with some fields more, or other ones.
func text(srv *agentphonetest.Server, with fields) fields {
	body := fields{"agent_id": srv.AgentID(), "to_number": person, "body": "hi"}
	maps.Copy(body, with)
	return body
}

func TestMessages_WhatsAppIsForced(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	for name, with := range map[string]fields{
		"plain":                {"to_number": friend},
		"buttons":              {"buttons": []string{"Yes", strings.Repeat("n", 20), "Later"}},
		"buttons and a file":   {"buttons": []string{"Yes"}, "media_url": "https://example.com/a.png", "body": ""},
		"list":                 {"list": fields{"button": "Choose", "sections": []any{}}},
		"link":                 {"cta": fields{"display_text": "Track", "url": "https://example.com"}},
		"template":             {"template": fields{"name": "reminder"}, "body": ""},
		"template, all of it":  {"template": fields{"name": "reminder", "language": "de", "variables": []string{"Ada"}}},
		"nulls where possible": {"buttons": nil, "list": nil, "cta": nil, "template": nil},
	} {
		t.Run(name, func(t *testing.T) {
			with["channel"] = "whatsapp"
			sent := request(t, client, "POST", "/v1/messages", text(srv, with))
			assert.Equal(t, "whatsapp", sent["channel"])
		})
	}
	r := receive(t, srv)
	id := srv.ReceiveMessage(person, srv.PhoneNumber(), "Thanks!")
	srv.ReceiveReaction(person, id, agentphone.ReactionLove)
	require.Len(t, r.events, 2)
	for _, e := range r.events {
		assert.EqualValues(t, "whatsapp", e.Channel, "the person stays there")
	}
	made := request(t, client, "POST", "/v1/messages/"+id+"/reactions", fields{"reaction": "like"})
	assert.Equal(t, "whatsapp", made["channel"])
	conversation := request(t, client, "GET", "/v1/conversations/"+r.data()["conversationId"].(string), nil)
	assert.Equal(t, "whatsapp", conversation["channel"])
	assert.Equal(t, "sms", request(t, client, "POST", "/v1/messages", text(srv, nil))["channel"], "only as long as it is forced")
}

func TestMessages_FieldsThatExcludeOneAnother(t *testing.T) {
	srv := newServer(t)
	file, cta := "https://example.com/a.png", fields{"display_text": "Track", "url": "https://example.com"}
	many := func(n int, s string) []string { return slices.Repeat([]string{s}, n) }
	for name, c := range map[string]struct {
		with fields
		at   string // "" if it is taken
	}{
		"media_url and media_urls":   {fields{"media_url": file, "media_urls": []string{file}}, "body.media_urls"},
		"no media_urls":              {fields{"media_urls": []string{}}, "body.media_urls"},
		"20 media_urls":              {fields{"media_urls": many(20, file)}, ""},
		"21 media_urls":              {fields{"media_urls": many(21, file)}, "body.media_urls"},
		"media_urls without TLS":     {fields{"media_urls": []string{"http://example.com/a.png"}}, "body.media_urls.0"},
		"1 recipient":                {fields{"to_number": nil, "recipients": many(1, person)}, "body.recipients"},
		"32 recipients":              {fields{"to_number": nil, "recipients": many(32, person)}, ""},
		"33 recipients":              {fields{"to_number": nil, "recipients": many(33, person)}, "body.recipients"},
		"a group on WhatsApp":        {fields{"to_number": nil, "recipients": many(2, person), "channel": "whatsapp"}, "body.recipients"},
		"another channel":            {fields{"channel": "sms"}, "body.channel"},
		"no channel":                 {fields{"channel": nil}, "body.channel"},
		"buttons, no WhatsApp":       {fields{"buttons": []string{"Yes"}}, "body.buttons"},
		"template, no WhatsApp":      {fields{"template": fields{"name": "a"}}, "body.template"},
		"no buttons":                 {fields{"channel": "whatsapp", "buttons": []string{}}, "body.buttons"},
		"4 buttons":                  {fields{"channel": "whatsapp", "buttons": many(4, "a")}, "body.buttons"},
		"a long button":              {fields{"channel": "whatsapp", "buttons": many(1, strings.Repeat("a", 21))}, "body.buttons.0"},
		"buttons and a list":         {fields{"channel": "whatsapp", "buttons": []string{"Yes"}, "list": fields{}}, "body.list"},
		"a link and a template":      {fields{"channel": "whatsapp", "cta": cta, "template": fields{"name": "a"}}, "body.template"},
		"a link without an address":  {fields{"channel": "whatsapp", "cta": fields{"display_text": "Track"}}, "body.cta.url"},
		"a link with a long text":    {fields{"channel": "whatsapp", "cta": fields{"display_text": strings.Repeat("a", 21), "url": file}}, "body.cta.display_text"},
		"a template without a name":  {fields{"channel": "whatsapp", "template": fields{"language": "de"}}, "body.template.name"},
		"a list that is a list":      {fields{"channel": "whatsapp", "list": []string{"a"}}, "body.list"},
		"nothing to say":             {fields{"body": ""}, "body.body"},
		"nothing to say to WhatsApp": {fields{"body": "", "channel": "whatsapp", "buttons": []string{"Yes"}}, "body.body"},
		"no body":                    {fields{"body": nil}, "body.body"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(text(srv, c.with))
			require.NoError(t, err)
			status, body := send(t, srv, "POST", "/v1/messages", string(data))
			if c.at == "" {
				require.Equal(t, 200, status, "%v", body)
				return
			}
			require.Equal(t, 422, status, "%v", body)
			require.Len(t, problems(t, body), 1)
			assert.Equal(t, c.at, strings.Split(problems(t, body)[0], " ")[0])
		})
	}
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
			sent, err = client.Messages.Send(ctx, p)
			require.NoError(t, err)
			assert.Equal(t, other.PhoneNumber, sent.FromNumber, "it precedes the agent, whose it is not")
		})
	}
	sent, err := client.Messages.Send(ctx, agentphone.SendMessageParams{FromNumber: srv.PhoneNumber(), NumberID: other.ID, ToNumber: person, Body: "hi"})
	require.NoError(t, err)
	assert.Equal(t, srv.PhoneNumber(), sent.FromNumber, "a phone number precedes an id")
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
