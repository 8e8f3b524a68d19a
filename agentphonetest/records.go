package agentphonetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	agentphone "github.com/agentphone/agentphone-go"
)

// Request is a request that the server received.
type Request struct {
	Operation string // method and path template, such as "GET /v1/calls/{call_id}"; "" if the API has no such operation
	Method    string
	Path      string
	Query     url.Values
	Header    http.Header // Authorization, if it was sent, is "REDACTED"
	Body      []byte
	Status    int // of the response; 0 if there is none: the connection was reset, the client is gone, it is still to come
}

// Requests returns all requests so far, of all accounts, in the order in which they came. A retry is a request of its
// own. What is returned is a copy.
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

// Calls returns all calls that were placed or received, of all accounts, oldest first, each as of now. These are the
// calls that really took place, whatever response the client got: a call that was placed twice is there twice.
func (s *Server) Calls() []agentphone.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliverEnds()
	return decoded[agentphone.Call](s.calls.list, func(c *call) object { return c.now().view(agentphone.DefaultBaseURL) })
}

// Messages returns all messages that were sent or received, of all accounts, oldest first. These are the messages that
// really went out, whatever response the client got: a message that was sent twice is there twice.
func (s *Server) Messages() []agentphone.ConversationMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.ConversationMessage](s.messages.list, (*message).view)
}

// decoded returns items as a client decodes them from a response.
func decoded[T, S any](items []S, view func(S) object) []T {
	out := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(encode(view(item)), &out[i]); err != nil {
			panic("agentphonetest: decode a record: " + err.Error())
		}
	}
	return out
}

// recordRequest adds a request to the records, without its key. The caller holds s.mu.
func (s *Server) recordRequest(op *operation, r *http.Request, body []byte) *Request {
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
