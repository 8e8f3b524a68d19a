package agentphonetest

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// operations are all operations of the API. Each api_*.go holds those of a resource.
var operations = slices.Concat(
	signupOperations,
	agentOperations, voiceOperations,
	numberOperations, contactCardOperations,
	messageOperations, conversationOperations,
	callOperations, transcriptOperations, recordingOperations,
	contactOperations, locationOperations,
	webhookOperations, deliveryOperations,
	usageOperations, verifyOperations,
	subAccountOperations, registrationOperations,
)

// operation is one of the API's operations.
type operation struct {
	method string
	path   string // a template: /v1/calls/{call_id}
	run    operationFunc
	query  schema.Fields
	body   schema.Fields // nil: the operation takes no body
	status int           // of a success
	public bool          // it needs no key
	waits  bool          // run waits for something
}

// operationFunc carries an operation out. It returns a *response, or a value that becomes the JSON body of one, or an
// error that is a *failure. It is called with s.mu held, unless the operation waits.
type operationFunc func(s *Server, in *input) (any, error)

// name is the operation as the SDK and [Fault] name it: POST /v1/calls.
func (op *operation) name() string { return op.method + " " + op.path }

func isOperation(name string) bool {
	return slices.ContainsFunc(operations, func(op *operation) bool { return op.name() == name })
}

func get(path string, run operationFunc, query ...schema.Field) *operation {
	return &operation{method: http.MethodGet, path: path, run: run, query: query, status: http.StatusOK}
}

func post(path string, run operationFunc, body schema.Fields) *operation {
	return &operation{method: http.MethodPost, path: path, run: run, body: body, status: http.StatusOK}
}

func put(path string, run operationFunc, body schema.Fields) *operation {
	return &operation{method: http.MethodPut, path: path, run: run, body: body, status: http.StatusOK}
}

func patch(path string, run operationFunc, body schema.Fields) *operation {
	return &operation{method: http.MethodPatch, path: path, run: run, body: body, status: http.StatusOK}
}

func remove(path string, run operationFunc) *operation {
	return &operation{method: http.MethodDelete, path: path, run: run, status: http.StatusOK}
}

func (op *operation) withoutKey() *operation {
	op.public = true
	return op
}

func (op *operation) thatWaits() *operation {
	op.waits = true
	return op
}

func (op *operation) withStatus(status int) *operation {
	op.status = status
	return op
}

func (op *operation) withQuery(query ...schema.Field) *operation {
	op.query = query
	return op
}

// newMux returns a router that only finds operations: each handler reports its operation to the *match that it is
// called with in place of a ResponseWriter.
func newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, op := range operations {
		mux.HandleFunc(op.name(), func(w http.ResponseWriter, _ *http.Request) { w.(*match).op = op })
	}
	return mux
}

// match is the result of routing: an operation, or the status that the router itself responds with.
type match struct {
	op     *operation
	status int
	header http.Header
}

func (m *match) Header() http.Header         { return m.header }
func (m *match) Write(p []byte) (int, error) { return len(p), nil }
func (m *match) WriteHeader(status int)      { m.status = status }

// route finds the operation of a request and sets the request's path values. The error is a *failure with status 404
// or 405.
func (s *Server) route(r *http.Request) (*operation, error) {
	none := refuse(http.StatusNotFound, "Not Found")
	escaped := r.URL.EscapedPath()
	if strings.TrimSuffix(path.Clean("/"+escaped), "/") != strings.TrimSuffix(escaped, "/") {
		return nil, none // ServeMux would redirect to the clean path, which the API does not
	}
	m := &match{header: http.Header{}}
	s.mux.ServeHTTP(m, r)
	if m.op != nil && r.Method == http.MethodHead { // ServeMux routes HEAD to GET
		m.op, m.status = nil, http.StatusMethodNotAllowed
	}
	switch {
	case m.op != nil:
		return m.op, nil
	case m.status == http.StatusMethodNotAllowed:
		return nil, refuse(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	return nil, none
}
