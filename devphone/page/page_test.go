package page_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// imessageUser has iMessage, with reactions.
const imessageUser = "+14155550142"

func TestPage_ShowsWhatTheAgentTexts(t *testing.T) {
	p := openTab(t)
	_, err := p.client.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: p.srv.AgentID(), ToNumber: imessageUser, Body: "Your table is booked."})
	require.NoError(t, err)
	p.sees("#people .row .summary", "Your table is booked.")
	p.sees("#people .row .badge", "1")
	p.clicks("#people .row", imessageUser)
	p.sees(".bubble:not(.mine) .text", "Your table is booked.")
	p.clicks(".bubble button", "React")
	p.clicks(".reactions button", "👍")
	p.sees(".bubble .reaction", "👍")
	p.clicks("[role=tab]", "Requests")
	p.clicks("#inspector .row", "POST /v1/messages")
	p.sees("#inspector .row .code", "200")
	p.sees("#inspector pre", "Your table is booked.")
}

func TestPage_TextsTheAgent(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnMessage: p.replies})
	p.pickUp(person)
	p.types("Are you <b>open</b>?\r")
	p.sees(".bubble.mine .text", "Are you <b>open</b>?")
	p.sees(".bubble:not(.mine) .text", "You said Are you <b>open</b>?")
	p.sees("#inspector .row .code", "200")
	assert.Empty(t, evaluate[string](p, `document.querySelector("[name=text]").value`))

	p.clicks("#inspector .row", "agent.message")
	p.sees("#inspector pre", "X-Webhook-Signature: sha256=")
	p.sees("#inspector pre", `"message": "Are you <b>open</b>?"`)
	p.clicks("#inspector button", "Forge")
	p.sees("#inspector .attempt h4", "Sent again: 401")
	p.clicks("#inspector button", "Delay")
	p.eventually(`document.querySelectorAll("#inspector .attempt").length === 3`, func() string { return "" })
	p.clicks("#inspector button", "Resend")
	p.sees("#inspector .attempt h4", "Sent again: 200")
	time.Sleep(100 * time.Millisecond)
	assert.Equal(t, 2, evaluate[int](p, `document.querySelectorAll("#phone .bubble").length`), "a duplicate gets no second reply")
}

func TestPage_ShowsGroups(t *testing.T) {
	p := openTab(t)
	message, err := p.client.Messages.Send(t.Context(), agentphone.SendMessageParams{
		AgentID: p.srv.AgentID(), Recipients: []string{"ada@example.com", "bob@example.com"}, Body: "Dinner at seven?",
	})
	require.NoError(t, err)
	require.NotEmpty(t, message.ID)
	p.clicks("#people .row", "ada@example.com, bob@example.com")
	p.sees(".bubble .text", "Dinner at seven?")
	p.do(chromedp.SetValue(chromedp.CSS(`[name=member]`), "bob@example.com"), chromedp.Focus(`[name=text]`))
	p.types("Yes\r")
	p.sees(".bubble.mine .sender", "bob@example.com")
	p.sees(".bubble.mine .meta", "imessage")
}

// turn says something at once and the rest later, and hangs up after "bye".
func turn(_ context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	if strings.Contains(turn.Transcript, "bye") {
		return errors.Join(voice.Say("Goodbye!"), voice.Hangup())
	}
	if err := voice.Interim("One moment."); err != nil {
		return err
	}
	time.Sleep(700 * time.Millisecond)
	return voice.Say("Your order comes tomorrow.")
}

func TestPage_CallsTheAgent(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnVoiceTurn: turn})
	p.pickUp(person)
	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	p.do(chromedp.WaitVisible(chromedp.CSS(`[name=words]`)))
	p.types("Where is my order?\r")
	p.sees(".bubble.mine .text", "Where is my order?")
	p.sees(".bubble .text", "One moment.")
	assert.False(t, evaluate[bool](p, `document.body.textContent.includes("comes tomorrow")`), "the first words are shown before the others are said")
	p.sees(".bubble .meta", "interim")
	p.sees(".bubble .text", "Your order comes tomorrow.")
	times := evaluate[[]int](p, `[...document.querySelectorAll(".bubble .ms")].map((e) => parseInt(e.textContent.slice(1)))`)
	require.Len(t, times, 2)
	assert.Less(t, times[0], 700)
	assert.GreaterOrEqual(t, times[1], 700)
	p.sees("#phone .typing", "First words after ")
	p.clicks("#phone button", "Hang up")
	p.sees("#phone .via", "completed")
	p.sees("#phone .via", "user_hangup")
	p.types(kb.Escape)
	p.clicks("#phone button", "Messages")
	p.sees(".card", "Call to the agent · completed")
}

func TestPage_RingsIfTheAgentCalls(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnVoiceTurn: turn})
	place := func() string {
		call, err := p.client.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: p.srv.AgentID(), ToNumber: person})
		require.NoError(t, err)
		return call.ID
	}
	place()
	p.sees("#ringing", person+" rings")
	p.clicks("#ringing button", "Answer")
	p.sees("#phone .via", "in-progress")
	p.do(chromedp.WaitNotPresent(chromedp.CSS(`#ringing p`)))
	p.eventually(`document.activeElement.name === "words"`, func() string { return "" })
	p.types("Good bye\r")
	p.sees(".bubble .text", "Goodbye!")
	p.sees("#phone .via", "agent_hangup")

	declined := place()
	p.clicks("#ringing button", "Decline")
	require.Eventually(t, func() bool {
		call, err := p.client.Calls.Get(t.Context(), declined, agentphone.GetCallOptions{})
		return err == nil && call.Status.Final()
	}, 5*time.Second, 20*time.Millisecond)
}

func TestPage_InjectsFaults(t *testing.T) {
	p := openTab(t)
	p.clicks("[role=tab]", "Faults")
	p.do(chromedp.SendKeys(chromedp.CSS(`[name=operation]`), "GET /v1/agents"))
	p.clicks("#inspector button", "Inject the fault")
	p.sees("#inspector li", "GET /v1/agents, status 503, 1 left")
	list := func() error {
		_, err := p.srv.Client(agentphone.WithMaxRetries(0)).Agents.List(t.Context(), agentphone.ListAgentsParams{})
		return err
	}
	var refused *agentphone.APIError
	require.ErrorAs(t, list(), &refused)
	assert.Equal(t, 503, refused.StatusCode)
	require.NoError(t, list())
	p.sees("#inspector li", "None.")
	p.clicks("[role=tab]", "Requests")
	p.sees("#inspector .row .via", "fault")
}

func TestPage_SetsTheWebhookAndSettings(t *testing.T) {
	p := openTab(t)
	p.clicks("[role=tab]", "Setup")
	p.sees(".environment", "AGENTPHONE_API_KEY="+p.srv.APIKey())
	p.do(chromedp.SendKeys(chromedp.CSS(`#inspector [type=url]`), "http://127.0.0.1:9/hook\r"))
	p.sees(".environment", "AGENTPHONE_WEBHOOK_SECRET=whsec_")
	webhook, err := p.client.Webhooks.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:9/hook", webhook.URL)
	p.sees("code", webhook.Secret)
	p.clicks("#inspector button", "Buy a number")
	p.eventually(`document.querySelectorAll("[name=number] option").length === 2`, func() string { return "" })
	p.clicks("[name=paymentMethod]", "")
	p.clicks("#inspector button", "Buy a number")
	p.sees("#notice", "payment")
}

func TestPage_SurvivesACutConnection(t *testing.T) {
	p := openTab(t)
	for range 3 {
		p.server.CloseClientConnections()
		p.srv.ReceiveMessage(person, p.srv.PhoneNumber(), "Hi")
	}
	p.clicks("#people .row", person)
	p.eventually(`document.querySelectorAll("#phone .bubble").length === 3`, func() string { return "" })
	p.sees("#connection", "live")
}

// Everything is reached with Tab, Enter, Escape and the arrow keys, and the focus is visible.
func TestPage_IsUsableByKeyboard(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnMessage: p.replies, OnVoiceTurn: turn})
	p.tabTo(`e.name === "person"`)
	p.types(kb.Enter)
	p.eventually(`document.activeElement.name === "text"`, func() string { return "" })
	p.types("Hi" + kb.Enter)
	p.sees(".bubble .text", "You said Hi")
	p.tabTo(`e.id === "tab-deliveries"`)
	p.tabTo(`e.matches("#inspector .row")`)
	p.types(kb.Enter)
	p.sees("#inspector pre", "X-Webhook-Signature")
	p.tabTo(`e.textContent === "Forge"`)
	p.types(kb.Enter)
	p.sees("#inspector .attempt h4", "Sent again: 401")
	assert.Equal(t, "Forge", evaluate[string](p, `document.activeElement.textContent`), "the focus stays when a row is drawn again")
	p.types(kb.Escape)
	p.do(chromedp.WaitNotPresent(chromedp.CSS(`#inspector pre`)))
	p.tabTo(`e.matches("#people .row")`)
	p.types(kb.Enter)
	p.eventually(`document.activeElement.name === "text"`, func() string { return "" })

	_, err := p.client.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: p.srv.AgentID(), ToNumber: person})
	require.NoError(t, err)
	p.sees("#ringing", "rings")
	p.tabTo(`e.matches("#ringing .go")`)
	p.types(kb.Enter)
	p.eventually(`document.activeElement.name === "words"`, func() string { return "" })
	p.types("bye" + kb.Enter)
	p.sees("#phone .via", "agent_hangup")
	unlabelled := evaluate[[]string](p, `[...document.querySelectorAll("input, select, textarea")].filter((e) => !e.ariaLabel && !e.closest("label")).map((e) => e.outerHTML)`)
	assert.Empty(t, unlabelled)
}
