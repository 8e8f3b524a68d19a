package agentphonetest

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// operation is one of the API's operations.
type operation struct {
	method string
	path   string
	do     func(*Server, *input) (any, error) // called with s.mu held, unless waits is set
	body   fields                             // nil: the operation takes no body
	query  fields
	status int  // of success
	public bool // no key
	waits  bool // do takes s.mu itself, for it waits
}

func (op *operation) name() string { return op.method + " " + op.path }

func get(path string, do func(*Server, *input) (any, error), query ...field) *operation {
	return &operation{method: http.MethodGet, path: path, do: do, query: query, status: http.StatusOK}
}

func post(path string, do func(*Server, *input) (any, error), body fields) *operation {
	return &operation{method: http.MethodPost, path: path, do: do, body: body, status: http.StatusOK}
}

func patch(path string, do func(*Server, *input) (any, error), body fields) *operation {
	op := post(path, do, body)
	op.method = http.MethodPatch
	return op
}

func remove(path string, do func(*Server, *input) (any, error)) *operation {
	return &operation{method: http.MethodDelete, path: path, do: do, status: http.StatusOK}
}

func (op *operation) withoutKey() *operation {
	op.public = true
	return op
}

func (op *operation) thatWaits() *operation {
	op.waits = true
	return op
}

func (op *operation) answers(status int) *operation {
	op.status = status
	return op
}

func (op *operation) with(query ...field) *operation {
	op.query = query
	return op
}

// operations is the API.
var operations = slices.Concat(
	signUpOperations,
	agentOperations, voiceOperations,
	numberOperations, contactCardOperations,
	messageOperations, reactionOperations,
	conversationOperations, conversationActionOperations,
	callOperations, webCallOperations, transcriptOperations, recordingOperations,
	contactOperations,
	webhookOperations, deliveryOperations,
	usageOperations, usageReportOperations,
	subAccountOperations, registrationOperations, locationOperations,
)

func isOperation(name string) bool {
	return slices.ContainsFunc(operations, func(op *operation) bool { return op.name() == name })
}

var succeeded = object{"success": true}

// newMux makes the router. It only finds operations: its handlers tell their operation to the found
// that they are given as a ResponseWriter.
func newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, op := range operations {
		mux.HandleFunc(op.name(), func(w http.ResponseWriter, _ *http.Request) { w.(*found).op = op })
	}
	return mux
}

// found takes the outcome of routing: an operation, or the status that the router itself answers.
type found struct {
	op     *operation
	status int
	header http.Header
}

func (f *found) Header() http.Header { return f.header }

func (f *found) Write(p []byte) (int, error) { return len(p), nil }

func (f *found) WriteHeader(status int) { f.status = status }

// route finds the operation of a request, or else what to answer. It sets the request's path values.
func (s *Server) route(r *http.Request) (*operation, error) {
	none := refuse(http.StatusNotFound, "Not Found")
	escaped := r.URL.EscapedPath()
	if strings.TrimSuffix(path.Clean("/"+escaped), "/") != strings.TrimSuffix(escaped, "/") {
		return nil, none // the router would redirect to the clean path, which the API does not
	}
	f := &found{header: http.Header{}}
	s.mux.ServeHTTP(f, r)
	if f.op != nil && r.Method == http.MethodHead { // the router takes HEAD for GET
		f.op, f.status = nil, http.StatusMethodNotAllowed
	}
	switch {
	case f.op != nil:
		return f.op, nil
	case f.status == http.StatusMethodNotAllowed:
		return nil, refuse(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	return nil, none
}

// read checks the query and the body of a request and puts them into in. All that is wrong is
// told at once.
func (op *operation) read(in *input, r *http.Request, body []byte) error {
	var problems, more []problem
	in.query, problems = op.query.readQuery(r.URL.Query())
	if op.body != nil {
		in.body, more = op.body.readBody(r.Header.Get("Content-Type"), body)
	}
	if problems = append(problems, more...); len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}
