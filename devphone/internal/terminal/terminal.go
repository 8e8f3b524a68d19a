// Package terminal has what is printed on a terminal of texts that others wrote.
package terminal

import (
	"strings"
	"unicode"
)

// Plain is a text without what a terminal would take for a command, and what turns the order of letters around.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Line is the beginning of a plain text, as one line of at most so many characters.
func Line(s string, most int) string {
	s = strings.Join(strings.Fields(Plain(s)), " ")
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "..."
		}
		n++
	}
	return s
}
