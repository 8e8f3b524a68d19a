package page_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/page"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

func TestPage_ServesWhatWasDoneAsAScenario(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	handler := page.Handler(srv, srv, page.Guard{})
	get := func(query string) (status int, header http.Header, body string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, page.ScenarioPath+query, nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Header(), w.Body.String()
	}
	status, header, body := get("")
	assert.Equal(t, 404, status)
	assert.Equal(t, "text/plain; charset=utf-8", header.Get("Content-Type"))
	assert.Contains(t, body, "there is nothing to save")

	srv.ReceiveMessage(person, srv.PhoneNumber(), "Can I book a table?")
	srv.ReceiveMessage("ada@example.com", srv.PhoneNumber(), "<b>\x1b")
	status, header, body = get("?person=ada%40example.com&number=" + "%2B" + srv.PhoneNumber()[1:])
	assert.Equal(t, 200, status)
	assert.Equal(t, "application/yaml; charset=utf-8", header.Get("Content-Type"))
	assert.Equal(t, `attachment; filename="b.yaml"`, header.Get("Content-Disposition"))
	assert.Equal(t, "no-store", header.Get("Cache-Control"))
	read, err := scenario.Parse("b.yaml", []byte(body))
	require.NoError(t, err)
	require.Len(t, read[0].Steps, 1)
	assert.Equal(t, "<b>\x1b", read[0].Steps[0].Words)
	_, header, body = get("")
	assert.Equal(t, `attachment; filename="can-i-book-a-table.yaml"`, header.Get("Content-Disposition"))
	assert.Contains(t, body, "ada@example.com")

	for range 5 {
		srv.ReceiveMessage(person, srv.PhoneNumber(), strings.Repeat("x", 1<<20))
	}
	status, _, body = get("")
	assert.Equal(t, 422, status)
	assert.Contains(t, body, "larger than 4 MiB")
	status, _, _ = get("?person=ada%40example.com")
	assert.Equal(t, 200, status)
}

// downloads has the browser save files in a folder, and returns what waits for one and returns its text.
func (p *tab) downloads() (file func(name string) string) {
	p.Helper()
	folder := p.TempDir()
	_, err := chromedp.Run(p.ctx, chromedp.Action[cdp.Empty](func(ctx context.Context, target *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, target, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
			Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
		})
	}))
	require.NoError(p, err)
	return func(name string) (text string) {
		p.Helper()
		require.Eventually(p, func() bool {
			f, err := os.Open(filepath.Join(folder, name))
			if err != nil {
				return false
			}
			defer func() { _ = f.Close() }()
			all, err := io.ReadAll(f)
			text = string(all)
			return err == nil && text != ""
		}, 10*time.Second, 20*time.Millisecond, "there is no %s", name)
		require.NoError(p, os.Remove(filepath.Join(folder, name)))
		return text
	}
}

// read returns the steps of a scenario that was saved.
func (p *tab) read(file string) (steps []string) {
	p.Helper()
	read, err := scenario.Parse("saved.yaml", []byte(file))
	require.NoError(p, err, file)
	for i := range read[0].Steps {
		steps = append(steps, read[0].Steps[i].String())
	}
	return steps
}

func TestPage_SavesAScenarioByKeyboard(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{OnMessage: p.replies, OnVoiceTurn: turn})
	saved := p.downloads()
	assert.False(t, evaluate[bool](p, `[...document.querySelectorAll("button")].some((e) => e.textContent.includes("Save") && e.checkVisibility())`), "there is nothing to save")
	p.pickUp(person)
	p.types("Can I book a table?" + kb.Enter)
	p.sees(".bubble .text", "You said Can I")
	p.tabTo(`e.textContent === "Save as scenario"`)
	p.types(kb.Enter)
	file := saved("can-i-book-a-table.yaml")
	assert.Equal(t, []string{`text "Can I book a table?"`}, p.read(file))
	assert.Contains(t, file, "    expect:\n      words:\n        - You said Can I book a table?\n      max: 1\n")

	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	p.types("Where is it?" + kb.Enter)
	p.sees("#phone .typing", "First words after")
	p.types("bye" + kb.Enter)
	p.sees("#phone .via", "agent_hangup")
	p.srv.ReceiveMessage(imessageUser, p.srv.PhoneNumber(), "Hi")
	p.tabTo(`e.textContent === "Save as scenario"`)
	p.types(" ")
	file = saved("where-is-it.yaml")
	assert.Equal(t, []string{`say "Where is it?"`, `say "bye"`}, p.read(file))
	assert.Contains(t, file, "hangup: true")

	p.tabTo(`e.textContent === "Save all"`)
	p.types(kb.Enter)
	file = saved("can-i-book-a-table.yaml")
	assert.Equal(t, []string{`text "Can I book a table?"`, `say "Where is it?"`, `say "bye"`, `text "Hi"`}, p.read(file))
	assert.Contains(t, file, "people:\n  person1:\n  person2: \""+imessageUser+"\"\n")
}

func TestPage_SaysWhyNothingCouldBeSaved(t *testing.T) {
	p := openTab(t)
	for range 5 {
		p.srv.ReceiveMessage(person, p.srv.PhoneNumber(), strings.Repeat("<b>", 300_000))
	}
	p.clicks("#people button", "Save all")
	p.sees("#notice", "larger than 4 MiB")
}
