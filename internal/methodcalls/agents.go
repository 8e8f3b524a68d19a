// The list of methods: sign-up, agents, numbers, phone verification, contact cards, and two that need none of them.

package methodcalls

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

// allAgentFields is the body of both the creation and the update of an agent, with every field.
const allAgentFields = `{
	"name": "Name", "description": "Description", "voiceMode": "hosted", "enableMessaging": true, "modelTier": "max",
	"systemPrompt": "SystemPrompt", "beginMessage": "BeginMessage", "voice": "custom_voice_ea22ba5fdfaa18f39c274851c1",
	"transferNumber": "+14155550124", "customTools": [{
		"name": "Name", "description": "Description", "url": "https://example.com", "method": "POST", "headers": {"k": "Headers"},
		"parameters": {"k": "Parameters"}, "timeoutMs": 5000, "speakDuringExecution": true, "executionMessage": "ExecutionMessage"
	}], "voicemailMessage": "VoicemailMessage", "callScreeningIdentity": "CallScreeningIdentity",
	"callScreeningPurpose": "CallScreeningPurpose", "sttMode": "fast", "ambientSound": "office",
	"denoisingMode": "noise-cancellation", "maxSilenceMs": 50000, "voiceSpeed": 1, "interruptionSensitivity": 0.5,
	"enableBackchannel": true, "language": "en-US"
}`

var agentCalls = []Call{
	{"Signup.Start", `POST /v0/agent/sign-up {"human_email": "ada@example.com", "agent_name": "AgentName"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return keep(&x.verification, func(v *agentphone.Signup) string { return v.VerificationID })(
				x.c.Signup.Start(ctx, full(func(p *agentphone.SignupParams) { p.HumanEmail = "ada@example.com" })))
		}},
	{"Signup.Verify", `POST /v0/agent/verify {"verification_id": "v", "otp_code": "123456", "source": "Source"}`,
		func(ctx context.Context, x *Session) (any, error) {
			otp := "123456"
			if x.srv != nil {
				otp = x.srv.OTP(x.verification)
			}
			return x.c.Signup.Verify(ctx, full(func(p *agentphone.VerifySignupParams) { p.VerificationID, p.OTPCode = x.verification, otp }))
		}},
	{"Usage.Get", `GET /v1/usage`, func(ctx context.Context, x *Session) (any, error) { return x.c.Usage.Get(ctx) }},
	{"Voices.List", `GET /v1/agents/voices`, func(ctx context.Context, x *Session) (any, error) { return x.c.Voices.List(ctx) }},
	{"Agents.Create", `POST /v1/agents ` + allAgentFields, func(ctx context.Context, x *Session) (any, error) {
		return keep(&x.agent, func(a *agentphone.Agent) string { return a.ID })(
			x.c.Agents.Create(ctx, full(func(p *agentphone.CreateAgentParams) {
				p.VoiceMode, p.ModelTier, p.STTMode = agentphone.VoiceModeHosted, agentphone.ModelTierMax, agentphone.STTModeFast
				p.AmbientSound, p.DenoisingMode, p.Language = agentphone.AmbientSoundOffice, agentphone.DenoisingNoise, agentphone.LanguageEnUS
				p.TransferNumber, p.Voice = SomePhone, agentphone.DefaultVoice
				p.CustomTools[0].Method, p.CustomTools[0].URL, p.CustomTools[0].TimeoutMs = "POST", "https://example.com", 5000
				p.MaxSilenceMs, p.VoiceSpeed = 50_000, 1
			})))
	}},
	{"Agents.Create", `POST /v1/agents {"name": "bare"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "bare"})
	}},
	{"Agents.Create", `POST /v1/agents {
		"name": "n", "voiceMode": "hosted", "enableMessaging": false, "systemPrompt": "p", "interruptionSensitivity": 0,
		"customTools": [{"name": "t", "description": "d", "url": "https://x", "timeoutMs": 1500}], "language": "en-US"
	}`, func(ctx context.Context, x *Session) (any, error) { // false and 0 are sent
		return x.c.Agents.Create(ctx, agentphone.CreateAgentParams{
			Name: "n", VoiceMode: agentphone.VoiceModeHosted, SystemPrompt: "p", EnableMessaging: agentphone.Ptr(false),
			InterruptionSensitivity: agentphone.Ptr(0.0), Language: agentphone.LanguageEnUS,
			CustomTools: []agentphone.CustomTool{{Name: "t", Description: "d", URL: "https://x", TimeoutMs: 1500}},
		})
	}},
	{"Agents.Update", `PATCH /v1/agents/a ` + allAgentFields, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.Update(ctx, x.agent, full(func(p *agentphone.UpdateAgentParams) {
			p.VoiceMode, p.ModelTier, p.STTMode = agentphone.VoiceModeHosted, agentphone.ModelTierMax, agentphone.STTModeFast
			p.AmbientSound, p.DenoisingMode, p.Language = agentphone.AmbientSoundOffice, agentphone.DenoisingNoise, agentphone.LanguageEnUS
			p.TransferNumber, p.Voice = agentphone.Value(SomePhone), agentphone.Value(agentphone.DefaultVoice)
			tools, _ := p.CustomTools.Get()
			tools[0].Method, tools[0].URL, tools[0].TimeoutMs = "POST", "https://example.com", 5000
			p.MaxSilenceMs, p.VoiceSpeed = agentphone.Value(50_000), agentphone.Value(1.0)
		}))
	}},
	{"Agents.Update", `PATCH /v1/agents/a {"systemPrompt": "p", "beginMessage": null, "customTools": [], "modelTier": "max"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Agents.Update(ctx, x.agent, agentphone.UpdateAgentParams{
				SystemPrompt: agentphone.Value("p"), BeginMessage: agentphone.Null[string](),
				CustomTools: agentphone.Value[[]agentphone.CustomTool](nil), ModelTier: agentphone.ModelTierMax,
			})
		}},
	{"Numbers.Buy", `POST /v1/numbers {"country": "US", "areaCode": "415", "agentId": "a"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return keep(&x.number, func(n *agentphone.PhoneNumber) string { return n.ID })(
				x.c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "415", AgentID: x.agent}))
		}},
	{"Numbers.Buy", `POST /v1/numbers {"country": "CA"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryCA})
	}},
	{"Agents.DetachNumber", `DELETE /v1/agents/a/numbers/n`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.Agents.DetachNumber(ctx, x.agent, x.number)
	}},
	{"Agents.AttachNumber", `POST /v1/agents/a/numbers {"numberId": "n"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.AttachNumber(ctx, x.agent, agentphone.AttachNumberParams{NumberID: x.number})
	}},
	{"Agents.Get", `GET /v1/agents/a`, func(ctx context.Context, x *Session) (any, error) { return x.c.Agents.Get(ctx, x.agent) }},
	{"Agents.List", `GET /v1/agents?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.List(ctx, agentphone.ListAgentsParams{Limit: 5, Offset: 1})
	}},
	{"Agents.All", `GET /v1/agents?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.All(ctx, agentphone.ListAgentsParams{Limit: 5, Offset: 1}))
	}},
	{"Agents.All", `GET /v1/agents?limit=100`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.All(ctx, agentphone.ListAgentsParams{}))
	}},
	{"Numbers.Lookup", `GET /v1/numbers/lookup?phoneNumbers=%2B14155550124%2C%2B442079460958`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Numbers.Lookup(ctx, agentphone.LookupNumbersParams{PhoneNumbers: []string{SomePhone, "+442079460958"}})
	}},
	{"Verify.Send", `POST /v1/verify/send {"phone_number": "+14155550124"}`, func(ctx context.Context, x *Session) (any, error) {
		return keep(&x.phoneCheck, func(v *agentphone.Verification) string { return v.VerificationID })(
			x.c.Verify.Send(ctx, agentphone.VerificationParams{PhoneNumber: SomePhone}))
	}},
	{"Verify.Check", `POST /v1/verify/check {"verification_id": "p", "code": "123456"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Verify.Check(ctx, agentphone.CheckVerificationParams{VerificationID: x.phoneCheck, Code: "123456"}) // a wrong one
	}},
	{"Numbers.Get", `GET /v1/numbers/n`, func(ctx context.Context, x *Session) (any, error) { return x.c.Numbers.Get(ctx, x.number) }},
	{"Numbers.List", `GET /v1/numbers?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Numbers.List(ctx, agentphone.ListNumbersParams{Limit: 5, Offset: 1})
	}},
	{"Numbers.All", `GET /v1/numbers?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Numbers.All(ctx, agentphone.ListNumbersParams{Limit: 5, Offset: 1}))
	}},
	{"ContactCards.Set", `PUT /v1/numbers/n/contact-card {
		"firstName": "FirstName", "lastName": "LastName", "displayName": "DisplayName", "avatarUrl": "https://example.com/a.png"
	}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.ContactCards.Set(ctx, x.number, full(func(p *agentphone.SetContactCardParams) { p.AvatarURL = "https://example.com/a.png" }))
	}},
	{"ContactCards.Get", `GET /v1/numbers/n/contact-card`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.ContactCards.Get(ctx, x.number)
	}},
	{"ContactCards.Delete", `DELETE /v1/numbers/n/contact-card`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.ContactCards.Delete(ctx, x.number)
	}},
}
