package agentphonetest

import (
	"net/http"
	"path"
	"strings"
)

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

func (f *found) Header() http.Header         { return f.header }
func (f *found) Write(p []byte) (int, error) { return len(p), nil }
func (f *found) WriteHeader(status int)      { f.status = status }

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
