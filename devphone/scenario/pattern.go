package scenario

import (
	"regexp"
	"strings"
)

// Pattern is something to find in a text. Between slashes it is a regular expression of package regexp, as in
// /at [0-9]+/, and with an i after them it ignores case. Anything else is found as it stands, but for upper and lower
// case and the amount of white space.
type Pattern string

// Regexp returns the pattern as a regular expression. The error is that of its syntax.
func (p Pattern) Regexp() (*regexp.Regexp, error) {
	if expr, flags, ok := p.expression(); ok {
		if flags == "i" {
			expr = "(?i)" + expr
		}
		return regexp.Compile(expr)
	}
	words := strings.Fields(string(p))
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	return regexp.Compile("(?i)" + strings.Join(words, whiteSpace))
}

// whiteSpace is what [strings.Fields] splits at, of which \s is only that in ASCII.
const whiteSpace = `[\s\v\x{85}\p{Z}]+`

// expression returns what is between the slashes, and the flags after them.
func (p Pattern) expression() (expr, flags string, ok bool) {
	rest, ok := strings.CutPrefix(string(p), "/")
	end := strings.LastIndexByte(rest, '/')
	if !ok || end < 1 || rest[end+1:] != "" && rest[end+1:] != "i" {
		return "", "", false
	}
	return rest[:end], rest[end+1:], true
}

// Literal returns the pattern that finds a text, also one that stands between slashes.
func Literal(text string) Pattern {
	if _, _, ok := Pattern(text).expression(); ok {
		return Pattern("/(?i)" + regexp.QuoteMeta(text) + "/")
	}
	return Pattern(text)
}
