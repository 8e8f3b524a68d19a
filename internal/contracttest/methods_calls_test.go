package contracttest

import (
	"context"
	"io"

	"github.com/agentphone/agentphone-go"
)

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
