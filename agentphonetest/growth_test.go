//go:build !js && !wasip1

package agentphonetest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

// Each load is done with n and with 4n of its things, in programs that count how often each statement of the server is
// run, as the coverage tool has them, and how much memory is allocated. Linear is 4 times as much, and a little more with
// binary searches; what looks at everything each time comes to 16 times.
func TestServer_WorkIsLinearInSize(t *testing.T) {
	if load := os.Getenv(loadVariable); load != "" {
		measureLoad(t, load)
		return
	}
	const n, limit = 250, 4.5
	program := filepath.Join(t.TempDir(), "loads.exe")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-covermode=atomic", "-coverpkg=./...", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, l := range loads {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			small, large := measure(t, program, l.name, n), measure(t, program, l.name, 4*n)
			for i, what := range []string{"statements", "bytes", "allocations"} {
				ratio := large[i] / small[i]
				t.Logf("%s: %.0f, then %.0f: %.2f times as many", what, small[i], large[i], ratio)
				assert.LessOrEqual(t, ratio, limit, what)
			}
		})
	}
}

const loadVariable = "AGENTPHONETEST_LOAD"

// measure runs a load in a program of its own.
func measure(t *testing.T, program, load string, n int) [3]float64 {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestServer_WorkIsLinearInSize$", "-test.coverprofile="+profile)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%d", loadVariable, load, n))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var memory [2]float64
	_, err = fmt.Sscanf(string(out), "load: %g bytes %g allocations", &memory[0], &memory[1])
	require.NoError(t, err, "%s", out)
	return [3]float64{statements(t, profile), memory[0], memory[1]}
}

// statements adds up a coverage profile, of which each line ends with a number of statements and how often they were run.
func statements(t *testing.T, profile string) (sum float64) {
	t.Helper()
	data, err := os.ReadFile(profile)
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	for _, line := range lines[1:] {
		fields := strings.Fields(string(line))
		count, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		require.NoError(t, err)
		each, err := strconv.ParseFloat(fields[len(fields)-2], 64)
		require.NoError(t, err)
		sum += each * count
	}
	return sum
}

func measureLoad(t *testing.T, load string) {
	name, size, _ := strings.Cut(load, "/")
	n, err := strconv.Atoi(size)
	require.NoError(t, err)
	for _, l := range loads {
		if l.name != name {
			continue
		}
		srv := agentphonetest.NewServer(agentphonetest.WithNumberLimit(n + 1))
		defer srv.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l.run(t, srv, n)
		runtime.ReadMemStats(&after)
		fmt.Println("load:", after.TotalAlloc-before.TotalAlloc, "bytes", after.Mallocs-before.Mallocs, "allocations")
		return
	}
	t.Fatal("no load ", name)
}
