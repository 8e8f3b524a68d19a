package app

import (
	"context"
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, program) }

// program waits until it is interrupted, and then ignores it for a while if it is told to be stubborn.
func program() {
	stubborn := flag.Bool("stubborn", false, "")
	Main("program", func(ctx context.Context) error {
		fmt.Println("running")
		<-ctx.Done()
		fmt.Println("stopping")
		if *stubborn {
			time.Sleep(time.Hour)
		}
		return ctx.Err()
	})
}

func TestMain_RefusesArguments(t *testing.T) {
	cmd := apitest.Program(t, nil, "-stubborn", "please")
	out, _ := cmd.CombinedOutput()
	assert.Equal(t, 2, cmd.ProcessState.ExitCode())
	assert.Contains(t, string(out), `program: unexpected argument "please"`)
}

func TestMain_CtrlCInterruptsAndASecondOneKills(t *testing.T) {
	code, out, stderr := apitest.Interrupt(t, apitest.Program(t, nil), "running")
	assert.Equal(t, 130, code)
	assert.Equal(t, "running\nstopping\n", out)
	assert.Equal(t, "program: interrupted\n", stderr)

	cmd := apitest.Program(t, nil, "-stubborn") // interrupted at both lines
	_, out, stderr = apitest.Interrupt(t, cmd, "ing")
	assert.Equal(t, "running\nstopping\n", out)
	assert.Empty(t, stderr)
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGINT, "%v", cmd.ProcessState)
}
