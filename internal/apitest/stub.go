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

// Key is the API key of the clients that [NewClient] makes.
const Key = "sk_live_0123456789abcdef"

// Request is a request as it left the client.
type Request struct {
	Method string
	Path   string // escaped
	Query  url.Values
	Header http.Header
	Body   string
}

// Responder returns the response to the nth request, from 1.
type Responder = func(n int, r Request) (*http.Response, error)

// Stub is a RoundTripper that records requests and responds to them with a Responder. It works in a synctest bubble.
type Stub struct {
	Respond Responder
	mu      sync.Mutex
	seen    []Request
}

// RoundTrip records the request and responds to it.
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

// Requests returns the requests so far.
func (s *Stub) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.seen...)
}

// NewClient returns a client whose requests go to the Stub.
func NewClient(t testing.TB, respond Responder, opts ...agentphone.Option) (*agentphone.Client, *Stub) {
	t.Helper()
	s := &Stub{Respond: respond}
	return NewClientOver(t, s, opts...), s
}

// NewClientOver returns a client whose requests go to a RoundTripper.
func NewClientOver(t testing.TB, rt http.RoundTripper, opts ...agentphone.Option) *agentphone.Client {
	t.Helper()
	all := append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: rt})}, opts...)
	c, err := agentphone.NewClient(Key, all...)
	require.NoError(t, err)
	return c
}

// Response makes a response of JSON; header is pairs of names and values.
func Response(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// Always gives every request the same response.
func Always(status int, body string, header ...string) Responder {
	return func(int, Request) (*http.Response, error) { return Response(status, body, header...), nil }
}

// InTurn responds with each of the bodies once, status 200, and then with the last.
func InTurn(bodies ...string) Responder {
	return func(n int, _ Request) (*http.Response, error) {
		return Response(http.StatusOK, bodies[min(n, len(bodies))-1]), nil
	}
}

// RoundTripFunc is a function as a RoundTripper.
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
