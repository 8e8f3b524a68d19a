// Livetranscript places a call and prints what is said as it is said.
//
//	go run ./examples/livetranscript                                                          # the API in memory
//	AGENTPHONE_API_KEY=sk_live_... go run ./examples/livetranscript -agent agt_... -to +1...  # the real API
//
// Ctrl-C hangs up.
package main

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
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func main() {
	agentID := flag.String("agent", "", "the agent that calls (required with AGENTPHONE_API_KEY)")
	to := flag.String("to", "", "the phone number to call, E.164 (required with AGENTPHONE_API_KEY)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	err := run(ctx, *agentID, *to)
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, errNotHungUp):
		fmt.Fprintln(os.Stderr, "livetranscript: interrupted")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "livetranscript:", err)
		os.Exit(1)
	}
}

var errNotHungUp = errors.New("hanging up failed, so the phone may go on ringing")

func run(ctx context.Context, agentID, to string) error {
	client, err := agentphone.NewClientFromEnv()
	switch {
	case errors.Is(err, agentphone.ErrNoAPIKey):
		fmt.Println("AGENTPHONE_API_KEY is not set: this runs against the API in memory. Nothing is real.")
		client, agentID, to = inMemory()
	case err != nil:
		return err
	case agentID == "" || to == "":
		return errors.New("AGENTPHONE_API_KEY is set, so this calls a real phone: name the agent with -agent and the phone with -to")
	}

	// Not canceled by a Ctrl-C: it would leave a phone ringing for a call whose id is not known here.
	call, err := client.Calls.Create(context.WithoutCancel(ctx), agentphone.CreateCallParams{
		AgentID:      agentID,
		ToNumber:     to,
		SystemPrompt: "Ask how the day was, and keep it short.",
	})
	if err != nil {
		return err
	}
	if err := listen(ctx, client, call.ID); err != nil {
		return errors.Join(err, hangUp(ctx, client, call.ID))
	}
	return nil
}

// hangUp ends the call although ctx was canceled: a phone must not go on ringing for a program that has ended.
func hangUp(ctx context.Context, client *agentphone.Client, callID string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if _, err := client.Calls.End(ctx, callID); err != nil {
		return fmt.Errorf("call %s: %w: %w", callID, errNotHungUp, err)
	}
	return nil
}

func listen(ctx context.Context, client *agentphone.Client, callID string) error {
	start := time.Now()
	for event, err := range client.Calls.StreamTranscript(ctx, callID) {
		if err != nil {
			return err
		}
		at := time.Since(start).Seconds()
		switch event.Type {
		case agentphone.TranscriptEventConnected:
			fmt.Printf("%5.1fs  connected to %s\n", at, agentphone.E164(event.Connected.ToNumber).Redacted())
		case agentphone.TranscriptEventTurn:
			fmt.Printf("%5.1fs  %-6s %s\n", at, string(event.Turn.Role)+":", event.Turn.Content)
		case agentphone.TranscriptEventEnded:
			fmt.Printf("%5.1fs  %s\n", at, event.Ended.Status)
		}
	}
	return nil
}

func inMemory() (client *agentphone.Client, agentID, to string) {
	srv := agentphonetest.NewServer()
	srv.NextCall(agentphonetest.CallScript{
		Duration: 5 * time.Second,
		Turns: []agentphonetest.Utterance{
			{Role: agentphone.RoleAgent, Content: "Hi! It is your agent. How was your day?"},
			{Role: agentphone.RoleUser, Content: "Long. But the demo worked."},
			{Role: agentphone.RoleAgent, Content: "Then it was a good one. Sleep well!"},
		},
	})
	return srv.Client(), srv.AgentID(), "+14155550123"
}
