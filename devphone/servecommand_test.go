package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// start runs devphone until the test ends, and returns what it prints first and its standard error.
func start(t *testing.T, args ...string) (cmd *exec.Cmd, first accountLine, stderr *bytes.Buffer) {
	t.Helper()
	cmd, stderr = apitest.Program(t, nil, append([]string{"-listen", "127.0.0.1:0"}, args...)...), &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, stderr)
	require.NoError(t, json.Unmarshal(line, &first))
	return cmd, first, stderr
}

func newClient(t *testing.T, first accountLine, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(first.APIKey, append(opts, agentphone.WithBaseURL(first.URL))...)
	require.NoError(t, err)
	return c
}

// fetch sends a request and returns the status and the body of the response.
func fetch(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestDevphone_FlagsMakeItRefuse(t *testing.T) {
	cmd, first, _ := start(t, "-rate-limits", "-no-payment-method")
	c := newClient(t, first, agentphone.WithMaxRetries(0))
	for range 20 {
		_, err := c.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS})
		require.ErrorIs(t, err, agentphone.ErrPaymentRequired)
	}
	_, err := c.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.ErrorIs(t, err, agentphone.ErrRateLimited)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func TestDevphone_SetsTheWebhook(t *testing.T) {
	_, first, _ := start(t, "-webhook", "http://127.0.0.1:8080/webhook", "-secret", "whsec_mine")
	c := newClient(t, first)
	webhook, err := c.Webhooks.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:8080/webhook", webhook.URL)
	assert.Equal(t, "whsec_mine", webhook.Secret)
	assert.Equal(t, "whsec_mine", first.WebhookSecret)
	agent, err := c.Agents.Get(t.Context(), first.AgentID)
	require.NoError(t, err)
	assert.Equal(t, agentphone.VoiceModeWebhook, agent.VoiceMode)
}

func TestDevphone_ServesThePageAndTheControlAPI(t *testing.T) {
	_, first, _ := start(t)
	assert.Equal(t, first.URL+"/", first.PageURL)
	status, body := fetch(t, "GET", first.PageURL, "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "<!doctype html>")
	status, body = fetch(t, "GET", first.URL+"/_control/state", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, first.APIKey)
}

// Deliveries have ids of their own in each run, or else an agent that runs on would take them for duplicates.
func TestDevphone_RunsHaveDifferentIDs(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		_, first, _ := start(t)
		message, err := newClient(t, first).Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: first.AgentID, ToNumber: "+14155550123", Body: "Hi"})
		require.NoError(t, err)
		ids[message.ID] = true
	}
	assert.Len(t, ids, 2)
}

// On an address that others reach, the page takes a token, and the key is not the one that everybody knows.
func TestDevphone_HasATokenIfOthersCanReachIt(t *testing.T) {
	_, local, _ := start(t)
	_, first, _ := start(t, "-listen", ":0")
	assert.NotEqual(t, local.APIKey, first.APIKey)
	_, err := newClient(t, first).Agents.Get(t.Context(), first.AgentID)
	require.NoError(t, err)
	page, token, ok := strings.Cut(first.PageURL, "?token=")
	require.True(t, ok, first.PageURL)
	for _, path := range []string{"", "_control/state", "_page/main.js"} {
		status, body := fetch(t, "GET", page+path, "")
		assert.Equal(t, 401, status, path)
		assert.NotContains(t, body, first.APIKey)
	}
	status, _ := fetch(t, "GET", page+"_control/state", "", "X-Devphone-Token", token)
	assert.Equal(t, 200, status)
}

// Whoever finds the address gets no account, and the secret that the agent trusts not even with one.
func TestDevphone_GivesNoAccountToThoseWithoutTheToken(t *testing.T) {
	_, first, _ := start(t, "-listen", ":0", "-secret", "whsec_mine")
	_, token, _ := strings.Cut(first.PageURL, "?token=")
	const signup = `{"human_email":"eve@example.com"}`
	status, body := fetch(t, "POST", first.URL+"/v0/agent/sign-up", signup)
	assert.Equal(t, 401, status, body)
	assert.Contains(t, body, "X-Devphone-Token")
	status, body = fetch(t, "POST", first.URL+"/v0/agent/verify", `{"verification_id":"ver_1","otp_code":"000000"}`)
	assert.Equal(t, 401, status, body)
	status, body = fetch(t, "POST", first.URL+"/v0/agent/sign-up", signup, "X-Devphone-Token", token)
	assert.Equal(t, 200, status, body)
}

// devphone runs for days: what anybody sends is not kept for ever, whole.
func TestDevphone_KeepsLittleOfTheRequests(t *testing.T) {
	_, first, _ := start(t)
	status, _ := fetch(t, "POST", first.URL+"/v1/messages", strings.Repeat("a", 1<<20))
	assert.Equal(t, 401, status)
	_, body := fetch(t, "GET", first.URL+"/_control/requests", "")
	assert.Contains(t, body, `"path":"/v1/messages"`)
	assert.Less(t, len(body), 100<<10)
}

// Whatever the agent does, a person's text is answered, and Ctrl-C ends devphone.
func TestDevphone_AgentThatSwitchesProtocolsHoldsNothingUp(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}))
	defer agent.Close()
	cmd, first, stderr := start(t, "-webhook", agent.URL)
	defer func() { _ = cmd.Process.Kill() }()
	number, err := newClient(t, first).Numbers.Get(t.Context(), first.NumberID)
	require.NoError(t, err)
	impatient := http.Client{Timeout: 10 * time.Second}
	resp, err := impatient.Post(first.URL+"/_control/messages", "application/json", strings.NewReader( //nolint:noctx // a test
		`{"from":"+14155550123","to":"`+number.PhoneNumber+`","body":"Hi"}`))
	if assert.NoError(t, err, "the text gets no response") {
		assert.Equal(t, 200, resp.StatusCode)
		_ = resp.Body.Close()
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, wait(t, cmd), stderr)
}

// The first Ctrl-C lets requests end; who does not want to wait presses it again.
func TestDevphone_SecondCtrlCEndsItAtOnce(t *testing.T) {
	cmd, first, _ := start(t)
	idle, err := net.Dial("tcp", strings.TrimPrefix(first.URL, "http://")) // holds the end up for two seconds
	require.NoError(t, err)
	defer func() { _ = idle.Close() }()
	fetch(t, "GET", first.URL+"/_page/main.js", "") // connects later, so that the other connection was accepted
	began := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	time.Sleep(300 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.ErrorContains(t, wait(t, cmd), "signal: interrupt")
	assert.Less(t, time.Since(began), 1500*time.Millisecond)
}

// wait waits until a program has ended.
func wait(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- cmd.Wait() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("it did not stop")
		return nil
	}
}

// What anybody sends must not command the terminal: U+009B begins an escape sequence, U+202E turns the order of letters around.
func TestDevphone_LogsPlainText(t *testing.T) {
	cmd, first, stderr := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(first.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET /v1/agents?\u009b31mRED\u202e\x9b&"+strings.Repeat("a", 100_000)+" HTTP/1.1\r\nHost: localhost\r\n\r\n"+
		"GET /v1/\u009b31mRED\u202e\x9b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, wait(t, cmd))
	text := stderr.String()
	assert.Equal(t, 2, strings.Count(text, "RED"), text)
	assert.False(t, strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), "%q", text)
	assert.True(t, utf8.ValidString(text))
	assert.Less(t, len(text), 10_000)
}

func TestDevphone_SaysWhyItCouldNotRun(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":       {[]string{"-webhok", "x"}, "flag provided but not defined: -webhok"},
		"another subcommand": {[]string{"tset"}, `unexpected argument "tset"`},
		"webhook":            {[]string{"-webhook", "localhost:8080"}, `-webhook has to be a URL such as http://127.0.0.1:8080/webhook; found "localhost:8080"`},
		"address":            {[]string{"-listen", "no-address"}, "listen tcp: address no-address"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := devphone(t, test.args...)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.want)
			assert.NotContains(t, stderr, "panic")
		})
	}
	code, _, stderr := devphone(t, "-h")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "devphone test -target")
}

func TestDevphone_PrintsItsAddressAndStopsOnASignal(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd, first, stderr := start(t)
			c := newClient(t, first)
			agent, err := c.Agents.Get(t.Context(), first.AgentID)
			require.NoError(t, err)
			assert.Equal(t, first.NumberID, agent.Numbers[0].ID)

			// Neither a client that has connected and sends no request, nor one that follows the events, must delay the end.
			idle, err := net.Dial("tcp", strings.TrimPrefix(first.URL, "http://"))
			require.NoError(t, err)
			defer func() { _ = idle.Close() }()
			events, err := http.Get(first.URL + "/_control/events") //nolint:noctx // a test
			require.NoError(t, err)
			defer func() { _ = events.Body.Close() }()

			// The signal comes while a stream is read.
			call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: first.AgentID, ToNumber: "+14155550123", SystemPrompt: "p"})
			require.NoError(t, err)
			for _, err := range c.Calls.StreamTranscript(t.Context(), call.ID) {
				require.NoError(t, err)
				require.NoError(t, cmd.Process.Signal(signal))
				break
			}
			require.NoError(t, wait(t, cmd), stderr)
			assert.Contains(t, stderr.String(), "open "+first.PageURL)
			assert.Contains(t, stderr.String(), "GET /v1/agents/"+first.AgentID+" 200")
			assert.NotContains(t, stderr.String(), first.APIKey)
			assert.NotContains(t, stderr.String(), "/_control", "the page's own requests are not logged")
		})
	}
}
