package scenario_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// hostileTexts are those that YAML and regular expressions could take for something else.
var hostileTexts = []string{
	"null", "~", "yes", "0x1F", "1e3", "2001-01-01", "<<", "=", "- a", "? b", "a: b", "a #b", "# c", "%YAML 1.1", "---", "...", "--- a",
	"&anchor", "*alias", "!!binary AAAA", "!tag", "@at", "`tick", "'", `"`, `\x41`, "{a: 1}", "[a]", "|", "> folded", "a,b",
	"\n", " \n", "\na", "a\n", "a\n\n", "\n\na", "  a\nb", "a\n  b\n", "\ta", "a\tb", "a \nb ", "a\r\nb\r", "\r", "\v\f",
	"\x00\x01\x1b[31m\x7f", "\u0085a\u0085", "a\u00a0b", "\u2028a\u2029", "\ufeffa\ufeff", "\ufffe\uffff\U0010ffff", "\u202eabc\u202c\u2066x",
	"a\u1680\u2000\u3000b", "/a/", "/a/i", "/(/", "//", "/", "(?i)[a", "e\u0301\U0001f469\u200d\U0001f469", "\ufffd",
	"\t\n0", "a\n\tb", "a\nb\u0085c\n d", " a", "a ", "\n a\n", "#", "a:\n- b\n", "---\nname: x\n", "\n---\n", "...\n",
	strings.Repeat("x", 100_000), strings.Repeat("long words ", 10_000), strings.Repeat("\n", 1000) + "a",
}

// roundTrip writes a text wherever a scenario has texts of people, and reads it.
func roundTrip(t *testing.T, text string) {
	t.Helper()
	if strings.TrimSpace(text) == "" || !utf8.ValidString(text) {
		return // these cannot be said
	}
	want := []scenario.Scenario{{Name: text, People: []scenario.Person{{Name: text}, {Name: text + "2"}}, Steps: []scenario.Step{
		{Action: scenario.ActionText, Words: text, From: text + "2", MediaURLs: []string{text, "a"}},
		{Action: scenario.ActionSay, Words: text, Expect: scenario.Expectation{Words: []scenario.Pattern{scenario.Literal(text), "a"}}},
	}}}
	var out bytes.Buffer
	require.NoError(t, scenario.Write(&out, want...), "%.300q", text)
	got, err := scenario.Parse("x", out.Bytes())
	require.NoError(t, err)
	assert.Equal(t, want, withoutPositions(got), "%.300q", text)
	assert.False(t, strings.ContainsFunc(out.String(), func(r rune) bool {
		return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\u0085'
	}), "the file shows as what it is: %.300q", out.String())
}

// matchesItself checks that a pattern for a text finds it.
func matchesItself(t *testing.T, text string) {
	t.Helper()
	if len(text) > 2000 {
		return // which takes a regular expression too long
	}
	re, err := scenario.Literal(text).Regexp()
	require.NoError(t, err, "%.300q", text)
	assert.True(t, re.MatchString(text), "%.300q is not found by %.300q", text, re)
}

func TestWrite_RoundTripsHostileTexts(t *testing.T) {
	for _, text := range hostileTexts {
		roundTrip(t, text)
	}
}

func TestLiteral_FindsItsText(t *testing.T) {
	for _, text := range hostileTexts {
		matchesItself(t, text)
	}
	assert.Equal(t, scenario.Pattern("Hi. (All?)"), scenario.Literal("Hi. (All?)"))
	assert.Equal(t, scenario.Pattern(`/(?i)/a\.b//`), scenario.Literal("/a.b/"))
}

func FuzzWrite_RoundTrips(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 {
			return // the fuzzer would take a minute to shorten what it finds
		}
		roundTrip(t, text)
		if utf8.ValidString(text) {
			matchesItself(t, text)
		}
	})
}
