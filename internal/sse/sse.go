// Package sse decodes Server-Sent Events (text/event-stream) as specified by WHATWG.
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// Event is one event of a stream.
type Event struct {
	Type string // "message" if the stream has none
	ID   string // the last id in the stream up to this event
	Data []byte // valid until the next call of Next
}

// MaxEvent is the size of the largest event that is decoded, in bytes.
const MaxEvent = 1 << 20

// ErrTooLarge reports an event, or a line, that is larger than MaxEvent.
var ErrTooLarge = errors.New("an event of the stream is larger than 1 MiB")

// Reader reads the events of a stream. The memory that it uses is bounded by MaxEvent, however long the stream is.
type Reader struct {
	in      *bufio.Reader
	line    []byte
	data    []byte
	id      string
	retry   time.Duration
	started bool
	skipLF  bool // the last line ended with CR: an LF that follows belongs to the same line end
}

// NewReader returns a Reader of the stream r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReader(r)} }

// Retry returns the last reconnection time that the stream has set so far, or 0 if it has set none.
func (r *Reader) Retry() time.Duration { return r.retry }

// Next returns the next event as soon as the blank line that ends it is read. At the end of the stream it returns
// io.EOF, and drops an event without a blank line.
func (r *Reader) Next() (Event, error) {
	r.data = r.data[:0]
	var kind string
	for hasData := false; ; {
		line, err := r.readLine()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			if !hasData { // only comments, a type or an id
				kind = ""
				continue
			}
			if kind == "" {
				kind = "message"
			}
			return Event{Type: kind, ID: r.id, Data: r.data[:len(r.data)-1]}, nil
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(name) { // "" is a comment
		case "data":
			hasData = true
			r.data = append(append(r.data, value...), '\n')
			if len(r.data) > MaxEvent {
				return Event{}, ErrTooLarge
			}
		case "event":
			kind = string(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				r.id = string(value)
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil && value[0] != '+' {
				r.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// readLine returns a line without its end, which is CR, LF or CR LF. It does not wait for the byte after a CR.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		if _, err := r.in.Peek(1); err != nil {
			return nil, err
		}
		chunk, _ := r.in.Peek(r.in.Buffered())
		if r.skipLF {
			r.skipLF = false
			if chunk[0] == '\n' {
				_, _ = r.in.Discard(1)
				continue
			}
		}
		end := bytes.IndexByte(chunk, '\n')
		if cr := bytes.IndexByte(chunk, '\r'); cr >= 0 && (end < 0 || cr < end) {
			end = cr
		}
		if end < 0 {
			r.line = append(r.line, chunk...)
			_, _ = r.in.Discard(len(chunk))
		} else {
			r.line = append(r.line, chunk[:end]...)
			r.skipLF = chunk[end] == '\r'
			_, _ = r.in.Discard(end + 1)
		}
		if len(r.line) > MaxEvent {
			return nil, ErrTooLarge
		}
		if end >= 0 {
			break
		}
	}
	line := r.line
	if !r.started {
		r.started = true
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line, nil
}
