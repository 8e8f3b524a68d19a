package agentphonetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// port is the server's place on the loopback interface.
type port struct {
	mu     sync.Mutex
	url    string
	server *http.Server
	done   chan struct{}
	closed bool
}

// Start opens a port on the loopback interface, for HTTP/1.1, and returns its URL, such as
// http://127.0.0.1:43210. If it is open already its URL is returned. It panics if no port can be had or the
// server is closed.
func (s *Server) Start() string {
	p := &s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		panic("agentphonetest: Start: the server is closed")
	}
	if p.server != nil {
		return p.url
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("agentphonetest: Start: " + err.Error())
	}
	server, done := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}, make(chan struct{})
	p.url = "http://" + listener.Addr().String()
	p.server, p.done = server, done
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends by close, with http.ErrServerClosed
	}()
	return p.url
}

func (p *port) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.server != nil {
		_ = p.server.Close()
		<-p.done
	}
}

// ServeHTTP answers a request, for use of the server as an [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a, err := s.serve(r, body)
	switch {
	case err != nil: // the client went away, or the server was closed
		panic(http.ErrAbortHandler)
	case a.reset:
		reset(w)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if len(a.body) > 0 && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.stream == nil {
		_, _ = w.Write(a.body)
		return
	}
	flush := http.NewResponseController(w)
	for {
		_ = flush.Flush()
		chunk, err := a.stream(r.Context())
		switch {
		case endOfStream(err):
			return
		case err != nil:
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// reset breaks the connection so that the client reads "connection reset by peer".
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 or a recorder: this is the nearest there is
	}
	raw := conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		raw = wrapped.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// maxBody is far above any request that the API takes.
const maxBody = 16 << 20

// Transport carries requests to the server without a network, whatever host they are for; use
// it with the client's own base URL ([agentphone.DefaultBaseURL]). It works in a bubble of
// testing/synctest and starts no goroutines but for the delivery of events.
func (s *Server) Transport() http.RoundTripper { return &memory{s} }

type memory struct{ server *Server }

// RoundTrip runs the request in the caller's goroutine. A streamed answer is made as its body is read.
func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context()) // routing changes it
	sent.Method = cmp.Or(sent.Method, http.MethodGet)
	a, err := m.server.serve(sent, body)
	switch {
	case errors.Is(err, errClosed):
		return nil, broken("dial", syscall.ECONNREFUSED)
	case err != nil:
		return nil, err
	case a.reset:
		return nil, broken("read", syscall.ECONNRESET)
	}
	resp := &http.Response{
		Status:     strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  a.header,
		Request: r,
	}
	if a.stream != nil {
		ctx, stop := context.WithCancel(r.Context())
		resp.Body = &streamBody{ctx: ctx, stop: stop, next: a.stream}
		resp.ContentLength = -1
		return resp, nil
	}
	resp.ContentLength = int64(len(a.body))
	resp.Body = io.NopCloser(bytes.NewReader(a.body))
	if n, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil && n > len(a.body) {
		// As on a connection that breaks before the answer is complete.
		resp.ContentLength = int64(n)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(a.body), cutOff{}))
	}
	return resp, nil
}

// broken is the error of a connection that fails, as net/http reports it.
func broken(op string, cause syscall.Errno) error {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}
	return &net.OpError{Op: op, Net: "tcp", Addr: loopback, Err: cause}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(io.LimitReader(r.Body, maxBody))
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// streamBody makes an answer while it is read.
type streamBody struct {
	ctx  context.Context //nolint:containedctx // the life of the body is that of its request
	stop context.CancelFunc
	next func(context.Context) ([]byte, error)
	rest []byte
}

func (b *streamBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		chunk, err := b.next(b.ctx)
		switch {
		case errors.Is(err, errClosed):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		}
		b.rest = chunk
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *streamBody) Close() error {
	b.stop()
	return nil
}
