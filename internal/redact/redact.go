// Package redact makes texts that others chose (a server, a proxy, a certificate, a user's RoundTripper) fit for errors
// and log records: without the API key, on one line, and short. All such texts pass through it.
package redact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark replaces the key.
const Mark = "[REDACTED]"

// MaxText is the length in bytes of the longest text that Text returns.
const MaxText = 500

// Text returns s without the key, whatever the case of its letters, without control and formatting characters, with
// each run of white space replaced by a space, cut after MaxText bytes. So s can neither forge lines of a log nor
// control a terminal.
func Text(s, key string) string {
	if len(s) <= MaxText && isPlain(s) && !has(s, key) {
		return s
	}
	return Line(string(Bytes([]byte(s), key)), MaxText)
}

// Line returns s, a text without the key, as one line of at most limit bytes.
func Line(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	// What is cut off is not read: it may be megabytes.
	s, cut := clip(s, 4*limit)
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool { return unicode.IsSpace(r) || isHidden(r) }), " ")
	if len(s) > limit {
		s, cut = clip(s, limit-len("…"))
	}
	if cut {
		s += "…"
	}
	return s
}

// KeySeparator stands between the keys where several are to be redacted, as after a rotation.
const KeySeparator = "\n"

// MinKey is the length in bytes of the shortest key that is redacted. What is shorter is no secret of the API's, whose
// keys begin with as many characters, and may by chance be part of an id.
const MinKey = len("sk_live_")

// each returns those of the keys that are redacted.
func each(keys string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range strings.SplitSeq(keys, KeySeparator) {
			if len(key) >= MinKey && !yield(key) {
				return
			}
		}
	}
}

// Bytes returns b with the key, whatever the case of its letters and however JSON escapes them, replaced by Mark.
func Bytes(b []byte, key string) []byte {
	for key := range each(key) {
		b = replace(b, key)
	}
	return b
}

// has reports whether a text has the key in it.
func has(s, key string) bool {
	for key := range each(key) {
		if start, _ := newFinder(s, key).next(0); start >= 0 {
			return true
		}
	}
	return false
}

func replace(b []byte, key string) []byte {
	f := newFinder(string(b), key)
	start, end := f.next(0)
	if start < 0 {
		return b
	}
	var out bytes.Buffer
	rest := 0
	for ; start >= 0; start, end = f.next(rest) {
		out.Write(b[rest:start])
		out.WriteString(Mark)
		rest = end
	}
	out.Write(b[rest:])
	return out.Bytes()
}

// MaxBody is the length in bytes of the longest body that Body returns.
const MaxBody = 64 << 10

// Body returns at most MaxBody bytes of b, with the key replaced and without a part of a key at the end.
func Body(b []byte, key string) []byte {
	if len(b) < MaxBody {
		return Bytes(b, key)
	}
	// It may be cut already, or is cut here. Redaction makes it shorter, so the beginning of a key is looked for whatever the length
	// is then.
	b = Bytes(b[:min(len(b), MaxBody+len(key))], key)
	b = b[:min(len(b), MaxBody)]
	for key := range each(key) {
		for start := max(0, len(b)-len(escaped)*len(key)); start < len(b); start++ {
			if _, cut := newFinder(string(b[start:]), key).match(0); cut {
				b = b[:start]
			}
		}
	}
	return bytes.Clone(b) // who keeps it shall not keep megabytes
}

// Error returns an error that shows of err its text, redacted, and nothing else: neither what it prints with %#v or formats
// itself, nor its fields, nor what it wraps, any of which may have the key in them. For errors.Is and errors.As that is
// still what err is, unless the text of err has the key in it.
func Error(err error, key string) error {
	switch err {
	case nil, context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF:
		return err
	}
	text := err.Error()
	return replaced(err, Text(text, key), has(text, key))
}

// Unquoted returns err without whatever is in quotation marks in its text, where net/http and the decoders quote what a
// server sent, and without URLs, which may have a phone number in them.
func Unquoted(err error, key string) error {
	text := err.Error()
	short := text
	if first, last := strings.IndexByte(text, '"'), strings.LastIndexByte(text, '"'); first >= 0 {
		if first == last {
			last = len(text) - 1 // the end is missing
		}
		short = text[:first] + `"…"` + text[last+1:]
	}
	if strings.Contains(short, "://") {
		short = address.ReplaceAllString(short, "…")
	}
	if short == text {
		return err
	}
	return replaced(err, short, has(text, key))
}

// address matches a URL, and whatever follows it without a space.
var address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://\S*`)

// replaced returns an error with another text than that of err, and with nothing else of err if that has the key in it.
func replaced(err error, text string, hasKey bool) error {
	if hasKey {
		return errors.New(text)
	}
	return &shown{text, func() error { return err }}
}

// shown is an error of which only the text is shown. It has no Unwrap, because printing the chain would show more, and
// holds the error in a closure, which no printer looks into.
type shown struct {
	text string
	err  func() error
}

func (e *shown) Error() string { return e.text }

// Format writes the text, whatever the verb.
func (e *shown) Format(f fmt.State, verb rune) { Print(f, verb, e.text) }

func (e *shown) Is(target error) bool { return errors.Is(e.err(), target) }
func (e *shown) As(target any) bool   { return errors.As(e.err(), target) }
func (e *shown) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err(), &t) && t.Timeout()
}

// Print writes the text of a value that is asked to format itself, whatever the verb.
func Print(f fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = io.WriteString(f, text)
}

// isPlain reports whether Line would change nothing of s but its length.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return isPlainUnicode(s)
		case c < ' ' || c == 0x7f:
			return false
		}
	}
	return true
}

func isPlainUnicode(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return isHidden(r) || r != ' ' && unicode.IsSpace(r) })
}

// isHidden reports whether r is a control or formatting character, such as one that reverses the direction of text.
func isHidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// clip cuts s to at most n bytes, between characters, and reports whether it cut anything.
func clip(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

// finder finds a key, which is ASCII, in a text.
type finder struct {
	text, key string // in lower case
	escapes   bool   // the text may have escaped characters
}

func newFinder(text, key string) finder {
	return finder{lower(text), lower(key), strings.Contains(text, `\`)}
}

// next returns where the key is next, from an index on, or -1.
func (f finder) next(from int) (start, end int) {
	if f.key == "" {
		return -1, -1
	}
	if !f.escapes {
		if start = strings.Index(f.text[from:], f.key); start < 0 {
			return -1, -1
		}
		return from + start, from + start + len(f.key)
	}
	for start = from; start < len(f.text); start++ {
		if c := f.text[start]; c != f.key[0] && c != '\\' {
			continue
		}
		if n, _ := f.match(start); n > 0 {
			return start, start + n
		}
		if strings.HasPrefix(f.text[start:], `\\`) {
			// The second backslash is the one that is escaped, so it does not belong to what follows, unless that is JSON
			// within JSON.
			twice, _ := f.match(start + 1)
			if once, _ := f.match(start + 2); twice > 0 && once == 0 {
				return start, start + 1 + twice
			}
			start++
		}
	}
	return -1, -1
}

// match returns the length of the key at an index, where each of its characters may be escaped; 0 if it is not there.
// cut reports whether the text ends before the key does.
func (f finder) match(start int) (n int, cut bool) {
	s := f.text[start:]
	if strings.HasPrefix(s, f.key) {
		return len(f.key), false
	}
	for i := range len(f.key) {
		c, size := character(s[n:])
		if size == 0 {
			return 0, true
		}
		if c != f.key[i] {
			return 0, false
		}
		n += size
	}
	return n, false
}

// escaped is a character as JSON may escape it.
const escaped = `\u0073`

// character returns the first character of s, in lower case, and its length there, which is more than 1 if it is escaped
// as in JSON; 0 if s ends before it does. One that is not ASCII is 0.
func character(s string) (c byte, size int) {
	switch {
	case s == "", s == `\`:
		return 0, 0
	case s[0] != '\\':
		return s[0], 1
	case s[1] != 'u':
		return s[1], 2
	case len(s) < len(escaped):
		return 0, 0
	}
	code, err := strconv.ParseUint(s[2:len(escaped)], 16, 16)
	if err != nil || code >= utf8.RuneSelf {
		return 0, len(escaped)
	}
	if 'A' <= code && code <= 'Z' {
		code += 'a' - 'A'
	}
	return byte(code), len(escaped)
}

// lower returns s with its ASCII letters in lower case, and all bytes where they were.
func lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
