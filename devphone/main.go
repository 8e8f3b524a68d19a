// Devphone tests phone agents without a phone: it plays the people who text and call, with the AgentPhone API in memory
// behind them.
//
//	devphone test -target http://127.0.0.1:8080/webhook FILES -- COMMAND   plays the scenarios in FILES
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
  devphone test -target URL [flags] FILES [-- COMMAND]   play scenarios; devphone test -h describes the flags
`

// exitUsage is the exit code if nothing could be done. The flag package uses it too.
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the subcommand that the arguments begin with, and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "test" {
		return runTest(ctx, args[1:], stdout, stderr)
	}
	_, _ = fmt.Fprint(stderr, usage)
	return exitUsage
}
