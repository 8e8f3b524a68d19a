package networktest

import (
	"net"
	"time"

	"github.com/agentphone/agentphone-go"
)

// weatherBreak is how a request that was delivered may fail without a whole answer.
type weatherBreak struct {
	name   string
	answer weatherAnswer
	status int // of the answer that broke off, if its header was whole
	hangs  bool
}

var weatherBreaks = []weatherBreak{
	{name: "reset after the request was read", answer: weatherResets},
	{name: "closed without an answer", answer: weatherBreaksOff("")},
	{name: "answer's header cut short", answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Le")},
	{name: "answer is not HTTP", answer: weatherBreaksOff("220 smtp.example.com ESMTP\r\n\r\n")},
	{name: "Content-Length larger than sent", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + weatherOK)},
	{name: "Content-Length and nothing sent", status: 201, answer: weatherBreaksOff("HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")},
	{name: "chunked without the last chunk", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + weatherOK + "\r\n")},
	{name: "chunk cut short", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + weatherOK)},
	{name: "no answer in time", hangs: true, answer: weatherHangs("")},
	{name: "no end of the answer in time", hangs: true, status: 200, answer: weatherHangs("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")},
	{name: "reset within the answer", status: 200, answer: func(c net.Conn, r *weatherRequest) bool {
		weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")(c, r)
		time.Sleep(20 * time.Millisecond) // a reset throws away what the client has not yet read
		return weatherResets(c, r)
	}},
}

func (b *weatherBreak) timeout() agentphone.Option {
	if b.hangs {
		return agentphone.WithTimeout(250 * time.Millisecond)
	}
	return agentphone.WithTimeout(10 * time.Second)
}

// weatherVerdict is what an answer means for an operation that acts once.
type weatherVerdict struct {
	name    string
	answer  weatherAnswer
	status  int
	unknown bool
	decode  bool // a *DecodeError, not an *APIError
}

var weatherVerdicts = []weatherVerdict{
	{name: "408", status: 408, unknown: true, answer: weatherSays(408, `{"detail":"time-out"}`)},
	{name: "500", status: 500, unknown: true, answer: weatherSays(500, `{"detail":"oops"}`)},
	{name: "502 with HTML", status: 502, unknown: true, answer: weatherSays(502, "<html><h1>Bad Gateway</h1></html>", "Content-Type: text/html")},
	{name: "502 with Retry-After", status: 502, unknown: true, answer: weatherSays(502, "", "Retry-After: 0")},
	{name: "503 without Retry-After", status: 503, unknown: true, answer: weatherSays(503, "")},
	{name: "503 with a Retry-After that is none", status: 503, unknown: true, answer: weatherSays(503, "", "Retry-After: soon")},
	{name: "504", status: 504, unknown: true, answer: weatherSays(504, "")},
	{name: "504 cut short", status: 504, unknown: true, answer: weatherBreaksOff("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 1000\r\n\r\n<html>")},
	{name: "520", status: 520, unknown: true, answer: weatherSays(520, "")},
	{name: "501", status: 501, answer: weatherSays(501, "")},
	{name: "400", status: 400, answer: weatherSays(400, `{"detail":"no"}`)},
	{name: "401", status: 401, answer: weatherSays(401, `{"detail":"no"}`)},
	{name: "409", status: 409, answer: weatherSays(409, `{"detail":"no"}`)},
	{name: "422", status: 422, answer: weatherSays(422, `{"detail":[{"loc":["body","x"],"msg":"required"}]}`)},
	{name: "200 without a body", status: 200, unknown: true, decode: true, answer: weatherSays(200, "")},
	{name: "200 with HTML", status: 200, unknown: true, decode: true, answer: weatherSays(200, "<html>Welcome</html>")},
	{name: "201 with JSON cut short", status: 201, unknown: true, decode: true, answer: weatherSays(201, `{"id":"i`)},
}

// weatherH2Break is how an HTTP/2 server may fail a request that it read.
type weatherH2Break struct {
	name   string
	answer weatherH2Answer
	status int // of the answer that broke off
	hangs  bool
}

var weatherH2Breaks = []weatherH2Break{
	// net/http takes a PROTOCOL_ERROR for a reason to send anything again, without end.
	{name: "RST_STREAM PROTOCOL_ERROR", answer: weatherRST(h2ProtocolError)},
	{name: "RST_STREAM INTERNAL_ERROR", answer: weatherRST(h2InternalError)},
	{name: "RST_STREAM CANCEL", answer: weatherRST(h2Cancel)},
	{name: "RST_STREAM STREAM_CLOSED", answer: weatherRST(h2StreamClosed)},
	{name: "RST_STREAM ENHANCE_YOUR_CALM", answer: weatherRST(h2Calm)},
	{name: "RST_STREAM NO_ERROR", answer: weatherRST(h2NoError)},
	{name: "GOAWAY that includes the stream, then closed", answer: func(r *weatherStream) {
		r.goAway(r.id, h2NoError)
		_ = r.Close()
	}},
	{name: "GOAWAY INTERNAL_ERROR that includes the stream, then closed", answer: func(r *weatherStream) {
		r.goAway(r.id, h2InternalError)
		_ = r.Close()
	}},
	// How a server announces that it is about to go: it may yet take the stream.
	{name: "GOAWAY with the highest stream id, then closed", answer: func(r *weatherStream) {
		r.goAway(1<<31-1, h2NoError)
		_ = r.Close()
	}},
	{name: "closed", answer: func(r *weatherStream) { _ = r.Close() }},
	{name: "reset", answer: func(r *weatherStream) { weatherResets(r.Conn, nil) }},
	{name: "no answer in time", hangs: true, answer: func(*weatherStream) {}},
	{name: "no end of the answer in time", hangs: true, status: 200, answer: func(r *weatherStream) { r.header("200") }},
	{name: "RST_STREAM within the answer", status: 200, answer: func(r *weatherStream) {
		r.header("200")
		r.data("{", 0)
		r.reset(h2InternalError)
	}},
	{name: "RST_STREAM PROTOCOL_ERROR within the answer", status: 200, answer: func(r *weatherStream) {
		r.header("200")
		r.reset(h2ProtocolError)
	}},
	// Too late to say so: the answer had begun.
	{name: "RST_STREAM REFUSED_STREAM within the answer", status: 201, answer: func(r *weatherStream) {
		r.header("201")
		r.reset(h2Refused)
	}},
	{name: "closed within the answer", status: 200, answer: func(r *weatherStream) {
		r.header("200")
		_ = r.Close()
	}},
}

func (b *weatherH2Break) timeout() agentphone.Option {
	return (&weatherBreak{hangs: b.hangs}).timeout()
}
