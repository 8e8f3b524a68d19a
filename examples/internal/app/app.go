// Package app is what the examples have in common, so that each shows only what it is about: flags, signals, the API in
// memory where no key is set, a server for a webhook.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/agentphone/agentphone-go"
)

// Main parses the flags and runs an example, with a context that ends on Ctrl-C or SIGTERM. A second Ctrl-C ends the
// process at once. The exit code is 1 after an error, 2 if the flags are wrong, and 130 if run was interrupted and says
// so by returning the error of its context.
func Main(name string, run func(ctx context.Context) error) {
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "%s: unexpected argument %q\n", name, flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from now on a signal has its default effect
	err := run(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		os.Exit(130)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// InMemory reports whether AGENTPHONE_API_KEY is not set, so that the example has to do with the API in memory. It says
// so on standard output.
func InMemory() bool {
	if os.Getenv("AGENTPHONE_API_KEY") != "" {
		return false
	}
	fmt.Println("AGENTPHONE_API_KEY is not set: this runs against the API in memory. Nothing is real.")
	return true
}

// HangUp ends a call because of an error, and returns that error, or a worse one if the call cannot be ended. It does
// so although ctx is canceled: a phone must not go on ringing for a program that has ended.
func HangUp(ctx context.Context, client *agentphone.Client, callID string, because error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	ended, err := client.Calls.End(ctx, callID)
	if err != nil {
		// Not wrapping because: the program must not end as if it was only interrupted.
		return fmt.Errorf("call %s: hanging up failed, so the phone may go on ringing: %w (hanging up because: %v)", callID, err, because)
	}
	fmt.Println("  hung up:", ended.Status)
	return because
}
