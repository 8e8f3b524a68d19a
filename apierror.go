package agentphone

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// newAPIError returns the APIError of a response, whatever its body is.
func newAPIError(op *operation, res *transport.Response) *APIError {
	key := res.Key
	e := &APIError{
		StatusCode: res.Status,
		RequestID:  requestID(res),
		Attempts:   res.Attempts,
		Operation:  op.String(),
		Body:       redact.Body(res.Body, key),
	}
	e.RetryAfter, e.hasRetryAfter = transport.RetryAfter(res.Header)
	var body struct {
		Detail json.RawMessage `json:"detail"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(e.Body, &body) != nil {
		return e // such as a proxy's HTML, of which only the status is of use
	}
	defer e.clean(key) // in JSON the key may have been escaped
	switch {
	case len(body.Error) > 0:
		e.isAPIs = body.Error[0] == '{' // a text is that of many frameworks
		e.readEnvelope(body.Error)
	case len(body.Detail) > 0:
		e.isAPIs = string(body.Detail) != "null"
		e.readDetail(body.Detail)
	}
	return e
}

// readEnvelope reads {"message", "code", "type", "details"}, or a string.
func (e *APIError) readEnvelope(data []byte) {
	var env struct {
		Message string            `json:"message"`
		Code    string            `json:"code"`
		Type    string            `json:"type"`
		Details []json.RawMessage `json:"details"`
	}
	if json.Unmarshal(data, &e.Message) == nil {
		return
	}
	// Fields of an unexpected type are left out.
	_ = json.Unmarshal(data, &env)
	e.Message, e.Code, e.Type = env.Message, env.Code, env.Type
	e.Details = fieldErrors(env.Details)
	if e.Message == "" {
		e.Message = summarize(e.Details)
	}
}

// readDetail reads a string, or the list of invalid fields of a 422.
func (e *APIError) readDetail(data []byte) {
	if json.Unmarshal(data, &e.Message) == nil {
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		e.readEnvelope(data)
		return
	}
	e.Details = fieldErrors(list)
	e.Message = summarize(e.Details)
	e.Code = CodeValidation
}

// clean redacts the decoded fields.
func (e *APIError) clean(key string) {
	for _, s := range []*string{&e.Message, &e.Code, &e.Type} {
		*s = redact.Text(*s, key)
	}
	for i := range e.Details {
		d := &e.Details[i]
		*d = FieldError{redact.Text(d.Field, key), redact.Text(d.Message, key), redact.Text(d.Type, key)}
	}
}

func fieldErrors(list []json.RawMessage) []FieldError {
	var out []FieldError
	for _, item := range list {
		var detail struct {
			Loc     []any  `json:"loc"`
			Field   string `json:"field"`
			Msg     string `json:"msg"`
			Message string `json:"message"`
			Type    string `json:"type"`
		}
		var f FieldError
		if json.Unmarshal(item, &f.Message) != nil {
			_ = json.Unmarshal(item, &detail)
			f = FieldError{Field: detail.Field, Message: detail.Msg + detail.Message, Type: detail.Type}
			if len(detail.Loc) > 0 {
				f.Field = location(detail.Loc)
			}
		}
		if f != (FieldError{}) {
			out = append(out, f)
		}
	}
	return out
}

// location returns a path such as customTools.0.url for ["body", "customTools", 0, "url"].
func location(loc []any) string {
	if len(loc) > 1 && (loc[0] == "body" || loc[0] == "query" || loc[0] == "path" || loc[0] == "header") {
		loc = loc[1:]
	}
	parts := make([]string, len(loc))
	for i, part := range loc {
		parts[i] = fmt.Sprint(part)
	}
	return strings.Join(parts, ".")
}

func summarize(details []FieldError) string {
	parts := make([]string, len(details))
	for i, d := range details {
		parts[i] = strings.TrimPrefix(d.Field+": "+d.Message, ": ")
	}
	return strings.Join(parts, "; ")
}
