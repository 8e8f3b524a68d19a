package networktest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// sendMany sends messages with texts of their own and returns their errors by text.
func sendMany(client *agentphone.Client, n int) map[string]error {
	var mu sync.Mutex
	errs := map[string]error{}
	var all sync.WaitGroup
	for worker := range 5 {
		all.Go(func() {
			for i := worker; i < n; i += 5 {
				text := fmt.Sprintf("message-%04d", i)
				err := sendMessage(text)(context.Background(), client)
				mu.Lock()
				errs[text] = err
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return errs
}

// messageText finds the message's text in a request's body.
func messageText(body string) string {
	i := strings.Index(body, "message-")
	if i < 0 {
		return ""
	}
	return body[i : i+len("message-0000")]
}

// assertNoneTwice: no message came twice, each that was acknowledged came once, and of each
// that came for nothing the error says that it may have.
func assertNoneTwice(t *testing.T, errs map[string]error, came map[string]int) (failed int) {
	t.Helper()
	for text, err := range errs {
		switch {
		case came[text] > 1:
			assert.Fail(t, "delivered twice", "%s: %d times, and then: %v", text, came[text], err)
		case err == nil:
			assert.Equal(t, 1, came[text], "%s was acknowledged", text)
		default:
			failed++
			assert.True(t, came[text] == 0 || errors.Is(err, agentphone.ErrOutcomeUnknown), "%s came: %v", text, err)
		}
	}
	return failed
}

// A server that closes its idle connections, now and then just as the next request comes: that
// is read, or is not, and has no answer.
func TestRetry_NonIdempotentIsDeliveredAtMostOnceOverClosingConnections_HTTP1(t *testing.T) {
	t.Parallel()
	const messages = 600
	s := newHTTP1Server(t, func(c net.Conn, r *request) bool {
		writeResponse(c, 200, okBody)
		lives := rand.N(400 * time.Microsecond)
		switch r.n % 3 {
		case 0:
			time.AfterFunc(lives, func() { _ = c.Close() })
		case 1:
			time.AfterFunc(lives, func() { resetConn(c, nil) })
		}
		return true
	})
	errs := sendMany(s.client(t), messages)
	s.settle()
	came := map[string]int{}
	for _, r := range s.requests() {
		came[messageText(r.body)]++
	}
	failed := assertNoneTwice(t, errs, came)
	t.Logf("%d of %d failed", failed, messages)
	assert.Len(t, errs, messages)
	assert.NotZero(t, failed, "the weather was fair: the test shows nothing")
	assert.Less(t, failed, messages, "nothing came through: the test shows nothing")
}

// An HTTP/2 server that goes away every few requests, takes those that it says it takes, and
// throws away the others that are on their way.
func TestRetry_NonIdempotentIsDeliveredAtMostOnceAfterGOAWAY_HTTP2(t *testing.T) {
	t.Parallel()
	const messages = 600
	var mu sync.Mutex
	came, refused := map[string]int{}, 0
	last := map[net.Conn]uint32{}
	s := newHTTP2Server(t, false, func(r *http2Stream) {
		mu.Lock()
		defer mu.Unlock()
		if to, gone := last[r.Conn]; gone && r.id > to {
			refused++
			return
		}
		came[messageText(r.body)]++
		if rand.N(8) == 0 {
			r.goAway(r.id, h2NoError)
			last[r.Conn] = r.id
			time.AfterFunc(5*time.Millisecond, func() { _ = r.Close() })
		}
		r.fine()
	})
	errs := sendMany(s.client(t, agentphone.WithMaxRetries(20)), messages)
	s.settle()
	failed := assertNoneTwice(t, errs, came)
	t.Logf("%d of %d failed, %d requests were refused", failed, messages, refused)
	assert.Len(t, errs, messages)
	assert.NotZero(t, refused, "the weather was fair: the test shows nothing")
	assert.Less(t, failed, messages/2, "little came through")
}
