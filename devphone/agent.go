package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long the agent may take until it listens. "go run" compiles it before.
	startTimeout = time.Minute
	// stopTimeout is how long the agent may take to end once it is interrupted.
	stopTimeout = 5 * time.Second
)

// agent is the process of the agent, with those that it started.
type agent struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it exited
}

// startAgent starts the command of the agent and waits until it listens. What it prints goes to output.
func startAgent(ctx context.Context, flags *testFlags, output io.Writer, env []string) (*agent, error) {
	addr := flags.hostPort()
	if listens(ctx, addr) {
		return nil, fmt.Errorf("something listens at %s already, the host of -target: the agent could not", addr)
	}
	args := make([]string, len(flags.command))
	for i, arg := range flags.command {
		args[i] = strings.ReplaceAll(arg, "{addr}", addr)
	}
	a := &agent{cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})} //nolint:gosec // the user's own
	a.cmd.Env = append(os.Environ(), env...)
	a.cmd.Stdout, a.cmd.Stderr = output, output
	a.cmd.WaitDelay = time.Second // a process that the agent left behind may keep its output open
	inOwnGroup(a.cmd)
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the agent: %w", err)
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.exited)
	}()
	deadline := time.After(startTimeout)
	for !listens(ctx, addr) {
		select {
		case <-a.exited:
			a.stop() // what it may have started
			return nil, fmt.Errorf("the agent exited before it listened at %s: %w", addr, a.exit())
		case <-ctx.Done():
			a.stop()
			return nil, ctx.Err()
		case <-deadline:
			a.stop()
			return nil, fmt.Errorf("the agent does not listen at %s, the host of -target, after %v", addr, startTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return a, nil
}

func (a *agent) exit() error {
	if a.err != nil {
		return a.err
	}
	return fmt.Errorf("%v", a.cmd.ProcessState)
}

// stop ends the agent and waits for its end. A Ctrl-C meanwhile, which the agent in its group does not get, kills it.
func (a *agent) stop() {
	again, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	interrupt(a.cmd)
	select {
	case <-a.exited:
	case <-again.Done():
	case <-time.After(stopTimeout):
	}
	kill(a.cmd)
	<-a.exited
}

// listens reports whether something listens at an address.
func listens(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
