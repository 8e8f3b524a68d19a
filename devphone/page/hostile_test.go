package page_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// Whatever others write is shown as text, and runs nothing.
func TestPage_ShowsHostileTextsAsText(t *testing.T) {
	p := openTab(t)
	texts := map[string]string{
		"a script":        `<script>document.title = "owned"</script>`,
		"an image":        `<img src=x onerror="document.title='owned'">`,
		"an attribute":    `"><svg onload="document.title='owned'">`,
		"a template":      "${document.title = 'owned'} {{constructor.constructor('document.title=1')()}}",
		"right to left":   "\u202egnp.exe\u202c \u2066isolate",
		"emoji":           "👩‍👩‍👧‍👦🏳️‍🌈 e" + strings.Repeat("\u0301", 60),
		"control chars":   "a\u0001b\u200bc\ufeffd",
		"lone surrogates": "a\ufffdb",
		"no spaces":       strings.Repeat("x", 1500),
		"markup in lines": "<b>\r\n</b>\n<iframe src=javascript:alert(1)>",
	}
	for _, text := range texts {
		p.srv.ReceiveMessage(person, p.srv.PhoneNumber(), text)
	}
	long := strings.Repeat("0123456789<b>", 10_000)[:100_000]
	p.srv.ReceiveMessage(person, p.srv.PhoneNumber(), long)
	p.clicks("#people .row", person)
	p.sees(".bubble .text", "Show all 100,000 characters")
	for name, text := range texts {
		shown := evaluate[[]string](p, `[...document.querySelectorAll(".bubble .text")].map((e) => e.textContent)`)
		assert.Contains(t, shown, text, name)
	}
	p.clicks(".bubble button", "Show all")
	assert.Contains(t, evaluate[[]string](p, `[...document.querySelectorAll(".bubble .text")].map((e) => e.textContent)`), long)
	assert.Zero(t, evaluate[int](p, `document.querySelectorAll(".bubble :is(script, img, svg, iframe, b)").length`))
	assert.LessOrEqual(t, evaluate[int](p, `document.documentElement.scrollWidth`), 1440, "no text is wider than the page")
	p.screenshot("hostile")

	// Names, URLs, what is said, and what the inspector shows.
	evil := `<img src=x onerror="document.title='owned'">`
	_, err := p.client.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: evil})
	require.NoError(t, err)
	p.srv.Receive(agentphonetest.IncomingMessage{From: "ada@example.com", To: p.srv.PhoneNumber(), Body: "look", MediaURLs: []string{
		"javascript:document.title='owned'", "JaVaScRiPt:alert(1)", "data:text/html,<script>1</script>", "vbscript:x", "https://example.com/a.png",
	}})
	p.clicks("#people .row", "ada@example.com")
	p.sees(".media", "vbscript:x")
	assert.Equal(t, []string{"https://example.com/a.png"}, evaluate[[]string](p, `[...document.querySelectorAll(".media a")].map((e) => e.href)`))
	for _, name := range []string{"Requests", "Setup"} {
		p.clicks("[role=tab]", name)
	}
	p.sees("summary", evil)
	p.clicks("[role=tab]", "Requests")
	p.clicks("#inspector .row", "POST /v1/agents")
	p.sees("#inspector pre", `onerror=`)
	assert.Equal(t, "devphone", evaluate[string](p, `document.title`))
	assert.Equal(t, 1, evaluate[int](p, `document.scripts.length`))
}
