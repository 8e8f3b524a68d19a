package agentphonetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// input is a request that is in order, as an operation sees it.
type input struct {
	ctx     context.Context //nolint:containedctx // it lives as long as the request
	account *account        // the sub-account, if the request is for one; nil if the operation is public
	path    func(name string) string
	query   object
	body    object
	base    string // scheme and host that the request was sent to, for URLs in the answer
}

// serve answers a request, whichever way it came. The error is that of a request that gets no answer: its
// context ended, or the server was closed.
func (s *Server) serve(r *http.Request, body []byte) (*answer, error) {
	op, otherwise := s.route(r)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	s.lookForEnds()
	entry := s.record(op, r, body)
	fault := s.takeFault(op)
	requestID := s.id("req")
	s.mu.Unlock()

	var a *answer
	var err error
	if fault == nil || fault.takesEffect() {
		if a, err = s.perform(op, otherwise, r, body); err != nil {
			return nil, err
		}
	}
	if fault != nil {
		if err := s.sleep(r.Context(), fault.Delay); err != nil {
			return nil, err
		}
		a = fault.answer(a)
	}
	if a.reset {
		return a, nil
	}
	if a.header.Get("X-Request-Id") == "" {
		a.header.Set("X-Request-Id", requestID)
	}
	s.mu.Lock()
	entry.Status = a.status
	s.mu.Unlock()
	return a, nil
}

// perform carries a request out. otherwise is the answer if op is nil.
func (s *Server) perform(op *operation, otherwise error, r *http.Request, body []byte) (*answer, error) {
	out, err := s.attempt(op, otherwise, r, body)
	var f *failure
	switch {
	case errors.As(err, &f):
		a := jsonAnswer(f.status, f.body)
		if f.status == http.StatusUnauthorized {
			a.header.Set("WWW-Authenticate", "Bearer")
		}
		return a, nil
	case err != nil:
		return nil, err
	}
	return out, nil
}

// attempt checks a request in the API's order: route, key, input, and then what the input names.
func (s *Server) attempt(op *operation, otherwise error, r *http.Request, body []byte) (*answer, error) {
	if op == nil {
		return nil, otherwise
	}
	in := &input{ctx: r.Context(), path: r.PathValue, base: base(r)}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !op.public {
		if in.account, err = s.authorize(r); err != nil {
			return nil, err
		}
	}
	if err := op.read(in, r, body); err != nil {
		return nil, err
	}
	var out any
	if op.waits {
		s.mu.Unlock()
		out, err = op.do(s, in)
		s.mu.Lock()
	} else {
		out, err = op.do(s, in)
	}
	if err != nil {
		return nil, err
	}
	if a, ok := out.(*answer); ok {
		return a, nil
	}
	return jsonAnswer(op.status, out), nil
}

// authorize finds the account that a request acts on. The caller holds s.mu.
func (s *Server) authorize(r *http.Request) (*account, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return nil, refuse(http.StatusUnauthorized, "Missing API key")
	}
	owner := s.keys[key]
	if owner == nil {
		return nil, refuse(http.StatusUnauthorized, "Invalid API key")
	}
	id, scoped := r.Header["X-Sub-Account-Id"]
	if !scoped {
		return owner, nil
	}
	sub, ok := owner.subAccounts.get(id[0])
	if !ok {
		return nil, notFound("Sub-account")
	}
	return sub, nil
}

func base(r *http.Request) string {
	scheme, host := r.URL.Scheme, r.URL.Host
	if host == "" { // a request as a server gets it
		scheme, host = "http", r.Host
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + host
}
