package networktest

import (
	"errors"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// retryRow returns a client whose requests fail as a row of the table in docs/retries.md says, and a function that
// returns how many requests, or failed connections, there were.
type retryRow func(t *testing.T) (*agentphone.Client, func() int)

var retryRows = map[string]retryRow{
	"no connection was made": unreachable(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
	"an invalid certificate": func(t *testing.T) (*agentphone.Client, func() int) {
		s := newHTTPSServer(t, respondOK)
		return newClient(t, s.url), func() int { return s.connections() }
	},
	"a host that does not exist":                      unreachable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}),
	"the connection broke after the request was sent": onHTTP1(resetConn),
	"no response in time":                             onHTTP1(writeAndHang("")),
	"a 2xx whose body broke off":                      onHTTP1(writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
	"a 2xx that is not JSON":                          replies(200, "<html>"),
	"a 2xx over 16 MiB":                               replies(200, strings.Repeat(" ", 17<<20)),
	"429":                                             replies(429, ""),
	"429 with a code that waiting does not clear":     replies(429, `{"error":{"code":"OUTBOUND_LIMIT_REACHED"}}`),
	"a status below 200":                              onHTTP1(writeAndClose("HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}")),
	"503 with Retry-After":                            replies(503, "", "Retry-After", "0"),
	"503 without":                                     replies(503, ""),
	"any other 3xx":                                   replies(307, "", "Location", "https://example.com/"),
	"HTTP/2: the stream was refused, or the connection was going away": func(t *testing.T) (*agentphone.Client, func() int) {
		s := newHTTP2Server(t, false, resetStream(h2RefusedStream))
		return s.client(t, agentphone.WithMaxRetries(2), agentphone.WithTimeout(300*time.Millisecond)), func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.deliveries
		}
	},
	"302": replies(302, ""), "303": replies(303, ""), "400": replies(400, ""), "401": replies(401, ""), "404": replies(404, ""), "408": replies(408, ""),
	"460": replies(460, ""), "499": replies(499, ""),
	"409": replies(409, ""), "422": replies(422, ""), "500": replies(500, ""), "501": replies(501, ""), "502": replies(502, ""), "504": replies(504, ""),
}

func replies(status int, body string, header ...string) retryRow {
	return func(t *testing.T) (*agentphone.Client, func() int) {
		c, s := apitest.NewClient(t, apitest.Always(status, body, header...), apitest.NoWait, agentphone.WithMaxRetries(2))
		return c, func() int { return len(s.Requests()) }
	}
}

func unreachable(err error) retryRow {
	return func(t *testing.T) (*agentphone.Client, func() int) {
		n := 0
		return apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) { // it does not read the body
			n++
			return nil, err
		}), apitest.NoWait, agentphone.WithMaxRetries(2)), func() int { return n }
	}
}

func onHTTP1(respond responder) retryRow {
	return func(t *testing.T) (*agentphone.Client, func() int) {
		s := newHTTP1Server(t, respond)
		return s.client(t, agentphone.WithMaxRetries(2), agentphone.WithTimeout(200*time.Millisecond)), func() int { return len(s.requests()) }
	}
}

// Each row of the table in docs/retries.md holds for an idempotent operation and for another, and has its row in this test.
func TestRetryDoc_WhatIsRetried(t *testing.T) {
	page, err := os.ReadFile("../../docs/retries.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "\n| what happened | idempotent | not idempotent |\n|---|---|---|\n")
	require.True(t, ok, "the table is missing")
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string]bool{}
	for _, line := range strings.Split(table, "\n") {
		cells := regexp.MustCompile(`^\| ([^|\x60]+) \| (retried|unknown|error) \| (retried|unknown|error) \|$`).FindStringSubmatch(line)
		require.NotNil(t, cells, "not a row: %s", line)
		row, ok := retryRows[cells[1]]
		require.True(t, ok, "the test has no row %q", cells[1])
		documented[cells[1]] = true
		for i, column := range []string{"idempotent", "not idempotent"} {
			t.Run(cells[1]+"/"+column, func(t *testing.T) {
				t.Parallel()
				c, requests := row(t)
				err := sampleOperations[i].call(t.Context(), c)
				require.Error(t, err)
				want := cells[2+i]
				assert.Equal(t, want == "unknown", errors.Is(err, agentphone.ErrOutcomeUnknown), "unknown: %v", err)
				if want == "retried" {
					assert.GreaterOrEqual(t, requests(), 3) // on REFUSED_STREAM net/http itself retries too
				} else {
					assert.Equal(t, 1, requests())
				}
			})
		}
	}
	for row := range retryRows {
		assert.True(t, documented[row], "the table has no row %q", row)
	}
}
