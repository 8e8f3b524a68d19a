// Smsbot replies to texts, and keeps the state of each conversation in its metadata.
//
//	go run ./examples/smsbot                                                     # a scripted human, in memory
//	AGENTPHONE_API_KEY=sk_live_... AGENTPHONE_WEBHOOK_SECRET=whsec_... go run ./examples/smsbot -addr :8080
//
// For real texts, set the webhook of the account to https://YOUR-HOST/webhook.
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
	addr := flag.String("addr", "", "address to serve real texts at, such as :8080 (needs AGENTPHONE_API_KEY and AGENTPHONE_WEBHOOK_SECRET)")
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
		log.Fatal("smsbot: ", err)
	}
}

// bot books tables: it asks for the number of people, then for the time.
type bot struct{ client *agentphone.Client }

// Its own replies, which are delivered as events too, are no messages to OnMessage: the bot does not talk to itself.
func newBot(client *agentphone.Client, secrets ...string) (*agentphone.WebhookHandler, error) {
	b := bot{client}
	return agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{OnMessage: b.reply})
}

// reply replies to a text. If it returns an error the event is delivered again, so it saves the state of the
// conversation only after the reply was sent. A reply with an unknown outcome counts as sent: rather none than two.
func (b bot) reply(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
	people, _ := event.ConversationState["people"].(string)
	state, body := map[string]any{}, ""
	switch {
	case event.ConversationState["asked"] == nil:
		body, state["asked"] = "Hi! For how many people?", true
	case people == "":
		body, state["asked"], state["people"] = "And at what time?", true, message.Message
	default:
		body = fmt.Sprintf("A table for %s at %s. See you!", people, message.Message)
	}
	_, err := b.client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID: event.AgentID, NumberID: message.NumberID, ToNumber: message.From, Body: body,
	})
	if err != nil && !errors.Is(err, agentphone.ErrOutcomeUnknown) {
		return err
	}
	_, err = b.client.Conversations.Update(ctx, message.ConversationID, agentphone.UpdateConversationParams{Metadata: agentphone.Value(state)})
	if err != nil {
		// If it were returned, the reply would be sent again.
		log.Print("smsbot: the state of the conversation is not saved: ", err)
	}
	return nil
}

// serve serves real texts at addr until ctx ends.
func serve(ctx context.Context, addr string) error {
	client, err := agentphone.NewClientFromEnv()
	if err != nil {
		return err
	}
	secret := os.Getenv("AGENTPHONE_WEBHOOK_SECRET")
	if secret == "" {
		return errors.New("AGENTPHONE_WEBHOOK_SECRET is not set")
	}
	handler, err := newBot(client, strings.FieldsFunc(secret, func(r rune) bool { return r == ',' || r == ' ' })...)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", handler)
	server := &http.Server{Handler: mux, ReadTimeout: 30 * time.Second}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log.Printf("replying to texts at http://%s/webhook", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	// The handler waits for the replies that are being sent, also those that AgentPhone does not wait for any more.
	return errors.Join(handler.Shutdown(ctx), server.Shutdown(ctx))
}

// scripted runs a conversation with a scripted human, over an API in memory.
func scripted(ctx context.Context) error {
	fmt.Println("No -addr: a scripted human, in memory. Nothing is real.")
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
	defer srv.Close()
	client := srv.Client()
	webhook, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://smsbot.example.com/webhook"})
	if err != nil {
		return err
	}
	handler, err := newBot(client, webhook.Secret)
	if err != nil {
		return err
	}
	srv.SetReceiver(handler)
	shown := 0
	for _, text := range []string{"Can I book a table?", "4", "half past seven"} {
		srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), text)
		srv.WaitDeliveries()
		messages := srv.Messages()
		for _, m := range messages[shown:] {
			who := map[agentphone.Direction]string{agentphone.DirectionInbound: "human", agentphone.DirectionOutbound: "bot"}[m.Direction]
			fmt.Printf("%-6s %s\n", who+":", m.Body)
		}
		shown = len(messages)
	}
	return nil
}
