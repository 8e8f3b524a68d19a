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
	if os.Getenv("LIVETRANSCRIPT_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// interrupted runs the program in a process of its own, sends it a Ctrl-C when it is connected, and returns its exit code and what
// it says of its end.
func interrupted(t *testing.T, srv *agentphonetest.Server) (code int, stderr string) {
	t.Helper()
	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-agent", srv.AgentID(), "-to", "+14155550199")
	cmd.Env = []string{"LIVETRANSCRIPT_MAIN=1", "HOME=" + t.TempDir(), "AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}
	var said strings.Builder
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "connected") {
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	var exit *exec.ExitError
	require.True(t, errors.As(cmd.Wait(), &exit))
	return exit.ExitCode(), said.String()
}

func TestLivetranscript_CtrlCHangsUp(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	code, stderr := interrupted(t, srv)
	assert.Equal(t, 130, code)
	assert.Equal(t, "livetranscript: interrupted\n", stderr)
	assert.True(t, srv.Calls()[0].Final(), "the phone does not go on ringing")
}

func TestLivetranscript_CtrlCSaysIfHangingUpFailed(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Status: 403, Times: -1})
	code, stderr := interrupted(t, srv)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "call "+srv.Calls()[0].ID+": hanging up failed, so the phone may go on ringing: agentphone: POST /v1/calls/{call_id}/end: 403")
	assert.False(t, srv.Calls()[0].Final())
}
