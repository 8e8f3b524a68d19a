package contracttest

import (
	"context"
	"io"
	"iter"
	"slices"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// contract is what the calls below share: the ids that earlier ones made.
type contract struct {
	c   *agentphone.Client
	srv *agentphonetest.Server // nil where a recorder answers

	verification, agent, number, call, conversation, group, message, contact, sub string
	groupAddress                                                                  string
}

func newContract(c *agentphone.Client, srv *agentphonetest.Server) *contract {
	return &contract{c, srv, "v", "a", "n", "c", "cv", "g", "m", "ct", "s", "grp_1"}
}

const contractNumber = "+14155550124"

type contractCall struct {
	name string // service and method
	call func(ctx context.Context, x *contract) (any, error)
}

func first[T any](seq iter.Seq2[T, error]) (any, error) {
	items, err := agentphone.Collect(seq, 1)
	return agentphone.Page[T]{Data: items}, err
}

// keep stores an id of a result, unless the call failed.
func keep[T any](id *string, of func(*T) string) func(*T, error) (any, error) {
	return func(v *T, err error) (any, error) {
		if err == nil {
			*id = of(v)
		}
		return v, err
	}
}

// contractCalls calls every method with every parameter, in an order in which the API in memory can answer well. What is
// then called once more, with hardly any, makes it answer with nulls.
var contractCalls = slices.Concat(agentCalls, messageCalls, callCalls, contactCalls, webhookCalls, accountCalls)

var agentCalls = []contractCall{
	{"Signup.Start", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.verification, func(v *agentphone.Signup) string { return v.VerificationID })(
			x.c.Signup.Start(ctx, full(func(p *agentphone.SignupParams) { p.HumanEmail = "ada@example.com" })))
	}},
	{"Signup.Verify", func(ctx context.Context, x *contract) (any, error) {
		otp := "123456"
		if x.srv != nil {
			otp = x.srv.OTP(x.verification)
		}
		return x.c.Signup.Verify(ctx, full(func(p *agentphone.VerifySignupParams) { p.VerificationID, p.OTPCode = x.verification, otp }))
	}},
	{"Usage.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Usage.Get(ctx) }},
	{"Voices.List", func(ctx context.Context, x *contract) (any, error) { return x.c.Voices.List(ctx) }},
	{"Agents.Create", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.agent, func(a *agentphone.Agent) string { return a.ID })(
			x.c.Agents.Create(ctx, full(func(p *agentphone.CreateAgentParams) {
				p.VoiceMode, p.ModelTier, p.STTMode = agentphone.VoiceModeHosted, agentphone.ModelTierMax, agentphone.STTModeFast
				p.AmbientSound, p.DenoisingMode, p.Language = agentphone.AmbientSoundOffice, agentphone.DenoisingNoise, agentphone.LanguageEnUS
				p.TransferNumber, p.Voice = contractNumber, agentphone.DefaultVoice
				p.CustomTools[0].Method, p.CustomTools[0].URL, p.CustomTools[0].TimeoutMs = "POST", "https://example.com", 5000
				p.MaxSilenceMs, p.VoiceSpeed = 50_000, 1
			})))
	}},
	{"Agents.Create", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "bare"})
	}},
	{"Agents.Update", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.Update(ctx, x.agent, full(func(p *agentphone.UpdateAgentParams) {
			p.VoiceMode, p.ModelTier, p.STTMode = agentphone.VoiceModeHosted, agentphone.ModelTierMax, agentphone.STTModeFast
			p.AmbientSound, p.DenoisingMode, p.Language = agentphone.AmbientSoundOffice, agentphone.DenoisingNoise, agentphone.LanguageEnUS
			p.TransferNumber, p.Voice = agentphone.Value(contractNumber), agentphone.Value(agentphone.DefaultVoice)
			tools, _ := p.CustomTools.Get()
			tools[0].Method, tools[0].URL, tools[0].TimeoutMs = "POST", "https://example.com", 5000
			p.MaxSilenceMs, p.VoiceSpeed = agentphone.Value(50_000), agentphone.Value(1.0)
		}))
	}},
	{"Numbers.Buy", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.number, func(n *agentphone.PhoneNumber) string { return n.ID })(
			x.c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "415", AgentID: x.agent}))
	}},
	{"Numbers.Buy", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryCA})
	}},
	{"Agents.DetachNumber", func(ctx context.Context, x *contract) (any, error) {
		return nil, x.c.Agents.DetachNumber(ctx, x.agent, x.number)
	}},
	{"Agents.AttachNumber", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.AttachNumber(ctx, x.agent, agentphone.AttachNumberParams{NumberID: x.number})
	}},
	{"Agents.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Agents.Get(ctx, x.agent) }},
	{"Agents.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.List(ctx, agentphone.ListAgentsParams{Limit: 1, Offset: 1})
	}},
	{"Agents.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Agents.All(ctx, agentphone.ListAgentsParams{Limit: 1, Offset: 1}))
	}},
	{"Numbers.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Numbers.Get(ctx, x.number) }},
	{"Numbers.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Numbers.List(ctx, agentphone.ListNumbersParams{Limit: 1, Offset: 1})
	}},
	{"Numbers.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Numbers.All(ctx, agentphone.ListNumbersParams{Limit: 1, Offset: 1}))
	}},
	{"ContactCards.Set", func(ctx context.Context, x *contract) (any, error) {
		return x.c.ContactCards.Set(ctx, x.number, full(func(p *agentphone.SetContactCardParams) { p.AvatarURL = "https://example.com/a.png" }))
	}},
	{"ContactCards.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.ContactCards.Get(ctx, x.number) }},
	{"ContactCards.Delete", func(ctx context.Context, x *contract) (any, error) {
		return nil, x.c.ContactCards.Delete(ctx, x.number)
	}},
}

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

var callCalls = []contractCall{
	{"Calls.Create", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.call, func(c *agentphone.Call) string { return c.ID })(
			x.c.Calls.Create(ctx, full(func(p *agentphone.CreateCallParams) {
				p.AgentID, p.ToNumber, p.FromNumberID, p.ModelTier, p.Voice = x.agent, contractNumber, x.number, agentphone.ModelTierMax, agentphone.DefaultVoice
			})))
	}},
	{"Calls.Get", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.Get(ctx, x.call, agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 30})
	}},
	{"Calls.Wait", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.Wait(ctx, x.call, agentphone.WaitParams{})
	}},
	{"Calls.CreateAndWait", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.CreateAndWait(ctx, agentphone.CreateCallParams{AgentID: x.agent, ToNumber: contractNumber, SystemPrompt: "p"}, agentphone.WaitParams{})
	}},
	{"Calls.CreateWeb", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.CreateWeb(ctx, full(func(p *agentphone.CreateWebCallParams) { p.AgentID = x.agent }))
	}},
	{"Calls.End", func(ctx context.Context, x *contract) (any, error) { return x.c.Calls.End(ctx, x.call) }},
	{"Calls.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.List(ctx, fullCallFilter())
	}},
	{"Calls.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.List(ctx, agentphone.ListCallsParams{})
	}},
	{"Calls.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Calls.All(ctx, fullCallFilter()))
	}},
	{"Calls.Transcript", func(ctx context.Context, x *contract) (any, error) { return x.c.Calls.Transcript(ctx, x.call) }},
	{"Calls.StreamTranscript", func(ctx context.Context, x *contract) (any, error) {
		return agentphone.Collect(x.c.Calls.StreamTranscript(ctx, x.call), 0)
	}},
	{"Calls.DownloadRecording", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Calls.DownloadRecording(ctx, x.call, io.Discard)
	}},
	{"Agents.ListCalls", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Agents.ListCalls(ctx, x.agent, agentphone.ListCallsParams{Limit: 1, Offset: 1})
	}},
	{"Agents.AllCalls", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Agents.AllCalls(ctx, x.agent, agentphone.ListCallsParams{Limit: 1, Offset: 1}))
	}},
	{"Numbers.ListCalls", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Numbers.ListCalls(ctx, x.number, agentphone.ListCallsParams{Limit: 1, Offset: 1})
	}},
	{"Numbers.AllCalls", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Numbers.AllCalls(ctx, x.number, agentphone.ListCallsParams{Limit: 1, Offset: 1}))
	}},
}

func fullCallFilter() agentphone.ListCallsParams {
	return agentphone.ListCallsParams{Limit: 1, Offset: 1, Status: "completed", Direction: "outbound", Type: "pstn", Search: "x"}
}

func fullTimes() agentphone.ListMessagesParams {
	return agentphone.ListMessagesParams{
		Limit: 1, Before: agentphone.NewTimestamp(someTime.AddDate(100, 0, 0)), After: agentphone.NewTimestamp(someTime.AddDate(-30, 0, 0)),
	}
}
