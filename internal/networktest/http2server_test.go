package networktest

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/agentphone/agentphone-go"
)

// The HTTP/2 frames (RFC 9113, 6) and errors (7) that the tests need.
const (
	h2Data, h2Headers, h2RST, h2Settings, h2Ping, h2GoAway = 0, 1, 3, 4, 6, 7

	h2Ack, h2EndStream, h2EndHeaders = 1, 1, 4

	h2NoError, h2ProtocolError, h2InternalError, h2StreamClosed, h2Refused, h2Cancel, h2Calm = 0, 1, 2, 5, 7, 8, 11
)

// weatherH2Answer does to a connection what comes of a request that was read from it.
type weatherH2Answer func(*weatherStream)

// weatherHTTP2 is an HTTP/2 server down to the frames. It does not decode headers.
type weatherHTTP2 struct {
	url    string
	cert   *weatherCert
	answer weatherH2Answer
	warm   bool // the first request is answered well and not counted

	read       int // requests in all
	deliveries int

	weatherPort
}

// weatherStream is a request that an HTTP/2 server read whole, up to END_STREAM.
type weatherStream struct {
	net.Conn
	id   uint32
	n    int // the how manieth of the server's, from 1
	body string
}

func newWeatherHTTP2(t testing.TB, warm bool, answer weatherH2Answer) *weatherHTTP2 {
	t.Helper()
	l := weatherListen(t)
	cert := weatherCertificate()
	s := &weatherHTTP2{
		url: "https://" + l.Addr().String(), cert: cert, answer: answer, warm: warm,
		weatherPort: weatherPort{listener: tls.NewListener(l, cert.config("h2")), conns: map[net.Conn]bool{}},
	}
	s.running.Add(1)
	go s.accept(s.serve)
	t.Cleanup(s.close)
	return s
}

func (s *weatherHTTP2) serve(c net.Conn) {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	out := &weatherStream{Conn: c}
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
			s.deliver(&weatherStream{Conn: c, id: id, body: bodies[id]})
		}
	}
}

func (s *weatherHTTP2) deliver(r *weatherStream) {
	s.mu.Lock()
	s.read++
	warm := s.warm && s.read == 1
	if !warm {
		s.deliveries++
		r.n = s.deliveries
	}
	s.mu.Unlock()
	if warm {
		r.fine()
		return
	}
	s.answer(r)
}

func (s *weatherHTTP2) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	return weatherClient(t, s.url, append([]agentphone.Option{
		agentphone.WithHTTPClient(weatherHTTPClient(t, s.cert.roots)),
	}, opts...)...)
}

func (s *weatherHTTP2) settle() int {
	s.drain()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deliveries
}

func (r *weatherStream) frame(kind, flags byte, id uint32, payload []byte) {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	b = binary.BigEndian.AppendUint32(b, id)
	_, _ = r.Write(append(b, payload...))
}

// header begins an answer. HPACK: the status as a literal value of the static table's 8th
// name, and "x-request-id: r1".
func (r *weatherStream) header(status string, more ...byte) {
	block := append([]byte{0x08, 3}, status...)
	block = append(block, "\x00\x0cx-request-id\x02r1"...)
	r.frame(h2Headers, h2EndHeaders, r.id, append(block, more...))
}

func (r *weatherStream) data(text string, flags byte) { r.frame(h2Data, flags, r.id, []byte(text)) }

func (r *weatherStream) fine() {
	r.header("200")
	r.data(weatherOK, h2EndStream)
}

func (r *weatherStream) reset(code uint32) {
	r.frame(h2RST, 0, r.id, binary.BigEndian.AppendUint32(nil, code))
}

func (r *weatherStream) goAway(last, code uint32) {
	r.frame(h2GoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}

// weatherRST resets the stream of the request.
func weatherRST(code uint32) weatherH2Answer {
	return func(r *weatherStream) { r.reset(code) }
}

// weatherH2Status answers with the status and a page.
func weatherH2Status(status string) weatherH2Answer {
	return func(r *weatherStream) {
		r.header(status)
		r.data("<html>"+status+"</html>", h2EndStream)
	}
}

// weatherH2InTurn answers each request in the next way, and with the last way all that follow.
func weatherH2InTurn(answers ...weatherH2Answer) weatherH2Answer {
	return func(r *weatherStream) { answers[min(r.n, len(answers))-1](r) }
}

func weatherH2Fine(r *weatherStream) { r.fine() }

// weatherExcludes is GOAWAY: no stream of this connection was, or will be, looked at.
func weatherExcludes(r *weatherStream) {
	r.goAway(r.id-1, h2NoError)
	_ = r.Close()
}
