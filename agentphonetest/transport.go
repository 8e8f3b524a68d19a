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
	"syscall"
)

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
