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

// port is the server's port on the loopback interface.
type port struct {
	mu     sync.Mutex
	url    string
	server *http.Server
	done   chan struct{}
	closed bool
}

// Start opens a port on the loopback interface, for HTTP/1.1, and returns its URL, such as http://127.0.0.1:43210. If
// the port is open already, it returns that URL. It panics if no port can be opened or the server is closed.
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
		_ = server.Serve(listener) // returns http.ErrServerClosed after close
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

// ServeHTTP handles a request, so that the server can be mounted in an [http.Server] or an
// [net/http/httptest.Server]. A connection that breaks ([Fault]) is a panic with [http.ErrAbortHandler] where there is
// no connection to reset.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	res, err := s.serve(r, body)
	switch {
	case err != nil: // the client went away, or the server was closed
		panic(http.ErrAbortHandler)
	case res.reset:
		reset(w)
		return
	}
	for name, values := range res.header {
		w.Header()[name] = values
	}
	if len(res.body) > 0 && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(res.body)))
	}
	w.WriteHeader(res.status)
	if res.stream == nil {
		_, _ = w.Write(res.body)
		return
	}
	flush := http.NewResponseController(w)
	for {
		_ = flush.Flush()
		chunk, err := res.stream(r.Context())
		switch {
		case errors.Is(err, io.EOF):
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
		panic(http.ErrAbortHandler) // HTTP/2, or no connection at all
	}
	raw := conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		raw = wrapped.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // close with RST
	}
	_ = raw.Close()
}

// Transport returns a [http.RoundTripper] that carries requests to the server without a network, whatever host they are
// for; the client keeps its own base URL, such as [agentphone.DefaultBaseURL]. It works in a bubble of testing/synctest:
// a request is handled in the goroutine of the caller, and only deliveries of events run in others.
func (s *Server) Transport() http.RoundTripper { return &memoryTransport{s} }

type memoryTransport struct{ server *Server }

// RoundTrip handles a request. The body of a streamed response is made while it is read.
func (t *memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context()) // routing sets its path values
	sent.Method = cmp.Or(sent.Method, http.MethodGet)
	res, err := t.server.serve(sent, body)
	switch {
	case errors.Is(err, errClosed):
		return nil, connectionError("dial", syscall.ECONNREFUSED)
	case err != nil:
		return nil, err
	case res.reset:
		return nil, connectionError("read", syscall.ECONNRESET)
	}
	resp := &http.Response{
		Status:     strconv.Itoa(res.status) + " " + http.StatusText(res.status),
		StatusCode: res.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  res.header,
		Request: r,
	}
	if res.stream != nil {
		ctx, stop := context.WithCancel(r.Context())
		resp.Body = &streamBody{ctx: ctx, stop: stop, next: res.stream}
		resp.ContentLength = -1
		return resp, nil
	}
	resp.ContentLength = int64(len(res.body))
	resp.Body = io.NopCloser(bytes.NewReader(res.body))
	if n, err := strconv.Atoi(res.header.Get("Content-Length")); err == nil && n > len(res.body) {
		resp.ContentLength = int64(n)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(res.body), brokenOff{}))
	}
	return resp, nil
}

// connectionError is the error of a connection that fails, as net/http reports it.
func connectionError(op string, cause syscall.Errno) error {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}
	return &net.OpError{Op: op, Net: "tcp", Addr: loopback, Err: cause}
}

// brokenOff is the rest of a body whose connection broke.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// streamBody is the body of a streamed response.
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

// Close ends a Read that waits.
func (b *streamBody) Close() error {
	b.stop()
	return nil
}
