package agentphone

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// An answer that the transport lets through can still grow in memory a hundredfold: {} is two bytes, an Agent
// hundreds, and gzip makes a few kilobytes of millions of them. So what is decoded is counted first. The
// bounds are far above what a page holds: 500 items, or 100 calls with transcripts of an hour each.
const (
	maxItems   = 10_000  // objects of a page
	maxObjects = 200_000 // at any depth
	maxValues  = 500_000 // of lists and objects
)

var errTooManyValues = errors.New("it has more items, objects or values than a page can have")

// checkSize refuses a JSON text that would take too much memory to decode.
func checkSize(body []byte) error {
	// Of the texts that it may hold, some are full of braces: they count only where there is reason to look.
	if bytes.Count(body, []byte{'{'}) <= maxItems && bytes.Count(body, []byte{','}) <= maxValues {
		return nil
	}
	items, objects, values, depth, inText := 0, 0, 0, 0, false
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
			}
			if c == '{' && depth <= 2 { // {"data":[{, or less around it
				items++
			}
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	if items > maxItems || objects > maxObjects || values > maxValues {
		return errTooManyValues
	}
	return nil
}

// success is the response to an operation that returns nothing else: {"success": true}, an object that says nothing of
// success, or no body.
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

var errNotSuccessful = errors.New("it says that the operation did not succeed")

var (
	errEmptyAnswer = errors.New("it is empty")
	errForeign     = errors.New("it is an error's")
)

// isForeign: an error's body behind a 2xx, such as {"detail": "down for maintenance"}, of which nothing was read, for
// out has no field for it.
func isForeign(body []byte, out any) bool {
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

// hasField: does encoding/json read a name into the struct?
func hasField(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return strings.EqualFold(cmp.Or(tag, f.Name), name)
	})
}

func (c *Client) decode(op *operation, res *transport.Response, out any) error {
	body := bytes.TrimSpace(res.Body)
	var err error
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
		if !op.emptyAnswer {
			err = errEmptyAnswer
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
	if err == nil && !op.emptyAnswer && isForeign(body, out) {
		err = errForeign
	}
	if err == nil {
		return nil
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) { // its text may quote the value
		err = fmt.Errorf("field %q is not of the type %v", mistyped.Field, mistyped.Type.Kind())
	}
	return &DecodeError{
		Operation: op.String(), StatusCode: res.Status, RequestID: res.Header.Get("X-Request-Id"),
		Attempts: res.Attempts, Body: withoutKey(res.Body, c.cfg.transport.Key()),
		Err: err, outcomeUnknown: !op.idempotent,
	}
}

// Response is what [WithResponse] fills in: the last answer as it came. It is
// filled in for an error answer too.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // nil for a streamed answer
	Attempts  int    // requests made in all
	RequestID string // header X-Request-Id
}

func (r *Response) set(res *transport.Response) {
	if r != nil {
		*r = Response{res.Status, res.Header.Clone(), res.Body, res.Attempts, res.Header.Get("X-Request-Id")}
	}
}
