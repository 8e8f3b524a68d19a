package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// quickstart runs the program in a process of its own.
func quickstart(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{"QUICKSTART_MAIN=1", "HOME=" + t.TempDir()}, env...)
	return cmd
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	return exit.ExitCode()
}

func TestQuickstart_WithAKeyTextsAndCallsTheGivenNumberOnly(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: 100 * time.Millisecond, Turns: []agentphonetest.Utterance{{Role: "agent", Content: "Hello there."}}})
	env := []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}

	out, err := quickstart(t, env).CombinedOutput()
	assert.Equal(t, 1, exitCode(t, err))
	assert.Contains(t, string(out), "name it with -to")
	assert.Empty(t, srv.Requests(), "there is no default number")

	out, err = quickstart(t, env, "-to", "(415) 555-0199").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "agent: Hello there.")
	assert.NotContains(t, string(out), srv.APIKey())
	require.Len(t, srv.Calls(), 1)
	require.Len(t, srv.Messages(), 1)
	assert.Equal(t, "+14155550199", srv.Calls()[0].ToNumber)
	assert.Equal(t, "+14155550199", srv.Messages()[0].ToNumber)
}

func TestQuickstart_CtrlCHangsUp(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	cmd := quickstart(t, []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}, "-to", "+14155550199")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var out strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "in-progress") {
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	assert.Equal(t, 130, exitCode(t, cmd.Wait()))
	assert.Contains(t, out.String(), "hung up: completed")
	assert.True(t, srv.Calls()[0].Final(), "the phone does not go on ringing")
}

func TestQuickstart_CtrlCSaysIfHangingUpFailed(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Status: 403, Times: -1})
	cmd := quickstart(t, []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}, "-to", "+14155550199")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "in-progress") {
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	assert.Equal(t, 1, exitCode(t, cmd.Wait()))
	assert.Contains(t, stderr.String(), "call "+srv.Calls()[0].ID+": hanging up failed, so the phone may go on ringing: agentphone: POST /v1/calls/{call_id}/end: 403")
	assert.False(t, srv.Calls()[0].Final())
}
