package page_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// measured prints what the page costs after a load, and holds it to generous bounds.
func (p *tab) measured(what string, took time.Duration) {
	p.Helper()
	heap, err := chromedp.Run(p.ctx, chromedp.Action[int](func(ctx context.Context, target *chromedp.Target) (int, error) {
		if _, err := cdp.Call(ctx, target, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return 0, err
		}
		usage, err := cdp.Call(ctx, target, runtime.GetHeapUsage, cdp.Empty{})
		return int(usage.UsedSize), err
	}))
	require.NoError(p, err)
	nodes := evaluate[int](p, `document.querySelectorAll("*").length`)
	frame := evaluate[int](p, `Math.round(Math.max(...gaps))`)
	p.Logf("%s: all shown after %v, longest frame %d ms, JavaScript heap %.1f MB, %d elements", what, took.Round(time.Millisecond), frame, float64(heap)/1e6, nodes)
	assert.Less(p, took, time.Minute)
	assert.Less(p, frame, 2000)
	assert.Less(p, heap, 100_000_000)
	assert.Less(p, nodes, 5000, "the rest is not in the document")
}

// watchFrames measures the time between frames from now on.
func (p *tab) watchFrames() {
	p.Helper()
	evaluate[bool](p, `(() => {
		globalThis.gaps = [0];
		let last = performance.now();
		const tick = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(tick); };
		requestAnimationFrame(tick);
		return true;
	})()`)
}

func TestPage_StaysSmoothWithAThousandMessages(t *testing.T) {
	p := openTab(t)
	p.pickUp(person)
	p.watchFrames()
	began := time.Now()
	for i := range 1000 {
		p.srv.ReceiveMessage(person, p.srv.PhoneNumber(), fmt.Sprintf("Message %d. %s", i, strings.Repeat("Words, words. ", i%20)))
	}
	p.sees(".bubble .text", "Message 999.")
	p.measured("1,000 messages", time.Since(began))
	p.clicks("#phone .more", "Earlier")
	p.sees(".bubble .text", "Message 840.")
	p.do(chromedp.Reload())
	began = time.Now()
	p.clicks("#people .row", person)
	p.sees(".bubble .text", "Message 999.")
	t.Logf("after a reload shown after %v", time.Since(began).Round(time.Millisecond))
	for range 20 {
		if !evaluate[bool](p, `document.querySelector("#phone .more").checkVisibility()`) {
			break
		}
		p.clicks("#phone .more", "Earlier")
	}
	p.sees(".bubble .text", "Message 0.")
}

func TestPage_StaysSmoothWithACallOf500Turns(t *testing.T) {
	p := openTab(t)
	p.agent(agentphone.WebhookHandlerConfig{
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, said *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
			if err := voice.Interim("One moment."); err != nil {
				return err
			}
			return voice.Say("You said " + said.Transcript)
		},
	})
	p.pickUp(person)
	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	call := p.srv.Calls()[0]
	p.watchFrames()
	began := time.Now()
	for i := range 500 {
		_, err := p.srv.CallerSays(call.ID, fmt.Sprintf("turn %d.", i))
		require.NoError(t, err)
	}
	p.sees(".bubble .text", "You said turn 499.")
	p.measured("500 turns", time.Since(began))
}
