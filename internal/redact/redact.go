// Package redact is the one door by which texts that others chose (a server, a proxy, a certificate, a user's RoundTripper) enter
// errors and log records: without the API key, on one line, and short.
package redact

import (
	"bytes"
	"crypto/tls"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark stands where the key was.
const Mark = "[REDACTED]"

// MaxText is the length in bytes of the longest text that Text returns.
const MaxText = 500

// Text returns s as it may be shown: without the key in any case, without control and formatting characters, with white space
// folded, cut after MaxText bytes. So it neither forges lines of a log nor controls a terminal.
func Text(s, key string) string {
	if len(s) <= MaxText && isPlain(s) && indexKey(s, key) < 0 {
		return s
	}
	return Line(string(Bytes([]byte(s), key)), MaxText)
}

// Line makes one line of at most limit bytes of a text without a key.
func Line(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	// What is cut off is not looked at: it may be megabytes.
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

// Bytes returns b with the key, in any case, replaced.
func Bytes(b []byte, key string) []byte {
	if indexKey(string(b), key) < 0 {
		return b
	}
	var out bytes.Buffer
	folded := lower(string(b))
	for {
		i := strings.Index(folded, lower(key))
		if i < 0 {
			break
		}
		out.Write(b[:i])
		out.WriteString(Mark)
		b, folded = b[i+len(key):], folded[i+len(key):]
	}
	out.Write(b)
	return out.Bytes()
}

// MaxBody is the length of the longest body that Body returns.
const MaxBody = 64 << 10

// Body returns at most MaxBody bytes of b without the key, nor the beginning of one that was cut.
func Body(b []byte, key string) []byte {
	b = Bytes(b[:min(len(b), MaxBody+len(key))], key)
	if len(b) < MaxBody {
		return b
	}
	b = b[:MaxBody]
	for n := min(len(key), len(b)); n > 0; n-- {
		if strings.EqualFold(string(b[len(b)-n:]), key[:n]) {
			return b[:len(b)-n]
		}
	}
	return b
}

// Error returns err if its text may be shown as it is. Else it returns an error with the text that may be shown: it still is what
// err is, for errors.Is and errors.As, unless err quotes the key.
func Error(err error, key string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := Text(text, key)
	var certificate *tls.CertificateVerificationError // holds what the peer sent
	switch {
	case clean == text && !errors.As(err, &certificate):
		return err
	case indexKey(text, key) >= 0:
		return errors.New(clean)
	}
	return &shown{clean, err}
}

// shown has no Unwrap: whatever prints a chain of errors would print the text that is not to be shown.
type shown struct {
	text string
	err  error
}

func (e *shown) Error() string        { return e.text }
func (e *shown) Is(target error) bool { return errors.Is(e.err, target) }
func (e *shown) As(target any) bool   { return errors.As(e.err, target) }
func (e *shown) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err, &t) && t.Timeout()
}

// isPlain reports whether a text has nothing that Line would change but its length.
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

// isHidden reports whether a character is a control or formatting character, such as one that reverses the order of a text.
func isHidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// clip cuts s to at most n bytes, between characters, and reports whether it did.
func clip(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

// indexKey returns where the key first is in s, in any case, or -1. Keys are ASCII.
func indexKey(s, key string) int {
	if key == "" || len(s) < len(key) {
		return -1
	}
	return strings.Index(lower(s), lower(key))
}

// lower lower-cases ASCII letters only, so that no byte moves.
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
