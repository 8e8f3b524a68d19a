package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/devphone/page"
	"github.com/agentphone/agentphone-go/devphone/run"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// testFlags are the arguments of devphone test.
type testFlags struct {
	target, secret, listen string
	junit, json            string
	hosts                  []string
	files                  []string
	command                []string // that starts the agent; empty if it runs already
}

const testUsage = `usage: devphone test -target URL [flags] FILES [-- COMMAND]

Plays the scenarios in FILES with the agent whose webhook is at URL, and checks what it does. COMMAND starts the agent,
with AGENTPHONE_API_KEY, AGENTPHONE_BASE_URL and AGENTPHONE_WEBHOOK_SECRET set; {addr} in it is the host and port of URL,
and port 0 in URL is a free one. Without COMMAND the agent runs already.

The exit code is 0 if all scenarios hold, 1 if some do not, 2 if they could not be run.

`

// parseTestFlags reads the arguments. Flags may stand before, between and after the files.
func parseTestFlags(args []string, stderr io.Writer) (*testFlags, error) {
	f := &testFlags{}
	if i := slices.Index(args, "--"); i >= 0 {
		args, f.command = args[:i], args[i+1:]
		if len(f.command) == 0 {
			return nil, errors.New("no command after --")
		}
	}
	set := flag.NewFlagSet("devphone test", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		_, _ = fmt.Fprint(stderr, testUsage)
		set.PrintDefaults()
	}
	set.StringVar(&f.target, "target", "", "`URL` of the agent's webhook, such as http://127.0.0.1:8080/webhook")
	set.StringVar(&f.secret, "secret", "", "what signs deliveries: the agent's `whsec_...` (default: a random one, given to COMMAND)")
	set.StringVar(&f.listen, "listen", "127.0.0.1:0", "`address` to serve the API at, for an agent that runs already")
	hostsVar(set, &f.hosts)
	set.StringVar(&f.junit, "junit", "", "`file` to write a report to, as JUnit XML")
	set.StringVar(&f.json, "json", "", "`file` to write a report to, as JSON")
	for rest := args; ; {
		if err := set.Parse(rest); err != nil {
			return nil, &printedError{err} // with the usage
		}
		if set.NArg() == 0 {
			break
		}
		f.files, rest = append(f.files, set.Arg(0)), set.Args()[1:]
	}
	return f, f.check()
}

func (f *testFlags) check() error {
	switch {
	case f.target == "":
		return errors.New("-target is missing: the URL of the agent's webhook")
	case len(f.files) == 0:
		return errors.New("no scenario files")
	case f.secret == "" && len(f.command) == 0:
		return errors.New("-secret is missing: what the agent checks signatures with")
	}
	target, err := webhookURL("-target", f.target)
	if err != nil {
		return err
	}
	f.secret = cmp.Or(f.secret, "whsec_"+rand.Text())
	if target.Port() != "0" {
		return nil
	}
	if len(f.command) == 0 {
		return errors.New("-target has port 0, which takes a command that starts the agent")
	}
	listener, err := net.Listen("tcp", target.Host)
	if err != nil {
		return fmt.Errorf("-target: %w", err)
	}
	target.Host = listener.Addr().String()
	f.target = target.String()
	return listener.Close()
}

// hostPort is where the agent listens.
func (f *testFlags) hostPort() string {
	target, err := url.Parse(f.target)
	if err != nil {
		return f.target // checked before
	}
	return net.JoinHostPort(target.Hostname(), cmp.Or(target.Port(), map[string]string{"http": "80", "https": "443"}[target.Scheme]))
}

// runTest runs devphone test.
func runTest(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags, err := parseTestFlags(args, stderr)
	if err != nil {
		return exitCode("devphone test", err, stderr)
	}
	report, err := test(ctx, flags, stdout, stderr)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err == nil && report.Failed > 0 {
		return 1
	}
	return exitCode("devphone test", err, stderr)
}

// test plays the scenarios. The error says why it could not.
func test(ctx context.Context, flags *testFlags, stdout, stderr io.Writer) (report *run.Report, err error) {
	scenarios, err := readAll(flags.files)
	if err != nil {
		return nil, err
	}
	runner := run.New(flags.target, flags.secret)
	defer runner.Close()
	listener, err := net.Listen("tcp", flags.listen)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	guard := page.Guard{Hosts: flags.hosts}
	server := &http.Server{Handler: guard.SameSite(runner), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	defer func() { _ = server.Close() }()
	apiURL := "http://" + reachable(listener.Addr())

	if len(flags.command) == 0 {
		if err := printAccount(stdout, accountLine{URL: apiURL}, runner); err != nil {
			return nil, err
		}
		if !listens(ctx, flags.hostPort()) {
			return nil, fmt.Errorf("nothing listens at %s, the host of -target", flags.hostPort())
		}
	} else {
		agent, err := startAgent(ctx, flags, stderr, []string{
			"AGENTPHONE_API_KEY=" + runner.APIKey(), "AGENTPHONE_BASE_URL=" + apiURL, "AGENTPHONE_WEBHOOK_SECRET=" + flags.secret,
		})
		if err != nil {
			return nil, err
		}
		defer agent.stop()
	}

	report = &run.Report{}
	for i := range scenarios {
		result, err := runner.Run(ctx, &scenarios[i])
		if err != nil {
			return nil, err
		}
		report.Add(result)
		if err := result.WriteText(stdout); err != nil {
			return nil, err
		}
	}
	_, err = fmt.Fprintf(stdout, "%d passed, %d failed\n", report.Passed, report.Failed)
	return report, errors.Join(err, writeFile(flags.junit, report.WriteJUnit), writeFile(flags.json, report.WriteJSON))
}

// readAll reads the scenarios of all files, and names the mistakes of all of them.
func readAll(files []string) ([]scenario.Scenario, error) {
	var all []scenario.Scenario
	var problems []error
	for _, name := range files {
		scenarios, err := scenario.ReadFile(name)
		all, problems = append(all, scenarios...), append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("cannot read the scenarios:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return all, nil
}

// writeFile writes a report to a file, unless its name is "".
func writeFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name) //nolint:gosec // the user's own
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
