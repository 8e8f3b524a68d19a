package networktest

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/agentphone/agentphone-go"
)

// The HTTP/2 frame types and flags (RFC 9113, section 6) and error codes (section 7) that the tests need.
const (
	h2Data, h2Headers, h2RST, h2Settings, h2Ping, h2GoAway = 0, 1, 3, 4, 6, 7

	h2Ack, h2EndStream, h2EndHeaders = 1, 1, 4

	h2NoError, h2ProtocolError, h2InternalError, h2StreamClosed, h2RefusedStream, h2Cancel, h2EnhanceYourCalm = 0, 1, 2, 5, 7, 8, 11
)

// http2Responder responds, or fails to respond, to a request that was read from the connection.
type http2Responder func(*http2Stream)

// http2Server is an HTTP/2 server whose responder writes the frames of each response itself. It counts deliveries, and
// does not decode headers.
type http2Server struct {
	url     string
	cert    *certificate
	respond http2Responder
	warm    bool // the first request gets okBody and does not count as a delivery

	read       int // all requests
	deliveries int // without the warm-up

	tcpServer
}

// http2Stream is a request that an http2Server read to its END_STREAM flag: a delivery.
type http2Stream struct {
	net.Conn
	id   uint32
	n    int // its number among the server's deliveries, from 1
	body string
}

func newHTTP2Server(t testing.TB, warm bool, respond http2Responder) *http2Server {
	t.Helper()
	l := listen(t)
	cert := serverCertificate()
	s := &http2Server{
		url: "https://" + l.Addr().String(), cert: cert, respond: respond, warm: warm,
		tcpServer: tcpServer{listener: tls.NewListener(l, cert.config("h2")), conns: map[net.Conn]bool{}},
	}
	s.running.Add(1)
	go s.accept(s.serve)
	t.Cleanup(s.close)
	return s
}

func (s *http2Server) serve(c net.Conn) {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	out := &http2Stream{Conn: c}
	out.frame(h2Settings, 0, 0, nil)
	bodies := map[uint32]string{}
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		kind, flags, id := head[3], head[4], binary.BigEndian.Uint32(head[5:])&^(1<<31)
		if kind == h2Data {
			bodies[id] += string(payload)
		}
		switch {
		case kind == h2Settings && flags&h2Ack == 0:
			out.frame(h2Settings, h2Ack, 0, nil)
		case kind == h2Ping && flags&h2Ack == 0:
			out.frame(h2Ping, h2Ack, 0, payload)
		case (kind == h2Headers || kind == h2Data) && flags&h2EndStream != 0:
			s.deliver(&http2Stream{Conn: c, id: id, body: bodies[id]})
		}
	}
}

func (s *http2Server) deliver(r *http2Stream) {
	s.mu.Lock()
	s.read++
	warm := s.warm && s.read == 1
	if !warm {
		s.deliveries++
		r.n = s.deliveries
	}
	s.mu.Unlock()
	if warm {
		r.ok()
		return
	}
	s.respond(r)
}

func (s *http2Server) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	return newClient(t, s.url, append([]agentphone.Option{
		agentphone.WithHTTPClient(newHTTPClient(t, s.cert.roots)),
	}, opts...)...)
}

func (s *http2Server) closeAndCount() int {
	s.drain()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deliveries
}

// frame sends a frame of any type.
func (r *http2Stream) frame(kind, flags byte, id uint32, payload []byte) {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	b = binary.BigEndian.AppendUint32(b, id)
	_, _ = r.Write(append(b, payload...))
}

// header begins a response. In HPACK: the status as a literal value of the static table's 8th name, and
// "x-request-id: r1".
func (r *http2Stream) header(status string, more ...byte) {
	block := append([]byte{0x08, byte(len(status))}, status...)
	block = append(block, "\x00\x0cx-request-id\x02r1"...)
	r.frame(h2Headers, h2EndHeaders, r.id, append(block, more...))
}

// data sends a DATA frame.
func (r *http2Stream) data(text string, flags byte) { r.frame(h2Data, flags, r.id, []byte(text)) }

// ok responds with okBody.
func (r *http2Stream) ok() {
	r.header("200")
	r.data(okBody, h2EndStream)
}

// reset sends RST_STREAM.
func (r *http2Stream) reset(code uint32) {
	r.frame(h2RST, 0, r.id, binary.BigEndian.AppendUint32(nil, code))
}

// goAway sends a GOAWAY frame: last is the highest stream that the server may have processed, debug its debug data.
func (r *http2Stream) goAway(last, code uint32, debug ...string) {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code)
	r.frame(h2GoAway, 0, 0, append(b, strings.Join(debug, "")...))
}

// resetStream sends RST_STREAM for the request's stream.
func resetStream(code uint32) http2Responder {
	return func(r *http2Stream) { r.reset(code) }
}

// respondWithHTTP2 responds with the status and an HTML page.
func respondWithHTTP2(status string) http2Responder {
	return func(r *http2Stream) {
		r.header(status)
		r.data("<html>"+status+"</html>", h2EndStream)
	}
}

// inTurnHTTP2 uses one responder per request, in order, and the last for all requests after that.
func inTurnHTTP2(responders ...http2Responder) http2Responder {
	return func(r *http2Stream) { responders[min(r.n, len(responders))-1](r) }
}

func respondOKHTTP2(r *http2Stream) { r.ok() }

// excludeStream sends a GOAWAY that says that the stream was not processed, and closes the connection.
func excludeStream(r *http2Stream) {
	r.goAway(r.id-1, h2NoError)
	_ = r.Close()
}
