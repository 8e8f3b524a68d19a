package agentphone

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// CustomTool is an HTTP endpoint that a hosted agent may call during a conversation.
type CustomTool struct {
	Name        string `json:"name"`        // required: 1 to 64 letters, digits, _ and -
	Description string `json:"description"` // required: tells the model when to call it; at most 1,024 characters
	URL         string `json:"url"`         // required: https; at most 2,048 characters

	Method     string            `json:"method,omitzero"`     // GET or POST; if empty the API decides
	Headers    map[string]string `json:"headers,omitzero"`    // of each request to URL
	Parameters map[string]any    `json:"parameters,omitzero"` // JSON Schema of the arguments
	TimeoutMs  int               `json:"timeoutMs,omitzero"`  // milliseconds, 1,000 to 120,000; if 0 the API decides

	// SpeakDuringExecution says whether the agent speaks while the tool runs; if nil the API decides.
	SpeakDuringExecution *bool `json:"speakDuringExecution,omitzero"`
	// ExecutionMessage is what it says then, at most 500 characters.
	ExecutionMessage string `json:"executionMessage,omitzero"`

	// Extra holds the fields of a response that have no field in this struct, or values of another type than the field.
	// They are sent with the others, so that a tool can be read, changed and written without loss.
	Extra map[string]any `json:"-"`
}

func checkTools(tools []CustomTool) error {
	for _, t := range tools {
		if err := firstOf(required("customTools.name", t.Name), required("customTools.description", t.Description), required("customTools.url", t.URL)); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalJSON decodes a tool. It never fails: the API does not specify the tools in its responses, and an unexpected
// one must not keep an agent, or a page of agents, from being decoded.
func (t *CustomTool) UnmarshalJSON(data []byte) error {
	*t = CustomTool{}
	var rest map[string]json.RawMessage
	if json.Unmarshal(data, &rest) != nil {
		return nil // not an object
	}
	headers := rest["headers"]
	lenientjson.ReadFields(rest, t)
	if slices.Contains(slices.Collect(maps.Values(t.Headers)), "") {
		var exact map[string]*string
		_ = json.Unmarshal(headers, &exact) // cannot fail: it was decoded before
		if slices.Contains(slices.Collect(maps.Values(exact)), nil) {
			t.Headers, rest["headers"] = nil, headers // a map[string]string cannot hold the null
		}
	}
	for name, raw := range rest {
		if t.Extra == nil {
			t.Extra = make(map[string]any, len(rest))
		}
		var value any
		_ = json.Unmarshal(raw, &value) // cannot fail: it was decoded before
		t.Extra[name] = value
	}
	return nil
}

// MarshalJSON encodes the tool with the fields in Extra. A field of the struct takes precedence over one in Extra.
func (t CustomTool) MarshalJSON() ([]byte, error) {
	type plain CustomTool
	data, err := json.Marshal(plain(t))
	if err != nil || len(t.Extra) == 0 {
		return data, err
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, err
	}
	all := make(map[string]any, len(known)+len(t.Extra))
	for name, raw := range known {
		all[name] = raw
	}
	for name, value := range t.Extra {
		if raw, ok := known[name]; !ok || string(raw) == `""` {
			all[name] = value
		}
	}
	return json.Marshal(all)
}
