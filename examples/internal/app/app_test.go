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

// program waits until it is interrupted, and then goes on for ten seconds if it is told to be stubborn.
func program() {
	stubborn := flag.Bool("stubborn", false, "")
	Main("program", func(ctx context.Context) error {
		fmt.Println("running")
		<-ctx.Done()
		fmt.Println("stopping")
		for n := 0; *stubborn && n < 1000; n++ {
			fmt.Println("going on")
			time.Sleep(10 * time.Millisecond)
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

	cmd := apitest.Program(t, nil, "-stubborn") // interrupted at each line
	_, _, stderr = apitest.Interrupt(t, cmd, "ing")
	assert.Empty(t, stderr)
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGINT, "%v", cmd.ProcessState)
}
