package agentphonetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

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
	Status    int           // of the response; 0 if there is none: the connection was reset, the client is gone, it is still to come
	At        time.Time     // when it came
	Duration  time.Duration // until the response was ready, or there was to be none; 0 if it is still to come
}

// record is a request and what the control handler shows of it.
type record struct {
	Request
	number   int // from 1
	done     bool
	faulted  bool   // it met a fault
	response string // see keepResponse
}

// Requests returns all requests so far ([WithRecentRequests]), of all accounts, in the order in which they came. A retry is a request of its
// own. What is returned is a copy.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests.list))
	for i, r := range s.requests.list {
		out[i] = r.Request
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
	return decoded[agentphone.Call](s.calls.list, func(c *call) object {
		m := c.now()
		return m.view(agentphone.DefaultBaseURL, m.said())
	})
}

// Messages returns all messages that were sent or received, of all accounts, oldest first. These are the messages that
// really went out, whatever response the client got: a message that was sent twice is there twice.
func (s *Server) Messages() []agentphone.ConversationMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[agentphone.ConversationMessage](s.messages.list, (*message).view)
}

// Verification is a code that was texted to a phone, and what came of it.
type Verification struct {
	ID          string
	PhoneNumber string
	Code        string
	SentAt      time.Time
	Checks      int // how often a code was compared with it
	Verified    bool
}

// Verifications returns all codes that were texted by POST /v1/verify/send, of all accounts, oldest first, each as of
// now. These are the texts that really went out, whatever response the client got.
func (s *Server) Verifications() []Verification {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Verification, len(s.verifications.list))
	for i, v := range s.verifications.list {
		out[i] = Verification{v.id, v.phone, v.code, v.sent, v.checks, v.verified}
	}
	return out
}

// Charge is something that an account was billed for.
type Charge struct {
	Operation string // method and path template, such as "GET /v1/numbers/lookup"
	Quantity  int    // how many numbers were looked up; 1 for everything else
	Amount    int    // for all of them, in thousandths of a US dollar
}

// Charges returns what was billed so far, to all accounts, oldest first: numbers that were bought ($3.00, the first
// month) and looked up ($0.009 each), verifications that succeeded ($0.05), registrations ($25). What calls and texts
// cost is not published, so they are not here.
func (s *Server) Charges() []Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.charges)
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

// WithRecentRequests keeps of the requests to the server only the newest n, or fewer if they take more than 16 MiB, and of
// each body the first 64 KiB: for a server that lives long. Without it [Server.Requests] has all.
func WithRecentRequests(n int) Option {
	return func(s *Server) { s.requests.most = max(n, 1) }
}

// requestLog is a record of the requests to the server.
type requestLog struct {
	most    int       // see WithRecentRequests; 0 is without limit
	list    []*record // the newest
	dropped int       // how many were before
	bytes   int       // what list takes, about
}

const (
	recentBytes     = 16 << 20
	recentBodyBytes = 64 << 10
)

func (l *requestLog) add(entry *record) {
	if l.most > 0 && len(entry.Body) > recentBodyBytes {
		entry.Body = slices.Clone(entry.Body[:recentBodyBytes]) // the rest is not held
	}
	entry.number = l.dropped + len(l.list) + 1
	l.list, l.bytes = append(l.list, entry), l.bytes+entry.size()
	for l.most > 0 && len(l.list) > 1 && (len(l.list) > l.most || l.bytes > recentBytes) {
		l.bytes -= l.list[0].size()
		l.list[0] = nil
		l.list = l.list[1:]
		l.dropped++
	}
}

// numbered returns a request by its number, or nil if it is not there.
func (l *requestLog) numbered(number int) *record {
	if i := number - 1 - l.dropped; i >= 0 && i < len(l.list) {
		return l.list[i]
	}
	return nil
}

// size is about how many bytes of a request are recorded.
func (r *record) size() int {
	n := len(r.Path) + len(r.Body)
	for _, values := range []map[string][]string{r.Query, r.Header} {
		for name, list := range values {
			n += len(name)
			for _, v := range list {
				n += len(v) + 16
			}
		}
	}
	return n
}

// recordRequest adds a request to the records, without its key. The caller holds s.mu.
func (s *Server) recordRequest(op *operation, r *http.Request, body []byte) *record {
	entry := &record{Request: Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body, At: time.Now(),
	}}
	if op != nil {
		entry.Operation = op.name()
	}
	if entry.Header.Get("Authorization") != "" {
		entry.Header.Set("Authorization", "REDACTED")
	}
	s.requests.add(entry)
	return entry
}

// finishRequest records the response of a request, or nil if there is none.
func (s *Server) finishRequest(entry *record, res *response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.done, entry.Duration = true, time.Since(entry.At)
	if res != nil {
		entry.Status = res.status
		s.keepResponse(entry, res)
	}
	s.publishRequest(entry)
}
