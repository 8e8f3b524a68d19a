package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// stuckBody is a body whose reads wait, whatever its context is, and though it is closed, until free is closed.
type stuckBody struct {
	begin io.Reader
	free  chan struct{}
}

func (b stuckBody) Read(p []byte) (int, error) {
	if n, _ := b.begin.Read(p); n > 0 {
		return n, nil
	}
	<-b.free
	return 0, io.EOF
}

func (b stuckBody) Close() error {
	<-b.free
	return nil
}

// A body of a user's RoundTripper that waits for ever, whatever its context is, does not keep the call from ending.
func TestBody_ReadThatIgnoresItsContextEndsWithIt(t *testing.T) {
	for name, test := range map[string]struct {
		mediaType, begin string
		call             func(context.Context, *agentphone.Client) error
	}{
		"GET":  {"application/json", `{"id":`, apitest.GetAgent},
		"POST": {"application/json", ``, apitest.CreateCall},
		"recording": {"audio/wav", "RIFF", func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.DownloadRecording(ctx, "call_1", io.Discard))
		}},
		"transcript": {"text/event-stream", "event: connected\ndata: {}\n\n", func(ctx context.Context, c *agentphone.Client) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			var last error
			for _, err := range c.Calls.StreamTranscript(ctx, "call_1") {
				last = err
			}
			return last
		}},
	} {
		for carrier, over := range map[string]func(rt http.RoundTripper) http.RoundTripper{
			"RoundTripper": func(rt http.RoundTripper) http.RoundTripper { return rt },
			"protocol of an http.Transport": func(rt http.RoundTripper) http.RoundTripper {
				transport := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}} // no HTTP/2
				transport.RegisterProtocol("https", rt)
				return transport
			},
		} {
			t.Run(name+"/"+carrier, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					free := make(chan struct{})
					defer close(free)
					c := apitest.NewClientOver(t, over(apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
						response := apitest.Response(200, "", "Content-Type", test.mediaType)
						response.Body = stuckBody{strings.NewReader(test.begin), free}
						return response, readAll(r)
					})), agentphone.WithTimeout(time.Second), agentphone.WithMaxRetries(0))

					began := time.Now()
					err := test.call(t.Context(), c)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Equal(t, time.Second, time.Since(began))
					assert.Equal(t, name == "POST", errors.Is(err, agentphone.ErrOutcomeUnknown))

					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(100*time.Millisecond, cancel)
					began = time.Now()
					require.ErrorIs(t, test.call(ctx, c), context.Canceled)
					assert.Equal(t, 100*time.Millisecond, time.Since(began))
				})
			})
		}
	}
}

func readAll(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func clientOverBody(t *testing.T, read readFunc) *agentphone.Client {
	return apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		response := apitest.Response(200, "")
		response.Body = io.NopCloser(read)
		return response, readAll(r)
	}), apitest.NoWait)
}

// A panic of a body is that of the caller, who may recover.
func TestBody_PanicIsTheCallers(t *testing.T) {
	c := clientOverBody(t, func([]byte) (int, error) { panic("of the body") })
	assert.PanicsWithValue(t, "of the body", func() { _ = apitest.GetAgent(t.Context(), c) })

	c = clientOverBody(t, func([]byte) (int, error) { runtime.Goexit(); return 0, nil })
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
}

func TestBody_ThatReturnsNothingForEverIsAnError(t *testing.T) {
	c := clientOverBody(t, func([]byte) (int, error) { return 0, nil })
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), io.ErrNoProgress)
}

// Of a header nothing is kept if it is too large, whatever transport has read it.
func TestHeader_ThatIsTooLargeIsAnError(t *testing.T) {
	many := http.Header{}
	for i := range 50_000 {
		many["X-"+strconv.Itoa(i)] = []string{"a value of a few bytes"}
	}
	for name, header := range map[string]http.Header{
		"many":             many,
		"long":             {"X-Request-Id": {strings.Repeat("x", 1<<20)}},
		"one, many times":  {"X-A": strings.Split(strings.Repeat(",", 300_000), ",")},
		"a long name":      {strings.Repeat("x", 1<<20): {""}},
		"as large as most": {"X-A": {strings.Repeat("x", 256<<10-10)}},
	} {
		for _, status := range []int{200, 404} {
			t.Run(name+" "+strconv.Itoa(status), func(t *testing.T) {
				c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					response := apitest.Response(status, `{"id":"x_1"}`)
					response.Header = header
					return response, readAll(r)
				}), agentphone.WithMaxRetries(0))
				var kept agentphone.Response
				err := apitest.Err(c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: "a", ToNumber: "+14155550123"}, agentphone.WithResponse(&kept)))
				if name == "as large as most" {
					assert.Equal(t, status, kept.Status)
					return
				}
				require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				require.ErrorContains(t, err, "the header of the response is larger than 256 KiB")
				assert.Zero(t, kept.Status)
				assert.Empty(t, kept.Header)
			})
		}
	}
}
