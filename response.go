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
	"time"
	"unicode/utf8"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

const (
	// maxDecoded is how many bytes of memory a response may take when it is decoded: {} is two bytes of JSON and an Agent
	// hundreds, and millions of them are a few kilobytes of gzip. It is far above what the largest page takes, and one
	// of 100 calls with transcripts of an hour each.
	maxDecoded = 32 << 20
	// smallBody is the size in bytes of a body that cannot take as much.
	smallBody = 64 << 10
)

var errTooMuchMemory = fmt.Errorf("the body takes over %d MiB of memory, or nests too deep", maxDecoded>>20)

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

var (
	errEmptyBody     = errors.New("the body is empty")
	errIsErrorObject = errors.New("the body is an error object")
)

// isErrorObject reports whether the body of a 2xx is an error object, such as {"detail": "down for maintenance"} or {"success": false}:
// out, into which it was decoded, is still zero and has no field for it.
func isErrorObject(body []byte, out any) bool {
	v := reflect.ValueOf(out).Elem()
	if body[0] != '{' || v.Kind() != reflect.Struct || !v.IsZero() {
		return false
	}
	says := failureIn(body)
	return bool(says.Detail) && !hasField(v.Type(), "detail") || bool(says.Error) && !hasField(v.Type(), "error") ||
		bool(says.Success) && !hasField(v.Type(), "success")
}

// present is a member of which nothing is kept but that it is there, and not null.
type present bool

func (p *present) UnmarshalJSON(data []byte) error {
	*p = string(data) != "null"
	return nil
}

// hasField reports whether encoding/json decodes name into a field of t.
func hasField(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return strings.EqualFold(cmp.Or(tag, f.Name), name)
	})
}

// quickDecode is for how long a response may be decoded after the attempt's timeout, or its context, has ended: the
// result of a request that took effect is worth more.
const quickDecode = 100 * time.Millisecond

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
	began := time.Now()
	body := bytes.TrimSpace(res.Body)
	if len(body) == 0 || string(body) == "null" {
		if !op.emptyOK {
			return errEmptyBody
		}
		body = []byte("{}")
	}
	if len(body) > smallBody {
		if !utf8.Valid(body) { // each byte that is not would become three, many times
			return errNotUTF8
		}
		if lenientjson.Weigh(body, reflect.TypeOf(out).Elem(), maxDecoded) > maxDecoded {
			return errTooMuchMemory
		}
	}
	if err := op.unmarshal(body, out); err != nil {
		return err
	}
	if !op.emptyOK && isErrorObject(body, out) {
		return errIsErrorObject
	}
	if err := op.checkCreated(body, out); err != nil {
		return err
	}
	if time.Since(began) > quickDecode {
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
	} else {
		err = redact.Unquoted(err, res.Key)
	}
	return &DecodeError{
		Operation: op.String(), StatusCode: res.Status, RequestID: requestID(res),
		Attempts: res.Attempts, Body: redact.Body(res.Body, res.Key),
		Err: causedBy(err, res.Key), outcomeUnknown: !op.idempotent,
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

// responses are where the last response to a request is stored.
type responses []*Response

func (rs responses) set(res *transport.Response) {
	for _, r := range rs {
		if r != nil {
			*r = Response{Status: res.Status, Header: res.Header.Clone(), Body: res.Body, Attempts: res.Attempts, RequestID: res.Header.Get("X-Request-Id")}
		}
	}
}

// setLast sets the response of a request that failed with err: the last that an attempt got.
func (rs responses) setLast(err error) {
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
	rs.set(last)
}

// mark records where the result of a request with an idempotency key came from.
func (rs responses) mark(replayed, reconciled bool) {
	for _, r := range rs {
		if r != nil {
			r.Replayed, r.Reconciled = replayed, reconciled
		}
	}
}
