package networktest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"
)

// hostileMemory is how much more than before a call may take, whatever it is answered.
const hostileMemory = 128 << 20

// hostileCalls are one that is safe and one that acts once.
var hostileCalls = []operation{{"GET /v1/agents", listAgents}, {"POST /v1/messages", sendMessage("hello")}}

// peakMemory runs f and returns how far the heap grew over what it was before.
func peakMemory(f func()) uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, peak := stats.HeapInuse, stats.HeapInuse
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapInuse)
		select {
		case <-done:
			tick.Stop()
			return peak - before
		case <-tick.C:
		}
	}
}

// hostileWrites writes a head and then what more gives, until the client goes or a bound that is far above
// all that the client may take.
func hostileWrites(head string, more func(w io.Writer) error) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, head)
		for n := 0; n < 4<<30; n += 64 << 10 {
			if more(c) != nil {
				break
			}
		}
		return false
	}
}

// endlessly writes the text again and again.
func endlessly(text string) func(io.Writer) error {
	piece := strings.Repeat(text, max(1, 64<<10/len(text)))
	return func(w io.Writer) error {
		_, err := io.WriteString(w, piece)
		return err
	}
}

func chunked(more func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		var piece strings.Builder
		_ = more(&piece)
		_, err := fmt.Fprintf(w, "%x\r\n%s\r\n", piece.Len(), piece.String())
		return err
	}
}

// gzipped is an answer whose body, of a few KiB, is the head, then more as often as times says, and the tail.
func gzipped(status int, head, more string, times int, tail string) responder {
	var packed strings.Builder
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, head)
	for range times {
		_, _ = io.WriteString(w, more)
	}
	_, _ = io.WriteString(w, tail)
	_ = w.Close()
	return respondWith(status, packed.String(), "Content-Encoding: gzip")
}

const (
	hostileHead    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	hostileChunked = hostileHead + "Transfer-Encoding: chunked\r\n\r\n"
)

// drips writes a head and then a drop every now and then.
func drips(head, drop string) responder {
	return func(c net.Conn, _ *request) bool {
		_, err := io.WriteString(c, head)
		for range 2000 {
			if err != nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
			_, err = io.WriteString(c, drop)
		}
		return false
	}
}
