package agentphone

import (
	"html"
	"strings"
	"unicode"
)

// What took effect and is not recognized would take effect again. So what the API, or a carrier, may spell in another way than it was
// sent is the same, what may have been left out fits, and what may have become of it is similar.

// sameAddress reports whether two addresses are the same, although one may be a tel: URI, a number without its country code, or an
// email address in capitals.
func sameAddress(a, b string) bool { return plainAddress(a) == plainAddress(b) }

func plainAddress(s string) string {
	if _, rest, isURI := strings.Cut(s, ":"); isURI {
		s = rest
	}
	if number, err := NormalizeE164(s, "1"); err == nil {
		return strings.TrimPrefix(number.String(), "+")
	}
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "+"))
}

// sameOrNone reports whether the value in a list is the one that was sent, or is not there.
func sameOrNone[S ~string](listed, sent S) bool {
	return listed == "" || strings.EqualFold(string(listed), string(sent))
}

// minCut is the length in bytes from which on a text may have been cut: a text message has 160 characters.
const minCut = 120

// compareTexts compares a text in a list with one that was sent. White space is no difference, nor what carriers replace. A line may have
// been added, such as how to opt out, or the end cut off.
func compareTexts(listed, sent string) likeness {
	plainListed, plainSent := plainText(listed), plainText(sent)
	if plainListed == plainSent {
		return same
	}
	more, added := strings.CutPrefix(strings.TrimSpace(listed), strings.TrimSpace(sent))
	cut := len(listed) >= minCut && strings.HasPrefix(plainSent, plainListed)
	if cut || added && strings.HasPrefix(more, "\n") {
		return similar
	}
	return different
}

// plainCharacters are what carriers replace so that a text needs fewer messages.
var plainCharacters = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`, "\u2010", "-", "\u2013", "-", "\u2014", "-", "\u2026", "...")

func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, plainCharacters.Replace(html.UnescapeString(s)))
}
