// Smsbot replies to texts: it books tables, and keeps the state of each conversation in its metadata.
//
//	go run ./examples/smsbot                                                     # a scripted human, in memory
//	AGENTPHONE_API_KEY=sk_live_... AGENTPHONE_WEBHOOK_SECRET=whsec_... go run ./examples/smsbot -addr :8080
//
// For real texts, set the webhook of the account to https://YOUR-HOST/webhook. While a new secret replaces an old one,
// set both, separated by a comma.
package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/examples/internal/app"
)

func main() {
	addr := flag.String("addr", "", "address to serve real texts at, such as :8080 (needs AGENTPHONE_API_KEY and AGENTPHONE_WEBHOOK_SECRET)")
	app.Main("smsbot", func(ctx context.Context) error {
		if *addr == "" {
			return scripted(ctx)
		}
		return serve(ctx, *addr)
	})
}

// serve replies to real texts until ctx ends.
func serve(ctx context.Context, addr string) error {
	// In memory, for one process. Several that share a store of the module sqlstore or redisstore reply once, too, and
	// so does one that crashed and was started again.
	store := agentphone.NewMemoryStore()
	client, err := agentphone.NewClientFromEnv(agentphone.WithStore(store))
	if err != nil {
		return err
	}
	secrets, err := app.WebhookSecrets()
	if err != nil {
		return err
	}
	bot, err := newBot(client, store, secrets...)
	if err != nil {
		return err
	}
	return app.Serve(ctx, addr, bot)
}

type bot struct{ client *agentphone.Client }

// newBot returns the handler of the bot's webhook. Its own replies, which are delivered as events too, are no messages
// to OnMessage: the bot does not talk to itself.
func newBot(client *agentphone.Client, store agentphone.Store, secrets ...string) (*agentphone.WebhookHandler, error) {
	b := bot{client}
	return agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{OnMessage: b.reply, Store: store})
}

// reply replies to a text: once, whatever happens. It returns every error, after which the text is delivered again,
// with the same id and the same state of the conversation. So the reply is the same, too, and if it was sent before,
// its key, which is that id, has the client return the first result instead of sending it again.
func (b bot) reply(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
	body, state := next(event.ConversationState, message.Message)
	_, err := b.client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID: event.AgentID, NumberID: message.NumberID, ToNumber: message.From, Body: body,
	}, agentphone.WithIdempotencyKey(event.DeliveryID))
	if err != nil || message.ConversationID == "" { // which the API does not always know: then there is nowhere to keep the state
		return err
	}
	_, err = b.client.Conversations.Update(ctx, message.ConversationID, agentphone.UpdateConversationParams{Metadata: agentphone.Value(state)})
	return err
}

// next is the conversation: it asks for the number of people, then for the time. It returns the reply to a text and the
// new state.
func next(state map[string]any, text string) (reply string, newState map[string]any) {
	people, _ := state["people"].(string)
	switch {
	case state["asked"] == nil:
		return "Hi! For how many people?", map[string]any{"asked": true}
	case people == "":
		return "And at what time?", map[string]any{"asked": true, "people": text}
	}
	return fmt.Sprintf("A table for %s at %s. See you!", people, text), map[string]any{}
}

// scripted runs a conversation with a scripted human, in memory.
func scripted(ctx context.Context) error {
	fmt.Println("No -addr: a scripted human, in memory. Nothing is real.")
	srv, secret, err := app.Rehearse(ctx)
	if err != nil {
		return err
	}
	defer srv.Close()
	store := agentphone.NewMemoryStore()
	bot, err := newBot(srv.Client(agentphone.WithStore(store)), store, secret)
	if err != nil {
		return err
	}
	srv.SetReceiver(bot)
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
