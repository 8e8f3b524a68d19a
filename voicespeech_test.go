package agentphone_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// timedWriter notes the text of each line of an answer and when it was written, as in "150ms Hello."
type timedWriter struct {
	*httptest.ResponseRecorder
	began time.Time
	lines []string
}

func (w *timedWriter) Write(line []byte) (int, error) {
	var said struct{ Text string }
	if err := json.Unmarshal(line, &said); err != nil {
		return 0, err
	}
	w.lines = append(w.lines, fmt.Sprintf("%v %s", time.Since(w.began), said.Text))
	return w.ResponseRecorder.Write(line)
}

// heard returns what is said in a voice turn, and when, by the clock of a synctest bubble.
func heard(t *testing.T, f voiceFunc) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &timedWriter{httptest.NewRecorder(), time.Now(), nil}
		voiceHandler(t, f).ServeHTTP(w, apitest.SignedRequest(apitest.TurnEvent, ""))
		lines = w.lines
	})
	return lines
}

// script returns an iterator that yields the strings among its steps and sleeps for the durations.
func script(steps ...any) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, step := range steps {
			switch step := step.(type) {
			case time.Duration:
				time.Sleep(step)
			case string:
				if !yield(step, nil) {
					return
				}
			}
		}
	}
}

// A model that calls a tool yields nothing for a while: what it said before must not wait for the tool.
func TestVoiceResponseStream_SaysASentenceAsSoonAsItIsWhole(t *testing.T) {
	type steps []any
	const ms, tool = time.Millisecond, 2 * time.Second
	keepAlive := steps{"Let me look that up."}
	for range 40 {
		keepAlive = append(keepAlive, 50*ms, "")
	}
	for name, tc := range map[string]struct {
		steps steps
		want  string
	}{
		"white space after it":                  {steps{"Let me ", "look that up. ", tool, "It left."}, "0s Let me look that up.|2s It left."},
		"a line feed after it":                  {steps{"Let me see\n", tool, "It left."}, "0s Let me see|2s It left."},
		"a token that begins another":           {steps{"Let me look that up.", "It left.", tool, " Anything else?"}, "0s Let me look that up.|150ms It left.|2s Anything else?"},
		"a token that begins with a digit":      {steps{"They left.", "3 of them.", tool, "Bye."}, "0s They left.|150ms 3 of them.|2s Bye."},
		"a token that begins with a quote":      {steps{"They left.", "“Bye” was", tool, " all."}, "0s They left.|1s “Bye”|2s was all."},
		"a token that begins with a quote mark": {steps{"They left.", `"Bye" was`, tool, " all."}, `0s They left.|1s "Bye"|2s was all.`},
		"no token for 150 ms":                   {steps{"Let me ", "look that up.", tool, "Order left."}, "150ms Let me look that up.|2s Order left."},
		"no token for 150 ms, a question":       {steps{"Really?", tool, "Order left."}, "150ms Really?|2s Order left."},
		"no token for 150 ms, an ellipsis":      {steps{"Let me see...", tool, "Order left."}, "150ms Let me see...|2s Order left."},
		"no token for 150 ms, a quote":          {steps{`He said "No."`, tool, "Order left."}, `150ms He said "No."|2s Order left.`},
		"no token for 150 ms, wide":             {steps{"好的。", tool, "订单已发出。"}, "150ms 好的。|2s 订单已发出。"},
		"no token for 150 ms, an emoji":         {steps{"Great!😀", tool, "Bye."}, "150ms Great!😀|2s Bye."},
		"never an emoji alone":                  {steps{"Great! 😀", tool, " Bye."}, "0s Great!|2s 😀 Bye."},
		"no token for 150 ms after 5 p.m.":      {steps{"We close at 5 p.m.", tool, "Bye."}, "150ms We close at 5 p.m.|2s Bye."},
		"no token for 150 ms after No.":         {steps{"No.", tool, "It left."}, "150ms No.|2s It left."},
		"tokens without text do not count":      {append(keepAlive, "It left."), "150ms Let me look that up.|2s It left."},
		"a token after 149 ms":                  {steps{"At example.", 149 * ms, "com. ", tool, "Bye."}, "149ms At example.com.|2.149s Bye."},
		"each pause counts from its own token":  {steps{"At", 100 * ms, " seven", 100 * ms, " sharp.", tool, "Bye."}, "350ms At seven sharp.|2.2s Bye."},
		"two tools":                             {steps{"One.", tool, "Two.", tool, "Three."}, "150ms One.|2.15s Two.|4s Three."},
		"not after a title":                     {steps{"Ask Dr.", 500 * ms, " Who. ", "Bye."}, "500ms Ask Dr. Who.|500ms Bye."},
		"not after an initial":                  {steps{"Ask J.", 500 * ms, " Doe. ", "Bye."}, "500ms Ask J. Doe.|500ms Bye."},
		"not within a decimal":                  {steps{"It costs 3.", 500 * ms, "50 dollars."}, "500ms It costs 3.50 dollars."},
		"not after a list number":               {steps{"1.", 500 * ms, " Milk. ", "Bye."}, "500ms 1. Milk.|500ms Bye."},
		"not after Flight No.":                  {steps{"Take Flight No.", 500 * ms, " 3. ", "Bye."}, "500ms Take Flight No. 3.|500ms Bye."},

		"no token for a second: whole words":           {steps{"I am look", tool, "ing it up."}, "1s I am|2s looking it up."},
		"no token for a second: white space":           {steps{"I am looking ", tool, "it up."}, "1s I am looking|2s it up."},
		"no token for a second: a comma":               {steps{"Let me see,", tool, "it left."}, "1s Let me see,|2s it left."},
		"no token for a second: a dash":                {steps{"Let me see —", tool, "it left."}, "1s Let me see —|2s it left."},
		"no token for a second: a title":               {steps{"I will ask Dr.", tool, "Who."}, "1s I will ask Dr.|2s Who."},
		"no token for a second: a number":              {steps{"You are number 3.", tool, "Bye."}, "1s You are number 3.|2s Bye."},
		"no token for a second: no word is whole":      {steps{"Look", tool, "ing."}, "2s Looking."},
		"no token for a second: scripts without space": {steps{"我想查一下", tool, "好。"}, "1s 我想查一下|2s 好。"},
		"no token for a second: within a character":    {steps{"好 好\xe5\xa5", tool, "\xbd吃。"}, "1s 好 好|2s 好吃。"},
		"no token for three seconds: everything":       {steps{"Let me check", 5 * time.Second, "It left."}, "1s Let me|3s check|5s It left."},
		"no token for three seconds: a character":      {steps{"Look \xe5\xa5", 5 * time.Second, "\xbd。"}, "1s Look|5s 好。"},
		"nothing but white space":                      {steps{"  ", 5 * time.Second, "It left."}, "5s It left."},
		"nothing":                                      {steps{5 * time.Second}, "5s "},
		"a token before the end of a pause":            {steps{"I am", 999 * ms, " here", 999 * ms, " now"}, "1.998s I am here now"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := heard(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(script(tc.steps...)) })
			assert.Equal(t, strings.Split(tc.want, "|"), lines)
		})
	}
}

func TestVoiceResponseStream_InterimSaysWhatIsHeldBackFirst(t *testing.T) {
	lines := heard(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		err := v.Stream(func(yield func(string, error) bool) {
			require.NoError(t, v.Interim("One moment."))
			yield("Your order", nil)
			require.NoError(t, v.Interim("")) // says nothing
			yield(" is", nil)
			require.NoError(t, v.Interim("Hm."))
			require.NoError(t, v.Interim("Let me see."))
			time.Sleep(2 * time.Second)
			yield(" on its way. Bye", nil)
			require.NoError(t, v.Hangup())
		})
		require.ErrorIs(t, v.Interim("late"), agentphone.ErrVoiceAnswered)
		return err
	})
	assert.Equal(t, []string{"0s One moment.", "0s Your order is", "0s Hm.", "0s Let me see.", "2s on its way.", "2s Bye"}, lines)
}

// Whatever happens between the tokens, each character and each interim text is said once, and in order.
func TestVoiceResponseStream_LosesNoTextWhateverHappensBetweenTokens(t *testing.T) {
	pieces := []string{"word", " ", " ", "\u00a0", "\u202f", "\u3000", "\u2028", "12\u202f500", ".", "!", "...", "。", "\n", `"`, ")", "好", "é", "😀", "3.50", "5 p.m.", " Dr.", "No.", "1.", " U.S.", "Then", "today", strings.Repeat("z", 170)}
	pauses := []time.Duration{0, 0, 0, time.Millisecond, 149 * time.Millisecond, 150 * time.Millisecond, time.Second, 3 * time.Second}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 12))
		var want strings.Builder
		lines := heard(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				for n := range random.IntN(40) {
					piece := pieces[random.IntN(len(pieces))]
					want.WriteString(piece)
					if !yield(piece, nil) {
						return
					}
					switch random.IntN(8) {
					case 0:
						interim := fmt.Sprintf("<interim %d>", n)
						want.WriteString(interim)
						assert.NoError(t, v.Interim(interim))
					case 1:
						assert.NoError(t, v.Hangup())
					case 2, 3, 4:
						time.Sleep(pauses[random.IntN(len(pauses))])
					}
				}
			})
		})
		said := ""
		for _, line := range lines {
			_, text, _ := strings.Cut(line, " ")
			said += text
		}
		require.Equal(t, withoutSpace(want.String()), withoutSpace(said), "seed %d: %q", seed, lines)
	}
}

func TestVoiceResponseStream_SayWorksAfterAnErrorBeforeAnyTextButAnInterim(t *testing.T) {
	broken := errors.New("model is down")
	for name, stream := range map[string]func(*agentphone.VoiceResponse) error{
		"before": func(v *agentphone.VoiceResponse) error {
			require.NoError(t, v.Interim("One moment."))
			return v.Stream(func(yield func(string, error) bool) { yield("", broken) })
		},
		"within": func(v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				require.NoError(t, v.Interim("One moment."))
				yield("", broken)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			lines := heard(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
				require.ErrorIs(t, stream(v), broken)
				return v.Say("Sorry, something went wrong.")
			})
			assert.Equal(t, []string{"0s One moment.", "0s Sorry, something went wrong."}, lines)
		})
	}
}
