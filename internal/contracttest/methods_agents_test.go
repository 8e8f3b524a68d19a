package contracttest

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

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
