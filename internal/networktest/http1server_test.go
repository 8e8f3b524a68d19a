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
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// lateRequestWait is how long closeAndCount keeps a server open for a request that is sent late.
const lateRequestWait = 40 * time.Millisecond

// okBody is the body of a response that every operation can decode.
const okBody = apitest.Result

// request is a request that an http1Server read to its end: a delivery.
type request struct {
	*http.Request
	n    int // its number among the server's deliveries, from 1
	body string
}

// responder responds, or fails to respond, to a request that was read from the connection. It reports whether the
// server goes on reading from the connection; if not, the server closes it.
type responder func(net.Conn, *request) bool

// http1Server is an HTTP/1.1 server whose responder writes the bytes of each response itself. It counts deliveries.
type http1Server struct {
	url      string
	roots    *x509.CertPool // trusts its certificate; nil without TLS
	respond  responder
	received []*request

	tcpServer
}

func newHTTP1Server(t testing.TB, respond responder) *http1Server {
	t.Helper()
	return serveHTTP1(t, listen(t), nil, respond)
}

// newHTTPSServer is newHTTP1Server over TLS.
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

// serveHTTP1 serves the connections that l accepts, over TLS if cert is not nil, until the test ends.
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
		s.received = append(s.received, r)
		r.n = len(s.received)
		s.mu.Unlock()
		if !s.respond(c, r) {
			return
		}
	}
}

// warmUpPath always gets okBody, and its requests do not count as deliveries.
const warmUpPath = "/warm"

func (s *http1Server) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	if s.roots != nil {
		opts = append([]agentphone.Option{agentphone.WithHTTPClient(newHTTPClient(t, s.roots))}, opts...)
	}
	return newClient(t, s.url, opts...)
}

func (s *http1Server) closeAndCount() int {
	s.drain()
	return len(s.requests())
}

func (s *http1Server) requests() []*request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*request(nil), s.received...)
}

// writeResponse writes a complete response. Each header is a line without its end.
func writeResponse(w io.Writer, status int, body string, header ...string) {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	for _, line := range header {
		text += line + "\r\n"
	}
	_, _ = io.WriteString(w, text+"\r\n"+body)
}

// respondWith writes a complete response and keeps the connection.
func respondWith(status int, body string, header ...string) responder {
	return func(c net.Conn, _ *request) bool {
		writeResponse(c, status, body, header...)
		return true
	}
}

// writeAndClose writes text, which need not be a complete response, and closes the connection.
func writeAndClose(text string) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, text)
		return false
	}
}

// resetConn resets the connection with a TCP RST, so that the client reads an error instead of EOF.
func resetConn(c net.Conn, _ *request) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	return false
}

// writeAndHang writes text and then nothing until the client closes the connection or the test ends.
func writeAndHang(text string) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, text)
		_, _ = c.Read(make([]byte, 1))
		return false
	}
}

// inTurn uses one responder per request, in order, and the last for all requests after that.
func inTurn(responders ...responder) responder {
	return func(c net.Conn, r *request) bool {
		return responders[min(r.n, len(responders))-1](c, r)
	}
}

var respondOK = respondWith(200, okBody)

// tcpServer is what http1Server and http2Server have in common: a listener and its open connections.
type tcpServer struct {
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	accepted int
	closing  time.Time
}

func (s *tcpServer) accept(serve func(net.Conn)) {
	defer s.running.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.accepted++
		s.conns[c] = true
		if !s.closing.IsZero() {
			_ = c.SetReadDeadline(s.closing)
		}
		s.running.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.running.Done()
			serve(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// connections returns how many connections the server has accepted.
func (s *tcpServer) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// drain serves requests that are sent late for lateRequestWait, then closes the server.
func (s *tcpServer) drain() {
	s.mu.Lock()
	s.closing = time.Now().Add(lateRequestWait)
	for c := range s.conns {
		_ = c.SetReadDeadline(s.closing)
	}
	s.mu.Unlock()
	time.Sleep(lateRequestWait)
	s.close()
}

func (s *tcpServer) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
	s.closing = time.Unix(1, 0)
	s.mu.Unlock()
	s.running.Wait()
}
