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

// weatherLate is how long a server that settles waits for a request that comes late.
const weatherLate = 40 * time.Millisecond

// weatherOK is an answer that every operation takes for its own.
const weatherOK = `{"id":"id_1","data":[]}`

// weatherRequest is a request that a server read whole: a delivery.
type weatherRequest struct {
	*http.Request
	n    int // the how manieth of the server's, from 1
	body string
}

// weatherAnswer does to a connection what comes of the request that was read from it, and
// reports whether the connection is kept.
type weatherAnswer func(net.Conn, *weatherRequest) bool

// weatherHTTP1 is an HTTP/1.1 server down to the bytes.
type weatherHTTP1 struct {
	url    string
	roots  *x509.CertPool // of its certificate, if it has one
	answer weatherAnswer
	got    []*weatherRequest

	weatherPort
}

func newWeatherHTTP1(t testing.TB, answer weatherAnswer) *weatherHTTP1 {
	t.Helper()
	return serveWeather(t, weatherListen(t), nil, answer)
}

func newWeatherTLS(t testing.TB, answer weatherAnswer) *weatherHTTP1 {
	t.Helper()
	return serveWeather(t, weatherListen(t), weatherCertificate(), answer)
}

func weatherListen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// serveWeather serves what the listener accepts; with a certificate, over TLS.
func serveWeather(t testing.TB, l net.Listener, cert *weatherCert, answer weatherAnswer) *weatherHTTP1 {
	s := &weatherHTTP1{url: "http://" + l.Addr().String(), answer: answer, weatherPort: weatherPort{listener: l, conns: map[net.Conn]bool{}}}
	if cert != nil {
		s.url, s.roots = "https://"+l.Addr().String(), cert.roots
		s.listener = tls.NewListener(l, cert.config())
	}
	s.running.Add(1)
	go s.accept(s.serve)
	t.Cleanup(s.close)
	return s
}

func (s *weatherHTTP1) serve(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if req.URL.Path == weatherWarmPath {
			weatherSay(c, 200, weatherOK)
			continue
		}
		r := &weatherRequest{Request: req, body: string(body)}
		s.mu.Lock()
		s.got = append(s.got, r)
		r.n = len(s.got)
		s.mu.Unlock()
		if !s.answer(c, r) {
			return
		}
	}
}

// weatherWarmPath is answered well in any weather and not counted.
const weatherWarmPath = "/warm"

func (s *weatherHTTP1) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	if s.roots != nil {
		opts = append([]agentphone.Option{agentphone.WithHTTPClient(weatherHTTPClient(t, s.roots))}, opts...)
	}
	return weatherClient(t, s.url, opts...)
}

func (s *weatherHTTP1) settle() int {
	s.drain()
	return len(s.requests())
}

func (s *weatherHTTP1) requests() []*weatherRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*weatherRequest(nil), s.got...)
}

// weatherSay writes a whole answer.
func weatherSay(w io.Writer, status int, body string, header ...string) {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	for _, line := range header {
		text += line + "\r\n"
	}
	_, _ = io.WriteString(w, text+"\r\n"+body)
}

// weatherSays answers with the status and keeps the connection.
func weatherSays(status int, body string, header ...string) weatherAnswer {
	return func(c net.Conn, _ *weatherRequest) bool {
		weatherSay(c, status, body, header...)
		return true
	}
}

// weatherBreaksOff writes the text, which is no whole answer, and closes the connection.
func weatherBreaksOff(text string) weatherAnswer {
	return func(c net.Conn, _ *weatherRequest) bool {
		_, _ = io.WriteString(c, text)
		return false
	}
}

// weatherResets resets the connection: the client reads an error, not an end.
func weatherResets(c net.Conn, _ *weatherRequest) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	return false
}

// weatherHangs writes the text and then nothing, until the client or the test goes.
func weatherHangs(text string) weatherAnswer {
	return func(c net.Conn, _ *weatherRequest) bool {
		_, _ = io.WriteString(c, text)
		_, _ = c.Read(make([]byte, 1))
		return false
	}
}

// weatherInTurn answers each request in the next way, and with the last way all that follow.
func weatherInTurn(answers ...weatherAnswer) weatherAnswer {
	return func(c net.Conn, r *weatherRequest) bool {
		return answers[min(r.n, len(answers))-1](c, r)
	}
}

var weatherFine = weatherSays(200, weatherOK)

// weatherPort is what the servers down to the bytes have in common: a listener and its connections.
type weatherPort struct {
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	accepted int
	closing  time.Time
}

func (p *weatherPort) accept(serve func(net.Conn)) {
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

func (p *weatherPort) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// drain waits for requests that come late, then closes.
func (p *weatherPort) drain() {
	p.mu.Lock()
	p.closing = time.Now().Add(weatherLate)
	for c := range p.conns {
		_ = c.SetReadDeadline(p.closing)
	}
	p.mu.Unlock()
	time.Sleep(weatherLate)
	p.close()
}

func (p *weatherPort) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
	p.closing = time.Unix(1, 0)
	p.mu.Unlock()
	p.running.Wait()
}
