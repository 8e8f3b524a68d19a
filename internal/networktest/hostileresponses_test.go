package networktest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// maxHeapGrowth is how many bytes a call may add to the heap, whatever the response.
const maxHeapGrowth = 64 << 20

// writeEndlessly writes head and then calls more repeatedly, until the client closes the connection or a limit is reached
// that is far above all that the client may read.
func writeEndlessly(head string, more func(w io.Writer) error) responder {
	return func(c net.Conn, _ *request) bool {
		_, _ = io.WriteString(c, head)
		for n := int64(0); n < 4<<30; n += 64 << 10 {
			if more(c) != nil {
				break
			}
		}
		return false
	}
}

// repeat returns a function that writes text repeatedly, 64 KiB or more at a time.
func repeat(text string) func(io.Writer) error {
	piece := strings.Repeat(text, max(1, 64<<10/len(text)))
	return func(w io.Writer) error {
		_, err := io.WriteString(w, piece)
		return err
	}
}

// chunked returns a function that writes what more writes as a chunk of a chunked body.
func chunked(more func(io.Writer) error) func(io.Writer) error {
	var text strings.Builder
	_ = more(&text)
	piece := fmt.Sprintf("%x\r\n%s\r\n", text.Len(), text.String())
	return func(w io.Writer) error {
		_, err := io.WriteString(w, piece)
		return err
	}
}

// respondGzipped responds with a gzip body of a few KiB that decompresses to head, more repeated times times, and tail.
func respondGzipped(status int, head, more string, times int, tail string) responder {
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
	jsonHead    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	chunkedHead = jsonHead + "Transfer-Encoding: chunked\r\n\r\n"
)

// drip writes head and then drop every 10 ms.
func drip(head, drop string) responder {
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
