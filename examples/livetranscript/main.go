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
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/examples/internal/app"
)

func main() {
	agentID := flag.String("agent", "", "the agent that calls (required with AGENTPHONE_API_KEY)")
	to := flag.String("to", "", "the phone number to call, E.164 (required with AGENTPHONE_API_KEY)")
	app.Main("livetranscript", func(ctx context.Context) error {
		if app.InMemory() {
			srv := scripted()
			defer srv.Close()
			return run(ctx, srv.Client(), srv.AgentID(), "+14155550123")
		}
		client, err := agentphone.NewClientFromEnv()
		if err != nil {
			return err
		}
		if *agentID == "" || *to == "" {
			return errors.New("AGENTPHONE_API_KEY is set, so this calls a real phone: name the agent with -agent and the phone with -to")
		}
		return run(ctx, client, *agentID, *to)
	})
}

func run(ctx context.Context, client *agentphone.Client, agentID, to string) error {
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
		return app.HangUp(ctx, client, call.ID, err)
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

// scripted returns the API in memory, where the next call follows a script.
func scripted() *agentphonetest.Server {
	srv := agentphonetest.NewServer()
	srv.NextCall(agentphonetest.CallScript{
		Duration: 5 * time.Second,
		Turns: []agentphonetest.Utterance{
			{Role: agentphone.RoleAgent, Content: "Hi! It is your agent. How was your day?"},
			{Role: agentphone.RoleUser, Content: "Long. But the demo worked."},
			{Role: agentphone.RoleAgent, Content: "Then it was a good one. Sleep well!"},
		},
	})
	return srv
}
