package apitest

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// Key is the API key of the clients that [NewClient] and [NewClientOver] return.
const Key = "sk_live_0123456789abcdef"

// Result is the body of a 2xx that is a result of every operation.
const Result = `{"id":"x_1","status":"completed","callId":"x_1","verification_id":"x_1","account_id":"x_1","result":"ok","ok":true,"data":[]}`

// Request is a request as the client sent it.
type Request struct {
	Method string
	Path   string // escaped
	Query  url.Values
	Header http.Header
	Body   string
}

// Responder returns the response to a request, or an error as a RoundTripper does. n counts the requests from 1.
type Responder = func(n int, r Request) (*http.Response, error)

// Stub is a RoundTripper that records requests and responds to them with a [Responder]. It uses no network, so it works
// in a synctest bubble. It is safe for concurrent use, if Respond is.
type Stub struct {
	Respond Responder
	mu      sync.Mutex
	seen    []Request
}

// RoundTrip reads and records a request and returns what Respond does. A request whose context is done is not recorded.
func (s *Stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	req := Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Header: r.Header.Clone()}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		req.Body = string(body)
		_ = r.Body.Close()
	}
	s.mu.Lock()
	s.seen = append(s.seen, req)
	n := len(s.seen)
	s.mu.Unlock()
	return s.Respond(n, req)
}

// Requests returns the requests that were sent so far, in their order.
func (s *Stub) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.seen...)
}

// NewClient returns a client with the key [Key], and the Stub that its requests go to.
func NewClient(t testing.TB, respond Responder, opts ...agentphone.Option) (*agentphone.Client, *Stub) {
	t.Helper()
	s := &Stub{Respond: respond}
	return NewClientOver(t, s, opts...), s
}

// NewClientOver returns a client with the key [Key] whose requests go to rt.
func NewClientOver(t testing.TB, rt http.RoundTripper, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	all := append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: rt})}, opts...)
	c, err := agentphone.NewClient(Key, all...)
	require.NoError(t, err)
	return c
}

// Response returns a response with a body of JSON. header has pairs of a name and a value; Content-Type may be one of
// them.
func Response(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// Always returns a Responder that gives every request the same response, which has the parameters of [Response].
func Always(status int, body string, header ...string) Responder {
	return func(int, Request) (*http.Response, error) { return Response(status, body, header...), nil }
}

// InTurn returns a Responder that responds with status 200 and one body after the other; all requests after those get
// the last.
func InTurn(bodies ...string) Responder {
	return func(n int, _ Request) (*http.Response, error) {
		return Response(http.StatusOK, bodies[min(n, len(bodies))-1]), nil
	}
}

// RoundTripFunc is a RoundTripper that calls itself, as http.HandlerFunc is a handler.
type RoundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Unreachable is a RoundTripper that cannot connect. Unlike a Stub that returns the same error it does not read the body, so the
// request is certainly not sent.
var Unreachable = RoundTripFunc(func(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
})
