package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// api responds to the requests of the measurements, in memory (RoundTrip) or over a socket (ServeHTTP),
// with the same bytes. It costs next to nothing, so that the client is what is measured.
type api struct {
	calls int           // on all pages of the list of calls
	turns int           // of a live transcript
	sends *atomic.Int64 // if it is not nil, each message has an id of its own
}

// The addresses that are requested.
const (
	numberID   = "num_51c0d7e2"
	streamedID = "call_streamed"
	numberPath = "/v1/numbers/" + numberID
	sendPath   = "/v1/messages"
	callsPath  = "/v1/calls"
	streamPath = "/v1/calls/" + streamedID + "/transcript/stream"
	apiKey     = "sk_live_0123456789abcdef"
)

const (
	numberJSON = `{"id":"num_51c0d7e2","phoneNumber":"+14155550123","country":"US","status":"active","type":"sms",` +
		`"agentId":"agt_7f3a9c21","outboundSms":"enabled","createdAt":"2026-04-19T17:20:11.123456Z"}`
	sentJSON = `{"id":"msg_90ab12cd","status":"queued","channel":"sms","from_number":"+14155550123","to_number":"+12125550184",` +
		`"conversation_id":"conv_4471","media_urls":[],"reply_to_message_id":null,"reply_parent_unresolved":null}`
)

// The calls of a list are these, repeated. The id of each has the digits of its place in the list.
var callsJSON = []string{
	callJSON("completed", `"2026-04-19T17:24:40.654321Z"`, "269.53", "Great, a table for two at seven under Ada. See you then!"),
	callJSON("completed", `"2026-04-19T17:21:02Z"`, "51", "Sorry, we are closed on Mondays. \\u201cTry tomorrow\\u201d, he said."),
	callJSON("no-answer", `"2026-04-19T17:20:41.5Z"`, "0", ""),
	callJSON("in-progress", "null", "null", "One moment, I will look that up for you."),
}

const placeDigits = 8

func callJSON(status, ended, seconds, snippet string) string {
	return `{"id":"call_00000000","agentId":"agt_7f3a9c21","phoneNumberId":"num_51c0d7e2","phoneNumber":"+14155550123",` +
		`"fromNumber":"+14155550123","toNumber":"+12125550184","direction":"outbound","status":"` + status + `",` +
		`"startedAt":"2026-04-19T17:20:11.123456Z","endedAt":` + ended + `,"durationSeconds":` + seconds + `,` +
		`"lastTranscriptSnippet":"` + snippet + `","recordingUrl":"https://recordings.example/rec_5c1e.wav",` +
		`"recordingAvailable":true,"transcripts":[]}`
}

func (a *api) appendCalls(b []byte, offset, limit int) []byte {
	b = append(b, `{"data":[`...)
	end := min(offset+limit, a.calls)
	for i := offset; i < end; i++ {
		if i > offset {
			b = append(b, ',')
		}
		first := len(b) + len(`{"id":"call_`)
		b = append(b, callsJSON[i%len(callsJSON)]...)
		setDigits(b[first:], i)
	}
	return fmt.Appendf(b, `],"hasMore":%t,"total":%d}`, end < a.calls, a.calls)
}

// setDigits sets the digits of an id.
func setDigits(id []byte, n int) {
	for at := placeDigits - 1; at >= 0; at, n = at-1, n/10 {
		id[at] = '0' + byte(n%10)
	}
}

// respond returns the status and body of a response. A page is appended to page, which the caller owns.
func (a *api) respond(r *http.Request, page []byte) (status int, body []byte) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == numberPath:
		return http.StatusOK, append(page, numberJSON...)
	case r.Method == http.MethodPost && r.URL.Path == sendPath:
		body = append(page, sentJSON...)
		if a.sends != nil {
			setDigits(body[len(page)+len(`{"id":"msg_`):], int(a.sends.Add(1)))
		}
		return http.StatusCreated, body
	case r.Method == http.MethodGet && r.URL.Path == callsPath:
		query := r.URL.Query()
		offset, _ := strconv.Atoi(query.Get("offset"))
		limit, err := strconv.Atoi(query.Get("limit"))
		if err == nil {
			return http.StatusOK, a.appendCalls(page, offset, limit)
		}
	}
	return http.StatusNotFound, append(page, `{"detail":"Not found"}`...)
}

var pages = sync.Pool{New: func() any { return new([]byte) }}

// pageBody is a body that returns its memory to a pool when it is closed.
type pageBody struct {
	bytes.Reader
	page *[]byte
}

func (b *pageBody) Close() error {
	if b.page != nil {
		b.Reset(nil)
		pages.Put(b.page)
		b.page = nil
	}
	return nil
}

// RoundTrip responds at once.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	resp := &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
	}
	if r.URL.Path == streamPath {
		resp.Header.Set("Content-Type", "text/event-stream")
		resp.Body, resp.ContentLength = io.NopCloser(&transcript{turns: a.turns}), -1
		return resp, nil
	}
	body := &pageBody{page: pages.Get().(*[]byte)}
	resp.StatusCode, *body.page = a.respond(r, (*body.page)[:0])
	body.Reset(*body.page)
	resp.Body, resp.ContentLength = body, int64(len(*body.page))
	return resp, nil
}

// ServeHTTP responds over a socket.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	page := pages.Get().(*[]byte)
	defer pages.Put(page)
	status, body := a.respond(r, (*page)[:0])
	*page = body
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

const (
	connectedEvent = "event: connected\n" + `data: {"callId":"call_streamed","status":"in-progress"}` + "\n\n"
	spokenTurn     = "event: turn\n" + `data: {"role":"user","content":"Do you have a table for two, at seven?","createdAt":"2026-04-19T17:20:11.123456Z"}` + "\n\n"
	endedEvent     = "event: ended\n" + `data: {"callId":"call_streamed","status":"completed","durationSeconds":269.5}` + "\n\n"
)

// transcript is a reader of a live transcript of any length, which is not kept in memory.
type transcript struct {
	turns, given int
	begun, ended bool
	rest         strings.Reader
}

func (t *transcript) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if t.rest.Len() == 0 && !t.next() {
			break
		}
		k, _ := t.rest.Read(p[n:])
		n += k
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (t *transcript) next() bool {
	switch {
	case !t.begun:
		t.begun = true
		t.rest.Reset(connectedEvent)
	case t.given < t.turns:
		t.given++
		t.rest.Reset(spokenTurn)
	case !t.ended:
		t.ended = true
		t.rest.Reset(endedEvent)
	default:
		return false
	}
	return true
}
