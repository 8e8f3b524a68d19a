package main

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// quickstart returns a command that runs the program against a server.
func quickstart(t *testing.T, srv *agentphonetest.Server, args ...string) *exec.Cmd {
	t.Helper()
	return apitest.Program(t, []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}, args...)
}

func TestQuickstart_WithAKeyTextsAndCallsTheGivenNumberOnly(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: 100 * time.Millisecond, Turns: []agentphonetest.Utterance{{Role: "agent", Content: "Hello there."}}})

	cmd := quickstart(t, srv)
	out, _ := cmd.CombinedOutput()
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Contains(t, string(out), "name it with -to")
	assert.Empty(t, srv.Requests(), "there is no default number")

	out, err := quickstart(t, srv, "-to", "(415) 555-0199").CombinedOutput()
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
	code, out, _ := apitest.Interrupt(t, quickstart(t, srv, "-to", "+14155550199"), "in-progress")
	assert.Equal(t, 130, code)
	assert.Contains(t, out, "hung up: completed")
	assert.True(t, srv.Calls()[0].Final(), "the phone does not go on ringing")
}

func TestQuickstart_CtrlCSaysIfHangingUpFailed(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/calls/{call_id}/end", Status: 403, Times: -1})
	code, _, stderr := apitest.Interrupt(t, quickstart(t, srv, "-to", "+14155550199"), "in-progress")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "call "+srv.Calls()[0].ID+": hanging up failed, so the phone may go on ringing: agentphone: POST /v1/calls/{call_id}/end: 403")
	assert.False(t, srv.Calls()[0].Final())
}
