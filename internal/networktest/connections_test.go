package networktest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Not parallel: it needs the machine, and the shared connection pool, for itself.
func TestConnections_ManyGoroutinesShareFew(t *testing.T) {
	for name, test := range map[string]struct {
		requests int
		response []string // written one by one
	}{
		"responses with Content-Length": {20_000, []string{
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(okBody), okBody),
		}},
		"chunked responses": {5_000, []string{
			fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(okBody), okBody), "0\r\n\r\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			const goroutines, limit = 256, 512
			url, s := newFastServer(t, test.response)
			client := newClient(t, url)
			var left atomic.Int64
			left.Store(int64(test.requests))
			var failed atomic.Pointer[error]
			var all sync.WaitGroup
			for range goroutines {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := listAgents(context.Background(), client); err != nil {
							failed.Store(&err)
						}
					}
				})
			}
			all.Wait()
			if err := failed.Load(); err != nil {
				require.NoError(t, *err)
			}
			assert.LessOrEqual(t, s.connections(), limit)
			t.Logf("%d requests over %d connections", test.requests, s.connections())
		})
	}
}

// newFastServer serves every request the same response, and parses no more than the end of a request's header.
func newFastServer(t *testing.T, response []string) (url string, s *tcpServer) {
	t.Helper()
	s = &tcpServer{listener: listen(t), conns: map[net.Conn]bool{}}
	s.running.Add(1)
	go s.accept(func(c net.Conn) {
		for in := bufio.NewReader(c); ; {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) > len("\r\n") {
				continue
			}
			for _, part := range response {
				_, _ = io.WriteString(c, part)
			}
		}
	})
	t.Cleanup(s.close)
	return "http://" + s.listener.Addr().String(), s
}

// A response that is not read to its end costs its connection.
func TestConnections_OutliveErrorResponses(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<p>", 10_000)
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(page), page)
	for name, respond := range map[string]responder{
		"404":     respondWith(404, page),
		"429":     respondWith(429, page),
		"500":     respondWith(500, page),
		"no JSON": respondWith(200, page),
		"chunked 502": func(c net.Conn, _ *request) bool {
			_, err := io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n"+chunked)
			return err == nil
		},
		"redirect": respondWith(302, page, "Location: https://example.com/"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHTTP1Server(t, respond)
			client := s.client(t)
			for range 3 {
				assert.Error(t, listAgents(context.Background(), client))
				assert.Error(t, sendMessage("hello")(context.Background(), client))
			}
			assert.Equal(t, 1, s.connections())
		})
	}
}
