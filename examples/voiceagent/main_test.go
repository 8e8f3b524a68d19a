package main

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
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
	res := say(t, url, "whsec_1", "where is my order?")
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
		lines := strings.Split(strings.TrimSpace(answer(t, say(t, url, secret, fmt.Sprintf("My order %d?", i)))), "\n")
		require.Len(t, lines, 2, "it speaks while it looks up the order")
		assert.Contains(t, lines[0], `"interim":true`)
		assert.Contains(t, lines[1], "arrives tomorrow")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func TestVoiceAgent_EndsTheCallWhenTheCallerSaysBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
		defer srv.Close()
		webhook, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://voiceagent.example.com/webhook"})
		require.NoError(t, err)
		agent, err := newAgent(webhook.Secret)
		require.NoError(t, err)
		srv.SetReceiver(agent)
		id := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
		for words, lines := range map[string]int{"Hello?": 1, "My order, please.": 2} {
			answer, err := srv.CallerSays(id, words)
			require.NoError(t, err)
			assert.Len(t, answer.Lines, lines)
			assert.False(t, answer.Hangup)
		}
		answer, err := srv.CallerSays(id, "Goodbye then.")
		require.NoError(t, err)
		assert.True(t, answer.Hangup)
		assert.Equal(t, "Goodbye!", answer.Lines[0].Text)
		assert.True(t, srv.Calls()[0].Final())
	})
	require.NoError(t, scripted(t.Context()))
}
