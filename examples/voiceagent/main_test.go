package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/examples/internal/app"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// start runs the example as a process on a free port and returns the URL of its webhook.
func start(t *testing.T, secrets string) (string, *exec.Cmd) {
	t.Helper()
	addr := apitest.FreeAddress(t)
	cmd := apitest.Program(t, []string{"AGENTPHONE_WEBHOOK_SECRET=" + secrets}, "-addr", addr)
	apitest.StartServer(t, cmd, addr)
	return "http://" + addr + "/webhook", cmd
}

// say sends a voice turn and returns when the answer begins.
func say(t *testing.T, url, secret, words string) *http.Response {
	t.Helper()
	body := fmt.Sprintf(`{"event":"agent.message","channel":"voice","data":{"transcript":%q}}`, words)
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = agentphone.SignWebhook([]byte(body), secret, time.Now())
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// answer returns the whole answer.
func answer(t *testing.T, res *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(all)
}

func TestVoiceAgent_FinishesItsTurnAfterCtrlC(t *testing.T) {
	url, cmd := start(t, "whsec_1")
	res := say(t, url, "whsec_1", "where is my order 123?")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	assert.Contains(t, answer(t, res), "arrives tomorrow")
	require.NoError(t, cmd.Wait())
}

func TestVoiceAgent_AcceptsBothSecretsAndHangsUp(t *testing.T) {
	url, cmd := start(t, "whsec_new, whsec_old")
	assert.Equal(t, 401, say(t, url, "whsec_other", "Bye.").StatusCode)
	assert.Equal(t, 401, say(t, url, "whsec_new, whsec_old", "Bye.").StatusCode)
	for i, secret := range []string{"whsec_new", "whsec_old"} {
		// A turn without an id is identified by its body, so each has different words.
		assert.Equal(t, `{"text":"Goodbye!","hangup":true}`+"\n", answer(t, say(t, url, secret, fmt.Sprintf("Bye %d.", i))))
		assert.NotContains(t, answer(t, say(t, url, secret, fmt.Sprintf("Hello %d?", i))), "hangup")
		lines := strings.Split(answer(t, say(t, url, secret, "My order 123?"+strings.Repeat("?", i))), "\n")
		assert.JSONEq(t, `{"text":"One moment, I'll look that up.","interim":true}`, lines[0])
		assert.Contains(t, lines[1], "arrives tomorrow")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func TestVoiceAgent_EndsTheCallWhenTheCallerSaysBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, secret, err := app.Rehearse(t.Context())
		require.NoError(t, err)
		defer srv.Close()
		agent, err := newAgent(script{}, secret)
		require.NoError(t, err)
		srv.SetReceiver(agent)
		id := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
		for words, first := range map[string]string{"Hello?": "Hello!", "My order, please.": "One moment, I'll look that up."} {
			answer, err := srv.CallerSays(id, words)
			require.NoError(t, err)
			assert.Equal(t, first, answer.Lines[0].Text)
			assert.False(t, answer.Hangup)
		}
		answer, err := srv.CallerSays(id, "Goodbye then.")
		require.NoError(t, err)
		assert.True(t, answer.Hangup)
		assert.Equal(t, "Goodbye!", answer.Lines[0].Text)
		assert.True(t, srv.Calls()[0].Final())
	})
}

// conversation runs the program with the scripted caller and returns what it prints, without the times.
func conversation(t *testing.T, env ...string) string {
	t.Helper()
	out, err := apitest.Program(t, env).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return regexp.MustCompile(` *\(after .*\)`).ReplaceAllString(string(out), "")
}

func TestVoiceAgent_PrintsTheScriptedConversation(t *testing.T) {
	assert.Equal(t, `No -addr: a scripted caller, in memory. Nothing is real.
caller: Hi, who is this?
agent:  Hello!
agent:  I can tell you where your order is.
agent:  What is its number?
caller: Where is my order 1 2 3?
agent:  One moment, I'll look that up.
agent:  It left the warehouse this morning and arrives tomorrow.
agent:  Anything else?
caller: Thanks, bye.
agent:  Goodbye!
agent:  hangs up
the call is completed
`, conversation(t))
}

// slowModel takes its time, and fails after some words if it is to.
type slowModel struct {
	delay time.Duration
	words string
	err   error
}

func (m slowModel) stream(context.Context, []message, []tool) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		time.Sleep(m.delay)
		if yield(part{text: m.words}, nil) && m.err != nil {
			yield(part{}, m.err)
		}
	}
}

// toolUser calls a tool each time, and says before what it is to; after that it says nothing more.
type toolUser struct {
	words  string
	rounds int
	name   string
}

func (m *toolUser) stream(context.Context, []message, []tool) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		if m.rounds--; m.rounds < 0 {
			return
		}
		if m.words == "" || yield(part{text: m.words}, nil) {
			yield(part{call: &toolCall{ID: "call_1", Type: "function", Function: calledByName{m.name, `{"number":"123"}`}}}, nil)
		}
	}
}

func TestVoiceAgent_NeverLeavesTheCallerInSilence(t *testing.T) {
	sorry := []string{"I'm sorry, something went wrong here.", "Could you say that again?"}
	for name, c := range map[string]struct {
		model model
		want  []string
	}{
		"tools, and then nothing":       {&toolUser{"", 1, "look_up_order"}, append([]string{"One moment, I'll look that up."}, sorry...)},
		"words, tools, then nothing":    {&toolUser{"Let me see.", 1, "look_up_order"}, append([]string{"Let me see."}, sorry...)},
		"tools without end":             {&toolUser{"", 1000, "look_up_order"}, append([]string{"One moment, I'll look that up."}, sorry...)},
		"white space and a goodbye":     {&toolUser{" ", 1, "hang_up"}, []string{"Goodbye!"}},
		"a quick model":                 {slowModel{time.Second, "Here I am.", nil}, []string{"Here I am."}},
		"a slow model":                  {slowModel{5 * time.Second, "Here I am.", nil}, []string{"One moment, please.", "Here I am."}},
		"a model that breaks":           {slowModel{0, "Your order is", errors.New("broken")}, []string{"Your order is", "I'm sorry, something went wrong here.", "Could you say that again?"}},
		"a model that says nothing":     {slowModel{0, "", nil}, sorry},
		"a model that says white space": {slowModel{0, " \n\u00a0", nil}, sorry},
		"a model without a word":        {slowModel{0, "", errors.New("broken")}, []string{"I'm sorry, something went wrong here.", "Could you say that again?"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, secret, err := app.Rehearse(t.Context())
				require.NoError(t, err)
				defer srv.Close()
				agent, err := newAgent(c.model, secret)
				require.NoError(t, err)
				srv.SetReceiver(agent)
				answer, err := srv.CallerSays(srv.ReceiveCall("+14155550123", srv.PhoneNumber()), "Hello?")
				require.NoError(t, err)
				var said []string
				for _, line := range answer.Lines {
					said = append(said, strings.TrimSpace(line.Text))
				}
				assert.Equal(t, c.want, said)
			})
		})
	}
}
