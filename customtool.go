package agentphone

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// CustomTool is an HTTP endpoint that a hosted agent may call during a conversation.
type CustomTool struct {
	Name                 string            `json:"name"`            // required: letters, digits, _ and -, 64 at most
	Description          string            `json:"description"`     // required: tells the model when to use it
	URL                  string            `json:"url"`             // required
	Method               string            `json:"method,omitzero"` // [http.MethodGet] or [http.MethodPost]
	Headers              map[string]string `json:"headers,omitzero"`
	Parameters           map[string]any    `json:"parameters,omitzero"` // a JSON Schema
	TimeoutMs            int               `json:"timeoutMs,omitzero"`  // 1,000 to 120,000
	SpeakDuringExecution *bool             `json:"speakDuringExecution,omitzero"`
	ExecutionMessage     string            `json:"executionMessage,omitzero"`
	// Extra holds the fields of an answer that are not named here, or are of another type. It is
	// sent back, so that a tool that was read can be written.
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

// UnmarshalJSON never fails: the API's answers leave tools untyped, and an odd one must not hide its agent, or the
// whole page that this is on.
func (t *CustomTool) UnmarshalJSON(data []byte) error {
	*t = CustomTool{}
	var rest map[string]json.RawMessage
	if json.Unmarshal(data, &rest) != nil {
		return nil // no object: there is nothing that has a name
	}
	headers := rest["headers"]
	lenientjson.ReadFields(rest, t)
	if slices.Contains(slices.Collect(maps.Values(t.Headers)), "") {
		var exact map[string]*string
		_ = json.Unmarshal(headers, &exact) // it was read once
		if slices.Contains(slices.Collect(maps.Values(exact)), nil) {
			t.Headers, rest["headers"] = nil, headers // a null is no text: they are left as they came
		}
	}
	for name, raw := range rest {
		if t.Extra == nil {
			t.Extra = make(map[string]any, len(rest))
		}
		var value any
		_ = json.Unmarshal(raw, &value) // it was read once
		t.Extra[name] = value
	}
	return nil
}

// MarshalJSON writes Extra beside the fields; a field that is set goes before one of Extra.
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
