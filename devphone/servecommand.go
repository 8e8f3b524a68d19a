package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/page"
)

// serveFlags are the arguments of devphone without a subcommand.
type serveFlags struct {
	listen, webhook, secret string
	hosts                   []string
	rateLimits, noPayment   bool
}

const serveUsage = `usage:
  devphone [flags]                                       serve the API in memory, and a phone in the browser
  devphone test -target URL [flags] FILES [-- COMMAND]   play scenarios; devphone test -h describes the flags

Prints a line of JSON: the url, apiKey, agentId and numberId of the API, the pageUrl to open in a browser, and the
webhookSecret that signs events. Each request to the API is logged to standard error. Ctrl-C stops it.

`

func parseServeFlags(args []string, stderr io.Writer) (*serveFlags, error) {
	f := &serveFlags{}
	set := flag.NewFlagSet("devphone", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		_, _ = fmt.Fprint(stderr, serveUsage)
		set.PrintDefaults()
	}
	set.StringVar(&f.listen, "listen", "127.0.0.1:8787", "`address` to listen at; with port 0 a free port. Not on the loopback interface the page takes a token")
	set.StringVar(&f.webhook, "webhook", "", "`URL` of your agent's webhook, such as http://127.0.0.1:8080/webhook")
	set.StringVar(&f.secret, "secret", "", "what signs events: your agent's `whsec_...` (default: a random one)")
	hostsVar(set, &f.hosts)
	set.BoolVar(&f.rateLimits, "rate-limits", false, "keep to the API's published rates: 429 to what comes too soon")
	set.BoolVar(&f.noPayment, "no-payment-method", false, "refuse what costs something with 402")
	if err := set.Parse(args); err != nil {
		return nil, &printedError{err}
	}
	if set.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "devphone: unexpected argument %q\n", set.Arg(0))
		set.Usage()
		return nil, &printedError{errors.New("unexpected argument")}
	}
	if f.webhook != "" {
		if _, err := webhookURL("-webhook", f.webhook); err != nil {
			return nil, err
		}
	}
	f.secret = cmp.Or(f.secret, "whsec_"+rand.Text())
	return f, nil
}

// hostsVar defines the flag -host.
func hostsVar(set *flag.FlagSet, hosts *[]string) {
	set.Func("host", "`name` by which this machine is reached, such as host.docker.internal; can be given more than once. localhost and IP addresses always are", func(name string) error {
		*hosts = append(*hosts, strings.ToLower(name))
		return nil
	})
}

// runServe runs devphone without a subcommand.
func runServe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags, err := parseServeFlags(args, stderr)
	if err == nil {
		err = serve(ctx, flags, stdout, log.New(stderr, "", log.Ltime))
	}
	return exitCode("devphone", err, stderr)
}

// deliveryPauses are those between the attempts to deliver an event: long enough to start the agent again.
var deliveryPauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// keptRequests is how many requests the page and the control API can show.
const keptRequests = 10_000

// serve serves the API and the page until ctx ends.
func serve(ctx context.Context, flags *serveFlags, stdout io.Writer, logger *log.Logger) error {
	listener, err := net.Listen("tcp", flags.listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	opts := []agentphonetest.Option{
		// An agent that runs on while devphone is started again must not take new deliveries for old ones.
		agentphonetest.WithIDSeed(rand.Text()),
		agentphonetest.WithWebhookSecret(flags.secret), agentphonetest.WithRinging(), agentphonetest.WithEchoes(),
		agentphonetest.WithDeliveryPauses(deliveryPauses...), agentphonetest.WithRecentRequests(keptRequests),
	}
	if flags.rateLimits {
		opts = append(opts, agentphonetest.WithRateLimits())
	}
	if flags.noPayment {
		opts = append(opts, agentphonetest.WithoutPaymentMethod())
	}
	guard := page.Guard{Hosts: flags.hosts}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		guard.Token = rand.Text()
		opts = append(opts, agentphonetest.WithAPIKey("sk_live_"+rand.Text()))
	}
	srv := agentphonetest.NewServer(opts...)
	defer srv.Close()
	if err := setUp(ctx, srv, flags.webhook); err != nil {
		return err
	}

	first := accountLine{URL: "http://" + reachable(listener.Addr()), WebhookSecret: flags.secret}
	first.PageURL = first.URL + "/"
	if guard.Token != "" {
		first.PageURL += "?token=" + guard.Token
	}
	if err := printAccount(stdout, first, srv); err != nil {
		return err
	}
	logger.Printf("open %s", first.PageURL)
	return serveUntil(ctx, listener, page.Handler(srv, logged(srv, logger), guard), srv.Close)
}

// setUp makes the agent one that answers by webhook.
func setUp(ctx context.Context, srv *agentphonetest.Server, webhook string) error {
	if webhook == "" {
		return nil
	}
	client := srv.Client()
	if _, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: webhook}); err != nil {
		return err
	}
	_, err := client.Agents.Update(ctx, srv.AgentID(), agentphone.UpdateAgentParams{VoiceMode: agentphone.VoiceModeWebhook})
	return err
}

// serveUntil serves requests until ctx ends. breakOff ends those that wait.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler, breakOff func()) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	breakOff()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil { // a client has a connection open without a request
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
