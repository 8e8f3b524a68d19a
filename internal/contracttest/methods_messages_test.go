package contracttest

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

var messageCalls = []contractCall{
	{"Messages.Send", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.conversation, func(m *agentphone.SentMessage) string { return m.ConversationID })(
			x.c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: x.agent, ToNumber: contractNumber, Body: "b", NumberID: x.number}))
	}},
	{"Messages.Send", func(ctx context.Context, x *contract) (any, error) { // to a group, with all other parameters
		from := contractNumber
		if x.srv != nil {
			number, err := x.c.Numbers.Get(ctx, x.number)
			if err != nil {
				return nil, err
			}
			from = number.PhoneNumber
		}
		sent, err := x.c.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: x.agent, Recipients: []string{"+14155550126", "+14155550128"}, Body: "b", FromNumber: from,
			MediaURL: "https://example.com/m.png", MediaURLs: []string{"https://example.com/n.png"},
			SendStyle: agentphone.SendStyleSlam, ReplyToMessageID: x.message,
		})
		if err == nil {
			x.group, x.message, x.groupAddress = sent.ConversationID, sent.ID, sent.ToNumber
		}
		return sent, err
	}},
	{"Messages.Send", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Messages.Send(ctx, agentphone.SendMessageParams{ToNumber: x.groupAddress, Body: "b", ReplyToMessageID: x.message})
	}},
	{"Messages.React", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Messages.React(ctx, x.message, agentphone.ReactParams{Reaction: agentphone.ReactionLove})
	}},
	{"Numbers.ListMessages", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Numbers.ListMessages(ctx, x.number, fullTimes())
	}},
	{"Numbers.AllMessages", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Numbers.AllMessages(ctx, x.number, fullTimes()))
	}},
	{"Conversations.Update", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.Update(ctx, x.group, full[agentphone.UpdateConversationParams](nil))
	}},
	{"Conversations.Get", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.Get(ctx, x.group, agentphone.GetConversationOptions{MessageLimit: 5})
	}},
	{"Conversations.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.List(ctx, agentphone.ListConversationsParams{Limit: 1, Offset: 1})
	}},
	{"Conversations.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.List(ctx, agentphone.ListConversationsParams{})
	}},
	{"Conversations.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Conversations.All(ctx, agentphone.ListConversationsParams{Limit: 1, Offset: 1}))
	}},
	{"Conversations.ListMessages", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.ListMessages(ctx, x.group, fullTimes())
	}},
	{"Conversations.AllMessages", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Conversations.AllMessages(ctx, x.group, fullTimes()))
	}},
	{"Conversations.SendTyping", func(ctx context.Context, x *contract) (any, error) { return x.c.Conversations.SendTyping(ctx, x.group) }},
	{"Conversations.SetBackground", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Conversations.SetBackground(ctx, x.group, agentphone.SetBackgroundParams{ImageURL: "https://example.com/b.png"})
	}},
	{"Conversations.RemoveBackground", func(ctx context.Context, x *contract) (any, error) {
		return nil, x.c.Conversations.RemoveBackground(ctx, x.group)
	}},
	{"Agents.ListConversations", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.ListConversations(ctx, x.agent, agentphone.ListConversationsParams{Limit: 1, Offset: 1})
	}},
	{"Agents.AllConversations", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Agents.AllConversations(ctx, x.agent, agentphone.ListConversationsParams{Limit: 1, Offset: 1}))
	}},
}

func fullTimes() agentphone.ListMessagesParams {
	return agentphone.ListMessagesParams{
		Limit: 1, Before: agentphone.NewTimestamp(someTime.AddDate(100, 0, 0)), After: agentphone.NewTimestamp(someTime.AddDate(-30, 0, 0)),
	}
}
