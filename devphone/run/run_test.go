package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/run"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

const secret = "whsec_test"

// agent is a phone agent of a test. It is called with each event but those of its own texts.
type agent func(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request)

// play plays the scenario that has the given steps, in YAML.
func play(t *testing.T, a agent, steps string) *run.Result {
	t.Helper()
	return playAll(t, a, "name: test\nsteps:\n"+steps)[0]
}

// playAll plays the scenarios of a file, with one agent.
func playAll(t *testing.T, a agent, file string) (results []*run.Result) {
	t.Helper()
	scenarios, err := scenario.Parse("test.yaml", []byte(file))
	require.NoError(t, err)
	var client *agentphone.Client
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, _ := io.ReadAll(r.Body)
		if agentphone.VerifyWebhook(payload, r.Header, secret) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		event, err := agentphone.ParseEvent(payload)
		if assert.NoError(t, err) {
			if m, ok := event.Data.(*agentphone.MessageData); !ok || m.Direction == agentphone.DirectionInbound {
				a(client, event, w, r)
			}
		}
	}))
	defer target.Close()
	runner := run.New(target.URL, secret)
	defer runner.Close()
	api := httptest.NewServer(runner)
	defer api.Close()
	client, err = agentphone.NewClient(runner.APIKey(), agentphone.WithBaseURL(api.URL), agentphone.WithMaxRetries(0))
	require.NoError(t, err)
	for i := range scenarios {
		result, err := runner.Run(t.Context(), &scenarios[i])
		require.NoError(t, err)
		results = append(results, result)
	}
	return results
}

// obedient answers a voice turn with what the caller said, a line for each |, and sends each part of a text back.
func obedient(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request) {
	switch data := e.Data.(type) {
	case *agentphone.VoiceTurnData:
		w.Header().Set("Content-Type", "application/x-ndjson")
		for line := range strings.SplitSeq(data.Transcript, "|") {
			if !strings.HasPrefix(line, "{") {
				encoded, _ := json.Marshal(map[string]any{"text": line, "interim": true})
				line = string(encoded)
			}
			_, _ = fmt.Fprintln(w, line)
		}
	case *agentphone.MessageData:
		for part := range strings.SplitSeq(data.Message, "|") {
			_, _ = client.Messages.Send(r.Context(), agentphone.SendMessageParams{
				AgentID: e.AgentID, NumberID: data.NumberID, ToNumber: data.From, Body: part,
			})
		}
	}
}

// failures returns what does not hold in the first step that failed, as "rule: message".
func failures(r *run.Result) (all []string) {
	for _, s := range r.Steps {
		for _, f := range s.Failures {
			all = append(all, f.Rule+": "+f.Message)
		}
	}
	return all
}

func TestRun_WhatIsExpectedHolds(t *testing.T) {
	for name, steps := range map[string]string{
		"words of a call":   "  - {say: Hello there|how are you now, expect: {words: [HELLO, '/are\\s+you/'], not: bye, max: 2, first: 5s}}",
		"words over lines":  "  - {say: Hello|there, expect: {words: hello there}}",
		"silence in a call": "  - {say: '{}', expect: {max: 0}}",
		"hangup":            `  - {say: '{"text":"Bye","hangup":true}', expect: {words: bye, hangup: true}}`,
		"transfer":          `  - {say: '{"action":"transfer"}', expect: {transfer: true}}`,
		"digits":            `  - {say: '{"digits":"12#"}', expect: {digits: 12#}}`,
		"a second call":     "  - {say: '{\"hangup\":true}', expect: {hangup: true}}\n  - {say: Hi, expect: {words: hi}}\n  - hangup: true",
		"the person hangs up and calls again": "  - {say: Hi, expect: {words: hi}}\n  - {hangup: true, expect: {status: 200, max: 0}}\n" +
			"  - {say: Ho, expect: {words: ho}}",
		"texts":              "  - {text: a|b|c, expect: {words: [a, b, c], max: 3, first: 5s, status: 200}}\n  - {text: d, expect: {words: d, max: 1}}",
		"forged text":        "  - {text: a, fault: {forged: true}, expect: {max: 0}}",
		"stale text":         "  - {text: a, fault: {stale: 10m}, expect: {status: 401, max: 0}}",
		"forged turn":        "  - {say: a, fault: {forged: true}, expect: {status: 401, max: 0}}",
		"duplicate":          "  - {text: a, fault: {duplicate: 2}, expect: {words: [a, a, a], max: 3}}",
		"duplicate turn":     "  - {say: a|b, fault: {duplicate: 2}, expect: {words: [a, b, a, b, a, b], max: 6}}",
		"the sender's end":   "  - {text: a, fault: {timeout: 1s}, expect: {words: [a, a], max: 2}}",
		"nothing is awaited": "  - {text: a, expect: {words: a}}\n  - {expect: {max: 0}}",
	} {
		t.Run(name, func(t *testing.T) {
			result := play(t, obedient, steps)
			assert.Empty(t, failures(result))
			assert.True(t, result.Passed)
		})
	}
}

func TestRun_WhatDoesNotHoldIsAFailure(t *testing.T) {
	for name, test := range map[string]struct{ steps, want string }{
		"words":                  {"  - {say: Hello, expect: {words: [hell, bye]}}", `words: "bye" is not in the answer, after "hell"`},
		"words out of order":     {"  - {say: b a, expect: {words: [a, b]}}", `words: "b" is not in the answer, after "a"`},
		"words of a text":        {"  - {text: Hello, expect: {words: bye, within: 300ms}}", `words: "bye" did not come within 300ms`},
		"not":                    {"  - {say: Hello, expect: {not: '/l+o/'}}", `not: "/l+o/" is there: "llo"`},
		"max lines":              {"  - {say: a|b|c, expect: {max: 2}}", "max: 3 lines, at most 2 expected"},
		"max texts":              {"  - {text: a|b|c, expect: {max: 2}}", "max: 3 texts, at most 2 expected"},
		"no text at all":         {"  - {text: a, expect: {max: 0}}", "max: 1 text, at most 0 expected"},
		"status":                 {"  - {say: a, expect: {status: 204}}", "status: 200, expected 204"},
		"forged, but accepted":   {"  - {say: a, fault: {forged: true}, expect: {status: 200}}", "status: 401, expected 200"},
		"hangup":                 {"  - {say: a, expect: {hangup: true}}", "hangup: the agent did not hang up"},
		"unexpected hangup":      {`  - {say: '{"hangup":true}'}`, "hangup: the agent did hang up, which is not expected"},
		"transfer":               {"  - {say: a, expect: {transfer: true}}", "transfer: the agent did not transfer the call"},
		"unexpected transfer":    {`  - {say: '{"action":"transfer"}'}`, "transfer: the agent did transfer the call, which is not expected"},
		"digits":                 {`  - {say: '{"digits":"12"}', expect: {digits: 13}}`, `digits: the agent pressed "12", expected "13"`},
		"unexpected digits":      {`  - {say: '{"digits":"12"}'}`, `digits: the agent pressed "12", expected ""`},
		"no first words":         {"  - {say: '{}', expect: {first: 1s}}", "first: there were no words within 1s"},
		"no call":                {"  - hangup: true", "hangup: there is no call to hang up"},
		"nothing to react to":    {"  - react: love", "react: the agent has sent no text to react to"},
		"reaction to an SMS":     {"  - {text: a, channel: sms}\n  - react: love", "react: only an iMessage or a WhatsApp message can be reacted to; the agent's last text came by sms"},
		"duplicate, both acted":  {"  - {text: a, fault: {duplicate: 1}, expect: {max: 1}}", "max: 2 texts, at most 1 expected"},
		"redelivery, both acted": {"  - {text: a, fault: {timeout: 1s}, expect: {max: 1}}", "max: 2 texts, at most 1 expected"},
	} {
		t.Run(name, func(t *testing.T) {
			result := play(t, obedient, test.steps)
			assert.Equal(t, []string{test.want}, failures(result))
			assert.False(t, result.Passed)
		})
	}
}

func TestRun_PeopleReactToTheAgentsLastText(t *testing.T) {
	reactions := 0
	result := playAll(t, func(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request) {
		if reaction, ok := e.Data.(*agentphone.ReactionData); ok {
			reactions++
			assert.Equal(t, agentphone.ReactionLove, reaction.ReactionType)
			assert.Equal(t, "b", reaction.MessageBody)
		}
		obedient(client, e, w, r)
	}, `name: n
people: {ada: "+14155550142"}
steps:
  - {text: a|b, expect: {words: [a, b]}}
  - {react: love, expect: {status: 200, max: 0}}
`)[0]
	assert.Empty(t, failures(result))
	assert.Equal(t, 1, reactions)
}

func TestRun_StepsAfterAFailureAreSkipped(t *testing.T) {
	result := play(t, obedient, "  - {say: a, expect: {words: b}}\n  - {say: c}")
	assert.False(t, result.Steps[0].Skipped)
	assert.True(t, result.Steps[1].Skipped)
	assert.Empty(t, result.Steps[1].Failures)
}

func TestRun_TextsThatCameDuringACallAreSeenAfterIt(t *testing.T) {
	result := play(t, func(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request) {
		if turn, ok := e.Data.(*agentphone.VoiceTurnData); ok {
			_, err := client.Messages.Send(r.Context(), agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: turn.From, Body: "https://example.com"})
			assert.NoError(t, err)
		}
	}, "  - say: Text me the link.\n  - {expect: {words: example.com, max: 1}}\n  - {hangup: true, expect: {max: 0}}")
	assert.Empty(t, failures(result))
}

func TestRun_PeopleAnswerCallsOfTheAgent(t *testing.T) {
	result := play(t, func(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request) {
		if text, ok := e.Data.(*agentphone.MessageData); ok {
			_, err := client.Calls.Create(r.Context(), agentphone.CreateCallParams{AgentID: e.AgentID, ToNumber: text.From})
			assert.NoError(t, err)
			return
		}
		obedient(client, e, w, r)
		if turn, ok := e.Data.(*agentphone.VoiceTurnData); ok {
			calls, err := client.Calls.List(r.Context(), agentphone.ListCallsParams{})
			assert.NoError(t, err)
			assert.Len(t, calls.Data, 1, turn.Transcript)
		}
	}, "  - text: Call me.\n  - {say: Hello, expect: {words: hello}}\n  - hangup: true")
	assert.Empty(t, failures(result))
}

// An agent that runs on must not take the deliveries of one scenario for those of another, nor its people.
func TestRun_ScenariosHaveNothingInCommon(t *testing.T) {
	seen := map[string]bool{}
	results := playAll(t, func(client *agentphone.Client, e *agentphone.Event, w http.ResponseWriter, r *http.Request) {
		data, ok := e.Data.(*agentphone.MessageData)
		if assert.True(t, ok) {
			for _, id := range []string{r.Header.Get(agentphone.WebhookIDHeader), data.ConversationID, data.From} {
				assert.NotEmpty(t, id)
				assert.False(t, seen[id], id)
				seen[id] = true
			}
			assert.Empty(t, e.RecentHistory)
		}
	}, "name: a\nsteps: [text: Hi]\n---\nname: b\npeople: {ada: , bob: }\nsteps: [text: Hi, {text: Hi, from: bob}]")
	for _, r := range results {
		assert.Empty(t, failures(r))
	}
	assert.Len(t, seen, 9)
}

func TestRun_EndsWithItsContext(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	}))
	defer target.Close()
	for _, steps := range []string{"[say: Hi]", "[text: Hi]", "[expect: {words: never}]"} {
		scenarios, err := scenario.Parse("test.yaml", []byte("name: n\nsteps: "+steps))
		require.NoError(t, err)
		runner := run.New(target.URL, secret)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		_, err = runner.Run(ctx, &scenarios[0])
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, steps)
		assert.Less(t, time.Since(began), 4*time.Second, steps)
		runner.Close()
	}
}

// Events go to the target only, also before the first scenario: the key is one that everybody knows.
func TestRunner_DeliversToTheTargetOnly(t *testing.T) {
	other, target := make(chan string, 10), make(chan string, 10)
	receiver := func(got chan string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get(agentphone.WebhookEventHeader) }))
		t.Cleanup(s.Close)
		return s
	}
	runner := run.New(receiver(target).URL, secret)
	defer runner.Close()
	api := httptest.NewServer(runner)
	defer api.Close()
	client, err := agentphone.NewClient(runner.APIKey(), agentphone.WithBaseURL(api.URL))
	require.NoError(t, err)
	_, err = client.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: receiver(other).URL})
	require.NoError(t, err)
	_, err = client.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: runner.AgentID(), ToNumber: "+14155550123", Body: "Hi"})
	require.NoError(t, err)
	assert.Equal(t, "agent.message", <-target, "its own text")
	assert.Empty(t, other)
}
