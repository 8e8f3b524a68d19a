package agentphonetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// response is the response to a request.
type response struct {
	status int
	header http.Header
	body   []byte
	// stream, if set, returns the body piece by piece, each when it is due, and io.EOF at the end.
	stream func(context.Context) ([]byte, error)
	reset  bool // there is no response: the connection breaks
}

// object is a JSON object of a response.
type object = map[string]any

var succeeded = object{"success": true}

// jsonResponse encodes v, which must be encodable.
func jsonResponse(status int, v any) *response {
	res := &response{status: status, header: http.Header{}}
	if status == http.StatusNoContent {
		return res
	}
	res.header.Set("Content-Type", "application/json")
	res.body = encode(v)
	return res
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("agentphonetest: encode %T: %v", v, err))
	}
	return data
}

// failure is an error response of the API.
type failure struct {
	status int
	body   object
}

func (f *failure) Error() string { return fmt.Sprint(f.status, " ", f.body) }

// refuse returns the API's usual error: {"detail": "text"}.
func refuse(status int, detail string) error {
	return &failure{status, object{"detail": detail}}
}

func notFound(what string) error { return refuse(http.StatusNotFound, what+" not found") }

func badRequest(detail string) error { return refuse(http.StatusBadRequest, detail) }

// refuseWithCode returns the API's other form of an error, which has a code.
func refuseWithCode(status int, code, kind, message string) error {
	return &failure{status, codeBody(code, kind, message)}
}

func codeBody(code, kind, message string) object {
	return object{"error": object{"message": message, "code": code, "type": kind, "details": []any{}}}
}

// invalid is a 422.
func invalid(problems ...schema.Problem) error {
	return &failure{http.StatusUnprocessableEntity, object{"detail": problems}}
}

// invalidField is a 422 for one field of the body, for rules that a schema cannot express.
func invalidField(name, reason string) error { return invalidAt("body", name, reason) }

func invalidAt(where, name, reason string) error {
	return invalid(schema.Problem{Loc: []any{where, name}, Msg: "Value error, " + reason, Type: "value_error"})
}

// Values in responses.

// orNull is null for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// firstOrNull is the first of some texts, or null if there is none.
func firstOrNull(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// stamp formats a time as the API does: UTC, with microseconds unless they are 0. The zero time is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	if t.Nanosecond() < int(time.Microsecond) {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

// now returns the time with the precision of the API.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
