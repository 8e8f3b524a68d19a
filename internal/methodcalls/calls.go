// The list of methods: calls.

package methodcalls

import (
	"context"
	"io"

	"github.com/agentphone/agentphone-go"
)

var callCalls = []Call{
	{"Calls.Create", `POST /v1/calls {
		"agentId": "a", "toNumber": "+14155550124", "systemPrompt": "SystemPrompt", "initialGreeting": "InitialGreeting",
		"fromNumberId": "n", "voice": "custom_voice_ea22ba5fdfaa18f39c274851c1", "modelTier": "max",
		"variables": {"k": "Variables"}, "callScreeningIdentity": "CallScreeningIdentity",
		"callScreeningPurpose": "CallScreeningPurpose", "disableRecording": true
	}`, func(ctx context.Context, x *Session) (any, error) {
		return keep(&x.call, func(c *agentphone.Call) string { return c.ID })(
			x.c.Calls.Create(ctx, full(func(p *agentphone.CreateCallParams) {
				p.AgentID, p.ToNumber, p.FromNumberID, p.ModelTier, p.Voice = x.agent, SomePhone, x.number, agentphone.ModelTierMax, agentphone.DefaultVoice
			})))
	}},
	{"Calls.Get", `GET /v1/calls/c?timeout=30&wait=true`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Calls.Get(ctx, x.call, agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 30})
	}},
	{"Calls.Get", `GET /v1/calls/c`, func(ctx context.Context, x *Session) (any, error) { return x.c.Calls.Get(ctx, x.call) }},
	{"Calls.Wait", `GET /v1/calls/c`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Calls.Wait(ctx, x.call, agentphone.WaitParams{})
	}},
	{"Calls.CreateAndWait", `POST /v1/calls {"agentId": "a", "toNumber": "+14155550124", "systemPrompt": "p"}`,
		func(ctx context.Context, x *Session) (any, error) {
			params := agentphone.CreateCallParams{AgentID: x.agent, ToNumber: SomePhone, SystemPrompt: "p"}
			return keep(&x.recordedCall, func(c *agentphone.Call) string { return c.ID })(
				x.c.Calls.CreateAndWait(ctx, params, agentphone.WaitParams{}))
		}},
	{"Calls.Create", `POST /v1/calls {"agentId": "a", "toNumber": "+14155550124", "initialGreeting": ""}`,
		func(ctx context.Context, x *Session) (any, error) { // "" is sent
			return x.c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: x.agent, ToNumber: SomePhone, InitialGreeting: agentphone.Ptr("")})
		}},
	{"Calls.Create", `POST /v1/calls {"agentId": "a", "toNumber": "+14155550124"}`, func(ctx context.Context, x *Session) (any, error) {
		return keep(&x.liveCall, func(c *agentphone.Call) string { return c.ID })(
			x.c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: x.agent, ToNumber: SomePhone}))
	}},
	{"Calls.End", `POST /v1/calls/c/end {}`, func(ctx context.Context, x *Session) (any, error) { return x.c.Calls.End(ctx, x.liveCall) }},
	{"Calls.CreateWeb", `POST /v1/calls/web {"agentId": "a", "metadata": {"k": "Metadata"}, "variables": {"k": "Variables"}}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Calls.CreateWeb(ctx, full(func(p *agentphone.CreateWebCallParams) { p.AgentID = x.agent }))
		}},
	{"Calls.List", `GET /v1/calls?direction=outbound&limit=5&offset=1&search=x&status=completed&type=pstn`,
		func(ctx context.Context, x *Session) (any, error) { return x.c.Calls.List(ctx, fullCallFilter()) }},
	{"Calls.List", `GET /v1/calls`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Calls.List(ctx, agentphone.ListCallsParams{})
	}},
	{"Calls.All", `GET /v1/calls?direction=outbound&limit=5&offset=1&search=x&status=completed&type=pstn`,
		func(ctx context.Context, x *Session) (any, error) { return first(x.c.Calls.All(ctx, fullCallFilter())) }},
	{"Calls.All", `GET /v1/calls?direction=inbound&limit=100`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Calls.All(ctx, agentphone.ListCallsParams{Direction: agentphone.DirectionInbound}))
	}},
	{"Calls.Transcript", `GET /v1/calls/c/transcript`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Calls.Transcript(ctx, x.call)
	}},
	{"Calls.StreamTranscript", `GET /v1/calls/c/transcript/stream`, func(ctx context.Context, x *Session) (any, error) {
		return agentphone.Collect(x.c.Calls.StreamTranscript(ctx, x.call), 0)
	}},
	{"Calls.DownloadRecording", `GET /v1/calls/c/recording`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Calls.DownloadRecording(ctx, x.recordedCall, io.Discard)
	}},
	{"Agents.ListCalls", `GET /v1/agents/a/calls?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Agents.ListCalls(ctx, x.agent, agentphone.ListCallsParams{Limit: 5, Offset: 1})
	}},
	{"Agents.AllCalls", `GET /v1/agents/a/calls?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.AllCalls(ctx, x.agent, agentphone.ListCallsParams{Limit: 5, Offset: 1}))
	}},
	{"Agents.AllCalls", `GET /v1/agents/a/calls?limit=100`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Agents.AllCalls(ctx, x.agent, agentphone.ListCallsParams{}))
	}},
	{"Numbers.ListCalls", `GET /v1/numbers/n/calls?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Numbers.ListCalls(ctx, x.number, agentphone.ListCallsParams{Limit: 5, Offset: 1})
	}},
	{"Numbers.AllCalls", `GET /v1/numbers/n/calls?limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Numbers.AllCalls(ctx, x.number, agentphone.ListCallsParams{Limit: 5, Offset: 1}))
	}},
}

func fullCallFilter() agentphone.ListCallsParams {
	return agentphone.ListCallsParams{Limit: 5, Offset: 1, Status: "completed", Direction: "outbound", Type: "pstn", Search: "x"}
}
