package networktest

import (
	"fmt"
	"net"
	"time"

	"github.com/agentphone/agentphone-go"
)

// failure is a way in which a server fails a request that was delivered. R is its responder or http2Responder.
type failure[R any] struct {
	name    string
	respond R
	status  int // of a response that broke off after its header
	hangs   bool
}

// lostResponses are the ways in which no complete response arrives over HTTP/1.1.
var lostResponses = []failure[responder]{
	{name: "reset after the request was read", respond: resetConn},
	{name: "closed without a response", respond: writeAndClose("")},
	{name: "response header cut short", respond: writeAndClose("HTTP/1.1 200 OK\r\nContent-Le")},
	{name: "response is not HTTP", respond: writeAndClose("220 smtp.example.com ESMTP\r\n\r\n")},
	{name: "Content-Length larger than sent", status: 200, respond: writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + okBody)},
	{name: "Content-Length and nothing sent", status: 201, respond: writeAndClose("HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")},
	{name: "chunked without the last chunk", status: 200, respond: writeAndClose(fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(okBody), okBody))},
	{name: "chunk cut short", status: 200, respond: writeAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + okBody)},
	{name: "no response in time", hangs: true, respond: writeAndHang("")},
	{name: "no end of the response in time", hangs: true, status: 200, respond: writeAndHang("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")},
	{name: "reset within the response", status: 200, respond: func(c net.Conn, r *request) bool {
		writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")(c, r)
		time.Sleep(20 * time.Millisecond) // a reset discards what the client has not read yet
		return resetConn(c, r)
	}},
}

// timeout returns the option for a call's timeout: short if the server hangs, otherwise longer than the call takes.
func (f *failure[R]) timeout() agentphone.Option {
	if f.hangs {
		return agentphone.WithTimeout(250 * time.Millisecond)
	}
	return agentphone.WithTimeout(10 * time.Second)
}

// completeResponse is a complete response to an operation that is not idempotent, and what follows from it.
type completeResponse struct {
	name    string
	respond responder
	status  int
	unknown bool // the error is ErrOutcomeUnknown
	decode  bool // a *DecodeError, not an *APIError
}

// completeResponses are responses that arrive, and are no success.
var completeResponses = []completeResponse{
	{name: "408", status: 408, unknown: true, respond: respondWith(408, `{"detail":"timeout"}`)},
	{name: "500", status: 500, unknown: true, respond: respondWith(500, `{"detail":"oops"}`)},
	{name: "502 with HTML", status: 502, unknown: true, respond: respondWith(502, "<html><h1>Bad Gateway</h1></html>", "Content-Type: text/html")},
	{name: "502 with Retry-After", status: 502, unknown: true, respond: respondWith(502, "", "Retry-After: 0")},
	{name: "503 without Retry-After", status: 503, unknown: true, respond: respondWith(503, "")},
	{name: "503 with an invalid Retry-After", status: 503, unknown: true, respond: respondWith(503, "", "Retry-After: soon")},
	{name: "504", status: 504, unknown: true, respond: respondWith(504, "")},
	{name: "504 cut short", status: 504, unknown: true, respond: writeAndClose("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 1000\r\n\r\n<html>")},
	{name: "520", status: 520, unknown: true, respond: respondWith(520, "")},
	{name: "501", status: 501, respond: respondWith(501, "")},
	{name: "400", status: 400, respond: respondWith(400, `{"detail":"no"}`)},
	{name: "401", status: 401, respond: respondWith(401, `{"detail":"no"}`)},
	{name: "409", status: 409, respond: respondWith(409, `{"detail":"no"}`)},
	{name: "422", status: 422, respond: respondWith(422, `{"detail":[{"loc":["body","x"],"msg":"required"}]}`)},
	{name: "200 without a body", status: 200, unknown: true, decode: true, respond: respondWith(200, "")},
	{name: "200 with HTML", status: 200, unknown: true, decode: true, respond: respondWith(200, "<html>Welcome</html>")},
	{name: "201 with JSON cut short", status: 201, unknown: true, decode: true, respond: respondWith(201, `{"id":"i`)},
}

// lostResponsesHTTP2 are the ways in which no complete response arrives over HTTP/2.
var lostResponsesHTTP2 = []failure[http2Responder]{
	// On PROTOCOL_ERROR net/http resends any request that it can, endlessly.
	{name: "RST_STREAM PROTOCOL_ERROR", respond: resetStream(h2ProtocolError)},
	{name: "RST_STREAM INTERNAL_ERROR", respond: resetStream(h2InternalError)},
	{name: "RST_STREAM CANCEL", respond: resetStream(h2Cancel)},
	{name: "RST_STREAM STREAM_CLOSED", respond: resetStream(h2StreamClosed)},
	{name: "RST_STREAM ENHANCE_YOUR_CALM", respond: resetStream(h2EnhanceYourCalm)},
	{name: "RST_STREAM NO_ERROR", respond: resetStream(h2NoError)},
	{name: "GOAWAY that includes the stream, then closed", respond: func(r *http2Stream) {
		r.goAway(r.id, h2NoError)
		_ = r.Close()
	}},
	{name: "GOAWAY INTERNAL_ERROR that includes the stream, then closed", respond: func(r *http2Stream) {
		r.goAway(r.id, h2InternalError)
		_ = r.Close()
	}},
	// This announces a shutdown: the server may still process the stream.
	{name: "GOAWAY with the highest stream id, then closed", respond: func(r *http2Stream) {
		r.goAway(1<<31-1, h2NoError)
		_ = r.Close()
	}},
	{name: "closed", respond: func(r *http2Stream) { _ = r.Close() }},
	{name: "reset", respond: func(r *http2Stream) { resetConn(r.Conn, nil) }},
	{name: "no response in time", hangs: true, respond: func(*http2Stream) {}},
	{name: "no end of the response in time", hangs: true, status: 200, respond: func(r *http2Stream) { r.header("200") }},
	{name: "RST_STREAM within the response", status: 200, respond: func(r *http2Stream) {
		r.header("200")
		r.data("{", 0)
		r.reset(h2InternalError)
	}},
	{name: "RST_STREAM PROTOCOL_ERROR within the response", status: 200, respond: func(r *http2Stream) {
		r.header("200")
		r.reset(h2ProtocolError)
	}},
	// Too late: the response has begun.
	{name: "RST_STREAM REFUSED_STREAM within the response", status: 201, respond: func(r *http2Stream) {
		r.header("201")
		r.reset(h2RefusedStream)
	}},
	{name: "closed within the response", status: 200, respond: func(r *http2Stream) {
		r.header("200")
		_ = r.Close()
	}},
}
