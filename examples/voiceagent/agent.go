package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

const prompt = `You are the telephone agent of a shop. You can say where an order is: ask for its number.
What you write is spoken: short sentences, no lists, no markup. When the caller says goodbye, say goodbye and hang up.`

var tools = []tool{{
	Name:        "look_up_order",
	Description: "Says where an order is.",
	Parameters:  json.RawMessage(`{"type":"object","properties":{"number":{"type":"string","description":"digits"}},"required":["number"]}`),
}, {
	Name:        "hang_up",
	Description: "Ends the call, after what was said before.",
	Parameters:  json.RawMessage(`{"type":"object","properties":{}}`),
}}

type agent struct{ model model }

// newAgent returns the handler of the agent's webhook.
func newAgent(m model, secrets ...string) (*agentphone.WebhookHandler, error) {
	a := agent{m}
	return agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{OnVoiceTurn: a.turn})
}

// turn answers one thing that the caller said. Each event has what was said before, so the agent keeps no state.
func (a agent) turn(ctx context.Context, event *agentphone.Event, said *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	conversation := []message{{Role: "system", Content: prompt}}
	for _, before := range event.RecentHistory {
		role := "assistant"
		if before.Direction == agentphone.DirectionInbound {
			role = "user"
		}
		conversation = append(conversation, message{Role: role, Content: before.Content})
	}
	conversation = append(conversation, message{Role: "user", Content: said.Transcript})
	return voice.Stream(a.reply(ctx, conversation, voice))
}

// reply yields what the agent says, as it comes. Whole sentences are spoken while the model goes on, or a tool works.
func (a agent) reply(ctx context.Context, conversation []message, voice *agentphone.VoiceResponse) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		// Rather than silence. That it is too late, or the caller gone, matters to nobody.
		moment := time.AfterFunc(2*time.Second, func() { _ = voice.Interim("One moment, please.") })
		defer moment.Stop()
		failed := func(err error) {
			if ctx.Err() == nil { // else the caller is gone
				log.Print("voiceagent: ", err)
				yield("\nI'm sorry, something went wrong here. Could you say that again?", nil)
			}
		}
		silent := true
		const rounds = 5 // of tools
		for range rounds {
			text, calls := "", []toolCall(nil)
			for part, err := range a.model.stream(ctx, conversation, tools) {
				if err != nil {
					failed(err)
					return
				}
				if part.call != nil {
					calls = append(calls, *part.call)
				}
				if part.text != "" {
					text += part.text
					if strings.TrimSpace(part.text) != "" {
						moment.Stop()
						silent = false
					}
					if !yield(part.text, nil) {
						return // the caller is gone
					}
				}
			}
			if len(calls) == 0 {
				if strings.TrimSpace(text) == "" { // it may have spoken before it called a tool, but not since
					failed(errors.New("the model said nothing"))
				}
				return
			}
			moment.Stop()
			conversation = append(conversation, message{Role: "assistant", Content: text, ToolCalls: calls})
			for _, call := range calls {
				if call.Function.Name == "hang_up" {
					if silent {
						yield("Goodbye!", nil)
					}
					_ = voice.Hangup() // fails only if the caller is gone
					return
				}
				if silent { // a model seldom speaks before it calls a tool
					silent = false
					if !yield("One moment, I'll look that up.\n", nil) {
						return
					}
				}
				conversation = append(conversation, message{Role: "tool", ToolCallID: call.ID, Content: use(ctx, call)})
			}
		}
		failed(errors.New("the model does not come to an end with its tools"))
	}
}

// use calls a tool and returns what the model is told of it. A failure is for the model to explain.
func use(ctx context.Context, call toolCall) string {
	if call.Function.Name != "look_up_order" {
		return "error: there is no such tool"
	}
	var arguments struct{ Number string }
	if err := json.Unmarshal([]byte(call.Function.Arguments), &arguments); err != nil {
		return "error: the arguments are not the JSON of the tool"
	}
	status, err := lookUp(ctx, strings.ReplaceAll(arguments.Number, " ", ""))
	if err != nil {
		return "error: the orders cannot be looked up just now"
	}
	return status
}

// lookUp stands in for a slow database.
func lookUp(ctx context.Context, number string) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(500 * time.Millisecond):
	}
	if number != "123" {
		return "There is no order with this number.", nil
	}
	return "It left the warehouse this morning and arrives tomorrow.", nil
}
