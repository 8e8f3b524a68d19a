// Package inmemory calls an [http.Handler] without a network.
package inmemory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

// RoundTrip sends a request to a handler and returns its response, as [http.RoundTripper] does over an HTTP/1.1
// connection: the response is returned with the first flush, its body can be read while the handler writes, and
// everything ends with the request's context. A handler that panics breaks the connection, and so does one that calls
// [runtime.Goexit], as a test's FailNow does.
//
// The handler runs in a goroutine of its own. There are no deadlines for reads and writes.
func RoundTrip(h http.Handler, r *http.Request) (*http.Response, error) {
	in, hangUp, err := incoming(r)
	if err != nil {
		return nil, err
	}
	pr, pw := io.Pipe()
	w := &responseWriter{header: http.Header{}, out: pw, headSent: make(chan struct{})}
	go func() {
		defer hangUp()
		returned := false
		defer func() { // also after runtime.Goexit, which recover does not see
			w.finish(returned, recover())
		}()
		h.ServeHTTP(w, in)
		returned = true
	}()
	select {
	case <-w.headSent:
	case <-r.Context().Done():
	}
	if err := r.Context().Err(); err != nil { // even if the head was sent at the same moment
		_ = pr.CloseWithError(err)
		return nil, err
	}
	if w.failed != nil {
		return nil, w.failed
	}
	// A read ends with the request's context even if the handler goes on.
	stop := context.AfterFunc(r.Context(), func() { _ = pw.CloseWithError(r.Context().Err()) })
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Request:       r,
		ContentLength: -1,
		Body:          &responseBody{pr, r.Context(), func() { stop(); hangUp() }},
	}, nil
}

// incoming turns a client's request into one as a server sees it. hangUp cancels its context.
func incoming(r *http.Request) (in *http.Request, hangUp context.CancelFunc, err error) {
	var body []byte
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, nil, err
		}
	}
	ctx, hangUp := context.WithCancel(r.Context())
	in = r.Clone(ctx)
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.Host = r.URL.Host
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	return in, hangUp, nil
}

// responseBody is the body of the response. Closing it cancels the handler's context.
type responseBody struct {
	*io.PipeReader
	ctx  context.Context //nolint:containedctx // the life of the body is that of its request
	done func()
}

// Read fails once the request's context has ended, even if the handler wrote the rest at that moment.
func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if ended := b.ctx.Err(); ended != nil {
		return 0, ended
	}
	return n, err
}

func (b *responseBody) Close() error {
	b.done()
	return b.PipeReader.Close()
}

// responseWriter is an [http.ResponseWriter] that buffers until it is flushed or the handler returns.
type responseWriter struct {
	header http.Header
	out    *io.PipeWriter

	mu       sync.Mutex // handlers may write from several goroutines if they take turns
	status   int
	sent     http.Header // the header when the status was written
	buffer   []byte
	headSent chan struct{} // closed when the head is sent, or there will be none
	open     bool          // headSent is closed
	failed   error         // why there is no head
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if status >= 200 { // 1xx is informational, a final status follows
		w.setStatus(status)
	}
}

func (w *responseWriter) setStatus(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setStatus(http.StatusOK)
	w.buffer = append(w.buffer, p...)
	return len(p), nil
}

// FlushError implements Flush for [http.ResponseController].
func (w *responseWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() { _ = w.FlushError() }

func (w *responseWriter) flush() error {
	w.setStatus(http.StatusOK)
	w.sendHead()
	if len(w.buffer) == 0 {
		return nil // a write of nothing would wait for a reader too
	}
	_, err := w.out.Write(w.buffer)
	w.buffer = nil
	return err
}

func (w *responseWriter) sendHead() {
	if !w.open {
		w.open = true
		close(w.headSent)
	}
}

// finish sends what is buffered, or breaks the connection if the handler did not return.
func (w *responseWriter) finish(returned bool, panicked any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if returned {
		_ = w.out.CloseWithError(w.flush())
		return
	}
	err := io.ErrUnexpectedEOF
	if panicked != nil && panicked != any(http.ErrAbortHandler) {
		err = fmt.Errorf("the handler panicked: %v", panicked)
	}
	if !w.open {
		w.failed = err
	}
	w.sendHead()
	_ = w.out.CloseWithError(err)
}
