// Quickstart signs up, sends a text, places a call that an AI holds, shows its progress and prints what was said.
//
//	go run ./examples/quickstart                                              # no account: the API in memory
//	AGENTPHONE_API_KEY=sk_live_... go run ./examples/quickstart -to +1...     # the real API
//
// With a key it does not sign up. It uses your first agent that has a number, and texts and calls the number given with
// -to, and no other. Ctrl-C hangs up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/examples/internal/app"
)

func main() {
	to := flag.String("to", "", "the phone number to text and call, such as +14155551234 (required with AGENTPHONE_API_KEY)")
	app.Main("quickstart", func(ctx context.Context) error { return run(ctx, *to) })
}

func run(ctx context.Context, to string) error {
	getAccount := useAccount
	switch {
	case app.InMemory():
		getAccount = signUpInMemory
		if to == "" {
			to = "+14155550123" // a number reserved for fiction
		}
	case to == "":
		return errors.New("AGENTPHONE_API_KEY is set, so this texts and calls a real phone: name it with -to")
	}
	number, err := agentphone.NormalizeE164(to, "1")
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	client, agentID, err := getAccount(ctx)
	if err != nil {
		return err
	}
	if err := text(ctx, client, agentID, number); err != nil {
		return err
	}
	return call(ctx, client, agentID, number)
}

// signUpInMemory creates an account, as an agent without one does, in an API that is in this process.
func signUpInMemory(ctx context.Context) (*agentphone.Client, string, error) {
	srv := agentphonetest.NewServer()
	srv.NextCall(agentphonetest.CallScript{
		Duration: 6 * time.Second,
		Turns: []agentphonetest.Utterance{
			{Role: agentphone.RoleAgent, Content: "Hey! This is your new agent. I have a phone number now. Can I help with anything?"},
			{Role: agentphone.RoleUser, Content: "Hi! Could you book a table for two, tonight at seven?"},
			{Role: agentphone.RoleAgent, Content: "A table for two at seven. I'll call the restaurant and text you. Bye!"},
			{Role: agentphone.RoleUser, Content: "Thanks, bye."},
		},
	})
	inMemory := agentphone.WithHTTPClient(&http.Client{Transport: srv.Transport()})

	step("Sign up")
	client, err := agentphone.NewClient("", inMemory)
	if err != nil {
		return nil, "", err
	}
	signUp, err := client.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "you@example.com", AgentName: "quickstart"})
	if err != nil {
		return nil, "", err
	}
	code := srv.OTP(signUp.VerificationID) // the real one is in an email to the human
	say("a code was sent to %s: %s", signUp.HumanEmail, code)
	account, err := client.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: signUp.VerificationID, OTPCode: code})
	if err != nil {
		return nil, "", err
	}
	say("your number is %s, your agent %s", account.PhoneNumber, account.AgentID)

	client, err = agentphone.NewClient(account.APIKey, inMemory)
	return client, account.AgentID, err
}

// useAccount finds an agent of the account that has a number.
func useAccount(ctx context.Context) (*agentphone.Client, string, error) {
	client, err := agentphone.NewClientFromEnv()
	if err != nil {
		return nil, "", err
	}
	step("Find an agent with a number")
	for number, err := range client.Numbers.All(ctx, agentphone.ListNumbersParams{}) {
		if err != nil {
			return nil, "", err
		}
		if number.AgentID != "" && number.Status != agentphone.NumberStatusReleased {
			say("agent %s, number %s", number.AgentID, number.PhoneNumber)
			return client, number.AgentID, nil
		}
	}
	return nil, "", errors.New("no agent of the account has a number: attach one with Agents.AttachNumber")
}

func text(ctx context.Context, client *agentphone.Client, agentID string, to agentphone.E164) error {
	step("Send a text")
	message, err := client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID:  agentID,
		ToNumber: to.String(),
		Body:     "Hello from agentphone-go. I am about to call you.",
	})
	if err != nil {
		return err
	}
	say("to %s by %s: %s", to.Redacted(), message.Channel, message.Status)
	return nil
}

func call(ctx context.Context, client *agentphone.Client, agentID string, to agentphone.E164) error {
	step("Place a call")
	start := time.Now()
	progress := func(c *agentphone.Call) {
		say("%5.1fs  %-12s %d things said", time.Since(start).Seconds(), c.Status, len(c.Dialogue()))
	}
	// Not canceled by a Ctrl-C: it would leave a phone ringing for a call whose id is not known here.
	call, err := client.Calls.Create(context.WithoutCancel(ctx), agentphone.CreateCallParams{
		AgentID:         agentID,
		ToNumber:        to.String(),
		SystemPrompt:    "Introduce yourself as the new AI agent, ask whether you can help with anything, and keep it brief and warm.",
		InitialGreeting: agentphone.Ptr("Hey! This is your new agent. I have a phone number now. Can I help with anything?"),
	})
	if err != nil {
		return err
	}
	say("%s", call.ID)
	over, err := client.Calls.Wait(ctx, call.ID, agentphone.WaitParams{
		Interval:        time.Second,
		TranscriptGrace: 15 * time.Second,
		OnUpdate:        progress,
	})
	if err != nil {
		return app.HangUp(ctx, client, call.ID, err)
	}
	step("Read the transcript")
	for _, said := range over.Dialogue() {
		say("%-6s %s", string(said.Role)+":", said.Content)
	}
	return nil
}

func step(name string) { fmt.Printf("\n%s\n", name) }

func say(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }
