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

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// A response that the transport lets through can still grow in memory a hundredfold: {} is two bytes, an Agent hundreds, and
// millions of them fit into a few kilobytes of gzip. So its values are counted before it is decoded. The bounds are far above
// what a page holds: 500 items, or 100 calls with transcripts of an hour each.
const (
	maxItems   = 10_000  // objects of a page
	maxObjects = 200_000 // at any depth
	maxArrays  = 600_000
	maxValues  = 500_000 // of arrays and objects
	maxDepth   = 200
)

var errTooManyValues = errors.New("the body has more items, objects, arrays or values than a page can have, or nests them too deep")

// checkSize refuses a JSON text that would take too much memory to decode.
func checkSize(body []byte) error {
	// Those within strings do not count, but most bodies have too few of all to need a closer look.
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
			if c == '{' && depth <= 2 { // {"data":[{, or less around it
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

// success decodes the response to an operation that returns nothing else: {"success": true}, another object, or no body.
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

var errNotSuccessful = errors.New("the body says that the operation did not succeed")

var (
	errEmptyBody     = errors.New("the body is empty")
	errIsErrorObject = errors.New("the body is an error object")
)

// isErrorObject reports whether a body is an error object in spite of its 2xx, such as {"detail": "down for maintenance"}: out,
// into which it was decoded, has no field for it.
func isErrorObject(body []byte, out any) bool {
	v := reflect.ValueOf(out).Elem()
	var object map[string]json.RawMessage
	if body[0] != '{' || v.Kind() != reflect.Struct || !v.IsZero() || json.Unmarshal(body, &object) != nil {
		return false
	}
	for _, name := range []string{"detail", "error"} {
		if _, there := object[name]; there && !hasField(v.Type(), name) {
			return true
		}
	}
	return false
}

// hasField reports whether encoding/json decodes a name into a struct.
func hasField(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return strings.EqualFold(cmp.Or(tag, f.Name), name)
	})
}

// quickBody is a body that is decoded in some milliseconds. Decoding more, up to 32 MiB, counts against the attempt's timeout and
// the context.
const quickBody = 1 << 20

// decode reads the body of a 2xx into out. An empty body, or null, is an error unless the operation allows it.
func (c *Client) decode(ctx context.Context, op *operation, res *transport.Response, out any) error {
	if out == nil {
		return nil
	}
	body := bytes.TrimSpace(res.Body)
	var err error
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
		if !op.emptyOK {
			err = errEmptyBody
		}
	}
	if err == nil {
		err = checkSize(body)
	}
	if err == nil {
		if d, ok := out.(interface{ decodeBody([]byte) error }); ok {
			err = d.decodeBody(body)
		} else {
			err = json.Unmarshal(body, out)
		}
	}
	if err == nil && !op.emptyOK && isErrorObject(body, out) {
		err = errIsErrorObject
	}
	if err == nil && len(body) > quickBody {
		err = res.Late(ctx)
	}
	if err == nil {
		return nil
	}
	return c.decodeError(op, res, err)
}

// decodeError reports a response that err kept from being decoded.
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

// Response is what [WithResponse] fills in: the last response as it was received, be it a result or an error. If the last attempt
// got none, it is that of an earlier attempt; if no attempt did, Status is 0.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // nil for a stream
	Attempts  int    // requests made in all
	RequestID string // header X-Request-Id

	// Of a call with an idempotency key: the result was recorded by an earlier call, or was found in a list after an attempt
	// whose response was lost. Then there is no more of the response than its status, its body and maybe its RequestID.
	Replayed   bool
	Reconciled bool
}

func (r *Response) set(res *transport.Response) {
	if r != nil {
		*r = Response{Status: res.Status, Header: res.Header.Clone(), Body: res.Body, Attempts: res.Attempts, RequestID: res.Header.Get("X-Request-Id")}
	}
}

// setLast is set for a call that ended without a response.
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

// mark says where the result of a call with an idempotency key came from.
func (r *Response) mark(replayed, reconciled bool) {
	if r != nil {
		r.Replayed, r.Reconciled = replayed, reconciled
	}
}
