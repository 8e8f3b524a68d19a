// The list of methods: messages and conversations.

package methodcalls

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

var messageCalls = []Call{
	{"Messages.Send", `POST /v1/messages {"agent_id": "a", "to_number": "+14155550124", "body": "b", "number_id": "n"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return keep(&x.personal, func(m *agentphone.SentMessage) string { return m.ConversationID })(
				x.c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: x.agent, ToNumber: SomePhone, Body: "b", NumberID: x.number}))
		}},
	{"Messages.Send", `POST /v1/messages {
		"agent_id": "a", "recipients": ["+14155550126", "+14155550128"], "body": "b", "from_number": "+14155550124",
		"media_urls": ["https://example.com/m.png", "https://example.com/n.png"], "send_style": "slam",
		"reply_to_message_id": "m"
	}`, func(ctx context.Context, x *Session) (any, error) { // to a new group
		from := SomePhone
		if x.srv != nil {
			number, err := x.c.Numbers.Get(ctx, x.number)
			if err != nil {
				return nil, err
			}
			from = number.PhoneNumber
		}
		sent, err := x.c.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: x.agent, Recipients: []string{"+14155550126", "+14155550128"}, Body: "b", FromNumber: from,
			MediaURLs: []string{"https://example.com/m.png", "https://example.com/n.png"},
			SendStyle: agentphone.SendStyleSlam, ReplyToMessageID: x.message,
		})
		if err == nil {
			x.group, x.message, x.groupAddress = sent.ConversationID, sent.ID, sent.ToNumber
		}
		return sent, err
	}},
	{"Messages.Send", `POST /v1/messages {"to_number": "grp_1", "body": "b", "reply_to_message_id": "m"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Messages.Send(ctx, agentphone.SendMessageParams{ToNumber: x.groupAddress, Body: "b", ReplyToMessageID: x.message})
		}},
	{"Messages.Send", `POST /v1/messages {
		"agent_id": "a", "to_number": "+14155550124", "body": "b", "media_urls": ["https://m"], "send_style": "slam",
		"reply_to_message_id": "m"
	}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: x.agent, ToNumber: SomePhone, Body: "b", MediaURLs: []string{"https://m"},
			SendStyle: agentphone.SendStyleSlam, ReplyToMessageID: x.message,
		})
	}},
	{"Messages.Send", `POST /v1/messages {
		"agent_id": "a", "to_number": "+14155550124", "body": "", "media_url": "https://example.com/m.png", "channel": "whatsapp",
		"template": {"name": "welcome", "language": "en_US", "variables": ["Ada", 7]}
	}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: x.agent, ToNumber: SomePhone, MediaURL: "https://example.com/m.png", Channel: agentphone.ChannelWhatsApp,
			Template: &agentphone.WhatsAppTemplate{Name: "welcome", Language: "en_US", Variables: []any{"Ada", 7}},
		})
	}},
	{"Messages.Send", `POST /v1/messages {"agent_id": "a", "to_number": "+14155550124", "body": "b", "channel": "whatsapp", "buttons": ["Yes", "No"]}`,
		sendWhatsApp(func(p *agentphone.SendMessageParams) { p.Buttons = []string{"Yes", "No"} })},
	{"Messages.Send", `POST /v1/messages {"agent_id": "a", "to_number": "+14155550124", "body": "b", "channel": "whatsapp", "list": {"rows": [{"id": 1}]}}`,
		sendWhatsApp(func(p *agentphone.SendMessageParams) { p.List = map[string]any{"rows": []any{map[string]any{"id": 1}}} })},
	{"Messages.Send", `POST /v1/messages {
		"agent_id": "a", "to_number": "+14155550124", "body": "b", "channel": "whatsapp", "cta": {"display_text": "Open", "url": "https://example.com"}
	}`, sendWhatsApp(func(p *agentphone.SendMessageParams) {
		p.CTA = &agentphone.WhatsAppCTA{DisplayText: "Open", URL: "https://example.com"}
	})},
	{"Messages.Send", `POST /v1/messages {"agent_id": "a", "to_number": "+14155550124", "body": "b", "channel": "whatsapp", "template": {"name": "bare"}}`,
		sendWhatsApp(func(p *agentphone.SendMessageParams) { p.Template = &agentphone.WhatsAppTemplate{Name: "bare"} })},
	{"Messages.React", `POST /v1/messages/m/reactions {"reaction": "love"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Messages.React(ctx, x.message, agentphone.ReactParams{Reaction: agentphone.ReactionLove})
	}},
	{"Numbers.ListMessages", `GET /v1/numbers/n/messages?after=1996-04-19T17%3A20%3A11Z&before=2126-04-19T17%3A20%3A11Z&limit=5`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Numbers.ListMessages(ctx, x.number, fullTimes())
		}},
	{"Numbers.AllMessages", `GET /v1/numbers/n/messages?after=1996-04-19T17%3A20%3A11Z&before=2126-04-19T17%3A20%3A11Z&limit=5`,
		func(ctx context.Context, x *Session) (any, error) {
			return first(x.c.Numbers.AllMessages(ctx, x.number, fullTimes()))
		}},
	{"Numbers.AllMessages", `GET /v1/numbers/n/messages?limit=200`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Numbers.AllMessages(ctx, x.number, agentphone.ListMessagesParams{}))
	}},
	{"Conversations.Update", `PATCH /v1/conversations/g {"metadata": {"k": "Metadata"}, "group_name": "GroupName"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Conversations.Update(ctx, x.group, full[agentphone.UpdateConversationParams](nil))
		}},
	{"Conversations.Get", `GET /v1/conversations/g?message_limit=5`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Conversations.Get(ctx, x.group, agentphone.GetConversationOptions{MessageLimit: 5})
	}},
	{"Conversations.Get", `GET /v1/conversations/pc`, func(ctx context.Context, x *Session) (any, error) { // with one person
		return x.c.Conversations.Get(ctx, x.personal)
	}},
	{"Conversations.List", `GET /v1/conversations?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Conversations.List(ctx, agentphone.ListConversationsParams{Limit: 5, Offset: 1})
	}},
	{"Conversations.List", `GET /v1/conversations`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Conversations.List(ctx, agentphone.ListConversationsParams{})
	}},
	{"Conversations.All", `GET /v1/conversations?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Conversations.All(ctx, agentphone.ListConversationsParams{Limit: 5, Offset: 1}))
	}},
	{"Conversations.All", `GET /v1/conversations?limit=100`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Conversations.All(ctx, agentphone.ListConversationsParams{}))
	}},
	{"Conversations.ListMessages", `GET /v1/conversations/g/messages?after=1996-04-19T17%3A20%3A11Z&before=2126-04-19T17%3A20%3A11Z&limit=5`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Conversations.ListMessages(ctx, x.group, fullTimes())
		}},
	{"Conversations.AllMessages", `GET /v1/conversations/g/messages?after=1996-04-19T17%3A20%3A11Z&before=2126-04-19T17%3A20%3A11Z&limit=5`,
		func(ctx context.Context, x *Session) (any, error) {
			return first(x.c.Conversations.AllMessages(ctx, x.group, fullTimes()))
		}},
	{"Conversations.SendTyping", `POST /v1/conversations/g/typing {}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Conversations.SendTyping(ctx, x.group)
	}},
	{"Conversations.SetBackground", `POST /v1/conversations/g/background {"image_url": "https://example.com/b.png"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Conversations.SetBackground(ctx, x.group, agentphone.SetBackgroundParams{ImageURL: "https://example.com/b.png"})
		}},
	{"Conversations.RemoveBackground", `DELETE /v1/conversations/g/background`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.Conversations.RemoveBackground(ctx, x.group)
	}},
	{"Agents.ListConversations", `GET /v1/agents/a/conversations?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.ListConversations(ctx, x.agent, agentphone.ListConversationsParams{Limit: 5, Offset: 1})
	}},
	{"Agents.AllConversations", `GET /v1/agents/a/conversations?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.AllConversations(ctx, x.agent, agentphone.ListConversationsParams{Limit: 5, Offset: 1}))
	}},
	{"Agents.AllConversations", `GET /v1/agents/a/conversations?limit=100`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.AllConversations(ctx, x.agent, agentphone.ListConversationsParams{}))
	}},
}

// sendWhatsApp sends a WhatsApp message to which set adds something.
func sendWhatsApp(set func(*agentphone.SendMessageParams)) func(context.Context, *Session) (any, error) {
	return func(ctx context.Context, x *Session) (any, error) {
		params := agentphone.SendMessageParams{AgentID: x.agent, ToNumber: SomePhone, Body: "b", Channel: agentphone.ChannelWhatsApp}
		set(&params)
		return x.c.Messages.Send(ctx, params)
	}
}

func fullTimes() agentphone.ListMessagesParams {
	return agentphone.ListMessagesParams{
		Limit: 5, Before: agentphone.NewTimestamp(SomeTime.AddDate(100, 0, 0)), After: agentphone.NewTimestamp(SomeTime.AddDate(-30, 0, 0)),
	}
}
