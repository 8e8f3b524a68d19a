package agentphonetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request. In this order:
//
//  1. The request takes effect, unless Status is set and neither AfterEffect nor Reset is. It is still checked: an
//     invalid request changes nothing.
//  2. Delay passes. If the client goes away meanwhile, nothing more happens.
//  3. With Reset the connection breaks, and Status, Header, Code and Body are ignored. Otherwise the response is sent: the
//     request's own or, if Status or Body is set, the fault's.
type Fault struct {
	// Operation is a method and a path template, such as "POST /v1/calls" or "GET /v1/calls/{call_id}". "" is any
	// request.
	Operation string
	// Status is the status of the response. Zero is that of the request's own response, or 200 if Body is set.
	Status int
	// Header is set on the response, whichever it is. With a Content-Length greater than the length of the Body the
	// response breaks off.
	Header http.Header
	// Code is the code of an error, such as [agentphone.CodeConversationStreakLimit], which goes with Status 429: the
	// body is {"error": {"code": ...}}, as in the API's own errors that have a code. It needs a Status and no Body.
	Code string
	// Body is the body of the response. If it and Code are "" and Status is 400 or more, the body is {"detail": ...}, as
	// in the API's own errors. The Content-Type is JSON, HTML or plain text, as the Body looks, unless Header says otherwise.
	Body string
	// Delay is how long the response is held back. It ends early with the request's context.
	Delay time.Duration
	// Reset breaks the connection after the request took effect and before any response.
	Reset bool
	// AfterEffect lets the request take effect although Status is set.
	AfterEffect bool
	// Times is how many requests the fault applies to. Zero is one, a negative number is all.
	Times int
}

// InjectFault makes something go wrong with requests to come. Each request meets at most one fault: the first one
// injected that is for its operation and not used up. InjectFault panics if the API has no such operation, or if
// the fault contradicts itself.
func (s *Server) InjectFault(f Fault) {
	if f.Operation != "" && !isOperation(f.Operation) {
		panic(fmt.Sprintf("agentphonetest: InjectFault: the API has no operation %q; write it as in \"GET /v1/calls/{call_id}\"", f.Operation))
	}
	if f.Code != "" && (f.Status < http.StatusBadRequest || f.Body != "") {
		panic("agentphonetest: InjectFault: a Code needs the Status of an error, and no Body")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	f.Header = f.Header.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// takeFault returns the fault that a request meets, or nil. The caller holds s.mu.
func (s *Server) takeFault(op *operation) *Fault {
	for i, f := range s.faults {
		if f.Operation != "" && (op == nil || f.Operation != op.name()) {
			continue
		}
		met := *f
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return &met
	}
	return nil
}

// takesEffect reports whether the request is carried out.
func (f *Fault) takesEffect() bool { return f.Status == 0 || f.AfterEffect || f.Reset }

// respond returns the response of a request that meets the fault. own is the request's own response, or nil if it did
// not take effect.
func (f *Fault) respond(own *response) *response {
	if f.Reset {
		return &response{reset: true}
	}
	res := own
	if f.Status != 0 || f.Body != "" {
		res = &response{status: f.Status, header: http.Header{}, body: []byte(f.Body)}
		if res.status == 0 {
			res.status = http.StatusOK
		}
		switch {
		case f.Code != "":
			res = jsonResponse(res.status, codeBody(f.Code, "error", http.StatusText(res.status)))
		case f.Body == "" && res.status >= http.StatusBadRequest:
			res = jsonResponse(res.status, object{"detail": http.StatusText(res.status)})
		}
		if len(res.body) > 0 {
			res.header.Set("Content-Type", contentType(res.body))
		}
	}
	for name, values := range f.Header {
		res.header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	return res
}

func contentType(body []byte) string {
	switch {
	case json.Valid(body):
		return "application/json"
	case strings.HasPrefix(strings.TrimSpace(string(body)), "<"):
		return "text/html; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}
