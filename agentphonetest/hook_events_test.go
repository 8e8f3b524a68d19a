package agentphonetest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// The history does not include the words themselves: with them a language model would read them twice.
func TestEvent_VoiceTurnAndCallEndHaveTheHistory(t *testing.T) {
	srv := newServer(t)
	var events []*agentphone.Event
	set := setWebhook(t, srv, agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(3)})
	note := func(e *agentphone.Event) { events = append(events, e) }
	h, err := agentphone.NewWebhookHandler([]string{set.Secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(_ context.Context, e *agentphone.Event, d *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			note(e)
			return v.Say("You said: " + d.Transcript)
		},
		OnCallEnded: func(_ context.Context, e *agentphone.Event, _ *agentphone.CallEndedData) error { note(e); return nil },
	})
	require.NoError(t, err)
	srv.SetReceiver(h)
	request(t, srv.Client(), "PATCH", "/v1/agents/"+srv.AgentID(), fields{"beginMessage": "Hello!"})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	for _, words := range []string{"one", "two"} {
		_, err := srv.CallerSays(id, words)
		require.NoError(t, err)
	}
	require.NoError(t, srv.EndCall(id))
	require.Len(t, events, 3)
	type item struct {
		direction agentphone.Direction
		content   string
	}
	const in, out = agentphone.DirectionInbound, agentphone.DirectionOutbound
	for i, want := range [][]item{
		{{out, "Hello!"}},
		{{out, "Hello!"}, {in, "one"}, {out, "You said: one"}},
		{{out, "You said: one"}, {in, "two"}, {out, "You said: two"}},
	} {
		var got []item
		for _, h := range events[i].RecentHistory {
			got = append(got, item{h.Direction, h.Content})
			assert.Equal(t, agentphone.ChannelVoice, h.Channel)
			assert.False(t, h.At.IsZero())
		}
		assert.Equal(t, want, got)
	}
	assert.Equal(t, []agentphone.TranscriptEntry{
		{Role: agentphone.RoleAgent, Content: "Hello!"},
		{Role: agentphone.RoleUser, Content: "one"}, {Role: agentphone.RoleAgent, Content: "You said: one"},
		{Role: agentphone.RoleUser, Content: "two"}, {Role: agentphone.RoleAgent, Content: "You said: two"},
	}, events[2].Data.(*agentphone.CallEndedData).Transcript)
}

func TestEvent_MessageHasTheHistoryBeforeIt(t *testing.T) {
	srv := newServer(t)
	srv.ReceiveMessage(person, srv.PhoneNumber(), "before there was a webhook")
	assert.Empty(t, srv.Deliveries(), "nothing is sent, nothing recorded")
	r := &receiver{t: t, secret: setWebhook(t, srv, agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(2)}).Secret}
	srv.SetReceiver(r)
	client, ctx := srv.Client(), t.Context()
	contact, err := client.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: person, Name: "Ann"})
	require.NoError(t, err)
	sent := sendText(t, srv, person, "one")
	request(t, client, "PATCH", "/v1/conversations/"+sent.ConversationID, fields{"metadata": fields{"step": 2}})
	srv.ReceiveMessage(person, srv.PhoneNumber(), "two")
	id := srv.ReceiveMessage(person, srv.PhoneNumber(), "three")

	require.Len(t, r.events, 2, "the first attempt is over when ReceiveMessage returns")
	event := r.events[1]
	assert.Equal(t, agentphone.EventMessage, event.Type)
	assert.Equal(t, agentphone.ChannelSMS, event.Channel)
	assert.Equal(t, srv.AgentID(), event.AgentID)
	assert.Equal(t, map[string]any{"step": 2.0}, event.ConversationState)
	data := event.Data.(*agentphone.MessageData)
	assert.Equal(t, "three", data.Message)
	assert.Equal(t, id, data.MessageID)
	assert.Equal(t, srv.NumberID(), data.NumberID)
	assert.Equal(t, sent.ConversationID, data.ConversationID)
	assert.Equal(t, contact.ID, data.Contact.ID)
	require.Len(t, event.RecentHistory, 2, "the webhook's context limit")
	assert.Equal(t, "one", event.RecentHistory[0].Content)
	assert.Equal(t, agentphone.DirectionOutbound, event.RecentHistory[0].Direction)
	assert.Equal(t, "two", event.RecentHistory[1].Content, "newest last, without the message itself")
}

func TestEvent_GroupMessageNamesTheGroupAndItsSender(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	sent, err := srv.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{
		AgentID: srv.AgentID(), Recipients: []string{person, "+14155550002"}, Body: "Dinner?",
	})
	require.NoError(t, err)
	srv.ReceiveMessage(person, sent.ToNumber, "Yes!")
	require.Len(t, r.events, 1)
	data := r.events[0].Data.(*agentphone.MessageData)
	assert.Equal(t, person, data.SenderIdentifier)
	assert.Equal(t, sent.ToNumber, data.Group["id"])
	assert.ElementsMatch(t, []any{person, "+14155550002"}, data.Group["participants"])
	require.Len(t, r.events[0].RecentHistory, 1)
	assert.Equal(t, "Dinner?", r.events[0].RecentHistory[0].Content)

	srv.ReceiveMessage("+14155550002", sent.ToNumber, "No.")
	var payload struct{ RecentHistory []fields }
	require.NoError(t, json.Unmarshal(r.bodies[1], &payload))
	require.Len(t, payload.RecentHistory, 2)
	assert.Equal(t, srv.PhoneNumber(), payload.RecentHistory[0]["senderIdentifier"])
	assert.Equal(t, person, payload.RecentHistory[1]["senderIdentifier"], "the history says who of them")

	srv.ReceiveMessage(person, srv.PhoneNumber(), "And you alone?")
	data = r.events[2].Data.(*agentphone.MessageData)
	assert.Nil(t, data.Group)
	assert.Empty(t, data.SenderIdentifier)
}

func TestEvent_ReactionShowsAllMediaOfTheMessage(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	files := []string{"https://example.com/a.png", "https://example.com/b.png"}
	id := srv.Receive(agentphonetest.IncomingMessage{From: friend, To: srv.PhoneNumber(), MediaURLs: files})
	srv.ReceiveReaction(friend, id, agentphone.ReactionLove)
	assert.Equal(t, files[0], r.data()["messageMediaUrl"])
	assert.Equal(t, []any{files[0], files[1]}, r.data()["messageMediaUrls"])
	srv.ReceiveReaction(friend, srv.ReceiveMessage(friend, srv.PhoneNumber(), "hi"), agentphone.ReactionLove)
	assert.Nil(t, r.data()["messageMediaUrl"])
	assert.Equal(t, []any{}, r.data()["messageMediaUrls"])
}

func TestEvent_CallEndNamesTheContact(t *testing.T) {
	srv := newServer(t)
	r := receive(t, srv)
	made := request(t, srv.Client(), "POST", "/v1/contacts", fields{"phoneNumber": person, "name": "Ann"})
	ann := fields{"id": made["id"], "name": "Ann", "email": nil, "phoneNumber": person}
	require.NoError(t, srv.EndCall(srv.ReceiveCall(person, srv.PhoneNumber())))
	assert.Equal(t, ann, r.data()["contact"])
	require.NoError(t, srv.EndCall(placeCall(t, srv, person).ID))
	assert.Equal(t, ann, r.data()["contact"], "whoever called")
	require.NoError(t, srv.EndCall(srv.ReceiveCall(friend, srv.PhoneNumber())))
	assert.Nil(t, r.data()["contact"])
}

func TestWithEchoes_DeliversWhatTheAccountSends(t *testing.T) {
	for name, opts := range map[string][]agentphonetest.Option{"with": {agentphonetest.WithEchoes()}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, opts...)
			r := receive(t, srv)
			request(t, srv.Client(), "POST", "/v1/contacts", fields{"phoneNumber": friend, "name": "Ann"})
			sent := sendText(t, srv, friend, "hello")
			request(t, srv.Client(), "POST", "/v1/messages/"+sent.ID+"/reactions", fields{"reaction": "love"})
			srv.WaitDeliveries()
			if opts == nil {
				assert.Empty(t, r.events)
				return
			}
			require.Len(t, r.events, 2)
			slices.SortFunc(r.events, func(a, b *agentphone.Event) int { return strings.Compare(string(a.Type), string(b.Type)) })
			message := r.events[0].Data.(*agentphone.MessageData)
			assert.Equal(t, agentphone.DirectionOutbound, message.Direction)
			assert.Equal(t, srv.PhoneNumber(), message.From)
			assert.Equal(t, friend, message.To)
			assert.Equal(t, "Ann", message.Contact.Name)
			reaction := r.events[1].Data.(*agentphone.ReactionData)
			assert.Equal(t, agentphone.DirectionOutbound, reaction.Direction)
			assert.Equal(t, sent.ID, reaction.MessageID)
		})
	}
}

func TestEvent_HistoryIsAsLongAsTheContextLimit(t *testing.T) {
	for name, c := range map[string]struct {
		params agentphone.SetWebhookParams
		want   int
	}{
		"by default": {agentphone.SetWebhookParams{}, 10},
		"five":       {agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(5)}, 5},
		"turned off": {agentphone.SetWebhookParams{ContextLimit: agentphone.Ptr(0)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			r := &receiver{t: t, secret: setWebhook(t, srv, c.params).Secret}
			srv.SetReceiver(r)
			for range 12 {
				srv.ReceiveMessage(person, srv.PhoneNumber(), "hi")
			}
			require.Len(t, r.events, 12)
			assert.Len(t, r.events[11].RecentHistory, c.want)
		})
	}
}
