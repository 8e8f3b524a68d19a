package networktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// lockedBuffer is a bytes.Buffer for goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// captureStandardLog returns what log.Default() writes until the test ends. Tests that use it are not parallel.
func captureStandardLog(t *testing.T) *lockedBuffer {
	t.Helper()
	written := &lockedBuffer{}
	log.SetOutput(written)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return written
}

// unsolicited is how net/http begins the one line that has what a server sent.
const unsolicited = "Unsolicited response received on idle HTTP channel"

// overlong is a response with more than its Content-Length: what it is sent, as a server that echoes requests does.
func overlong(pause time.Duration) responder {
	return func(c net.Conn, r *request) bool {
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(okBody), okBody)
		time.Sleep(pause)
		_, _ = fmt.Fprintf(c, "you sent %s: %s", r.Header.Get("Authorization"), r.body)
		time.Sleep(50 * time.Millisecond)
		return false
	}
}

// Whatever goes wrong, the package itself writes nothing to the standard logger, which no option of it has named.
func TestStandardLog_HasNothingOfThePackage(t *testing.T) {
	written := captureStandardLog(t)
	responders := map[string]responder{"overlong": overlong(0), "overlong later": overlong(20 * time.Millisecond)}
	for _, f := range lostResponses {
		if !f.hangs {
			responders[f.name] = f.respond
		}
	}
	for _, r := range completeResponses {
		responders[r.name] = r.respond
	}
	for _, respond := range responders {
		for _, call := range operationsOfEachKind() {
			s := newHTTP1Server(t, respond)
			_ = call(t.Context(), s.client(t, agentphone.WithMaxRetries(1)))
		}
	}
	for _, f := range lostResponsesHTTP2 {
		if f.hangs {
			continue
		}
		for _, call := range operationsOfEachKind() {
			s := newHTTP2Server(t, false, f.respond)
			_ = call(t.Context(), s.client(t, agentphone.WithMaxRetries(1)))
		}
	}
	for _, roundTrip := range []func(*http.Request) (*http.Response, error){
		func(*http.Request) (*http.Response, error) { return nil, nil },
		func(*http.Request) (*http.Response, error) { return apitest.Response(200, "{}"), errors.New("both") },
		func(*http.Request) (*http.Response, error) { return nil, http.ErrSchemeMismatch },
	} {
		for _, call := range operationsOfEachKind() {
			_ = call(t.Context(), apitest.NewClientOver(t, apitest.RoundTripFunc(roundTrip), apitest.NoWait))
		}
	}
	for line := range strings.Lines(written.String()) {
		assert.Contains(t, line, unsolicited, "net/http's own")
	}
}

// What SECURITY.md says of net/http's own line: how to be without it.
func TestStandardLog_OfNetHTTPCanBeTurnedOff(t *testing.T) {
	written := captureStandardLog(t)
	call := func(t *testing.T, pause time.Duration, opts ...agentphone.Option) {
		s := newHTTP1Server(t, overlong(pause))
		require.NoError(t, apitest.GetAgent(t.Context(), s.client(t, opts...)))
		time.Sleep(100 * time.Millisecond)
	}
	t.Run("log.SetOutput", func(t *testing.T) {
		log.SetOutput(io.Discard)
		defer log.SetOutput(written)
		call(t, 20*time.Millisecond)
		assert.Empty(t, written.String())
	})
	t.Run("no connection is kept", func(t *testing.T) {
		for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
			call(t, pause, agentphone.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
		}
		assert.Empty(t, written.String())
	})
	t.Run("slog.SetDefault", func(t *testing.T) {
		old := slog.Default()
		defer func() {
			slog.SetDefault(old)
			log.SetFlags(log.LstdFlags)
			log.SetOutput(written)
		}()
		var records lockedBuffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&records, &slog.HandlerOptions{Level: slog.LevelWarn})))
		call(t, 20*time.Millisecond)
		assert.Empty(t, records.String()+written.String(), "it has the level Info")
	})
	t.Run("otherwise", func(t *testing.T) {
		call(t, 20*time.Millisecond)
		if written.String() == "" {
			t.Log("this net/http writes no such line any more: SECURITY.md need not tell of it")
		}
		for line := range strings.Lines(written.String()) {
			assert.Contains(t, line, unsolicited)
		}
	})
}
