package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// openAI is a model behind OpenAI's chat completions API.
type openAI struct {
	baseURL string // such as https://api.openai.com/v1
	key     string
	model   string
}

func (o *openAI) stream(ctx context.Context, conversation []message, tools []tool) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		body, err := o.request(ctx, conversation, tools)
		if err != nil {
			yield(part{}, fmt.Errorf("the model: %w", err))
			return
		}
		defer func() { _ = body.Close() }()
		for p, err := range readStream(body) {
			if err != nil {
				err = fmt.Errorf("the model: %w", err)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// request returns the stream that responds to a conversation. There is no timeout but that of ctx, which is the turn's.
func (o *openAI) request(ctx context.Context, conversation []message, tools []tool) (io.ReadCloser, error) {
	type function struct {
		Type     string `json:"type"`
		Function tool   `json:"function"`
	}
	params := struct {
		Model    string     `json:"model"`
		Stream   bool       `json:"stream"`
		Messages []message  `json:"messages"`
		Tools    []function `json:"tools,omitempty"`
	}{Model: o.model, Stream: true, Messages: conversation}
	for _, t := range tools {
		params.Tools = append(params.Tools, function{"function", t})
	}
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.baseURL, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer func() { _ = res.Body.Close() }()
		var failure struct{ Error streamError }
		if res.StatusCode != http.StatusSwitchingProtocols { // whose body is the connection, and ends with nothing
			_ = json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&failure) // the status says enough
		}
		return nil, fmt.Errorf("%s %w", res.Status, failure.Error)
	}
	return res.Body, nil
}

// chunk is an event of the stream.
type chunk struct {
	Error   *streamError
	Choices []struct {
		Delta struct {
			Content   string
			Refusal   string // in place of content
			ToolCalls []struct {
				Index int
				toolCall
			} `json:"tool_calls"`
		}
		FinishReason string `json:"finish_reason"`
	}
}

type streamError struct{ Message string }

func (e streamError) Error() string { return cmp.Or(e.Message, "(no message)") }

// readStream reads Server-Sent Events, each a line "data: {...}" and a blank one, up to "data: [DONE]". A call of a
// tool comes in pieces: its id and name, then its arguments bit by bit. It is yielded when the stream has ended as it
// should.
func readStream(body io.Reader) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		var calls []toolCall
		said, finished, reason := false, false, ""
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data:")
			if !ok {
				continue // a blank line, a comment that keeps the connection alive
			}
			if data = strings.TrimSpace(data); data == "[DONE]" {
				finished = true
				break
			}
			var c chunk
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				yield(part{}, fmt.Errorf("an event of its stream is not JSON: %w", err))
				return
			}
			if c.Error != nil {
				yield(part{}, fmt.Errorf("in the middle of its stream: %w", c.Error))
				return
			}
			if len(c.Choices) == 0 {
				continue // token counts
			}
			for _, piece := range c.Choices[0].Delta.ToolCalls {
				const most = 32
				if piece.Index < 0 || piece.Index > len(calls) || piece.Index >= most {
					yield(part{}, fmt.Errorf("a tool call with index %d, after %d calls", piece.Index, len(calls)))
					return
				}
				if piece.Index == len(calls) {
					calls = append(calls, toolCall{Type: "function"})
				}
				call := &calls[piece.Index]
				call.ID += piece.ID
				call.Function.Name += piece.Function.Name
				call.Function.Arguments += piece.Function.Arguments
			}
			reason = cmp.Or(reason, c.Choices[0].FinishReason)
			text := c.Choices[0].Delta.Content + c.Choices[0].Delta.Refusal
			said = said || strings.TrimSpace(text) != ""
			if text != "" && !yield(part{text: text}, nil) {
				return
			}
		}
		if !finished && reason == "" {
			yield(part{}, fmt.Errorf("its stream was cut: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF)))
			return
		}
		if !said && len(calls) == 0 { // such as "length", by a model that thought for too long
			yield(part{}, fmt.Errorf("it said nothing, and finished with %q", reason))
		}
		for _, call := range calls {
			if !yield(part{call: &call}, nil) {
				return
			}
		}
	}
}
