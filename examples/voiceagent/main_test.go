package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

func TestMain(m *testing.M) {
	if os.Getenv("VOICEAGENT_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCtrlCLetsTheTurnUnderWayEnd(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	_ = free.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-addr", addr)
	cmd.Env = append(os.Environ(), "VOICEAGENT_MAIN=1", "AGENTPHONE_WEBHOOK_SECRET=whsec_1")
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { _, err := http.Get("http://" + addr); return err == nil }, 5*time.Second, 20*time.Millisecond)
	body := `{"event":"agent.message","channel":"voice","data":{"transcript":"where is my order?"}}`
	req, _ := http.NewRequest("POST", "http://"+addr+"/webhook", strings.NewReader(body))
	req.Header = agentphone.SignWebhook([]byte(body), "whsec_1", time.Now())
	res, err := http.DefaultClient.Do(req) // with the first line
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Contains(t, string(answer), "arrives tomorrow")
	require.NoError(t, cmd.Wait())
}
