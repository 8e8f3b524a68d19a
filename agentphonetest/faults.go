package agentphonetest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request. In this order:
//
//  1. The request takes effect, unless Status is set and neither AfterEffect nor Reset is, or BeforeEffect is set. It is
//     still checked: an invalid request changes nothing.
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
	// Reset breaks the connection before any response, and unless BeforeEffect is set after the request took effect.
	Reset bool
	// AfterEffect lets the request take effect although Status is set.
	AfterEffect bool
	// BeforeEffect, with Reset, breaks the connection before the request takes effect.
	BeforeEffect bool
	// Matching limits the fault to requests whose path or body contains it. "" is any request.
	Matching string
	// Every limits the fault to each nth of the requests that it is for: with 3 to the third, the sixth and so on. Zero and
	// one are each request.
	Every int
	// Times is how many requests the fault applies to. Zero is one, a negative number is all.
	Times int
}

// fault is a fault that was injected.
type fault struct {
	Fault
	seen int // requests that it was for, with Every
}

// InjectFault makes something go wrong with requests to come. Each request meets at most one fault: the first one
// injected that is for it and not used up. InjectFault panics if the API has no such operation, or if the fault
// contradicts itself.
func (s *Server) InjectFault(f Fault) { panicIfMisused("InjectFault", s.injectFault(f)) }

func (s *Server) injectFault(f Fault) error {
	switch {
	case f.Operation != "" && !isOperation(f.Operation):
		return misuse("the API has no operation %q; write it as in \"GET /v1/calls/{call_id}\"", f.Operation)
	case f.Code != "" && (f.Status < http.StatusBadRequest || f.Body != ""):
		return misuse("a Code needs the Status of an error, and no Body")
	case f.BeforeEffect && (!f.Reset || f.AfterEffect):
		return misuse("BeforeEffect needs Reset, and no AfterEffect")
	case f.Every < 0:
		return misuse("Every is negative")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	f.Header = f.Header.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{Fault: f})
	s.publishSetup()
	return nil
}

// ClearFaults removes all faults that were injected and are not used up.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.publishSetup()
}

// takeFault returns the fault that a request meets, or nil. The caller holds s.mu.
func (s *Server) takeFault(op *operation, r *http.Request, body []byte) *Fault {
	for i, f := range s.faults {
		if !f.isFor(op, r, body) {
			continue
		}
		if f.seen++; f.Every > 1 && f.seen%f.Every != 0 {
			continue
		}
		met := f.Fault
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
			s.publishSetup()
		}
		return &met
	}
	return nil
}

func (f *Fault) isFor(op *operation, r *http.Request, body []byte) bool {
	if f.Operation != "" && (op == nil || f.Operation != op.name()) {
		return false
	}
	return strings.Contains(r.URL.Path, f.Matching) || bytes.Contains(body, []byte(f.Matching))
}

// takesEffect reports whether the request is carried out.
func (f *Fault) takesEffect() bool {
	return !f.BeforeEffect && (f.Status == 0 || f.AfterEffect || f.Reset)
}

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
