//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inOwnGroup puts a command and all that it starts into a process group. "go run" starts the agent and does not pass
// signals on.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interrupt(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }

// kill ends what is left of the group. It may be nothing.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
