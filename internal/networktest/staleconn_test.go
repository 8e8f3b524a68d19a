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

// sendMany sends n messages, each with its own text, and returns their errors by text.
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

// messageText returns the text of the message in a request's body.
func messageText(body string) string {
	i := strings.Index(body, "message-")
	if i < 0 {
		return ""
	}
	return body[i : i+len("message-0000")]
}

// assertNoneDeliveredTwice checks that no message was delivered twice, that each which was reported as sent was delivered
// once, and that the error for each other which was delivered is ErrOutcomeUnknown. It returns the number of errors.
func assertNoneDeliveredTwice(t *testing.T, errs map[string]error, delivered map[string]int) (failed int) {
	t.Helper()
	for text, err := range errs {
		switch {
		case delivered[text] > 1:
			assert.Fail(t, "delivered twice", "%s: %d times, and then: %v", text, delivered[text], err)
		case err == nil:
			assert.Equal(t, 1, delivered[text], "%s was reported as sent", text)
		default:
			failed++
			assert.True(t, delivered[text] == 0 || errors.Is(err, agentphone.ErrOutcomeUnknown), "%s was delivered: %v", text, err)
		}
	}
	return failed
}

// The server closes idle connections, sometimes just as the next request arrives: whether it is read or not, it gets no
// response.
func TestRetry_NonIdempotentIsDeliveredAtMostOnceOverClosingConnections_HTTP1(t *testing.T) {
	t.Parallel()
	const messages = 600
	s := newHTTP1Server(t, func(c net.Conn, r *request) bool {
		writeResponse(c, 200, okBody)
		lifetime := rand.N(400 * time.Microsecond)
		switch r.n % 3 {
		case 0:
			time.AfterFunc(lifetime, func() { _ = c.Close() })
		case 1:
			time.AfterFunc(lifetime, func() { resetConn(c, nil) })
		}
		return true
	})
	errs := sendMany(s.client(t), messages)
	s.closeAndCount()
	delivered := map[string]int{}
	for _, r := range s.requests() {
		delivered[messageText(r.body)]++
	}
	failed := assertNoneDeliveredTwice(t, errs, delivered)
	t.Logf("%d of %d failed", failed, messages)
	assert.Len(t, errs, messages)
	assert.NotZero(t, failed, "no message failed: the test shows nothing")
	assert.Less(t, failed, messages, "no message was sent: the test shows nothing")
}

// The server sends GOAWAY every few requests, processes the streams that the frame includes, and discards later ones.
func TestRetry_NonIdempotentIsDeliveredAtMostOnceAfterGOAWAY_HTTP2(t *testing.T) {
	t.Parallel()
	const messages = 600
	var mu sync.Mutex
	delivered, refused := map[string]int{}, 0
	last := map[net.Conn]uint32{}
	s := newHTTP2Server(t, false, func(r *http2Stream) {
		mu.Lock()
		defer mu.Unlock()
		if to, gone := last[r.Conn]; gone && r.id > to {
			refused++
			return
		}
		delivered[messageText(r.body)]++
		if rand.N(8) == 0 {
			r.goAway(r.id, h2NoError)
			last[r.Conn] = r.id
			time.AfterFunc(5*time.Millisecond, func() { _ = r.Close() })
		}
		r.ok()
	})
	errs := sendMany(s.client(t, agentphone.WithMaxRetries(20)), messages)
	s.closeAndCount()
	failed := assertNoneDeliveredTwice(t, errs, delivered)
	t.Logf("%d of %d failed, %d requests were refused", failed, messages, refused)
	assert.Len(t, errs, messages)
	assert.NotZero(t, refused, "no request was refused: the test shows nothing")
	assert.Less(t, failed, messages/2, "few messages were sent")
}
