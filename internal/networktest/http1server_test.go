package networktest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// lateRequestWait is how long a server that settles waits for a request that comes late.
const lateRequestWait = 40 * time.Millisecond

// okBody is an answer that every operation takes for its own.
const okBody = `{"id":"id_1","data":[]}`

// request is a request that a server read whole: a delivery.
type request struct {
	*http.Request
	n    int // the how manieth of the server's, from 1
	body string
}

// responder does to a connection what comes of the request that was read from it, and
// reports whether the connection is kept.
type responder func(net.Conn, *request) bool

// http1Server is an HTTP/1.1 server down to the bytes.
type http1Server struct {
	url     string
	roots   *x509.CertPool // of its certificate, if it has one
	respond responder
	got     []*request

	tcpServer
}

func newHTTP1Server(t testing.TB, respond responder) *http1Server {
	t.Helper()
	return serveHTTP1(t, listen(t), nil, respond)
}

func newHTTPSServer(t testing.TB, respond responder) *http1Server {
	t.Helper()
	return serveHTTP1(t, listen(t), serverCertificate(), respond)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// serveHTTP1 serves what the listener accepts; with a certificate, over TLS.
func serveHTTP1(t testing.TB, l net.Listener, cert *certificate, respond responder) *http1Server {
	s := &http1Server{url: "http://" + l.Addr().String(), respond: respond, tcpServer: tcpServer{listener: l, conns: map[net.Conn]bool{}}}
	if cert != nil {
		s.url, s.roots = "https://"+l.Addr().String(), cert.roots
		s.listener = tls.NewListener(l, cert.config())
	}
	s.running.Add(1)
	go s.accept(s.serve)
	t.Cleanup(s.close)
	return s
}

func (s *http1Server) serve(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if req.URL.Path == warmUpPath {
			writeResponse(c, 200, okBody)
			continue
		}
		r := &request{Request: req, body: string(body)}
		s.mu.Lock()
		s.got = append(s.got, r)
		r.n = len(s.got)
		s.mu.Unlock()
		if !s.respond(c, r) {
			return
		}
	}
}

// warmUpPath is answered well in any weather and not counted.
const warmUpPath = "/warm"

func (s *http1Server) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	if s.roots != nil {
		opts = append([]agentphone.Option{agentphone.WithHTTPClient(newHTTPClient(t, s.roots))}, opts...)
	}
	return newClient(t, s.url, opts...)
}

func (s *http1Server) settle() int {
	s.drain()
	return len(s.requests())
}

func (s *http1Server) requests() []*request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*request(nil), s.got...)
}

// writeResponse writes a whole answer.
func writeResponse(w io.Writer, status int, body string, header ...string) {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	for _, line := range header {
		text += line + "\r\n"
	}
	_, _ = io.WriteString(w, text+"\r\n"+body)
}

// respondWith answers with the status and keeps the connection.
func respondWith(status int, body string, header ...string) responder {
	return func(c net.Conn, _ *request) bool {
		writeResponse(c, status, body, header...)
		return true
	}
}

// writeAndClose writes the text, which is no whole answer, and closes the connection.
func writeAndClose(text string) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, text)
		return false
	}
}

// resetConn resets the connection: the client reads an error, not an end.
func resetConn(c net.Conn, _ *request) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	return false
}

// writeAndHang writes the text and then nothing, until the client or the test goes.
func writeAndHang(text string) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, text)
		_, _ = c.Read(make([]byte, 1))
		return false
	}
}

// inTurn answers each request in the next way, and with the last way all that follow.
func inTurn(responders ...responder) responder {
	return func(c net.Conn, r *request) bool {
		return responders[min(r.n, len(responders))-1](c, r)
	}
}

var respondOK = respondWith(200, okBody)

// tcpServer is what the servers down to the bytes have in common: a listener and its connections.
type tcpServer struct {
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	accepted int
	closing  time.Time
}

func (p *tcpServer) accept(serve func(net.Conn)) {
	defer p.running.Done()
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.accepted++
		p.conns[c] = true
		if !p.closing.IsZero() {
			_ = c.SetReadDeadline(p.closing)
		}
		p.running.Add(1)
		p.mu.Unlock()
		go func() {
			defer p.running.Done()
			serve(c)
			_ = c.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		}()
	}
}

func (p *tcpServer) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// drain waits for requests that come late, then closes.
func (p *tcpServer) drain() {
	p.mu.Lock()
	p.closing = time.Now().Add(lateRequestWait)
	for c := range p.conns {
		_ = c.SetReadDeadline(p.closing)
	}
	p.mu.Unlock()
	time.Sleep(lateRequestWait)
	p.close()
}

func (p *tcpServer) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
	p.closing = time.Unix(1, 0)
	p.mu.Unlock()
	p.running.Wait()
}
