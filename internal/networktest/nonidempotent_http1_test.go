package networktest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// weatherBreak is how a request that was delivered may fail without a whole answer.
type weatherBreak struct {
	name   string
	answer weatherAnswer
	status int // of the answer that broke off, if its header was whole
	hangs  bool
}

var weatherBreaks = []weatherBreak{
	{name: "reset after the request was read", answer: weatherResets},
	{name: "closed without an answer", answer: weatherBreaksOff("")},
	{name: "answer's header cut short", answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Le")},
	{name: "answer is not HTTP", answer: weatherBreaksOff("220 smtp.example.com ESMTP\r\n\r\n")},
	{name: "Content-Length larger than sent", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + weatherOK)},
	{name: "Content-Length and nothing sent", status: 201, answer: weatherBreaksOff("HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")},
	{name: "chunked without the last chunk", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + weatherOK + "\r\n")},
	{name: "chunk cut short", status: 200, answer: weatherBreaksOff("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + weatherOK)},
	{name: "no answer in time", hangs: true, answer: weatherHangs("")},
	{name: "no end of the answer in time", hangs: true, status: 200, answer: weatherHangs("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")},
	{name: "reset within the answer", status: 200, answer: func(c net.Conn, r *weatherRequest) bool {
		weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")(c, r)
		time.Sleep(20 * time.Millisecond) // a reset throws away what the client has not yet read
		return weatherResets(c, r)
	}},
}

func (b *weatherBreak) timeout() agentphone.Option {
	if b.hangs {
		return agentphone.WithTimeout(250 * time.Millisecond)
	}
	return agentphone.WithTimeout(10 * time.Second)
}

func TestWeatherARequestThatActsOnceIsDeliveredOnceWhenItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, b := range weatherBreaks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, b.answer) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, b.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a time-out: %v", r.err)
			}, b.timeout())
		})
	}
}

// On a connection that was used before net/http takes a failure for the server's closing an
// idle connection, and sends again what it may.
func TestWeatherARequestThatActsOnceIsDeliveredOnceOnAConnectionThatWasUsedBefore(t *testing.T) {
	t.Parallel()
	warm := weatherDo(http.MethodGet, weatherWarmPath, nil)
	for _, b := range weatherBreaks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			ops := weatherAfter(t, warm, weatherOnce)
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, b.answer) }
			weatherEach(t, ops, newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, 1, s.connections(), "the connection was to be used twice")
			}, b.timeout())
		})
	}
}

// weatherAfter makes each operation's call follow another that succeeds.
func weatherAfter(t *testing.T, first func(context.Context, *agentphone.Client, ...agentphone.RequestOption) error, ops []weatherOperation) []weatherOperation {
	out := make([]weatherOperation, len(ops))
	for i, op := range ops {
		out[i] = weatherOperation{op.name, func(ctx context.Context, c *agentphone.Client, opts ...agentphone.RequestOption) error {
			assert.NoError(t, first(ctx, c, agentphone.WithRequestTimeout(10*time.Second)))
			return op.call(ctx, c, opts...)
		}}
	}
	return out
}

// assertOutcomeUnknown: the request came once, and the error says that it may have acted.
// status is that of an answer whose body was lost.
func assertOutcomeUnknown(t *testing.T, r weatherResult, status int) {
	t.Helper()
	assert.Equal(t, 1, r.deliveries, "deliveries")
	require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
	var decode *agentphone.DecodeError
	var failed *agentphone.TransportError
	switch {
	case status != 0 && assert.ErrorAs(t, r.err, &decode):
		assert.Equal(t, status, decode.StatusCode)
		assert.Equal(t, 1, decode.Attempts)
	case status == 0 && assert.ErrorAs(t, r.err, &failed):
		assert.Equal(t, 1, failed.Attempts)
	}
}

// weatherVerdict is what an answer means for an operation that acts once.
type weatherVerdict struct {
	name    string
	answer  weatherAnswer
	status  int
	unknown bool
	decode  bool // a *DecodeError, not an *APIError
}

var weatherVerdicts = []weatherVerdict{
	{name: "408", status: 408, unknown: true, answer: weatherSays(408, `{"detail":"time-out"}`)},
	{name: "500", status: 500, unknown: true, answer: weatherSays(500, `{"detail":"oops"}`)},
	{name: "502 with HTML", status: 502, unknown: true, answer: weatherSays(502, "<html><h1>Bad Gateway</h1></html>", "Content-Type: text/html")},
	{name: "502 with Retry-After", status: 502, unknown: true, answer: weatherSays(502, "", "Retry-After: 0")},
	{name: "503 without Retry-After", status: 503, unknown: true, answer: weatherSays(503, "")},
	{name: "503 with a Retry-After that is none", status: 503, unknown: true, answer: weatherSays(503, "", "Retry-After: soon")},
	{name: "504", status: 504, unknown: true, answer: weatherSays(504, "")},
	{name: "504 cut short", status: 504, unknown: true, answer: weatherBreaksOff("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 1000\r\n\r\n<html>")},
	{name: "520", status: 520, unknown: true, answer: weatherSays(520, "")},
	{name: "501", status: 501, answer: weatherSays(501, "")},
	{name: "400", status: 400, answer: weatherSays(400, `{"detail":"no"}`)},
	{name: "401", status: 401, answer: weatherSays(401, `{"detail":"no"}`)},
	{name: "409", status: 409, answer: weatherSays(409, `{"detail":"no"}`)},
	{name: "422", status: 422, answer: weatherSays(422, `{"detail":[{"loc":["body","x"],"msg":"required"}]}`)},
	{name: "200 without a body", status: 200, unknown: true, decode: true, answer: weatherSays(200, "")},
	{name: "200 with HTML", status: 200, unknown: true, decode: true, answer: weatherSays(200, "<html>Welcome</html>")},
	{name: "201 with JSON cut short", status: 201, unknown: true, decode: true, answer: weatherSays(201, `{"id":"i`)},
}

func TestWeatherARequestThatActsOnceIsDeliveredOnceWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	for _, v := range weatherVerdicts {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, v.answer) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, v.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertStatus(t, r, v.status, v.decode)
			})
		})
	}
}

// assertStatus: the call failed, after one attempt, with the answer's status.
func assertStatus(t *testing.T, r weatherResult, status int, decode bool) {
	t.Helper()
	assert.Equal(t, status, r.response.Status)
	assert.Equal(t, 1, r.response.Attempts)
	if decode {
		var e *agentphone.DecodeError
		require.ErrorAs(t, r.err, &e)
		assert.Equal(t, status, e.StatusCode)
		return
	}
	var e *agentphone.APIError
	require.ErrorAs(t, r.err, &e)
	assert.Equal(t, status, e.StatusCode)
	assert.Equal(t, 1, e.Attempts)
}
