package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// start runs the program until the test ends, and returns what it prints first and its standard error.
func start(t *testing.T, args ...string) (cmd *exec.Cmd, first struct{ URL, APIKey, AgentID, NumberID string }, stderr *bytes.Buffer) {
	t.Helper()
	cmd, stderr = apitest.Program(t, nil, append([]string{"-addr", "127.0.0.1:0"}, args...)...), &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(line, &first))
	return cmd, first, stderr
}

func TestFakeserver_FlagsMakeItRefuse(t *testing.T) {
	cmd, first, _ := start(t, "-rate-limits", "-no-payment-method")
	c, err := agentphone.NewClient(first.APIKey, agentphone.WithBaseURL(first.URL), agentphone.WithMaxRetries(0))
	require.NoError(t, err)
	for range 20 {
		_, err = c.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS})
		require.ErrorIs(t, err, agentphone.ErrPaymentRequired)
	}
	_, err = c.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.ErrorIs(t, err, agentphone.ErrRateLimited)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func TestFakeserver_PrintsItsAddressAndStopsOnASignal(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd, first, stderr := start(t)
			c, err := agentphone.NewClient(first.APIKey, agentphone.WithBaseURL(first.URL))
			require.NoError(t, err)
			agent, err := c.Agents.Get(t.Context(), first.AgentID)
			require.NoError(t, err)
			assert.Equal(t, first.NumberID, agent.Numbers[0].ID)

			// A client that has connected and sends no request must not delay the end.
			idle, err := net.Dial("tcp", strings.TrimPrefix(first.URL, "http://"))
			require.NoError(t, err)
			defer func() { _ = idle.Close() }()

			// The signal comes while a stream is read.
			call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: first.AgentID, ToNumber: "+14155550123", SystemPrompt: "p"})
			require.NoError(t, err)
			for _, err := range c.Calls.StreamTranscript(t.Context(), call.ID) {
				require.NoError(t, err)
				require.NoError(t, cmd.Process.Signal(signal))
				break
			}
			stopped := make(chan error, 1)
			go func() { stopped <- cmd.Wait() }()
			select {
			case err := <-stopped:
				require.NoError(t, err, stderr.String())
			case <-time.After(10 * time.Second):
				t.Fatal("it did not stop")
			}
			assert.Contains(t, stderr.String(), "GET /v1/agents/"+first.AgentID+" 200")
			assert.NotContains(t, stderr.String(), first.APIKey)
		})
	}
}
