//go:build js && wasm

package transport

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall/js"
)

// Where GOOS is js, net/http sends requests with the fetch of the browser (or node, or Deno). It has no trace hooks and
// no errors with types, so every failed attempt counts as one that may have acted. This file mends what else would not
// hold.

// fetchRedirect is the header by which net/http is given fetch's option. Where it does not use fetch, it refuses such a
// header.
const fetchRedirect = "js.fetch:redirect"

// hasFetch is what net/http finds when the program starts: within node it does not use fetch.
var hasFetch = func() bool {
	process := js.Global().Get("process")
	inNode := process.Type() == js.TypeObject && strings.HasPrefix(process.Get("argv0").String(), "node")
	return !inNode && !js.Global().Get("fetch").IsUndefined()
}()

// usesFetch reports whether a RoundTripper sends requests with fetch. One that is not net/http's own is taken to wrap
// it.
func usesFetch(rt http.RoundTripper) bool {
	t, ok := rt.(*http.Transport)
	//lint:ignore SA1019 net/http looks at them too
	dials := ok && (t.Dial != nil || t.DialTLS != nil || t.DialContext != nil || t.DialTLSContext != nil)
	return hasFetch && !dials
}

// roundTripOver passes a request to a RoundTripper.
func roundTripOver(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if !usesFetch(rt) {
		return rt.RoundTrip(req)
	}
	for _, values := range req.Header {
		for i := range values {
			values[i] = oneUnitPerByte(values[i])
		}
	}
	// By itself fetch follows redirects to any host, a POST as a GET after some, and shows the last response only.
	req.Header[fetchRedirect] = []string{"manual"}
	resp, err := rt.RoundTrip(req)
	if err != nil || resp == nil {
		return resp, err
	}
	if resp.Body != nil {
		resp.Body = newFetchBody(req.Context(), resp.Body)
	}
	if resp.StatusCode == 0 {
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, errRedirectHidden
	}
	return resp, nil
}

// oneUnitPerByte makes a header value one that fetch sends as the bytes that it is: a character per byte. Characters
// that are no byte make it throw, and net/http panic.
func oneUnitPerByte(value string) string {
	units := make([]rune, len(value))
	for i := range len(value) {
		units[i] = rune(value[i])
	}
	return string(units)
}

// fetchBody is a body whose reads end with the context: net/http aborts fetch only until the header is there.
type fetchBody struct {
	io.ReadCloser
	ctx   context.Context
	stop  func() bool
	ended bool
}

func newFetchBody(ctx context.Context, body io.ReadCloser) *fetchBody {
	return &fetchBody{ReadCloser: body, ctx: ctx, stop: context.AfterFunc(ctx, func() { _ = body.Close() })}
}

func (b *fetchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.ended = true
		b.stop()
		if b.ctx.Err() != nil {
			err = b.ctx.Err() // a body that is closed while it is read looks as if it had come to its end
		}
	}
	return n, err
}

// Close closes a body that has not ended. To close one that broke off would be an unhandled rejection, which ends the
// program in node and Deno.
func (b *fetchBody) Close() error {
	b.stop()
	if b.ended {
		return nil
	}
	return b.ReadCloser.Close()
}
