package networktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// caller is what a malformed response has in a header, a trailer or the like.
const caller = "14155550123"

// errorTexts calls methods that read their responses in different ways and returns the errors.
func errorTexts(t *testing.T, c *agentphone.Client) (errs []error) {
	t.Helper()
	for _, call := range []func(context.Context, *agentphone.Client) error{
		apitest.GetAgent, apitest.CreateCall,
		func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.DownloadRecording(ctx, "call_1", io.Discard))
		},
		func(ctx context.Context, c *agentphone.Client) error {
			ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond) // it would connect again for ever
			defer cancel()
			for _, err := range c.Calls.StreamTranscript(ctx, "call_1") {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		if err := call(t.Context(), c); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func requireNoCaller(t *testing.T, errs []error, atLeast int) {
	t.Helper()
	require.GreaterOrEqual(t, len(errs), atLeast)
	for _, err := range errs {
		assertNoCaller(t, err)
	}
}

// assertNoCaller fails if an error, or one that it wraps, prints what a header has.
func assertNoCaller(t *testing.T, err error) {
	t.Helper()
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %q", err, err, err, err), caller)
	if inner := errors.Unwrap(err); inner != nil {
		assertNoCaller(t, inner)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			assertNoCaller(t, inner)
		}
	}
}

func TestErrors_QuoteNoMalformedResponse_HTTP1(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, tc := range map[string]struct {
		response string
		errors   int
	}{
		"header line":         {"HTTP/1.1 200 OK\r\nCaller " + caller + "\r\n\r\n", 3},
		"folded header":       {"HTTP/1.1 200 OK\r\n Caller: " + caller + "\r\n\r\n", 3},
		"header name":         {"HTTP/1.1 200 OK\r\nCaller " + caller + ": x\r\n\r\n", 3},
		"header value":        {"HTTP/1.1 200 OK\r\nCaller: " + caller + "\x00\r\n\r\n", 3},
		"status line":         {"HTTP/1.1 " + caller + "\r\n\r\n", 3},
		"status":              {"HTTP/1.1 " + caller + " OK\r\n\r\n", 3},
		"protocol":            {"HTTP/" + caller + " 200 OK\r\n\r\n", 3},
		"Content-Length":      {"HTTP/1.1 200 OK\r\nContent-Length: " + caller + "x\r\n\r\n", 3},
		"Content-Lengths":     {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: " + caller + "\r\n\r\n", 3},
		"Transfer-Encoding":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + caller + "\r\n\r\n", 3},
		"Transfer-Encodings":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: a\r\nTransfer-Encoding: " + caller + "\r\n\r\n", 3},
		"Trailer":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length, " + caller + "\r\n\r\n0\r\n\r\n", 3},
		"chunk":               {fmt.Sprintf(chunked, "application/json") + caller + "x\r\n{}\r\n", 2},
		"trailer":             {fmt.Sprintf(chunked, "application/json") + "2\r\n{}\r\n0\r\nCaller " + caller + "\r\n\r\n", 2},
		"folded trailer":      {fmt.Sprintf(chunked, "application/json") + "2\r\n{}\r\n0\r\n Caller: " + caller + "\r\n\r\n", 2},
		"trailer name":        {fmt.Sprintf(chunked, "application/json") + "2\r\n{}\r\n0\r\nCaller " + caller + ": x\r\n\r\n", 2},
		"trailer of an audio": {fmt.Sprintf(chunked, "audio/wav") + "4\r\nRIFF\r\n0\r\nCaller " + caller + "\r\n\r\n", 1},
		"trailer of a transcript": {
			fmt.Sprintf(chunked, "text/event-stream") + "2a\r\nevent: turn\ndata: {\"role\":\"user\",\"content\":1}\n\r\n0\r\nCaller " + caller + "\r\n\r\n", 1,
		},
		"Location": {"HTTP/1.1 307 T\r\nLocation: http://x:" + caller + "x\r\nContent-Length: 0\r\n\r\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHTTP1Server(t, writeAndClose(tc.response))
			requireNoCaller(t, errorTexts(t, s.client(t, agentphone.WithMaxRetries(0))), tc.errors)
		})
	}
}

func TestErrors_QuoteNoMalformedResponse_HTTP2(t *testing.T) {
	literal := func(name, value string) []byte { // HPACK, without indexing
		return append(append([]byte{0, byte(len(name))}, name...), append([]byte{byte(len(value))}, value...)...)
	}
	trailer := func(r *http2Stream, block []byte) {
		r.header("200")
		r.data("{}", 0)
		r.frame(h2Headers, h2EndHeaders|h2EndStream, r.id, block)
	}
	for name, respond := range map[string]http2Responder{
		"header name":           func(r *http2Stream) { r.header("200", literal("Caller "+caller, "x")...) },
		"header value":          func(r *http2Stream) { r.header("200", literal("caller", caller+"\x00")...) },
		"status":                func(r *http2Stream) { r.header("+" + caller) },
		"negative status":       func(r *http2Stream) { r.header("-" + caller) },
		"status that is a word": func(r *http2Stream) { r.header("x" + caller) },
		"pseudo-header":         func(r *http2Stream) { r.header("200", literal(":caller"+caller, "x")...) },
		"trailer":               func(r *http2Stream) { trailer(r, literal("Caller "+caller, "x")) },
		"pseudo-trailer":        func(r *http2Stream) { trailer(r, literal(":caller"+caller, "x")) },
		"GOAWAY": func(r *http2Stream) {
			r.goAway(r.id, h2InternalError, `caller "`+caller+`" https://x/y?z`)
			_ = r.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHTTP2Server(t, false, respond)
			requireNoCaller(t, errorTexts(t, s.client(t, agentphone.WithMaxRetries(0))), 2)
		})
	}
}

// Errors of the decoders quote the values that they cannot decode.
func TestErrors_QuoteNoValueThatCannotBeDecoded(t *testing.T) {
	s := newHTTP1Server(t, respondWith(200, `{"n":"+`+caller+`x","at":"+`+caller+`"}`, "Content-Type: application/json"))
	c := s.client(t)
	for _, out := range []any{
		&struct {
			N int `json:",string"`
		}{},
		&struct{ N json.Number }{}, &struct{ At time.Time }{}, &map[string]int{}, new([]int),
	} {
		if err := c.Do(t.Context(), "GET", "/v1/x", nil, out); assert.Error(t, err, "%T", out) {
			requireNoCaller(t, []error{err}, 1)
		}
	}
}

// formattedError is one that prints, encodes or logs more than its Error method returns.
type formattedError struct{ Dump string }

func (e formattedError) Error() string                { return "broken pipe" }
func (e formattedError) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, e.Dump) }
func (e formattedError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Dump) }
func (e formattedError) LogValue() slog.Value         { return slog.StringValue(e.Dump) }

// plainError is a value, whose fields %#v prints.
type plainError struct{ Dump string }

func (e plainError) Error() string { return "broken pipe" }

func TestErrors_SayWhatTheirErrorMethodSays(t *testing.T) {
	for name, fail := range map[string]func(dump string) error{
		"that formats itself":          func(dump string) error { return formattedError{dump} },
		"wrapped, that formats itself": func(dump string) error { return &net.OpError{Op: "read", Err: formattedError{dump}} },
		"with fields":                  func(dump string) error { return plainError{dump} },
	} {
		t.Run(name, func(t *testing.T) {
			c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				return nil, fail(r.Header.Get("Authorization"))
			}), apitest.NoWait)
			for _, call := range []func(context.Context, *agentphone.Client) error{apitest.GetAgent, apitest.CreateCall} {
				err := call(t.Context(), c)
				assert.ErrorContains(t, err, "broken pipe")
				var log bytes.Buffer
				slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "err", err)
				slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
				_, _ = fmt.Fprintf(&log, "%v %+v %#v %q %s %d", err, err, err, err, err, err)
				var failed *agentphone.TransportError
				if assert.ErrorAs(t, err, &failed) && name != "with fields" {
					_, _ = fmt.Fprintf(&log, "%v %+v %#v %q %s %d", failed.Err, failed.Err, failed.Err, failed.Err, failed.Err, failed.Err)
				}
				assert.NotContains(t, log.String(), apitest.Key)
			}
		})
	}
}

// A RoundTripper's error may have the address of the request in its text, with a phone number in the query: net/http's has it
// in quotation marks, and go-retryablehttp's without.
func TestErrors_HaveNoAddressOfARequest(t *testing.T) {
	for _, format := range []string{"%s %s giving up after 2 attempts", "%s %q: refused", "%s <%s>"} {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf(format, r.Method, r.URL.String())
		}), apitest.NoWait, agentphone.WithMaxRetries(1))
		_, err := c.Numbers.Lookup(t.Context(), agentphone.LookupNumbersParams{PhoneNumbers: []string{"+" + caller}})
		requireNoCaller(t, []error{err}, 1)
		assert.NotContains(t, err.Error(), "api.agentphone")
	}
}
