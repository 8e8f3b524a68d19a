package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/run"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// The test binary is devphone, and with the argument agent an agent that devphone starts.
func TestMain(m *testing.M) {
	apitest.TestMain(m, func() {
		if len(os.Args) > 1 && os.Args[1] == "agent" {
			serveAgent(os.Args[2])
			return
		}
		main()
	})
}

// serveAgent replies to texts, with the key and the URL from the environment.
func serveAgent(addr string) {
	client, err := agentphone.NewClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	handler, err := newReplier(client, os.Getenv("AGENTPHONE_WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	log.Print("the agent listens")
	log.Fatal(http.ListenAndServe(addr, handler)) //nolint:gosec // a test
}

// newReplier returns the webhook of an agent that replies "You said ..." to texts, and hangs up on everybody who calls.
func newReplier(client *agentphone.Client, secret string) (*agentphone.WebhookHandler, error) {
	return agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(ctx context.Context, e *agentphone.Event, m *agentphone.MessageData) error {
			_, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: m.From, Body: "You said " + m.Message})
			return err
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Hangup()
		},
	})
}

const (
	holds = "name: holds\nsteps:\n  - text: Hi\n    expect: {words: you said hi, max: 1}\n  - say: Hi\n    expect: {hangup: true}\n"
	fails = "name: fails\nsteps:\n  - text: Hi\n    expect: {words: bye, within: 300ms}\n"
)

// file returns the name of a file with a text.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "scenario.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// devphone runs the program and returns its exit code and what it printed.
func devphone(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems strings.Builder
	cmd := apitest.Program(t, nil, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	_ = cmd.Run() // says the exit code
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

func TestDevphoneTest_StartsTheAgent(t *testing.T) {
	reports := t.TempDir()
	junit, inJSON := filepath.Join(reports, "junit.xml"), filepath.Join(reports, "report.json")
	name := file(t, holds+"---\n"+fails)
	code, stdout, stderr := devphone(t, "test", "-target", "http://127.0.0.1:0/webhook", file(t, holds), "-junit", junit, name, "-json", inJSON,
		"--", os.Args[0], "agent", "{addr}")
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "scenario.yaml:1: holds (")
	assert.Contains(t, stdout, "\nFAIL  "+name+":8: fails (")
	assert.Contains(t, stdout, `| You said Hi`)
	assert.True(t, strings.HasSuffix(stdout, "\n2 passed, 1 failed\n"), stdout)
	assert.Contains(t, stderr, "the agent listens")

	text, err := os.ReadFile(junit)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(text, new(any)))
	assert.Contains(t, string(text), `<testsuites tests="3" failures="1"`)
	text, err = os.ReadFile(inJSON)
	require.NoError(t, err)
	var report run.Report
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Equal(t, []int{2, 1}, []int{report.Passed, report.Failed})

	code, _, stderr = devphone(t, "test", "-target", "http://127.0.0.1:0/webhook", file(t, holds), "--", os.Args[0], "agent", "{addr}")
	assert.Equal(t, 0, code, stderr)
}

// The first line says where the API is, for an agent that is started before or after.
func TestDevphoneTest_TakesAnAgentThatRuns(t *testing.T) {
	listen := apitest.FreeAddress(t)
	_, first, _ := devphone(t, "test", "-target", "http://"+listen, "-secret", "whsec_1", file(t, holds))
	var account struct{ URL, APIKey, AgentID, NumberID string }
	require.NoError(t, json.Unmarshal([]byte(first), &account), first)
	client, err := agentphone.NewClient(account.APIKey, agentphone.WithBaseURL("http://"+listen))
	require.NoError(t, err)
	handler, err := newReplier(client, "whsec_1")
	require.NoError(t, err)
	agent := httptest.NewServer(handler)
	defer agent.Close()

	code, stdout, stderr := devphone(t, "test", file(t, holds), "-listen", listen, "-target", agent.URL, "-secret", "whsec_1")
	assert.Equal(t, 0, code, stderr)
	line, rest, _ := strings.Cut(stdout, "\n")
	assert.JSONEq(t, fmt.Sprintf(`{"url":"http://%s","apiKey":%q,"agentId":%q,"numberId":%q}`, listen, account.APIKey, account.AgentID, account.NumberID), line)
	assert.Regexp(t, `^ok    .*scenario.yaml:1: holds \(\d+ms\)\n1 passed, 0 failed\n$`, rest)

	code, _, stderr = devphone(t, "test", file(t, holds), "-listen", listen, "-target", agent.URL, "-secret", "whsec_2")
	assert.Equal(t, 1, code, stderr)
}

// The key of a test never changes, so a site that the developer has open could use the API: by its own name for this machine,
// or from its pages.
func TestDevphoneTest_RefusesRequestsOfOtherSites(t *testing.T) {
	listen := apitest.FreeAddress(t)
	entered, over := make(chan struct{}, 10), make(chan struct{})
	agent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-over
	}))
	defer agent.Close()
	defer close(over)
	cmd := apitest.Program(t, nil, "test", "-listen", listen, "-target", agent.URL, "-secret", "s", "-host", "mine.example", file(t, holds))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var account accountLine
	require.NoError(t, json.Unmarshal(line, &account))
	<-entered // the API is that of the scenario

	status := func(host string, header ...string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listen+"/v1/agents", nil)
		require.NoError(t, err)
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+account.APIKey)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	assert.Equal(t, 200, status(listen))
	assert.Equal(t, 200, status("localhost:1"))
	assert.Equal(t, 200, status("mine.example"))
	assert.Equal(t, 403, status("evil.example"))
	assert.Equal(t, 403, status(listen, "Origin", "http://evil.example"))
	assert.Equal(t, 403, status(listen, "Sec-Fetch-Site", "cross-site"))
}

func TestDevphoneTest_SaysWhyItCouldNotRun(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	free := "http://" + apitest.FreeAddress(t)
	good := file(t, holds)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no target":       {[]string{"test", good, "-secret", "s"}, "-target is missing"},
		"no files":        {[]string{"test", "-target", free, "-secret", "s"}, "no scenario files"},
		"no secret":       {[]string{"test", "-target", free, good}, "-secret is missing"},
		"unknown flag":    {[]string{"test", good, "-taget", free}, "flag provided but not defined: -taget"},
		"target":          {[]string{"test", "-target", "localhost:8080", "-secret", "s", good}, `-target has to be a URL such as http://127.0.0.1:8080/webhook; found "localhost:8080"`},
		"port 0":          {[]string{"test", "-target", "http://127.0.0.1:0", "-secret", "s", good}, "-target has port 0, which takes a command"},
		"empty command":   {[]string{"test", "-target", free, good, "--"}, "no command after --"},
		"no such command": {[]string{"test", "-target", free, good, "--", "/no/such"}, "cannot start the agent: fork/exec /no/such: no such file"},
		"no such file":    {[]string{"test", "-target", free, "-secret", "s", "no.yaml"}, "open no.yaml: no such file"},
		"bad files": {
			[]string{"test", "-target", free, "-secret", "s", file(t, "name: n\nstep: 1"), file(t, "name: n\nsteps: 1")},
			`scenario.yaml:2:1: a scenario has no key "step"; did you mean "steps"?`,
		},
		"not reachable":       {[]string{"test", "-target", free, "-secret", "s", good}, "nothing listens at 127.0.0.1:"},
		"address taken":       {[]string{"test", "-target", taken.URL, good, "--", os.Args[0], "agent", "{addr}"}, "something listens at 127.0.0.1:"},
		"listen address":      {[]string{"test", "-target", taken.URL, "-secret", "s", "-listen", strings.TrimPrefix(taken.URL, "http://"), good}, "-listen: listen tcp"},
		"agent exits":         {[]string{"test", "-target", free, good, "--", os.Args[0], "agent", "no-address"}, "the agent exited before it listened at 127.0.0.1:"},
		"report not writable": {[]string{"test", "-target", taken.URL, "-secret", "s", "-json", "/no/such/file", good}, "open /no/such/file"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := devphone(t, test.args...)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.want)
			assert.NotContains(t, stderr, "panic")
		})
	}
	code, _, stderr := devphone(t, "test", "-h")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "-target URL")
}

func TestDevphoneTest_NamesMistakesInPlainText(t *testing.T) {
	_, _, stderr := devphone(t, "test", "-target", "http://127.0.0.1:1", "-secret", "s",
		file(t, "name: a\nsteps:\n- {text: a, expect: {words: \"/(\\u009b31m\\u202e/\"}}\n"), file(t, "name: *a\u202e\n"), "\u009b31m\u202e.yaml")
	assert.Contains(t, stderr, "missing closing ): `(\ufffd31m\ufffd`")
	assert.Contains(t, stderr, "open \ufffd31m\ufffd.yaml: no such file")
	assert.False(t, strings.ContainsFunc(stderr, func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), "%q", stderr)
}

// A Ctrl-C ends the agent, too, and what it has started.
func TestDevphoneTest_EndsTheAgentOnCtrlC(t *testing.T) {
	addr := apitest.FreeAddress(t)
	script := fmt.Sprintf("%s agent {addr} & wait", os.Args[0])
	cmd := apitest.Program(t, nil, "test", "-target", "http://"+addr, file(t, "name: waits\nsteps:\n  - expect: {words: never, within: 1h}"),
		"--", "/bin/sh", "-c", script)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stderr)
	_, err = lines.ReadString('\n') // the agent listens
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	rest, _ := io.ReadAll(lines)
	err = cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(rest), "devphone test: interrupted")
	assert.Eventually(t, func() bool { return !listens(t.Context(), addr) }, 5*time.Second, 10*time.Millisecond, "the agent is still there")
}

// An agent that ignores the first Ctrl-C is killed by the second one, and not left behind.
func TestDevphoneTest_SecondCtrlCKillsTheAgent(t *testing.T) {
	addr := apitest.FreeAddress(t)
	cmd := apitest.Program(t, nil, "test", "-target", "http://"+addr, file(t, "name: waits\nsteps:\n  - expect: {words: never, within: 1h}"),
		"--", "/bin/sh", "-c", "trap '' INT; "+os.Args[0]+" agent {addr}")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stderr)
	_, err = lines.ReadString('\n') // the agent listens
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	time.Sleep(300 * time.Millisecond)
	assert.True(t, listens(t.Context(), addr), "the agent ignores it")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_, _ = io.ReadAll(lines)
	require.Error(t, wait(t, cmd))
	assert.Less(t, time.Since(began), stopTimeout-time.Second)
	assert.False(t, listens(t.Context(), addr), "the agent is still there")
}

func TestDevphoneTest_EndsWhatAnAgentThatExitsHasStarted(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	code, _, stderr := devphone(t, "test", "-target", "http://"+apitest.FreeAddress(t), file(t, holds),
		"--", "/bin/sh", "-c", "(sleep 0.5; touch "+left+") >/dev/null 2>&1 & exit 3")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "the agent exited before it listened at 127.0.0.1:")
	assert.Contains(t, stderr, "exit status 3")
	time.Sleep(time.Second)
	assert.NoFileExists(t, left)
}
