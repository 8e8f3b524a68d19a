// Voiceagent is the agent of a call: a language model that streams, with tools to look up an order and to hang up.
//
//	go run ./examples/voiceagent                                                   # a scripted caller, in memory
//	AGENTPHONE_WEBHOOK_SECRET=whsec_... go run ./examples/voiceagent -addr :8080   # real calls
//
// For real calls, set the webhook of an agent in voice mode "webhook" to https://YOUR-HOST/webhook. While a new secret
// replaces an old one, set both, separated by a comma.
//
// The model is a stand-in that follows a script. With OPENAI_API_KEY it is a real one: OpenAI's or, with
// OPENAI_BASE_URL, that of any server with the same API.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/agentphone/agentphone-go/examples/internal/app"
)

func main() {
	addr := flag.String("addr", "", "address to serve real calls at, such as :8080 (needs AGENTPHONE_WEBHOOK_SECRET)")
	name := flag.String("model", "gpt-4o-mini", "the model, with OPENAI_API_KEY")
	app.Main("voiceagent", func(ctx context.Context) error {
		var m model = script{}
		if key := os.Getenv("OPENAI_API_KEY"); key != "" {
			m = &openAI{baseURL: cmp.Or(os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com/v1"), key: key, model: *name}
		}
		if *addr == "" {
			return rehearse(ctx, m)
		}
		secrets, err := app.WebhookSecrets()
		if err != nil {
			return err
		}
		handler, err := newAgent(m, secrets...)
		if err != nil {
			return err
		}
		return app.Serve(ctx, *addr, handler)
	})
}

// rehearse runs a call with a scripted caller, in memory.
func rehearse(ctx context.Context, m model) error {
	fmt.Println("No -addr: a scripted caller, in memory. Nothing is real.")
	srv, secret, err := app.Rehearse(ctx)
	if err != nil {
		return err
	}
	defer srv.Close()
	handler, err := newAgent(m, secret)
	if err != nil {
		return err
	}
	srv.SetReceiver(handler)
	callID := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
	for _, words := range []string{"Hi, who is this?", "Where is my order 1 2 3?", "Thanks, bye."} {
		fmt.Printf("caller: %s\n", words)
		answer, err := srv.CallerSays(callID, words)
		if err != nil {
			return err
		}
		for _, line := range answer.Lines {
			fmt.Printf("agent:  %-57s (after %v)\n", line.Text, line.At.Round(100*time.Millisecond))
		}
		if answer.Hangup {
			fmt.Println("agent:  hangs up")
			break
		}
	}
	call, err := srv.Client().Calls.Get(ctx, callID)
	if err != nil {
		return err
	}
	fmt.Printf("the call is %s\n", call.Status)
	return nil
}
