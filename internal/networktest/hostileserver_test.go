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
		"small gzip of a million agents":  respondGzipped(200, `{"id":7,"data":[{}`, strings.Repeat(",{}", 1000), 5000, `]}`),
		"small gzip of numbers of agents": respondGzipped(200, `{"id":7,"data":[{"numbers":[{}`, strings.Repeat(",{}", 1000), 5000, `]}]}`),
		"small gzip of many values":       respondGzipped(200, `{"id":7,"data":[{"customTools":[{"parameters":{"a":[0`, strings.Repeat(",[]", 1000), 8000, `]}}]}]}`),
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
					grown := apitest.HeapGrowth(func() { err = op.call(context.Background(), client) })
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

// The largest pages with the longest content, which the API could send, are decoded, and take no more memory than others
// may. Not parallel: it measures the heap.
func TestHostileServer_LargestHonestResponsesAreDecoded(t *testing.T) {
	const at = `"2026-04-19T17:20:11.123456Z"`
	text := func(n int) string { return strings.Repeat(`So {"she", [said}, `, n/19+1)[:n] }
	quoted := func(n int) string {
		return strings.ReplaceAll(`"`+strings.ReplaceAll(text(n), `"`, `'`)+`"`, "{", `\"\\{`)
	}
	many := func(n int, item string) string { return strings.Repeat(item+",", n-1) + item }
	list := func(n int, item string) string {
		return `{"data":[` + many(n, item) + `],"hasMore":true,"total":100000}`
	}
	property := `{"type":"string","description":` + quoted(80) + `,"enum":["one","two","three"]}`
	tool := `{"name":"look_up","description":` + quoted(1024) + `,"url":"https://example.com/` + strings.Repeat("x", 200) + `","headers":{"Authorization":"Bearer xyz","X-A":"b"},` +
		`"parameters":{"type":"object","properties":{` + named(10, property) + `},"required":["p1","p2"]},"timeoutMs":120000,"executionMessage":` + quoted(200) + `}`
	agent := `{"id":"agt_1","name":"Ada","systemPrompt":` + quoted(20_000) + `,"customTools":[` + many(20, tool) + `],"createdAt":` + at +
		`,"numbers":[` + many(10, `{"id":"num_1","phoneNumber":"+14155550123","status":"active","type":"sms"}`) + `]}`
	turn := `{"id":"0b5cdb7e-5be1-4a2e-9f0b-6b1f0c8d3f5a","transcript":` + quoted(80) + `,"confidence":0.97,"response":` + quoted(160) + `,"createdAt":` + at + `}`
	call := func(turns int) string {
		return `{"id":"call_1","agentId":"agt_1","fromNumber":"+14155550123","toNumber":"+14155550124","status":"completed","startedAt":` + at +
			`,"durationSeconds":3600.5,"lastTranscriptSnippet":` + quoted(200) + `,"transcripts":[` + many(turns, turn) + `]}`
	}
	message := `{"id":"msg_1","body":` + quoted(1600) + `,"from":"+14155550123","to":"tel:+14155550124","direction":"inbound","channel":"mms","mediaUrls":[` +
		many(20, `"https://media.example/`+strings.Repeat("x", 200)+`"`) + `],"receivedAt":` + at + `,"reactions":[` + many(30, `{"id":"r_1","reactionType":"love","createdAt":`+at+`}`) + `]}`
	metadata := `"metadata":{` + named(200, `{"note":`+quoted(200)+`,"tags":["a","b"]}`) + `}`
	delivery := `{"id":"d_1","event":"agent.message","statusCode":200,"responseBody":` + quoted(4000) + `,"createdAt":` + at + `,"success":true,"responseMs":12.5}`
	for name, test := range map[string]struct {
		body string
		call func(context.Context, *agentphone.Client) error
	}{
		"agents": {list(100, agent), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Agents.List(ctx, agentphone.ListAgentsParams{Limit: 100}))
		}},
		"calls of an hour": {list(100, call(300)), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.List(ctx, agentphone.ListCallsParams{Limit: 100}))
		}},
		"a call of a day": {call(5000), func(ctx context.Context, c *agentphone.Client) error { return apitest.Err(c.Calls.Get(ctx, "call_1")) }},
		"a transcript of a day": {`{"callId":"call_1","transcripts":[` + many(5000, turn) + `]}`, func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.Transcript(ctx, "call_1"))
		}},
		"a bare transcript of a day": {`[` + many(10_000, `{"role":"agent","content":`+quoted(200)+`,"createdAt":`+at+`}`) + `]`, func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Calls.Transcript(ctx, "call_1"))
		}},
		"messages": {list(200, message), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Conversations.ListMessages(ctx, "cv_1", agentphone.ListMessagesParams{Limit: 200}))
		}},
		"messages of a number": {list(200, message), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Numbers.ListMessages(ctx, "num_1", agentphone.ListMessagesParams{Limit: 200}))
		}},
		"conversations": {list(100, `{"id":"cv_1",`+metadata+`,"participants":[`+many(32, `{"identifier":"+14155550123","name":"Ada"}`)+`]}`), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Conversations.List(ctx, agentphone.ListConversationsParams{Limit: 100}))
		}},
		"deliveries": {`{"items":[` + many(1000, delivery) + `],"total":1000}`, func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{Limit: 1000}))
		}},
		"contacts": {list(200, `{"id":"ct_1","phoneNumber":"+14155550123","name":"Ada","notes":`+quoted(5000)+`,"createdAt":`+at+`}`), func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Contacts.List(ctx, agentphone.ListContactsParams{Limit: 200}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, test.body), agentphone.WithMaxRetries(0))
			var err error
			grown := apitest.HeapGrowth(func() { err = test.call(t.Context(), c) })
			require.NoError(t, err, "%d KiB", len(test.body)>>10)
			assert.Less(t, grown, uint64(maxHeapGrowth))
		})
	}
}

// named returns n members of an object with different names and the same value.
func named(n int, value string) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"p%d":%s`, i, value)
	}
	return strings.Join(members, ",")
}
