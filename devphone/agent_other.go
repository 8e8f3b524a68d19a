//go:build !unix

package main

import "os/exec"

func inOwnGroup(*exec.Cmd) {}

// interrupt does nothing: there is no signal that a program of another console gets.
func interrupt(cmd *exec.Cmd) { kill(cmd) }

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
