package networktest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Not parallel: it measures the heap.
func TestHostileServer_ResponseEndsInErrorInTimeAndBoundedMemory(t *testing.T) {
	mebi := strings.Repeat(" ", 1<<20)
	for name, respond := range map[string]responder{
		"endless body":                    writeEndlessly(chunkedHead, chunked(repeat(" "))),
		"endless body with a length":      writeEndlessly(jsonHead+"Content-Length: 9000000000000000000\r\n\r\n", repeat(" ")),
		"endless body until the close":    writeEndlessly("HTTP/1.0 200 OK\r\n\r\n", repeat("0")),
		"endless error body":              writeEndlessly("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n", chunked(repeat("<p>"))),
		"endless header":                  writeEndlessly("HTTP/1.1 200 OK\r\n", repeat("X-A: 1\r\n")),
		"endless header line":             writeEndlessly("HTTP/1.1 200 OK\r\nX-A: ", repeat("a")),
		"endless status line":             writeEndlessly("HTTP/1.1 200 ", repeat("a")),
		"endless trailers":                writeEndlessly(chunkedHead+"2\r\n{}\r\n0\r\n", repeat("X-A: 1\r\n")),
		"endless chunk extension":         writeEndlessly(chunkedHead+"2;", repeat("a")),
		"storm of 1xx":                    writeEndlessly("", repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
		"storm of 100":                    writeEndlessly("", repeat("HTTP/1.1 100 Continue\r\n\r\n")),
		"gzip bomb":                       respondGzipped(200, "", mebi, 128, ""),
		"gzip bomb of an error":           respondGzipped(400, "", mebi, 128, ""),
		"not gzip":                        respondWith(200, "{}", "Content-Encoding: gzip"),
		"array of 1 GB":                   writeEndlessly(chunkedHead+"9\r\n{\"data\":[\r\n", chunked(repeat(`{"id":"agt_1","name":"Ada"},`))),
		"small gzip of a million agents":  respondGzipped(200, `{"data":[{}`, strings.Repeat(",{}", 1000), 5000, `]}`),
		"small gzip of numbers of agents": respondGzipped(200, `{"data":[{"numbers":[{}`, strings.Repeat(",{}", 1000), 5000, `]}]}`),
		"small gzip of many values":       respondGzipped(200, `{"data":[{"customTools":[{"parameters":{"a":[0`, strings.Repeat(",[]", 1000), 8000, `]}}]}]}`),
		"deeply nested JSON":              respondWith(200, strings.Repeat(`{"data":[`, 1<<20)),
		"deeply nested error":             respondWith(422, `{"detail":`+strings.Repeat("[", 60<<10)),
		"binary":                          respondWith(200, "\x00\x01\xff\xfe", "Content-Type: image/png"),
		"HTML called JSON":                respondWith(200, "<html>", "Content-Type: application/json"),
		"two lengths":                     respondWith(200, "{}", "Content-Length: 3"),
		"negative length":                 writeAndClose("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"),
		"status 000":                      writeAndClose("HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n"),
		"status 999":                      respondWith(999, "{}"),
		"redirect to a file":              respondWith(302, "", "Location: file:///etc/passwd"),
		"redirect to itself":              respondWith(307, "", "Location: /v1/agents"),
		"redirect to a path of 1 MiB":     respondWith(302, "", "Location: /"+strings.Repeat("a", 1<<20)),
		"Retry-After of years":            respondWith(429, "", "Retry-After: 99999999999999999999"),
		"Retry-After in the year 9999":    respondWith(503, "", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"),
		"request id of 1 MiB":             respondWith(404, "", "X-Request-Id: "+strings.Repeat("a", 1<<20)),
		"message of 60 KiB":               respondWith(400, `{"detail":"`+strings.Repeat(`\n`, 30<<10)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newHTTP1Server(t, respond)
			client := s.client(t, agentphone.WithTimeout(time.Second), agentphone.WithMaxRetries(1))
			for _, op := range sampleOperations {
				t.Run(op.name, func(t *testing.T) {
					var err error
					began := time.Now()
					grown := heapGrowth(func() { err = op.call(context.Background(), client) })
					require.Error(t, err)
					assert.Less(t, time.Since(began), callLimit)
					assert.Less(t, grown, uint64(maxHeapGrowth), "%v", err)
					assert.Less(t, len(err.Error()), 2000)
					assert.NotContains(t, err.Error(), "\n")
					assert.NotContains(t, err.Error(), s.url)
					var apiErr *agentphone.APIError
					var decodeErr *agentphone.DecodeError
					var transportErr *agentphone.TransportError
					assert.True(t, errors.As(err, &apiErr) || errors.As(err, &decodeErr) || errors.As(err, &transportErr), "%T", err)
				})
			}
			s.close()
		})
	}
}

func TestHostileServer_DrippingResponseEndsWithTimeout(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]responder{
		"status":   drip("HTTP/1.1 200 ", "a"),
		"header":   drip("HTTP/1.1 200 OK\r\n", "X-A: 1\r\n"),
		"body":     drip(jsonHead+"Content-Length: 1000000\r\n\r\n", "{"),
		"chunks":   drip(chunkedHead, "1\r\n \r\n"),
		"1xx":      drip("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
		"an error": drip("HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n", "<"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, op := range sampleOperations {
				t.Run(op.name, func(t *testing.T) {
					t.Parallel()
					s := newHTTP1Server(t, respond)
					client := s.client(t, agentphone.WithTimeout(200*time.Millisecond), agentphone.WithMaxRetries(1))
					began := time.Now()
					err := op.call(context.Background(), client)
					require.Error(t, err)
					assert.Less(t, time.Since(began), callLimit)
					attempts := 1
					if op.idempotent {
						attempts = 2
					}
					assert.Len(t, s.requests(), attempts)
				})
			}
		})
	}
}

// Not parallel: it measures the heap.
func TestHostileServer_ObjectsAreLimitedBracesInStringsAreNot(t *testing.T) {
	text := strings.Repeat(`{,\"\\`, 2000)
	var names strings.Builder
	for i := range 499_990 {
		_, _ = fmt.Fprintf(&names, `"%d":0,`, i)
	}
	for name, test := range map[string]struct {
		body string
		ok   bool
	}{
		"texts full of braces":       {`{"data":[` + strings.Repeat(`{"id":"m","body":"`+text+`"},`, 200) + `{}]}`, true},
		"a bare array of items":      {`[` + strings.Repeat(`{},`, 10_000) + `{}]`, false},
		"as many items as may be":    {`{"data":[` + strings.Repeat(`{},`, 9_998) + `{}]}`, true},
		"one item more":              {`{"data":[` + strings.Repeat(`{},`, 9_999) + `{}]}`, false},
		"as many objects as may be":  {`{"data":[{"reactions":[` + strings.Repeat(`{},`, 199_997) + `{}]}]}`, true},
		"one object more":            {`{"data":[{"reactions":[` + strings.Repeat(`{},`, 199_998) + `{}]}]}`, false},
		"as many tools as may be":    {`{"data":[{"customTools":[` + strings.Repeat(`{},`, 199_997) + `{}]}]}`, true},
		"as many values as may be":   {`{"data":[{"mediaUrls":[` + strings.Repeat(`"",`, 500_000) + `""]}]}`, true},
		"one value more":             {`{"data":[{"mediaUrls":[` + strings.Repeat(`"",`, 500_001) + `""]}]}`, false},
		"as many names as may be":    {`{"data":[{"customTools":[{"parameters":{` + names.String() + `"":0}}]}]}`, true},
		"as many arrays as may be":   {`{"data":[{"customTools":[{"parameters":{"a":[` + strings.Repeat(`[],`, 499_990) + `[]]}}]}]}`, true},
		"objects to repair":          {`{"data":[{"reactions":[` + strings.Repeat(`{"id":"None"},`, 199_997) + `{}],"numbers":[],"fromNumber":"tel:+1"}]}`, true},
		"values to repair":           {`{"data":[{"mediaUrls":[` + strings.Repeat(`"None",`, 500_000) + `""]}]}`, true},
		"turns to repair":            {`{"data":[{"transcripts":[` + strings.Repeat(`{"confidence":"1"},`, 199_997) + `{}]}]}`, true},
		"items to repair":            {`{"data":[` + strings.Repeat(`{"id":"None","fromNumber":"4155550124","createdAt":"None","maxSilenceMs":"7","durationSeconds":"7"},`, 9_998) + `{}]}`, true},
		"names beside one to repair": {`{"data":[{"id":"None","metadata":{` + names.String() + `"":0}}]}`, true},
		"a hundred calls of hours":   {`{"data":[` + strings.Repeat(`{"transcripts":[`+strings.Repeat(`{"id":"t","transcript":"a","confidence":1,"response":"b","createdAt":null},`, 950)+`{}]},`, 99) + `{}],"total":100}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, test.body))
			ctx := t.Context()
			for name, call := range map[string]func() error{
				"Conversations.ListMessages": func() error {
					return apitest.Err(c.Conversations.ListMessages(ctx, "cv_1", agentphone.ListMessagesParams{}))
				},
				"Conversations.List": func() error {
					return apitest.Err(c.Conversations.List(ctx, agentphone.ListConversationsParams{}))
				},
				"Agents.List": func() error { return apitest.Err(c.Agents.List(ctx, agentphone.ListAgentsParams{})) },
				"Calls.List":  func() error { return apitest.Err(c.Calls.List(ctx, agentphone.ListCallsParams{})) },
			} {
				t.Run(name, func(t *testing.T) {
					var err error
					grown := heapGrowth(func() { err = call() })
					assert.Less(t, grown, uint64(maxHeapGrowth))
					if test.ok {
						require.NoError(t, err)
						return
					}
					var decodeErr *agentphone.DecodeError
					require.ErrorAs(t, err, &decodeErr)
					assert.ErrorContains(t, err, "the body has more items, objects, arrays or values than a page can have")
				})
			}
		})
	}
}
