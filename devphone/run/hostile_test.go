package run_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// answers returns an agent that writes a response to each event.
func answers(write func(w http.ResponseWriter, r *http.Request)) agent {
	return func(_ *agentphone.Client, _ *agentphone.Event, w http.ResponseWriter, r *http.Request) { write(w, r) }
}

func ndjson(w http.ResponseWriter, lines ...string) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	for _, line := range lines {
		_, _ = fmt.Fprintln(w, line)
		_ = http.NewResponseController(w).Flush()
	}
}

// switchProtocols responds 101 and keeps the connection, until the other side closes it.
func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
}

func TestRun_HostileAgentsFail(t *testing.T) {
	never := answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, test := range map[string]struct {
		agent agent
		steps string
		want  []string
	}{
		"never answers a turn": {never, "  - {say: Hi, expect: {within: 200ms}}", []string{"status: no response: it took longer than 200ms; 2xx expected"}},
		"never responds":       {never, "  - {text: Hi, expect: {within: 200ms}}", []string{"status: no response: it took longer than 200ms; 2xx expected"}},
		"500": {
			answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
			"  - {say: Hi, expect: {words: hi}}",
			[]string{"status: 500, expected 2xx", `words: "hi" is not in the answer`},
		},
		"late": {
			answers(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(100 * time.Millisecond)
				ndjson(w, `{"text":"Hi"}`)
			}),
			"  - {say: Hi, expect: {words: hi, first: 10ns}}",
			[]string{"first: the first words came after X, expected within 10ns"},
		},
		"too late in the middle": {
			answers(func(w http.ResponseWriter, r *http.Request) {
				ndjson(w, `{"text":"One moment.","interim":true}`)
				<-r.Context().Done()
			}),
			"  - {say: Hi, expect: {words: moment, within: 300ms}}",
			[]string{"status: no response: it took longer than 300ms; 2xx expected"},
		},
		"invalid JSON": {
			answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"text":"Hi`) }),
			"  - {say: Hi, expect: {words: hi}}",
			[]string{`answer: it is no JSON object: unexpected end of JSON input: "{\"text\":\"Hi"`, `words: "hi" is not in the answer`},
		},
		"closes the connection": {
			answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			"  - {say: Hi, expect: {status: 200}}",
			[]string{"status: no response: the agent closed the connection; 200 expected"},
		},
		"closes it each time, until there is no time left": {
			answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			"  - {text: Hi, expect: {within: 200ms}}", // the third attempt comes at 200 ms
			[]string{"status: no response: the agent closed the connection; 2xx expected"},
		},
		"500 each time, until there is no time left": {
			answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
			"  - {text: Hi, expect: {within: 200ms}}", []string{"status: 500, expected 2xx"},
		},
		"is too slow for a duplicate": {
			answers(func(w http.ResponseWriter, _ *http.Request) { time.Sleep(150 * time.Millisecond) }),
			"  - {text: Hi, fault: {duplicate: 3}, expect: {within: 200ms}}",
			[]string{"status: no response: it took longer than 200ms; 2xx expected"},
		},
		"closes it in the middle": {
			answers(func(w http.ResponseWriter, _ *http.Request) {
				ndjson(w, `{"text":"Hi","interim":true}`)
				panic(http.ErrAbortHandler)
			}),
			"  - {say: Hi, expect: {words: hi}}",
			[]string{"status: no response: the agent closed the connection; 2xx expected"},
		},
		"redirects": {
			answers(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}),
			"  - {text: Hi, expect: {max: 0}}",
			[]string{"status: 307, expected 2xx"},
		},
		"removes its webhook": {
			func(client *agentphone.Client, _ *agentphone.Event, _ http.ResponseWriter, r *http.Request) {
				_ = client.Webhooks.Delete(r.Context())
			},
			"  - text: Hi\n  - text: Ho",
			[]string{"status: nothing was delivered: the agent has removed its webhook"},
		},
		"releases its number": {
			func(client *agentphone.Client, _ *agentphone.Event, _ http.ResponseWriter, r *http.Request) {
				numbers, _ := client.Numbers.List(r.Context(), agentphone.ListNumbersParams{})
				_, _ = client.Numbers.Release(r.Context(), numbers.Data[0].ID)
			},
			"  - text: Hi\n  - text: Ho",
			[]string{`text: agentphonetest: ReceiveMessage: the server has no number or group "+14155550100"`},
		},
		"ends the call by the API": {
			func(client *agentphone.Client, e *agentphone.Event, _ http.ResponseWriter, r *http.Request) {
				if turn, ok := e.Data.(*agentphone.VoiceTurnData); ok {
					go func() { _, _ = client.Calls.End(t.Context(), turn.CallID) }()
				}
			},
			"  - say: Hi\n  - {expect: {max: 0}}\n  - say: Ho",
			[]string{"say: the call is over: the agent has ended it"},
		},
		"switches protocols in a turn": {
			answers(switchProtocols), "  - {say: Hi, expect: {within: 2s}}",
			[]string{"status: no response: it switched protocols (101); 2xx expected"},
		},
		"switches protocols": {
			answers(switchProtocols), "  - {text: Hi, expect: {within: 2s}}",
			[]string{"status: no response: it switched protocols (101); 2xx expected"},
		},
		"switches protocols when the sender gives up": {
			answers(switchProtocols), "  - {text: Hi, fault: {timeout: 1s}, expect: {within: 2s}}",
			[]string{"status: no response: it switched protocols (101); 2xx expected"},
		},
		"refuses": {
			answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }),
			"  - {text: Hi, expect: {words: hi}}",
			[]string{"status: 403, expected 2xx"},
		},
		"redelivered, always 500": {
			answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
			"  - {text: Hi, expect: {status: 200, within: 300ms}}",
			[]string{"status: 500, expected 200"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			result := play(t, test.agent, test.steps)
			assert.Less(t, time.Since(began), 5*time.Second, "half of how long a step waits for words")
			got := failures(result)
			if name == "late" { // how late, nobody knows
				require.Len(t, got, 1)
				assert.Regexp(t, `^first: the first words came after \d+(ms|\.\d+s), expected within 10ns$`, got[0])
				return
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// Silence is not what an agent meant whose answer cannot be read: a traceback, the HTML of an error page, lines without the
// Content-Type of NDJSON. What else is expected may hold by accident.
func TestRun_AnswerThatCannotBeReadFails(t *testing.T) {
	writes := func(contentType, body string) agent {
		return answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = fmt.Fprint(w, body)
		})
	}
	const json, ndjson, words = "application/json", "application/x-ndjson", `{"text":"secret words","interim":true}` + "\n"
	for name, test := range map[string]struct {
		agent agent
		want  string // "" if the step passes
	}{
		"HTML":                       {writes("text/html", "<h1>Error</h1>"), "answer: it is no JSON object: "},
		"a list":                     {writes(json, "[]"), "answer: it is no JSON object: "},
		"other types":                {writes(json, `{"text":5}`), "answer: it is not as the API has it: text: "},
		"lines without their type":   {writes(json, words+words), "several take the Content-Type application/x-ndjson"},
		"words, then a traceback":    {writes(json, words+"Traceback"), "several take the Content-Type application/x-ndjson"},
		"a line that is a traceback": {writes(ndjson, "Traceback\n"), "answer: line 1 is no JSON object: "},
		"zeros without end":          {writes(json, strings.Repeat("\x00", 17<<20)), "answer: it is longer than 16 MiB"},
		"nothing":                    {writes(json, ""), ""},
		"an empty object":            {writes(json, "{}"), ""},
		"empty lines":                {writes(ndjson, "\n\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range []string{
				"  - {say: Hello, expect: {not: [secret words], max: 0}}", "  - {say: Hello, expect: {max: 1}}", "  - say: Hello",
				"  - {say: Hello, fault: {duplicate: 1}, expect: {max: 0}}",
			} {
				got := failures(play(t, test.agent, step))
				if test.want == "" {
					assert.Empty(t, got, step)
				} else if assert.Len(t, got, 1, step) {
					assert.Contains(t, got[0], test.want)
				}
			}
		})
	}
	var turns atomic.Int32
	second := func(body string) agent {
		return answers(func(w http.ResponseWriter, _ *http.Request) {
			if turns.Add(1)%2 == 0 {
				_, _ = fmt.Fprint(w, body)
			}
		})
	}
	for _, body := range []string{"Traceback", words + words, words + "Traceback", `{"digits":1}`, "[]", "null"} {
		got := failures(play(t, second(body), "  - {say: Hello, fault: {duplicate: 1}}"))
		if assert.Len(t, got, 1, body) {
			assert.Contains(t, got[0], "answer: ", "that to a duplicate")
		}
	}
}

func TestRun_AMillionLinesAreFewInTheReport(t *testing.T) {
	line := strings.Repeat("{\"text\":\"spam\",\"interim\":true}\n", 10_000)
	began := time.Now()
	result := play(t, answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for r.Context().Err() == nil { // without end
			_, _ = fmt.Fprint(w, line)
		}
	}), "  - {say: Hi, expect: {max: 3, within: 2s}}")
	assert.Less(t, time.Since(began), 30*time.Second)
	step := result.Steps[0]
	require.NotEmpty(t, step.Failures)
	assert.Greater(t, step.HeardAll, 10_000)
	var report bytes.Buffer
	require.NoError(t, result.WriteText(&report))
	assert.Less(t, report.Len(), 10_000)
	assert.Contains(t, report.String(), fmt.Sprintf("... and %d more", step.HeardAll-50))
}

// A bot that replies to its own replies never ends.
func TestRun_ABotThatTalksToItselfIsNoticed(t *testing.T) {
	result := play(t, func(client *agentphone.Client, e *agentphone.Event, _ http.ResponseWriter, r *http.Request) {
		text, ok := e.Data.(*agentphone.MessageData)
		if !ok {
			return
		}
		go func() {
			for range 200 {
				_, err := client.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: text.From, Body: "Hi!"})
				if err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}, "  - {text: Hi, expect: {words: hi, max: 1, within: 500ms, quiet: 300ms}}")
	require.Len(t, failures(result), 1)
	assert.Contains(t, failures(result)[0], "at most 1 expected")
}
