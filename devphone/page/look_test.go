package page_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// look sets the size of the page, and the theme that the user prefers.
func (p *tab) look(width int64, theme string) {
	p.Helper()
	p.do(chromedp.EmulateViewport(width, 800))
	_, err := chromedp.Run(p.ctx, chromedp.Action[cdp.Empty](func(ctx context.Context, target *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
		})
	}))
	require.NoError(p, err)
}

// Pictures of each view in both sizes and themes are in devphone-shots of the temporary directory.
func TestPage_FitsItsSizesAndThemes(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnMessage: p.replies, OnVoiceTurn: turn})
	_, err := p.client.Messages.Send(t.Context(), agentphone.SendMessageParams{
		AgentID: p.srv.AgentID(), Recipients: []string{"ada@example.com", "bob@example.com"}, Body: "Dinner at seven?",
	})
	require.NoError(t, err)
	p.pickUp(imessageUser)
	p.types("Can I book a table for two, on Friday?\r")
	p.sees(".bubble .text", "You said Can I")
	p.clicks(".bubble button", "React")
	p.clicks(".reactions button", "👍")
	p.sees(".bubble .reaction", "👍")
	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	p.types("Where is my order?\r")
	p.sees("#phone .typing", "First words after")
	_, err = p.client.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: p.srv.AgentID(), ToNumber: person})
	require.NoError(t, err)
	p.sees("#ringing", person+" rings")

	for _, theme := range []string{"light", "dark"} {
		p.look(1440, theme)
		p.fits("wide-call-"+theme, 1440)
		p.clicks("#phone button", "Messages")
		p.clicks("#inspector .row", "agent.message · imessage")
		p.fits("wide-texts-"+theme, 1440)
		for _, name := range []string{"Requests", "Faults", "Setup", "Deliveries"} {
			p.clicks("[role=tab]", name)
			p.fits("wide-"+name+"-"+theme, 1440)
		}
		p.look(360, theme)
		p.clicks("nav button", "Phones")
		p.fits("narrow-phones-"+theme, 360)
		p.clicks("nav button", "Inspector")
		for _, name := range []string{"Requests", "Faults", "Setup", "Deliveries"} {
			p.clicks("[role=tab]", name)
			p.fits("narrow-"+name+"-"+theme, 360)
		}
		p.clicks("#inspector .row", "agent.message · imessage") // closes it
		p.clicks("nav button", "Phones")
		p.clicks("#people .row", imessageUser)
		p.fits("narrow-texts-"+theme, 360)
		p.clicks("#phone .card button", "Open the call")
		p.fits("narrow-call-"+theme, 360)
	}
}

// fits takes a picture, in which nothing is cut off at the right.
func (p *tab) fits(name string, width int) {
	p.Helper()
	p.screenshot(name)
	assert.LessOrEqual(p, evaluate[int](p, `document.documentElement.scrollWidth`), width, name)
	cut := evaluate[[]string](p, fmt.Sprintf(`[...document.querySelectorAll("button, input, select, textarea, h2, h3")]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > %d + 1).map((e) => e.outerHTML.slice(0, 200))`, width))
	assert.Empty(p, cut, name)
}
