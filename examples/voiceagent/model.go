package main

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"
)

// model is a language model.
type model interface {
	// stream yields the continuation of a conversation as it comes: text in parts, each call of a tool in one. If the
	// model fails, the last thing that it yields is an error.
	stream(ctx context.Context, conversation []message, tools []tool) iter.Seq2[part, error]
}

type part struct {
	text string
	call *toolCall
}

// message, toolCall and tool are those of OpenAI's chat completions API, which many servers have.
type message struct {
	Role       string     `json:"role"` // system, user, assistant, or tool for what a tool returned
	Content    string     `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"` // function
	Function calledByName `json:"function"`
}

type calledByName struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"` // a JSON schema
}

// script is a stand-in for a model, which needs no account.
type script struct{}

func (script) stream(ctx context.Context, conversation []message, _ []tool) iter.Seq2[part, error] {
	last := conversation[len(conversation)-1]
	words := strings.ToLower(last.Content)
	switch {
	case last.Role == "tool":
		return says(ctx, last.Content+" Anything else?")
	case strings.Contains(words, "bye"):
		return says(ctx, "Goodbye!", toolCall{ID: "call_1", Type: "function", Function: calledByName{"hang_up", "{}"}})
	case strings.Contains(words, "order"):
		number := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, words)
		return says(ctx, "", toolCall{ID: "call_1", Type: "function", Function: calledByName{"look_up_order", `{"number":"` + number + `"}`}})
	}
	return says(ctx, "Hello! I can tell you where your order is. What is its number?")
}

// says yields a text word by word, at about the speed of a model, and then calls.
func says(ctx context.Context, text string, calls ...toolCall) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		for _, word := range strings.SplitAfter(text, " ") {
			select {
			case <-ctx.Done():
				yield(part{}, ctx.Err())
				return
			case <-time.After(20 * time.Millisecond):
			}
			if !yield(part{text: word}, nil) {
				return
			}
		}
		for _, call := range calls {
			if !yield(part{call: &call}, nil) {
				return
			}
		}
	}
}
