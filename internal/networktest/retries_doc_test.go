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

// retryRows makes the weather of each row of the table in docs/retries.md: a client and how many requests, or
// connections that came to none, its server saw.
var retryRows = map[string]func(t *testing.T) (*agentphone.Client, func() int){
	"no connection was made": fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
	"a certificate that is wrong": func(t *testing.T) (*agentphone.Client, func() int) {
		s := newHTTPSServer(t, respondOK)
		return newClient(t, s.url), func() int { return s.connections() }
	},
	"a host that does not exist":                      fails(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}),
	"the connection broke after the request was sent": onHTTP1(resetConn),
	"no answer in time":                               onHTTP1(writeAndHang("")),
	"a 2xx whose body broke off":                      onHTTP1(writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
	"a 2xx that is no JSON":                           replies(200, "<html>"),
	"a 2xx over 32 MiB":                               replies(200, strings.Repeat(" ", 33<<20)),
	"429":                                             replies(429, ""),
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
	"409": replies(409, ""), "422": replies(422, ""), "500": replies(500, ""), "501": replies(501, ""), "502": replies(502, ""), "504": replies(504, ""),
}

func replies(status int, body string, header ...string) func(t *testing.T) (*agentphone.Client, func() int) {
	return stubbed(apitest.Always(status, body, header...))
}

func fails(err error) func(t *testing.T) (*agentphone.Client, func() int) {
	return stubbed(func(int, apitest.Request) (*http.Response, error) { return nil, err })
}

func stubbed(respond func(int, apitest.Request) (*http.Response, error)) func(t *testing.T) (*agentphone.Client, func() int) {
	return func(t *testing.T) (*agentphone.Client, func() int) {
		c, s := apitest.NewClient(t, respond, apitest.NoWait, agentphone.WithMaxRetries(2))
		return c, func() int { return len(s.Requests()) }
	}
}

func onHTTP1(respond responder) func(t *testing.T) (*agentphone.Client, func() int) {
	return func(t *testing.T) (*agentphone.Client, func() int) {
		s := newHTTP1Server(t, respond)
		return s.client(t, agentphone.WithMaxRetries(2), agentphone.WithTimeout(200*time.Millisecond)), func() int { return len(s.requests()) }
	}
}

// Each row of the table in docs/retries.md is tried, for both classes, and each weather of this test is in the table.
func TestRetryDoc_WhatIsRetried(t *testing.T) {
	page, err := os.ReadFile("../../docs/retries.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| ([^|\x60]+) \| (again|unknown|error) \| (again|unknown|error) \|$`).FindAllStringSubmatch(string(page), -1)
	told := map[string]bool{}
	for _, row := range rows {
		weather, ok := retryRows[row[1]]
		require.True(t, ok, "the test has no %q", row[1])
		told[row[1]] = true
		for i, call := range sampleOperations {
			t.Run(row[1]+" "+call.name, func(t *testing.T) {
				t.Parallel()
				c, requests := weather(t)
				err := call.call(t.Context(), c)
				require.Error(t, err)
				want := row[2+i]
				assert.Equal(t, want == "unknown", errors.Is(err, agentphone.ErrOutcomeUnknown), "unknown: %v", err)
				if want == "again" {
					assert.GreaterOrEqual(t, requests(), 3) // net/http itself asks again after HTTP/2's REFUSED_STREAM
				} else {
					assert.Equal(t, 1, requests())
				}
			})
		}
	}
	for row := range retryRows {
		assert.True(t, told[row], "the table has no %q", row)
	}
}
