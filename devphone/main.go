// Devphone is a phone on the screen for those who build phone agents: people text and call, with the AgentPhone API in
// memory behind them.
//
//	devphone -webhook http://127.0.0.1:8080/webhook -secret whsec_...      serves the API, and a page that is the phone
//	devphone test -target http://127.0.0.1:8080/webhook FILES -- COMMAND   plays the scenarios in FILES
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/agentphone/agentphone-go/devphone/internal/terminal"
)

// exitUsage is the exit code if nothing could be done. The flag package uses it too.
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs the subcommand that the arguments begin with, and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "test" {
		return runTest(ctx, args[1:], stdout, stderr)
	}
	return runServe(ctx, args, stdout, stderr)
}

// exitCode says what went wrong, unless the user has been told, and returns the exit code.
func exitCode(name string, err error, stderr io.Writer) int {
	var printed *printedError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case !errors.As(err, &printed):
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, terminal.Plain(err.Error()))
	}
	return exitUsage
}

// printedError is an error that the user has been told.
type printedError struct{ error }

func (e *printedError) Unwrap() error { return e.error }

// webhookURL returns the URL that a flag has.
func webhookURL(flag, given string) (*url.URL, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s has to be a URL such as http://127.0.0.1:8080/webhook; found %q", flag, given)
	}
	return u, nil
}
