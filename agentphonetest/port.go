package agentphonetest

import (
	"net"
	"net/http"
	"strconv"
	"sync"
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
