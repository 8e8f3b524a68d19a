package agentphonetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// answer is what goes back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	// stream, if set, gives the body piece by piece, each when it is due; io.EOF ends it.
	stream func(context.Context) ([]byte, error)
	reset  bool // no answer: the connection breaks
}

func endOfStream(err error) bool { return errors.Is(err, io.EOF) }

// object is a JSON object: what a request holds and what an answer is made of.
type object map[string]any

// jsonAnswer encodes v. What the package answers with can always be encoded.
func jsonAnswer(status int, v any) *answer {
	a := &answer{status: status, header: http.Header{}}
	if status == http.StatusNoContent {
		return a
	}
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("agentphonetest: an answer cannot be encoded: %v", err))
	}
	a.header.Set("Content-Type", "application/json")
	a.body = body
	return a
}

// failure is an error that is an answer of the API.
type failure struct {
	status int
	body   object
}

func (f *failure) Error() string { return fmt.Sprint(f.status, " ", f.body) }

// refuse is the API's usual error: {"detail": "text"}.
func refuse(status int, detail string) error {
	return &failure{status, object{"detail": detail}}
}

func notFound(what string) error { return refuse(http.StatusNotFound, what+" not found") }

func badRequest(detail string) error { return refuse(http.StatusBadRequest, detail) }

// refuseWithCode is the other shape of errors.
func refuseWithCode(status int, code, kind, message string) error {
	return &failure{status, object{"error": object{
		"message": message, "code": code, "type": kind, "details": []any{},
	}}}
}

// problem is one invalid field of a 422.
type problem struct {
	Loc  []any  `json:"loc"`
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

func invalid(problems ...problem) error {
	return &failure{http.StatusUnprocessableEntity, object{"detail": problems}}
}

// badField is a 422 for one field of the body that is wrong only together with others.
func badField(name, reason string) error {
	return invalid(problem{[]any{"body", name}, "Value error, " + reason, "value_error"})
}

// The values of answers.

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp writes a time as the API does: UTC, with microseconds unless they are 0. The zero
// time is null.
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

// now is the time to the precision that the API has.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
