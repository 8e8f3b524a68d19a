package agentphonetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	agentphone "github.com/agentphone/agentphone-go"
)

// Request is a request that the server got.
type Request struct {
	Operation string // method and path template: "GET /v1/calls/{call_id}"; "" if the API has no such operation
	Method    string
	Path      string
	Query     url.Values
	Header    http.Header // Authorization, if it was sent, is "REDACTED"
	Body      []byte
	Status    int // of the answer; 0 if there is none: the connection was reset, the client gone, the answer not due yet
}

// Requests returns all requests so far, those of the starter account and of others, in the order in which they came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = *r
		out[i].Query = url.Values(http.Header(r.Query).Clone())
		out[i].Header = r.Header.Clone()
		out[i].Body = slices.Clone(r.Body)
	}
	return out
}

// Calls returns every call that was placed or received, of all accounts, oldest first, each as it is now: what took effect,
// whatever was answered.
func (s *Server) Calls() []agentphone.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookForEnds()
	return decoded[agentphone.Call](s.calls, func(c *call) object { return c.now().view(agentphone.DefaultBaseURL) })
}

// Messages returns every message that was sent or received, of all accounts, oldest first: what took effect,
// whatever was answered.
func (s *Server) Messages() []agentphone.ConversationMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.ConversationMessage](s.messages, (*message).view)
}

// decoded reads answers as a client does.
func decoded[T, S any](items []S, view func(S) object) []T {
	out := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(jsonAnswer(http.StatusOK, view(item)).body, &out[i]); err != nil {
			panic("agentphonetest: a record cannot be read: " + err.Error())
		}
	}
	return out
}

// record notes a request. The caller holds s.mu.
func (s *Server) record(op *operation, r *http.Request, body []byte) *Request {
	entry := &Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body,
	}
	if op != nil {
		entry.Operation = op.name()
	}
	if entry.Header.Get("Authorization") != "" {
		entry.Header.Set("Authorization", "REDACTED")
	}
	s.requests = append(s.requests, entry)
	return entry
}
