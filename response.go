package agentphone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// A response of at most 32 MiB may still become a hundred times larger in memory: {} is two bytes, an Agent hundreds,
// and millions of them are a few kilobytes of gzip. So its values are counted before it is decoded. The limits are far
// above the largest page: 500 items, or 100 calls with transcripts of an hour each.
const (
	maxItems   = 10_000  // objects of a page
	maxObjects = 200_000 // at any depth
	maxArrays  = 600_000
	maxValues  = 500_000 // in arrays and objects
	maxDepth   = 200
)

var errTooManyValues = errors.New(
	"the body has more items, objects, arrays or values than a page can have, or nests them too deep")

// checkSize returns an error for a JSON text that would take too much memory to decode.
func checkSize(body []byte) error {
	// Most bodies have so few brackets and commas, with those within strings, that there is no need to tell them apart.
	brackets := bytes.Count(body, []byte{'{'}) + bytes.Count(body, []byte{'['})
	if brackets <= maxItems && bytes.Count(body, []byte{','}) <= maxValues {
		return nil
	}
	items, objects, arrays, values, depth, inText := 0, 0, 0, 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '{' || c == '[':
			if c == '{' {
				objects++
			} else {
				arrays++
			}
			if c == '{' && depth <= 2 { // as in {"data":[{, or nested less
				items++
			}
			if depth++; depth > maxDepth {
				return errTooManyValues
			}
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	if items > maxItems || objects > maxObjects || arrays > maxArrays || values > maxValues {
		return errTooManyValues
	}
	return nil
}

// resultOf returns the result in a 4xx: its body, or the "detail" or "error" in it, whichever has the operation's
// result; nil if none has.
func (op *operation) resultOf(res *transport.Response) json.RawMessage {
	if op.result == "" || res.Status/100 != 4 {
		return nil
	}
	var object map[string]json.RawMessage
	_ = json.Unmarshal(res.Body, &object)
	for _, candidate := range []json.RawMessage{res.Body, object["detail"], object["error"]} {
		var members map[string]json.RawMessage
		var result string
		if json.Unmarshal(candidate, &members) == nil && json.Unmarshal(members[op.result], &result) == nil && result != "" {
			return candidate
		}
	}
	return nil
}

// NoRetry reports whether a 429 is the operation's result, or has the code of a limit which no retry clears.
func (op *operation) NoRetry(res *transport.Response) bool {
	return op.resultOf(res) != nil || isPermanentLimit(newAPIError(op, res).Code)
}

// success decodes the response to an operation without a result: {"success": true}, another object, or no body.
type success struct{}

func (*success) decodeBody(body []byte) error {
	reply := struct {
		Success bool `json:"success"`
	}{Success: true}
	if err := json.Unmarshal(body, &reply); err != nil {
		return err
	}
	if !reply.Success {
		return errNotSuccessful
	}
	return nil
}

var errNotUTF8 = errors.New("the body is not UTF-8")

var errNotSuccessful = errors.New("the body says that the operation did not succeed")

var (
	errEmptyBody     = errors.New("the body is empty")
	errIsErrorObject = errors.New("the body is an error object")
)

// isErrorObject reports whether the body of a 2xx is an error object, such as {"detail": "down for maintenance"}: out,
// into which it was decoded, is still zero and has no field for it.
func isErrorObject(body []byte, out any) bool {
	v := reflect.ValueOf(out).Elem()
	if body[0] != '{' || v.Kind() != reflect.Struct || !v.IsZero() {
		return false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return false
	}
	for _, name := range []string{"detail", "error"} {
		if _, there := object[name]; there && !hasField(v.Type(), name) {
			return true
		}
	}
	return false
}

// hasField reports whether encoding/json decodes name into a field of t.
func hasField(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return strings.EqualFold(cmp.Or(tag, f.Name), name)
	})
}

// quickBody is the size in bytes of a body that is decoded in a few milliseconds. The time to decode a larger one, up
// to 32 MiB, counts towards the attempt's timeout and the context.
const quickBody = 1 << 20

// decode decodes the body of a 2xx into out, unless that is nil.
func (c *Client) decode(ctx context.Context, op *operation, res *transport.Response, out any) error {
	if out == nil {
		return nil
	}
	if err := op.decode(ctx, res, out); err != nil {
		return c.decodeError(op, res, err)
	}
	return nil
}

// decode decodes the body of a 2xx into out. An empty body, or null, is an error unless the operation allows it.
func (op *operation) decode(ctx context.Context, res *transport.Response, out any) error {
	body := bytes.TrimSpace(res.Body)
	if len(body) == 0 || string(body) == "null" {
		if !op.emptyOK {
			return errEmptyBody
		}
		body = []byte("{}")
	}
	if len(body) > quickBody && !utf8.Valid(body) { // each byte that is not would become three, many times
		return errNotUTF8
	}
	if err := checkSize(body); err != nil {
		return err
	}
	if err := op.unmarshal(body, out); err != nil {
		return err
	}
	if !op.emptyOK && isErrorObject(body, out) {
		return errIsErrorObject
	}
	if len(body) > quickBody {
		return res.Expired(ctx)
	}
	return nil
}

// unmarshal decodes JSON into out, in the way of its type.
func (op *operation) unmarshal(body []byte, out any) error {
	if op.untyped {
		return json.Unmarshal(body, out)
	}
	if d, ok := out.(interface{ decodeBody([]byte) error }); ok {
		return d.decodeBody(body)
	}
	return lenientjson.Unmarshal(body, out)
}

// decodeError returns the error of a response that could not be decoded because of err.
func (c *Client) decodeError(op *operation, res *transport.Response, err error) *DecodeError {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) { // its text may quote the value
		err = fmt.Errorf("field %q is not of the type %v", mistyped.Field, mistyped.Type.Kind())
	}
	return &DecodeError{
		Operation: op.String(), StatusCode: res.Status, RequestID: requestID(res),
		Attempts: res.Attempts, Body: redact.Body(res.Body, res.Key),
		Err: redact.Error(err, res.Key), outcomeUnknown: !op.idempotent,
	}
}

// Response is the last response to a request, as it was received ([WithResponse]). If the last attempt got no response,
// it is that of an earlier attempt; if no attempt got one, Status is 0.
type Response struct {
	Status    int // HTTP status, such as 200
	Header    http.Header
	Body      []byte // nil for a stream
	Attempts  int    // attempts made in all
	RequestID string // header X-Request-Id, to quote to support

	// Of a request with an idempotency key: the result was recorded by an earlier request, or was found in a list after
	// an attempt whose response was lost. Then the response has only a status, a body and, if it was recorded, a
	// RequestID.
	Replayed   bool
	Reconciled bool
}

func (r *Response) set(res *transport.Response) {
	if r != nil {
		*r = Response{Status: res.Status, Header: res.Header.Clone(), Body: res.Body, Attempts: res.Attempts, RequestID: res.Header.Get("X-Request-Id")}
	}
}

// setLast sets the response of a request that failed with err: the last that an attempt got.
func (r *Response) setLast(err error) {
	var failed *transport.Error
	last := &transport.Response{}
	if errors.As(err, &failed) {
		if failed.Received != nil {
			*last = *failed.Received
		}
		if failed.Cut != nil {
			*last = *failed.Cut
		}
		last.Attempts = failed.Attempts
	}
	r.set(last)
}

// mark records where the result of a request with an idempotency key came from.
func (r *Response) mark(replayed, reconciled bool) {
	if r != nil {
		r.Replayed, r.Reconciled = replayed, reconciled
	}
}
