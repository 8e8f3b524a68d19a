// Voiceagent is the agent of a call: it answers each voice turn, says something while it looks up an order, and hangs
// up.
//
//	go run ./examples/voiceagent                                                 # a scripted caller, in memory
//	AGENTPHONE_WEBHOOK_SECRET=whsec_... go run ./examples/voiceagent -addr :8080   # real calls
//
// For real calls, set the webhook of an agent in voice mode "webhook" to https://YOUR-HOST/webhook. While a new secret
// replaces an old one, set both, separated by a comma.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func main() {
	addr := flag.String("addr", "", "address to serve real calls at, such as :8080 (needs AGENTPHONE_WEBHOOK_SECRET)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := scripted
	if *addr != "" {
		run = func(ctx context.Context) error { return serve(ctx, *addr) }
	}
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	if err := run(ctx); err != nil {
		log.Fatal("voiceagent: ", err)
	}
}

// newAgent returns the handler for the webhook of the agent.
func newAgent(secrets ...string) (*agentphone.WebhookHandler, error) {
	return agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{OnVoiceTurn: turn})
}

// turn answers one thing that the caller said.
func turn(ctx context.Context, _ *agentphone.Event, said *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	words := strings.ToLower(said.Transcript)
	switch {
	case strings.Contains(words, "bye"):
		return errors.Join(voice.Say("Goodbye!"), voice.Hangup())
	case strings.Contains(words, "order"):
		if err := voice.Interim("One moment, I'll look that up."); err != nil {
			return err // the caller is gone
		}
		status, err := lookUp(ctx)
		if err != nil {
			return voice.Say("I cannot find that just now. Please try again later.")
		}
		return voice.Say(status)
	}
	return voice.Say("I can tell you where your order is. What is its number?")
}

// lookUp stands in for a slow database.
func lookUp(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return "Your order left the warehouse this morning and arrives tomorrow.", nil
	}
}

// serve serves real calls at addr until ctx ends.
func serve(ctx context.Context, addr string) error {
	secret := os.Getenv("AGENTPHONE_WEBHOOK_SECRET")
	if secret == "" {
		return errors.New("AGENTPHONE_WEBHOOK_SECRET is not set")
	}
	agent, err := newAgent(strings.FieldsFunc(secret, func(r rune) bool { return r == ',' || r == ' ' })...)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", agent)
	server := &http.Server{Handler: mux, ReadTimeout: 30 * time.Second}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log.Printf("answering turns at http://%s/webhook", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(agent.Shutdown(ctx), server.Shutdown(ctx)) // waits for the turns that are being answered
}

// scripted runs a call with a scripted caller, over an API in memory.
func scripted(ctx context.Context) error {
	fmt.Println("No -addr: a scripted caller, in memory. Nothing is real.")
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
	defer srv.Close()
	webhook, err := srv.Client().Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://voiceagent.example.com/webhook"})
	if err != nil {
		return err
	}
	agent, err := newAgent(webhook.Secret)
	if err != nil {
		return err
	}
	srv.SetReceiver(agent)
	callID := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
	for _, words := range []string{"Hi, who is this?", "Where is my order 1 2 3?", "Thanks, bye."} {
		fmt.Printf("caller: %s\n", words)
		answer, err := srv.CallerSays(callID, words)
		if err != nil {
			return err
		}
		for _, line := range answer.Lines {
			fmt.Printf("agent:  %-62s (after %v)\n", line.Text, line.At.Round(100*time.Millisecond))
		}
		if answer.Hangup {
			fmt.Println("agent:  hangs up")
		}
	}
	call, err := srv.Client().Calls.Get(ctx, callID)
	if err != nil {
		return err
	}
	fmt.Printf("the call is %s\n", call.Status)
	return nil
}
