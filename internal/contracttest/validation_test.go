// The checks of parameters: what the API cannot accept is refused before anything is sent, by the name of the field.
// What it may accept is sent.

package contracttest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// invalidParams are parameters that a method must refuse for one of their fields.
type invalidParams[P any] struct {
	about, field string
	params       P
}

// validationTest calls a method with each of the parameters.
func validationTest[P any](t *testing.T, method func(context.Context, *agentphone.Client, P) error, cases []invalidParams[P]) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.field+" "+tc.about, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
			err := method(t.Context(), c, tc.params)
			assert.ErrorIs(t, err, agentphone.ErrValidation)
			assertInvalid(t, tc.field, s.Requests(), err, "")
		})
	}
}

const (
	e164Phone     = "+14155559999"
	nationalPhone = "4155559999"
)

func TestSignupVerify_RefusesInvalidParams(t *testing.T) {
	verify := func(ctx context.Context, c *agentphone.Client, p agentphone.VerifySignupParams) error {
		return apitest.Err(c.Signup.Verify(ctx, p))
	}
	validationTest(t, verify, []invalidParams[agentphone.VerifySignupParams]{
		{"missing", "verification_id", agentphone.VerifySignupParams{OTPCode: "1"}},
		{"missing", "otp_code", agentphone.VerifySignupParams{VerificationID: "v"}},
	})
}

func TestAgentsCreate_RefusesInvalidParams(t *testing.T) {
	create := func(ctx context.Context, c *agentphone.Client, p agentphone.CreateAgentParams) error {
		return apitest.Err(c.Agents.Create(ctx, p))
	}
	validationTest(t, create, []invalidParams[agentphone.CreateAgentParams]{
		{"missing", "name", agentphone.CreateAgentParams{}},
		{"missing for a hosted agent", "systemPrompt", agentphone.CreateAgentParams{Name: "n", VoiceMode: agentphone.VoiceModeHosted}},
		{"not E.164", "transferNumber", agentphone.CreateAgentParams{Name: "n", TransferNumber: "911"}},
		{"missing", "customTools.url", agentphone.CreateAgentParams{Name: "n", CustomTools: []agentphone.CustomTool{{Name: "t", Description: "d"}}}},
	})
}

func TestAgentsUpdate_RefusesInvalidParams(t *testing.T) {
	update := func(ctx context.Context, c *agentphone.Client, p agentphone.UpdateAgentParams) error {
		return apitest.Err(c.Agents.Update(ctx, "agt_1", p))
	}
	validationTest(t, update, []invalidParams[agentphone.UpdateAgentParams]{
		{"not E.164", "transferNumber", agentphone.UpdateAgentParams{TransferNumber: agentphone.Value("x")}},
		{"missing", "customTools.name", agentphone.UpdateAgentParams{CustomTools: agentphone.Value([]agentphone.CustomTool{{}})}},
	})
}

// A number is removed with null, and a hosted agent may have got its prompt before.
func TestAgentsUpdate_SendsNullAndPartialParams(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	params := agentphone.UpdateAgentParams{TransferNumber: agentphone.Null[string](), VoiceMode: agentphone.VoiceModeHosted}
	require.NoError(t, apitest.Err(c.Agents.Update(t.Context(), "agt_1", params)))
	assert.Len(t, s.Requests(), 1)
}

func TestNumbersBuy_RefusesInvalidParams(t *testing.T) {
	buy := func(ctx context.Context, c *agentphone.Client, p agentphone.BuyNumberParams) error {
		return apitest.Err(c.Numbers.Buy(ctx, p))
	}
	validationTest(t, buy, []invalidParams[agentphone.BuyNumberParams]{
		{"missing", "country", agentphone.BuyNumberParams{}},
		{"unknown", "country", agentphone.BuyNumberParams{Country: "MX"}},
		{"too short", "areaCode", agentphone.BuyNumberParams{Country: "US", AreaCode: "41"}},
		{"too long", "areaCode", agentphone.BuyNumberParams{Country: "US", AreaCode: "4155"}},
		{"not digits", "areaCode", agentphone.BuyNumberParams{Country: "US", AreaCode: "4a5"}},
	})
}

func sendMessage(ctx context.Context, c *agentphone.Client, p agentphone.SendMessageParams) error {
	return apitest.Err(c.Messages.Send(ctx, p))
}

func TestMessagesSend_RefusesInvalidParams(t *testing.T) {
	to := func(number string, recipients ...string) agentphone.SendMessageParams {
		return agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: number, Recipients: recipients}
	}
	validationTest(t, sendMessage, []invalidParams[agentphone.SendMessageParams]{
		{"missing", "to_number", to("")},
		{"formatted", "to_number", to("(415) 555-9999")},
		{"national", "to_number", to(nationalPhone)},
		{"beside to_number", "recipients", to(e164Phone, e164Phone, e164Phone)},
		{"of one", "recipients", to("", e164Phone)},
		{"with an empty one", "recipients", to("", e164Phone, "")},
		{"with a national one", "recipients", to("", e164Phone, "415-555-9999")},
		{"of 33", "recipients", to("", slices.Repeat([]string{e164Phone}, 33)...)},
		{"missing", "body", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone}},
		{"missing beside buttons", "body", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, Buttons: []string{"Yes"}}},
		{"missing", "agent_id", agentphone.SendMessageParams{Body: "b", ToNumber: e164Phone}},
	})
}

func TestMessagesSend_RefusesInvalidMedia(t *testing.T) {
	media := func(addresses ...string) agentphone.SendMessageParams {
		return agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, MediaURLs: addresses}
	}
	both := media("https://m")
	both.MediaURL = "https://m"
	validationTest(t, sendMessage, []invalidParams[agentphone.SendMessageParams]{
		{"beside media_url", "media_urls", both},
		{"21", "media_urls", media(slices.Repeat([]string{"https://m"}, 21)...)},
		{"over http", "media_urls", media("https://m", "http://m")},
		{"without a host", "media_urls", media("https:///m.png")},
		{"relative", "media_urls", media("m.png")},
		{"empty", "media_urls", media("https://m", "")},
		{"not a URL", "media_urls", media("https://m\n")},
	})
}

func TestMessagesSend_RefusesInvalidWhatsAppContent(t *testing.T) {
	with := func(set func(*agentphone.SendMessageParams)) agentphone.SendMessageParams {
		p := agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, Body: "b", Channel: agentphone.ChannelWhatsApp}
		set(&p)
		return p
	}
	cta, template := &agentphone.WhatsAppCTA{DisplayText: "Open", URL: "https://x"}, &agentphone.WhatsAppTemplate{Name: "n"}
	validationTest(t, sendMessage, []invalidParams[agentphone.SendMessageParams]{
		{"beside buttons", "list", with(func(p *agentphone.SendMessageParams) { p.Buttons, p.List = []string{"Yes"}, map[string]any{} })},
		{"beside buttons", "cta", with(func(p *agentphone.SendMessageParams) { p.Buttons, p.CTA = []string{"Yes"}, cta })},
		{"beside buttons", "template", with(func(p *agentphone.SendMessageParams) { p.Buttons, p.Template = []string{"Yes"}, template })},
		{"beside a list", "cta", with(func(p *agentphone.SendMessageParams) { p.List, p.CTA = map[string]any{}, cta })},
		{"beside a list", "template", with(func(p *agentphone.SendMessageParams) { p.List, p.Template = map[string]any{}, template })},
		{"beside a cta", "template", with(func(p *agentphone.SendMessageParams) { p.CTA, p.Template = cta, template })},
		{"four", "buttons", with(func(p *agentphone.SendMessageParams) { p.Buttons = []string{"1", "2", "3", "4"} })},
		{"blank", "buttons", with(func(p *agentphone.SendMessageParams) { p.Buttons = []string{"1", " "} })},
		{"of 21 characters", "buttons", with(func(p *agentphone.SendMessageParams) { p.Buttons = []string{strings.Repeat("é", 21)} })},
		{"missing", "cta.display_text", with(func(p *agentphone.SendMessageParams) { p.CTA = &agentphone.WhatsAppCTA{URL: "https://x"} })},
		{"missing", "cta.url", with(func(p *agentphone.SendMessageParams) { p.CTA = &agentphone.WhatsAppCTA{DisplayText: "Open"} })},
		{"of 21 characters", "cta.display_text", with(func(p *agentphone.SendMessageParams) {
			p.CTA = &agentphone.WhatsAppCTA{DisplayText: strings.Repeat("é", 21), URL: "https://x"}
		})},
		{"missing", "template.name", with(func(p *agentphone.SendMessageParams) { p.Template = &agentphone.WhatsAppTemplate{Language: "en_US"} })},
	})
}

func TestMessagesSend_SendsWhatTheAPIMayAccept(t *testing.T) {
	try := func(about string, params agentphone.SendMessageParams) {
		t.Run(about, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, apitest.Result))
			require.NoError(t, sendMessage(t.Context(), c, params))
			assert.Len(t, s.Requests(), 1)
		})
	}
	for _, to := range []string{e164Phone, "55555", "123456", "a@example.com", "grp_1", "whatsapp:+1"} {
		try("to "+to, agentphone.SendMessageParams{AgentID: "a", Body: "b", ToNumber: to})
	}
	try("media alone", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, MediaURLs: slices.Repeat([]string{"HTTPS://m/a?b#c"}, 20)})
	try("no media", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, Body: "b", MediaURLs: []string{}, Buttons: []string{}})
	try("a template alone", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, Template: &agentphone.WhatsAppTemplate{Name: "n"}})
	try("three buttons with media, channel left to the API", agentphone.SendMessageParams{
		AgentID: "a", ToNumber: e164Phone, Body: "b", MediaURL: "https://m", Buttons: slices.Repeat([]string{strings.Repeat("é", 20)}, 3),
	})
	try("by a channel that is new", agentphone.SendMessageParams{AgentID: "a", ToNumber: e164Phone, Body: "b", Channel: "rcs"})
	try("to 32 recipients", agentphone.SendMessageParams{AgentID: "a", Body: "b", Recipients: slices.Repeat([]string{e164Phone}, 32)})
	try("media to recipients from a number", agentphone.SendMessageParams{
		NumberID: "n", MediaURL: "https://m", Recipients: []string{e164Phone, "a@example.com"},
	})
}

// An empty list is none: the API accepts no lists without items.
func TestMessagesSend_LeavesEmptyListsOut(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, apitest.Result))
	require.NoError(t, sendMessage(t.Context(), c, agentphone.SendMessageParams{
		AgentID: "a", ToNumber: e164Phone, Body: "b", Recipients: []string{}, MediaURLs: []string{}, Buttons: []string{},
	}))
	assert.JSONEq(t, `{"agent_id": "a", "to_number": "+14155559999", "body": "b"}`, s.Requests()[0].Body)
}

func TestCallsCreate_RefusesInvalidParams(t *testing.T) {
	create := func(ctx context.Context, c *agentphone.Client, p agentphone.CreateCallParams) error {
		return apitest.Err(c.Calls.Create(ctx, p))
	}
	validationTest(t, create, []invalidParams[agentphone.CreateCallParams]{
		{"missing", "agentId", agentphone.CreateCallParams{ToNumber: e164Phone}},
		{"blank", "agentId", agentphone.CreateCallParams{AgentID: "  ", ToNumber: e164Phone}},
		{"missing", "toNumber", agentphone.CreateCallParams{AgentID: "a"}},
		{"national", "toNumber", agentphone.CreateCallParams{AgentID: "a", ToNumber: nationalPhone}},
		{"of 101 characters", "callScreeningIdentity", agentphone.CreateCallParams{AgentID: "a", ToNumber: e164Phone, CallScreeningIdentity: strings.Repeat("é", 101)}},
		{"of 301 characters", "callScreeningPurpose", agentphone.CreateCallParams{AgentID: "a", ToNumber: e164Phone, CallScreeningPurpose: strings.Repeat("é", 301)}},
	})
}

func TestWebhooksSet_RefusesInvalidParams(t *testing.T) {
	set := func(ctx context.Context, c *agentphone.Client, p agentphone.SetWebhookParams) error {
		return apitest.Err(c.Webhooks.Set(ctx, p))
	}
	validationTest(t, set, []invalidParams[agentphone.SetWebhookParams]{
		{"missing", "url", agentphone.SetWebhookParams{}},
		{"without a scheme", "url", agentphone.SetWebhookParams{URL: "example.com/hook"}},
		{"too low", "timeout", agentphone.SetWebhookParams{URL: "https://x", TimeoutSeconds: 4}},
		{"too high", "timeout", agentphone.SetWebhookParams{URL: "https://x", TimeoutSeconds: 121}},
		{"negative", "contextLimit", agentphone.SetWebhookParams{URL: "https://x", ContextLimit: agentphone.Ptr(-1)}},
	})
}
