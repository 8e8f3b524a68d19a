package agentphonetest

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

// callHandler carries a request to a handler as a connection would. The handler runs in a goroutine of
// its own: the answer is read while it is written, and who waits for it can go away.
func callHandler(h http.Handler, r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	ctx, hangUp := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	in.Body, in.Host, in.RequestURI, in.RemoteAddr = io.NopCloser(bytes.NewReader(body)), r.URL.Host, r.URL.RequestURI(), "192.0.2.1:1234"
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery} // as a server sees it
	pr, pw := io.Pipe()
	w := &handlerWriter{header: http.Header{}, out: pw, begun: make(chan struct{})}
	go func() {
		defer hangUp()
		returned := false
		defer func() { // also of a test's FailNow, which returns nothing
			w.finish(returned, recover())
		}()
		h.ServeHTTP(w, in)
		returned = true
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
	}
	if err := r.Context().Err(); err != nil { // an answer at the same moment is too late
		_ = pr.CloseWithError(err)
		return nil, err
	}
	if w.failed != nil {
		return nil, w.failed
	}
	// A read must end with the request even if the handler goes on.
	stop := context.AfterFunc(r.Context(), func() { _ = pw.CloseWithError(r.Context().Err()) })
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, Request: r, ContentLength: -1,
		Body: &handlerBody{pr, r.Context(), func() { stop(); hangUp() }},
	}, nil
}

type handlerBody struct {
	*io.PipeReader
	ctx  context.Context //nolint:containedctx // the life of the body is that of its request
	done func()
}

// Read fails once the request is over, also if the handler has written the rest at that moment.
func (b *handlerBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if over := b.ctx.Err(); over != nil {
		return 0, over
	}
	return n, err
}

func (b *handlerBody) Close() error {
	b.done()
	return b.PipeReader.Close()
}

// handlerWriter is a ResponseWriter that sends with Flush and at the end.
type handlerWriter struct {
	header http.Header
	out    *io.PipeWriter

	mu     sync.Mutex // handlers may write from several goroutines if they take turns
	status int
	sent   http.Header // as it was when the head was written
	buffer []byte
	begun  chan struct{} // closed when the head is sent, or there will be none
	open   bool
	failed error
}

func (w *handlerWriter) Header() http.Header { return w.header }

func (w *handlerWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if status >= 200 { // before are informational ones
		w.head(status)
	}
}

func (w *handlerWriter) head(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *handlerWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head(http.StatusOK)
	w.buffer = append(w.buffer, p...)
	return len(p), nil
}

// FlushError is what http.ResponseController calls.
func (w *handlerWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// Flush is for handlers that look for an http.Flusher.
func (w *handlerWriter) Flush() { _ = w.FlushError() }

func (w *handlerWriter) flush() error {
	w.head(http.StatusOK)
	w.begin()
	if len(w.buffer) == 0 {
		return nil // a pipe would wait for somebody to read nothing
	}
	_, err := w.out.Write(w.buffer)
	w.buffer = nil
	return err
}

func (w *handlerWriter) begin() {
	if !w.open {
		w.open = true
		close(w.begun)
	}
}

// finish sends what is left, or breaks the connection if the handler panicked.
func (w *handlerWriter) finish(returned bool, panicked any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !returned {
		err := io.ErrUnexpectedEOF
		if panicked != nil && panicked != any(http.ErrAbortHandler) {
			err = fmt.Errorf("the receiver panicked: %v", panicked)
		}
		if !w.open {
			w.failed = err
		}
		w.begin()
		_ = w.out.CloseWithError(err)
		return
	}
	_ = w.out.CloseWithError(w.flush())
}
