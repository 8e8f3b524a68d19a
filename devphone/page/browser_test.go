package page_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/page"
)

const person = "+14155550123"

// chromium returns the name of the program, or skips the test.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("chromium is missing: apt-get install chromium")
	}
	t.Skip("chromium is missing, so the page is not tested: apt-get install chromium")
	return ""
}

// browser is the browser of all tests, which begins with the first one.
var browser = sync.OnceValue(func() context.Context {
	opts := chromedp.DefaultExecAllocatorOptions[:]
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(opts, chromedp.ExecPath(browserPath))...)
	endBrowser = cancel
	ctx, _ = chromedp.NewContext(ctx)
	return ctx
})

var (
	browserPath string
	endBrowser  = func() {}
)

func TestMain(m *testing.M) {
	code := m.Run()
	endBrowser()
	os.Exit(code)
}

// tab is the page in a tab of the browser.
type tab struct {
	*testing.T
	ctx    context.Context //nolint:containedctx // it lives as long as the tab
	srv    *agentphonetest.Server
	server *httptest.Server
	client *agentphone.Client
}

// openTab opens the page on an API of its own.
func openTab(t *testing.T, opts ...agentphonetest.Option) *tab {
	t.Helper()
	srv := agentphonetest.NewServer(append([]agentphonetest.Option{agentphonetest.WithRinging()}, opts...)...)
	t.Cleanup(srv.Close)
	server := httptest.NewServer(page.Handler(srv, srv, page.Guard{}))
	t.Cleanup(server.Close)
	t.Cleanup(srv.Close) // breaks off the events
	p := browse(t, server.URL)
	p.srv, p.server, p.client = srv, server, srv.Client()
	return p
}

// browse opens a page in a tab. Errors of scripts and of the content security policy fail the test.
func browse(t *testing.T, url string) *tab {
	t.Helper()
	browserPath = chromium(t)
	if browser().Err() != nil { // nothing can be done
		t.Fatal(browser().Err())
	}
	require.NoError(t, chromedp.Do(browser()))
	ctx, cancel := chromedp.NewContext(browser())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var problems []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			problems = append(problems, fmt.Sprint(event.ExceptionDetails.Text, event.ExceptionDetails.Exception))
		case *log.EventEntryAdded:
			if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork { // statuses that a test provokes
				problems = append(problems, event.Entry.Text)
			}
		}
	}))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, problems)
	})
	p := &tab{T: t, ctx: ctx}
	p.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url))
	p.sees("#connection", "live")
	return p
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	require.NoError(p, chromedp.Do(p.ctx, actions...))
}

// evaluate returns the value of an expression in JavaScript.
func evaluate[T any](p *tab, expression string) (value T) {
	p.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	require.NoError(p, err)
	return value
}

// sees waits until a visible element has a text.
func (p *tab) sees(selector, text string) {
	p.Helper()
	p.eventually(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && (e.textContent + (e.value ?? "")).includes(%q))`, selector, text),
		func() string {
			return evaluate[string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].map((e) => e.textContent).join("\n")`, selector))
		})
}

func (p *tab) eventually(expression string, found func() string) {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); !evaluate[bool](p, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.screenshot("failed-" + strings.ReplaceAll(p.Name(), "/", "-"))
			p.Fatalf("%s does not hold; found %.2000s", expression, found())
		}
	}
}

// clicks clicks the visible element with a text.
func (p *tab) clicks(selector, text string) {
	p.Helper()
	p.sees(selector, text)
	evaluate[bool](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].find((e) => e.checkVisibility() && e.textContent.includes(%q)).click() ?? true`, selector, text))
}

// types types keys where the focus is.
func (p *tab) types(keys string) {
	p.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the focus is on an element e for which an expression holds, and checks that it is visible.
func (p *tab) tabTo(expression string) {
	p.Helper()
	for range 60 {
		p.types(kb.Tab)
		if evaluate[bool](p, "((e) => "+expression+")(document.activeElement)") {
			assert.NotEqual(p, "none", evaluate[string](p, `getComputedStyle(document.activeElement).outlineStyle`))
			return
		}
	}
	p.Fatal("Tab does not lead to " + expression)
}

// shots is where pictures go.
var shots = filepath.Join(os.TempDir(), "devphone-shots")

func (p *tab) screenshot(name string) []byte {
	p.Helper()
	image, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p, err)
	require.NoError(p, os.MkdirAll(shots, 0o700))
	require.NoError(p, os.WriteFile(shots+"/"+name+".png", image, 0o600))
	return image
}

// pickUp chooses the phone of a person.
func (p *tab) pickUp(who string) {
	p.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(`[name=person]`), who))
	p.clicks("#people button", "Pick up this phone")
	p.sees("#phone h2", who)
}

// agent has a webhook handler receive the events of the account.
func (p *tab) agent(config agentphone.WebhookHandlerConfig) {
	p.Helper()
	webhook, err := p.client.Webhooks.Set(p.Context(), agentphone.SetWebhookParams{URL: "http://127.0.0.1:8080/webhook"})
	require.NoError(p, err)
	handler, err := agentphone.NewWebhookHandler([]string{webhook.Secret}, config)
	require.NoError(p, err)
	p.srv.SetReceiver(handler)
}

// replies replies to texts.
func (p *tab) replies(ctx context.Context, e *agentphone.Event, m *agentphone.MessageData) error {
	_, err := p.client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: m.From, Body: "You said " + m.Message})
	return err
}
