package page_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// look sets the size of the page, and the theme that the user prefers.
func (p *tab) look(width int64, theme string, height int64) {
	p.Helper()
	p.do(chromedp.EmulateViewport(width, height))
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
		p.look(1440, theme, 800)
		p.fits("wide-call-"+theme, 1440)
		p.clicks("#phone button", "Messages")
		p.clicks("#inspector .row", "agent.message · imessage")
		p.fits("wide-texts-"+theme, 1440)
		for _, name := range []string{"Requests", "Faults", "Setup", "Deliveries"} {
			p.clicks("[role=tab]", name)
			p.fits("wide-"+name+"-"+theme, 1440)
		}
		p.look(360, theme, 800)
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

// With DEVPHONE_PICTURES=1 this makes the pictures of README.md.
func TestPage_Pictures(t *testing.T) {
	if os.Getenv("DEVPHONE_PICTURES") == "" {
		t.Skip("DEVPHONE_PICTURES=1 makes the pictures of README.md")
	}
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnMessage: p.replies, OnVoiceTurn: turn})
	p.pickUp(imessageUser)
	p.types("Can I book a table for two, on Friday?\r")
	p.sees(".bubble .text", "You said Can I")
	p.look(360, "dark", 520)
	picture(p, "texts")
	p.look(1000, "light", 420)
	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	p.types("Where is my order?\r")
	p.sees("#phone .typing", "First words after")
	p.clicks("#inspector .row", "agent.message · voice")
	picture(p, "call")
}

// picture writes a picture with the 256 colors that are there most often, which makes it small.
func picture(p *tab, name string) {
	p.Helper()
	shot, err := png.Decode(bytes.NewReader(p.screenshot(name)))
	require.NoError(p, err)
	count := map[color.Color]int{}
	for y := range shot.Bounds().Dy() {
		for x := range shot.Bounds().Dx() {
			count[shot.At(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int { return count[b] - count[a] })
	small := image.NewPaletted(shot.Bounds(), colors[:min(256, len(colors))])
	draw.Draw(small, small.Bounds(), shot, image.Point{}, draw.Src)
	var out bytes.Buffer
	require.NoError(p, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small))
	require.NoError(p, os.WriteFile("../pictures/"+name+".png", out.Bytes(), 0o644)) //nolint:gosec // it is public
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
