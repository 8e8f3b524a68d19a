// Devphone tests phone agents without a phone: it plays the people who text and call, over the AgentPhone API in memory.
//
//	devphone test -target http://127.0.0.1:8080/webhook FILES -- COMMAND   runs the scenarios in FILES
//
// The exit code is 2 if the arguments are wrong.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  devphone test -target URL [flags] FILES [-- COMMAND]   run scenarios; devphone test -h describes the flags
`

// exitUsage is the exit code for arguments that are wrong. The flag package uses it too.
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the subcommand that the arguments begin with, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	subcommand := ""
	if len(args) > 0 {
		subcommand = args[0]
	}
	switch subcommand {
	case "test":
		return runTest(ctx, args[1:], stdout, stderr)
	default:
		_, _ = fmt.Fprint(stderr, usage)
		return exitUsage
	}
}
