package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// events are a stream as OpenAI sends it: choices with a delta each, as JSON.
func events(choices ...string) string {
	var b strings.Builder
	for _, choice := range choices {
		fmt.Fprintf(&b, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[%s]}\n\n", choice)
	}
	return b.String()
}

const (
	begin     = `{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}`
	stop      = `{"index":0,"delta":{},"finish_reason":"stop"}`
	callsTool = `{"index":0,"delta":{},"finish_reason":"tool_calls"}`
	done      = "data: [DONE]\n\n"
)

func textPiece(text string) string {
	return fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, text)
}

// callPiece is a piece of the tool call with an index. Only the first one has an id and a name.
func callPiece(index int, id, name, arguments string) string {
	first := ""
	if id != "" {
		first = fmt.Sprintf(`"id":%q,"type":"function",`, id)
		name = fmt.Sprintf(`"name":%q,`, name)
	}
	return fmt.Sprintf(`{"index":0,"delta":{"tool_calls":[{"index":%d,%s"function":{%s"arguments":%q}}]},"finish_reason":null}`, index, first, name, arguments)
}

// orderCall is the call of a tool in pieces.
var orderCall = []string{
	begin, callPiece(0, "call_9", "look_up_order", ""), callPiece(0, "", "", `{"num`), callPiece(0, "", "", `ber":"1`), callPiece(0, "", "", `23"}`), callsTool,
}

// read reads a stream and returns its text, its calls and its error.
func read(t *testing.T, stream string) (text string, calls []toolCall, err error) {
	t.Helper()
	for p, e := range readStream(strings.NewReader(stream)) {
		require.NoError(t, err, "nothing comes after an error")
		if err = e; err != nil {
			continue
		}
		text += p.text
		if p.call != nil {
			calls = append(calls, *p.call)
		}
	}
	return text, calls, err
}

func TestOpenAI_ReadsStreams(t *testing.T) {
	order := toolCall{ID: "call_9", Type: "function", Function: calledByName{"look_up_order", `{"number":"123"}`}}
	hangUp := toolCall{ID: "call_a", Type: "function", Function: calledByName{"hang_up", "{}"}}
	tokens := events(begin, textPiece("It is"), textPiece(" on its way."))
	for name, c := range map[string]struct {
		stream string
		text   string
		calls  []toolCall
		err    string
	}{
		"text":                    {stream: tokens + events(stop) + done, text: "It is on its way."},
		"CRLF and no space":       {stream: strings.NewReplacer("\n", "\r\n", "data: ", "data:").Replace(tokens + events(stop) + done), text: "It is on its way."},
		"comments and usage":      {stream: ": PROCESSING\n\n" + tokens + events(stop) + "data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n" + done, text: "It is on its way."},
		"no [DONE], but finished": {stream: tokens + events(stop), text: "It is on its way."},
		"nothing after [DONE]":    {stream: tokens + done + events(textPiece("More.")), text: "It is on its way."},
		"a call in pieces":        {stream: events(orderCall...) + done, calls: []toolCall{order}},
		"text, then two calls": {
			stream: tokens + events(orderCall[:5]...) + events(callPiece(1, "call_a", "hang_up", "{}"), callsTool) + done,
			text:   "It is on its way.", calls: []toolCall{order, hangUp},
		},
		"nothing":                {stream: done, err: "said nothing, and finished with \"\""},
		"nothing, at the end":    {stream: events(begin, stop) + done, err: `said nothing, and finished with "stop"`},
		"too long a thought":     {stream: events(begin, `{"index":0,"delta":{"content":""},"finish_reason":"length"}`) + done, err: `said nothing, and finished with "length"`},
		"filtered":               {stream: events(begin, `{"index":0,"delta":{},"finish_reason":"content_filter"}`) + done, err: `said nothing, and finished with "content_filter"`},
		"only white space":       {stream: events(begin, textPiece(" \n"), stop) + done, text: " \n", err: `said nothing, and finished with "stop"`},
		"a refusal":              {stream: events(begin, `{"index":0,"delta":{"refusal":"I cannot"}}`, `{"index":0,"delta":{"content":null,"refusal":" help."}}`, stop) + done, text: "I cannot help."},
		"an error in the middle": {stream: tokens + "data: {\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\"}}\n\n", text: "It is on its way.", err: "in the middle of its stream: The server had an error"},
		"cut after text":         {stream: tokens, text: "It is on its way.", err: "cut: unexpected EOF"},
		"cut in a call":          {stream: events(orderCall[:4]...), err: "cut: unexpected EOF"},
		"cut in a line":          {stream: tokens + "data: {\"choi", text: "It is on its way.", err: "not JSON"},
		"empty":                  {err: "cut: unexpected EOF"},
		"an index out of order":  {stream: events(callPiece(1000000000, "call_9", "f", "")), err: "index 1000000000"},
		"a negative index":       {stream: events(callPiece(-1, "call_9", "f", "")), err: "index -1"},
		"a line without an end":  {stream: "data: " + strings.Repeat("x", 2<<20), err: "token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			text, calls, err := read(t, c.stream)
			assert.Equal(t, c.text, text)
			if c.err == "" {
				require.NoError(t, err)
				assert.Equal(t, c.calls, calls)
			} else {
				require.ErrorContains(t, err, c.err)
				assert.Empty(t, calls, "half a conversation calls no tools")
			}
		})
	}
}

// serveModel runs a server with the API of OpenAI that responds to the requests in turn, and returns the environment
// that names it and the bodies of the requests.
func serveModel(t *testing.T, respond ...http.HandlerFunc) (env []string, requests *[]map[string]any) {
	t.Helper()
	requests = &[]map[string]any{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if !assert.Equal(t, "POST /v1/chat/completions", r.Method+" "+r.URL.Path) || !assert.Equal(t, "Bearer sk-test", r.Header.Get("Authorization")) ||
			!assert.NoError(t, json.NewDecoder(r.Body).Decode(&body)) {
			return
		}
		*requests = append(*requests, body) // one at a time, as the caller waits for each answer
		if n := len(*requests); assert.LessOrEqual(t, n, len(respond)) {
			respond[n-1](w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return []string{"OPENAI_API_KEY=sk-test", "OPENAI_BASE_URL=" + srv.URL + "/v1"}, requests
}

// streamed responds with a stream, an event at a time.
func streamed(stream string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range strings.SplitAfterSeq(stream, "\n\n") {
			_, _ = w.Write([]byte(event))
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func TestOpenAI_HoldsTheConversation(t *testing.T) {
	env, requests := serveModel(t,
		streamed(events(begin, textPiece("Good"), textPiece(" morning. What"), textPiece(" can I do?"), stop)+done),
		streamed(events(orderCall...)+done),
		streamed(events(begin, textPiece("It is on its way."), stop)+done),
		streamed(events(begin, textPiece("Take care!"), callPiece(0, "call_b", "hang_up", "{}"), callsTool)+done),
	)
	assert.Equal(t, `No -addr: a scripted caller, in memory. Nothing is real.
caller: Hi, who is this?
agent:  Good morning.
agent:  What can I do?
caller: Where is my order 1 2 3?
agent:  One moment, I'll look that up.
agent:  It is on its way.
caller: Thanks, bye.
agent:  Take care!
agent:  hangs up
the call is completed
`, conversation(t, env...))

	require.Len(t, *requests, 4)
	first, third := (*requests)[0], (*requests)[2]
	assert.Equal(t, true, first["stream"])
	assert.Equal(t, "gpt-4o-mini", first["model"])
	assert.Equal(t, "look_up_order", first["tools"].([]any)[0].(map[string]any)["function"].(map[string]any)["name"])
	var roles []string
	for _, m := range third["messages"].([]any) {
		roles = append(roles, m.(map[string]any)["role"].(string))
	}
	assert.Equal(t, []string{"system", "user", "assistant", "assistant", "user", "assistant", "tool"}, roles)
	messages := third["messages"].([]any)
	assert.Equal(t, map[string]any{"role": "tool", "tool_call_id": "call_9", "content": "It left the warehouse this morning and arrives tomorrow."}, messages[6])
	assert.Equal(t, []any{map[string]any{"id": "call_9", "type": "function", "function": map[string]any{"name": "look_up_order", "arguments": `{"number":"123"}`}}},
		messages[5].(map[string]any)["tool_calls"])
}

// After a 101 the connection is not HTTP's any more: what is read from it ends with no turn.
func TestOpenAI_ModelThatSwitchesProtocolsIsAFailure(t *testing.T) {
	switches := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}
	env, _ := serveModel(t, switches, switches, switches)
	began := time.Now()
	out := conversation(t, env...)
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.Equal(t, 3, strings.Count(out, "the model: 101 Switching Protocols"), "%s", out)
	assert.Equal(t, 3, strings.Count(out, "I'm sorry, something went wrong here."), "%s", out)
}

// Whatever happens to the model, the caller hears of it, and the call goes on.
func TestOpenAI_FailuresAreSpoken(t *testing.T) {
	const sorry = "agent:  I'm sorry, something went wrong here.\nagent:  Could you say that again?\n"
	env, _ := serveModel(t,
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":{"message":"Incorrect API key provided"}}`))
		},
		func(w http.ResponseWriter, r *http.Request) {
			streamed(events(begin, textPiece("Your order is")))(w, r)
			panic(http.ErrAbortHandler) // the connection breaks
		},
		streamed(events(begin, textPiece("Goodbye!"), callPiece(0, "call_b", "hang_up", ""), callsTool)+done),
	)
	out := conversation(t, env...)
	assert.Contains(t, out, "the model: 401 Unauthorized Incorrect API key provided")
	assert.Contains(t, out, "its stream was cut: unexpected EOF")
	assert.Equal(t, 2, strings.Count(out, sorry), "%s", out)
	assert.Contains(t, out, "agent:  Your order is\n"+sorry)
	assert.Contains(t, out, "agent:  Goodbye!\nagent:  hangs up\nthe call is completed\n")
	assert.NotContains(t, out, "sk-test")
}
