package agentphone_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

func TestWebhookHandler_ReadsNoBodyWithoutASignature(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"no signature":          func(h http.Header) { h.Del(agentphone.WebhookSignatureHeader) },
		"a malformed signature": func(h http.Header) { h.Set(agentphone.WebhookSignatureHeader, "sha256=zz") },
		"no timestamp":          func(h http.Header) { h.Del(agentphone.WebhookTimestampHeader) },
		"an old timestamp":      func(h http.Header) { h.Set(agentphone.WebhookTimestampHeader, "1") },
	} {
		t.Run(name, func(t *testing.T) {
			r := apitest.SignedRequest(apitest.TextEvent, "whd_1")
			change(r.Header)
			r.Body = io.NopCloser(unread{t})
			assert.Equal(t, 401, apitest.Serve(newHandler(t, agentphone.WebhookHandlerConfig{}), r).Code)
		})
	}
}

// longEvent returns a request for a message event of that length.
func longEvent(length int, id string) *http.Request {
	const head, tail = `{"event":"agent.message","channel":"sms","data":{"message":"`, `"}}`
	return apitest.SignedRequest(head+strings.Repeat("x", length-len(head)-len(tail))+tail, id)
}

// endless is a body that ends, without its last byte, when the test wants it to.
type endless struct {
	left   int
	waits  func()
	ending <-chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left > 0 {
		n := min(e.left, len(p))
		e.left -= n
		return n, nil
	}
	e.waits()
	<-e.ending
	return 0, io.ErrUnexpectedEOF
}

// floodOf runs f while 300 senders have sent bodies but for their ends, under signatures that look right but are not.
func floodOf(t *testing.T, h http.Handler, length int, f func() int) int {
	t.Helper()
	ending := make(chan struct{})
	var senders sync.WaitGroup
	for range 300 { // one after the other: of many that grow at once, more would be refused than there is no room for
		waiting := make(chan struct{})
		waits := sync.OnceFunc(func() { close(waiting) })
		senders.Go(func() {
			defer waits()
			r := apitest.SignedRequest("something else", "whd_0")
			r.Body, r.ContentLength = io.NopCloser(&endless{length - 1, waits, ending}), int64(length)
			assert.Equal(t, 503, apitest.Serve(h, r).Code)
		})
		<-waiting
	}
	defer senders.Wait()
	defer close(ending)
	return f()
}

// Whoever knows the names of the headers can have the handler hold something of a body, but not much, and keeps only long deliveries
// out meanwhile, which come again.
func TestWebhookHandler_BodiesThatAreNotVerifiedTakeBoundedMemory(t *testing.T) {
	const limit = 64<<20 + 300*(16<<10)
	handled := 0
	h := newHandler(t, onMessage(func(context.Context) error { handled++; return nil }))
	before := apitest.HeapInUse()
	floodOf(t, h, 1<<20, func() int {
		assert.Less(t, apitest.HeapInUse()-before, limit+8<<20)
		w := apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
		assert.Equal(t, 200, w.Code, "a delivery of the usual length")
		w = apitest.Serve(h, longEvent(1<<20, "whd_2"))
		assert.Equal(t, 503, w.Code)
		assert.NotEmpty(t, w.Header().Get("Retry-After"))
		return 0
	})
	assert.Equal(t, 1, handled)
	assert.Equal(t, 200, apitest.Serve(h, longEvent(1<<20, "whd_2")).Code)
}

// What a body took is given back whatever becomes of the request.
func TestWebhookHandler_LongBodiesOneAfterTheOtherAreHandled(t *testing.T) {
	h := newHandler(t, onMessage(func(context.Context) error { return nil }))
	forged := func() *http.Request {
		r := longEvent(1<<20, "whd_1")
		r.Header.Set(agentphone.WebhookSignatureHeader, "sha256="+strings.Repeat("0", 64))
		return r
	}
	for name, tc := range map[string]struct {
		request func() *http.Request
		want    int
	}{
		"handled":  {func() *http.Request { return longEvent(1<<20, "whd_1") }, 200},
		"forged":   {forged, 401},
		"no event": {func() *http.Request { return apitest.SignedRequest(strings.Repeat("x", 1<<20), "whd_1") }, 400},
		"too long": {func() *http.Request { return longEvent(1<<20+1, "whd_1") }, 413},
		"broken off": {func() *http.Request {
			r := longEvent(1<<20, "whd_1")
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 1<<20-1), iotest.ErrReader(io.ErrUnexpectedEOF)))
			return r
		}, 503},
		"panicking": {func() *http.Request {
			r := longEvent(1<<20, "whd_1")
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 1<<20-1), panickyBody{}))
			return r
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				status := 0
				func() {
					defer func() { _ = recover() }() // as net/http does
					status = apitest.Serve(h, tc.request()).Code
				}()
				require.Equal(t, tc.want, status)
			}
			assert.Equal(t, 200, apitest.Serve(h, longEvent(1<<20, "whd_2")).Code)
		})
	}
}

type panickyBody struct{}

func (panickyBody) Read([]byte) (int, error) { panic("x") }

// A MaxBodyBytes above the limit for all bodies has room all the same.
func TestWebhookHandler_AnyMaxBodyBytesHasRoom(t *testing.T) {
	for _, most := range []int64{1, 1 << 10, 100 << 20, 1 << 62, 1<<63 - 1} {
		h := newHandler(t, agentphone.WebhookHandlerConfig{MaxBodyBytes: most})
		want := 200
		if most < 1<<20 {
			want = 413
		}
		assert.Equal(t, want, apitest.Serve(h, longEvent(1<<20, "whd_1")).Code, most)
	}
	h := newHandler(t, agentphone.WebhookHandlerConfig{MaxBodyBytes: 100 << 20})
	assert.Equal(t, 200, apitest.Serve(h, longEvent(100<<20, "whd_1")).Code)
}

// A body may take its time where middleware hides the deadlines of a connection; its signature must not be old when it ends.
func TestWebhookHandler_TimestampIsRecentWhenTheBodyEnds(t *testing.T) {
	for took, want := range map[time.Duration]int{4 * time.Minute: 200, 6 * time.Minute: 401} {
		synctest.Test(t, func(t *testing.T) {
			r := apitest.SignedRequest(apitest.TextEvent, "whd_1")
			r.Body = io.NopCloser(&lateBody{r.Body, took})
			assert.Equal(t, want, apitest.Serve(newHandler(t, agentphone.WebhookHandlerConfig{}), r).Code)
		})
	}
}

// lateBody is a body that begins after a time.
type lateBody struct {
	io.Reader
	after time.Duration
}

func (b *lateBody) Read(p []byte) (int, error) {
	time.Sleep(b.after)
	b.after = 0
	return b.Reader.Read(p)
}
