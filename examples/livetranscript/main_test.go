package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// interrupted runs the program, sends it a Ctrl-C when it is connected, and returns its exit code and what it says of
// its end.
func interrupted(t *testing.T, srv *agentphonetest.Server) (code int, stderr string) {
	t.Helper()
	srv.NextCall(agentphonetest.CallScript{Duration: time.Hour})
	env := []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start()}
	code, _, stderr = apitest.Interrupt(t, apitest.Program(t, env, "-agent", srv.AgentID(), "-to", "+14155550199"), "connected")
	return code, stderr
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
