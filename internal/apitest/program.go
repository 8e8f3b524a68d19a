package apitest

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// runsMain is the environment variable of a process that [Program] started.
const runsMain = "APITEST_MAIN"

// TestMain is the TestMain of a main package whose tests run it in a process of its own ([Program]).
func TestMain(m *testing.M, main func()) {
	if os.Getenv(runsMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Program returns a command that runs the main function which the test binary gave [TestMain], until the test ends. Its
// environment is env and an empty home directory, and nothing of the test's own.
func Program(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{runsMain + "=1", "HOME=" + t.TempDir()}, env...)
	return cmd
}

// Interrupt runs a program, sends it a Ctrl-C at each line of its output that contains a text, and returns its exit code
// and what it printed.
func Interrupt(t testing.TB, cmd *exec.Cmd, text string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems strings.Builder
	cmd.Stderr = &problems
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	_ = cmd.Wait() // says the exit code
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

// FreeAddress returns an address that a server can listen on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = free.Close() }()
	return free.Addr().String()
}

// StartServer starts a program and waits until there is an HTTP server at an address.
func StartServer(t testing.TB, cmd *exec.Cmd, addr string) {
	t.Helper()
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + addr)
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
}
