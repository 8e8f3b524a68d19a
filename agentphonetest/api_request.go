package agentphonetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// input is a valid request, as an operation sees it.
type input struct {
	ctx     context.Context //nolint:containedctx // it lives as long as the request
	account *account        // the sub-account, if the request is for one; nil if the operation is public
	path    func(name string) string
	query   schema.Values
	body    schema.Values
	base    string // scheme and host that the request was sent to, for URLs in the response
}

// maxBody is far above any request that the API takes.
const maxBody = 16 << 20

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(io.LimitReader(r.Body, maxBody))
}

// serve records a request, carries it out and applies a fault. Both [Server.ServeHTTP] and [Server.Transport] call it.
// It returns an error if there is no response: the request's context ended, or the server was closed.
func (s *Server) serve(r *http.Request, body []byte) (*response, error) {
	op, unrouted := s.route(r)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	s.deliverEnds()
	entry := s.recordRequest(op, r, body)
	fault := s.takeFault(op, r, body)
	entry.faulted = fault != nil
	requestID := s.id("req")
	s.publishRequest(entry)
	s.mu.Unlock()

	res, err := s.respond(op, unrouted, r, body, fault)
	if err != nil || res.reset {
		s.finishRequest(entry, nil)
		return res, err
	}
	if res.header.Get("X-Request-Id") == "" {
		res.header.Set("X-Request-Id", requestID)
	}
	s.finishRequest(entry, res)
	return res, nil
}

// respond carries a request out, unless unrouted says that there is no such operation, and applies a fault, which may be
// nil.
func (s *Server) respond(op *operation, unrouted error, r *http.Request, body []byte, fault *Fault) (res *response, err error) {
	if fault == nil || fault.takesEffect() {
		err := unrouted
		if err == nil {
			res, err = s.perform(op, r, body)
		}
		if err != nil {
			if res, err = failureResponse(err); err != nil {
				return nil, err
			}
		}
	}
	if fault != nil {
		if err := s.sleep(r.Context(), fault.Delay); err != nil {
			return nil, err
		}
		res = fault.respond(res)
	}
	return res, nil
}

// failureResponse returns the response that an error stands for, or the error if it is no *failure.
func failureResponse(err error) (*response, error) {
	var f *failure
	if !errors.As(err, &f) {
		return nil, err
	}
	res := jsonResponse(f.status, f.body)
	if f.status == http.StatusUnauthorized {
		res.header.Set("WWW-Authenticate", "Bearer")
	}
	return res, nil
}

// perform checks a request in the API's order (the key, the rate, the input, the payment method), carries out the
// operation, and encodes the result.
func (s *Server) perform(op *operation, r *http.Request, body []byte) (*response, error) {
	in := &input{ctx: r.Context(), path: r.PathValue, base: baseURL(r)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !op.public {
		var err error
		if in.account, err = s.authorize(r); err != nil {
			return nil, err
		}
	}
	if res := s.checkRate(op, in.account); res != nil {
		return res, nil
	}
	if err := op.parse(in, r, body); err != nil {
		return nil, err
	}
	if err := s.checkPayment(op); err != nil {
		return nil, err
	}
	result, err := op.call(s, in)
	if err != nil {
		return nil, err
	}
	s.publishAccountOf(op, in.account)
	if res, ok := result.(*response); ok {
		return res, nil
	}
	return jsonResponse(op.status, result), nil
}

// call runs the operation. The caller holds s.mu, which is released while an operation runs that waits.
func (op *operation) call(s *Server, in *input) (any, error) {
	if op.waits {
		s.mu.Unlock()
		defer s.mu.Lock()
	}
	return op.run(s, in)
}

// authorize returns the account that a request acts on. The caller holds s.mu.
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

// parse checks the query and the body of a request and puts them into in. The error is a 422 that lists all problems.
func (op *operation) parse(in *input, r *http.Request, body []byte) error {
	var problems, more []schema.Problem
	in.query, problems = op.query.ParseQuery(r.URL.Query())
	if op.body != nil {
		in.body, more = op.body.ParseBody(r.Header.Get("Content-Type"), body)
	}
	if problems = append(problems, more...); len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}

// baseURL is the scheme and host that a request was sent to.
func baseURL(r *http.Request) string {
	scheme, host := r.URL.Scheme, r.URL.Host
	if host == "" { // a request as a server gets it
		scheme, host = "http", r.Host
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + host
}
