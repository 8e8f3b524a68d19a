package agentphone_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

const testKey = "sk_live_0123456789abcdef"

// sent is a request as it left the client.
type sent struct {
	Method string
	Path   string // escaped
	Query  url.Values
	Header http.Header
	Body   string
}

// stub is a RoundTripper that records requests and answers them with a function of the
// request and its number (from 1). It works in a synctest bubble.
type stub struct {
	answer func(n int, r sent) (*http.Response, error)
	mu     sync.Mutex
	seen   []sent
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	req := sent{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Header: r.Header.Clone()}
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
	return s.answer(n, req)
}

func (s *stub) requests() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.seen...)
}

// reply makes an answer; header is pairs.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// newStub makes a client whose requests a function answers.
func newStub(t *testing.T, answer func(n int, r sent) (*http.Response, error), opts ...agentphone.Option) (*agentphone.Client, *stub) {
	t.Helper()
	s := &stub{answer: answer}
	all := append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: s})}, opts...)
	c, err := agentphone.NewClient(testKey, all...)
	require.NoError(t, err)
	return c, s
}

// always answers every request alike.
func always(status int, body string, header ...string) func(int, sent) (*http.Response, error) {
	return func(int, sent) (*http.Response, error) { return reply(status, body, header...), nil }
}

// inTurn answers with each of the bodies once, status 200, and then with the last.
func inTurn(bodies ...string) func(int, sent) (*http.Response, error) {
	return func(n int, _ sent) (*http.Response, error) { return reply(200, bodies[min(n, len(bodies))-1]), nil }
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
