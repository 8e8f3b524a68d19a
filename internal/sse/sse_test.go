package sse

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type event struct{ kind, id, data string }

func readAll(r *Reader) (events []event, err error) {
	for {
		ev, err := r.Next()
		if err != nil {
			return events, err
		}
		events = append(events, event{ev.Type, ev.ID, string(ev.Data)})
	}
}

func TestReaderNext_FollowsTheSpecification(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want []event
	}{
		"LF":                                {"data: a\n\n", []event{{"message", "", "a"}}},
		"CR":                                {"data: a\r\rdata: b\r\r", []event{{"message", "", "a"}, {"message", "", "b"}}},
		"CR LF":                             {"data: a\r\n\r\ndata: b\r\n\r\n", []event{{"message", "", "a"}, {"message", "", "b"}}},
		"mixed line ends":                   {"event: x\rdata: a\n\r\ndata: b\r\n\n", []event{{"x", "", "a"}, {"message", "", "b"}}},
		"byte order mark":                   {"\ufeffdata: a\n\n", []event{{"message", "", "a"}}},
		"byte order mark within the stream": {"data: a\n\n\ufeffdata: b\n\n", []event{{"message", "", "a"}}},
		"comments":                          {": hello\n\n:\n: heartbeat\n\ndata: a\n: in between\ndata: b\n\n", []event{{"message", "", "a\nb"}}},
		"several lines of data":             {"data: a\ndata:\ndata: b\n\n", []event{{"message", "", "a\n\nb"}}},
		"one leading space is dropped":      {"data:  a \n\n", []event{{"message", "", " a "}}},
		"no space":                          {"data:a:b\n\n", []event{{"message", "", "a:b"}}},
		"data without a colon":              {"data\n\n", []event{{"message", "", ""}}},
		"empty data twice":                  {"data\ndata\n\n", []event{{"message", "", "\n"}}},
		"no event without data":             {"event: x\nid: 1\n\ndata: a\n\n", []event{{"message", "1", "a"}}},
		"type applies to one event":         {"event: x\ndata: a\n\ndata: b\n\n", []event{{"x", "", "a"}, {"message", "", "b"}}},
		"last type wins":                    {"event: x\nevent: y\ndata: a\n\n", []event{{"y", "", "a"}}},
		"id persists":                       {"id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", []event{{"message", "7", "a"}, {"message", "7", "b"}, {"message", "", "c"}}},
		"id with NUL is ignored":            {"id: 1\x002\ndata: a\n\n", []event{{"message", "", "a"}}},
		"unknown fields":                    {"foo: bar\nDATA: x\n data: y\ndata: a\n\n", []event{{"message", "", "a"}}},
		"event cut by the end":              {"data: a\n\ndata: b\n", []event{{"message", "", "a"}}},
		"line cut by the end":               {"data: a\n\ndata: b", []event{{"message", "", "a"}}},
		"blank lines only":                  {"\n\n\r\r\n\n", nil},
		"empty stream":                      {"", nil},
		"byte order mark only":              {"\ufeff", nil},
		"larger than the read buffer":       {"data: " + strings.Repeat("x", 100_000) + "\n\n", []event{{"message", "", strings.Repeat("x", 100_000)}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tc.in), iotest.OneByteReader(strings.NewReader(tc.in)), iotest.HalfReader(strings.NewReader(tc.in))} {
				got, err := readAll(NewReader(in))
				require.ErrorIs(t, err, io.EOF)
				assert.Equal(t, tc.want, got)
			}
		})
	}
}

func TestReader_ReadsTheReconnectionTime(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"retry: 1500\n\n": 1500 * time.Millisecond, "retry:0\n": 0, "retry: -1\n": 0, "retry: +1\n": 0, "retry: 1s\n": 0, "retry:\n": 0, "retry\n": 0,
		"retry: 99999999999999999999\n": 0,
	} {
		t.Run(in, func(t *testing.T) {
			r := NewReader(strings.NewReader(in))
			_, err := r.Next()
			require.ErrorIs(t, err, io.EOF)
			assert.Equal(t, want, r.Retry())
		})
	}
}

// An event is returned when its blank line has arrived, not with the next byte, which may come a minute later.
func TestReaderNext_ReturnsAnEventAtItsBlankLine(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n"} {
		t.Run(end, func(t *testing.T) {
			pr, pw := io.Pipe()
			defer func() { _ = pw.Close() }()
			r := NewReader(pr)
			go func() { _, _ = pw.Write([]byte("data: a" + end)) }()
			got := make(chan string)
			go func() { ev, _ := r.Next(); got <- string(ev.Data) }()
			select {
			case data := <-got:
				assert.Equal(t, "a", data)
			case <-time.After(5 * time.Second):
				t.Fatal("no event")
			}
		})
	}
}

func TestReaderNext_ReturnsErrorsOfTheConnection(t *testing.T) {
	broken := errors.New("broken")
	got, err := readAll(NewReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(broken))))
	require.ErrorIs(t, err, broken)
	assert.Len(t, got, 1)
}

// endless repeats a text forever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.at]
		e.at = (e.at + 1) % len(e.text)
	}
	return len(p), nil
}

func TestReaderNext_EndlessEventsAndLinesAreErrTooLarge(t *testing.T) {
	for _, text := range []string{"x", "data: x\n"} {
		t.Run(text, func(t *testing.T) {
			_, err := NewReader(&endless{text: text}).Next()
			assert.ErrorIs(t, err, ErrTooLarge)
		})
	}
}

func TestReaderNext_HeartbeatsTakeNoMemory(t *testing.T) {
	limited := io.LimitReader(&endless{text: ": heartbeat\n\n"}, 20<<20)
	r := NewReader(limited)
	_, err := r.Next()
	require.ErrorIs(t, err, io.EOF)
	assert.Less(t, cap(r.line)+cap(r.data), 1024)
}

func FuzzReader(f *testing.F) {
	for _, in := range []string{"data: a\n\n", "\ufeffevent: x\r\ndata: {}\r\n\r\n", ":\r\r\nid: 1\x00\nretry: 5\n\n", "data\ndata\r\r"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, _ := readAll(NewReader(strings.NewReader(string(in))))
		bytewise, _ := readAll(NewReader(iotest.OneByteReader(strings.NewReader(string(in)))))
		assert.Equal(t, whole, bytewise, "the result depends on how the bytes arrive")
		// The events, written as a stream again, are the same.
		var out strings.Builder
		for _, ev := range whole {
			out.WriteString("id: " + ev.id + "\nevent: " + ev.kind + "\n")
			for line := range strings.SplitSeq(ev.data, "\n") {
				out.WriteString("data: " + line + "\n")
			}
			out.WriteString("\n")
		}
		again, err := readAll(NewReader(strings.NewReader(out.String())))
		assert.ErrorIs(t, err, io.EOF)
		assert.Equal(t, whole, again)
	})
}
