package agentphonetest

import (
	"bytes"
	"context"
	_ "embed" // controlOpenAPI
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

//go:embed control.openapi.json
var controlOpenAPI []byte

// maxControlBody is how long the body of a request to the control handler may be.
const maxControlBody = 1 << 20

// ControlHandler returns a handler that does over HTTP and JSON what the methods of Server do, for programs in any
// language and for a page in a browser: people text and call, faults are injected, deliveries are sent again. It reports
// what happens as server-sent events. Each path is below the root: mount it with [http.StripPrefix]. GET /openapi.json
// describes it in OpenAPI 3.1; docs/control.md has examples.
//
// The methods of Server that panic are responded to with 422 instead. What goes wrong has the body {"error": "text"}.
// Bodies of requests are JSON, have that Content-Type, are at most 1 MiB long, and have no fields but those described.
// So no form of another site can drive it; whoever mounts it sees to who else may.
//
// From the first call on the server keeps, for those who follow the events, the last 10,000 of them or 16 MiB, whichever
// is less, and the responses to the last 1,000 requests, 64 KiB of each; and, as long as it lives, voice turns and what was
// delivered again. Whoever reads the events too slowly is cut off after 10 seconds and can resume; the server does not wait.
func (s *Server) ControlHandler() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feed == nil {
		for _, c := range s.calls.list {
			s.publishCall(c) // to nobody: what was so far is not news
		}
		for _, a := range s.accounts.list {
			a.published = encode(a.controlView())
		}
		s.feed = newFeed()
	}
	return &controlHandler{s, newControlMux(s)}
}

type controlHandler struct {
	server *Server
	mux    *http.ServeMux
}

func (h *controlHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := h.mux.Handler(r); pattern != "" {
		h.mux.ServeHTTP(w, r)
		return
	}
	m := &match{header: http.Header{}}
	h.mux.ServeHTTP(m, r)
	if allow := m.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	respondControl(w, &failure{m.status, object{"error": http.StatusText(m.status)}})
}

// controlRoute is a method and a path of the control handler.
type controlRoute struct {
	pattern string
	serve   func(s *Server, w http.ResponseWriter, r *http.Request)
}

func newControlMux(s *Server) *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range controlRoutes {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) { route.serve(s, w, r) })
	}
	return mux
}

// controlRead is a route without a body.
func controlRead(pattern string, read func(s *Server, r *http.Request) (any, error)) controlRoute {
	return controlRoute{pattern, func(s *Server, w http.ResponseWriter, r *http.Request) {
		respondControl(w, anyOf(read(s, r)))
	}}
}

// controlDo is a route whose body is a P.
func controlDo[P any](pattern string, do func(s *Server, r *http.Request, p P) (any, error)) controlRoute {
	return controlRoute{pattern, func(s *Server, w http.ResponseWriter, r *http.Request) {
		var p P
		if err := decodeControl(w, r, &p); err != nil {
			respondControl(w, err)
			return
		}
		respondControl(w, anyOf(do(s, r, p)))
	}}
}

// anyOf returns the error if there is one, else the result.
func anyOf(result any, err error) any {
	if err != nil {
		return err
	}
	return result
}

// refuseControl is an error of the control handler.
func refuseControl(status int, format string, args ...any) error {
	return &failure{status, object{"error": fmt.Sprintf(format, args...)}}
}

// decodeControl reads the body of a request into what p points to.
func decodeControl(w http.ResponseWriter, r *http.Request, p any) error {
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" {
		return refuseControl(http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return refuseControl(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", tooLong.Limit)
	case err != nil:
		return refuseControl(http.StatusBadRequest, "the body broke off")
	case !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return refuseControl(http.StatusBadRequest, "the body must be a JSON object; {} if there is nothing to say")
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(p); err != nil {
		return refuseControl(http.StatusBadRequest, "%s", decodingProblem(err))
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return refuseControl(http.StatusBadRequest, "there is something after the JSON object")
	}
	return nil
}

// decodingProblem says what is wrong with a body, in terms of JSON.
func decodingProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	want := "another type"
	switch wrong.Type.Kind() { //nolint:exhaustive // the kinds of fields that there are
	case reflect.String:
		want = "a string"
	case reflect.Bool:
		want = "true or false"
	case reflect.Int, reflect.Int64:
		want = "a whole number that is not too large"
	case reflect.Float64:
		want = "a number"
	case reflect.Slice:
		want = "a list"
	case reflect.Struct, reflect.Map:
		want = "an object"
	}
	return fmt.Sprintf("%s: is %s, but must be %s", wrong.Field, wrong.Value, want)
}

// controlStatus maps errors of Server's methods to statuses.
var controlStatus = []struct {
	err    error
	status int
}{
	{ErrNoCall, http.StatusNotFound},
	{errNoDelivery, http.StatusNotFound},
	{ErrCallOver, http.StatusConflict},
	{ErrRinging, http.StatusConflict},
	{ErrNotRinging, http.StatusConflict},
	{ErrTurnUnderWay, http.StatusConflict},
	{ErrNoWebhook, http.StatusConflict},
	{errClosed, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
}

// controlFailure is the response that an error stands for. What is unknown is the receiver's failure.
func controlFailure(err error) *failure {
	var f *failure
	var wrong *misused
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &wrong):
		return &failure{http.StatusUnprocessableEntity, object{"error": wrong.text}}
	}
	status := http.StatusBadGateway
	for _, known := range controlStatus {
		if errors.Is(err, known.err) {
			status = known.status
			break
		}
	}
	return &failure{status, object{"error": strings.TrimPrefix(err.Error(), "agentphonetest: ")}}
}

// respondControl responds with a result or an error, as JSON.
func respondControl(w http.ResponseWriter, result any) {
	status := http.StatusOK
	if err, failed := result.(error); failed {
		f := controlFailure(err)
		status, result = f.status, f.body
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(encode(result))
}
