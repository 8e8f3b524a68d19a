package agentphonetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request. What its fields say happens in this order:
//
//  1. The request takes effect: always, unless Status is set and neither AfterEffect nor Reset
//     is. A request that takes effect is still checked: a wrong one changes nothing.
//  2. Delay passes. If the client goes away meanwhile, nothing more happens.
//  3. Reset breaks the connection; Status, Header and Body are not looked at. Otherwise the
//     answer is sent: that of the request, or, if Status or Body is set, the fault's own.
type Fault struct {
	// Operation is a method and a path template, such as "POST /v1/calls" or
	// "GET /v1/calls/{call_id}". "" is any request.
	Operation string
	// Status of the answer. 0 is that of the request's own answer, or 200 if Body is set.
	Status int
	// Header is set on the answer, whichever it is. A Content-Length beyond the length of the Body
	// makes an answer that breaks off.
	Header http.Header
	// Body of the answer. With a Status of 400 or more, "" is {"detail": ...}, as the API
	// answers.
	Body string
	// Delay is how long the answer is held back. The context of the request is heeded.
	Delay time.Duration
	// Reset breaks the connection after the request took effect, before any answer.
	Reset bool
	// AfterEffect lets the request take effect before it is answered with Status.
	AfterEffect bool
	// Times is how many requests the fault meets: 0 is one, a negative number is all.
	Times int
}

// InjectFault makes something go wrong with requests to come. A request meets the first fault, in the order in which they
// were added, that is for its operation; further faults are for further requests. It panics if the
// API has no such operation.
func (s *Server) InjectFault(f Fault) {
	if f.Operation != "" && !isOperation(f.Operation) {
		panic(fmt.Sprintf("agentphonetest: Fault: the API has no operation %q; write it as in \"GET /v1/calls/{call_id}\"", f.Operation))
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
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return &met
	}
	return nil
}

// takesEffect says whether the request is carried out.
func (f *Fault) takesEffect() bool { return f.Status == 0 || f.AfterEffect || f.Reset }

// answer is what goes out in place of the request's own answer, which is nil if it did not
// take effect.
func (f *Fault) answer(own *answer) *answer {
	if f.Reset {
		return &answer{reset: true}
	}
	a := own
	if f.Status != 0 || f.Body != "" {
		a = &answer{status: f.Status, header: http.Header{}, body: []byte(f.Body)}
		if a.status == 0 {
			a.status = http.StatusOK
		}
		if f.Body == "" && a.status >= http.StatusBadRequest {
			a = jsonAnswer(a.status, object{"detail": http.StatusText(a.status)})
		}
		if len(a.body) > 0 {
			a.header.Set("Content-Type", contentType(a.body))
		}
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	return a
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
