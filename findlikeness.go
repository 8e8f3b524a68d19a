package agentphone

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
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

// compareTexts compares a text in a list with one that was sent. White space is no difference, nor are the quotation marks and dashes that
// carriers replace most often. Only letters and digits can show that two texts are different: carriers replace other characters too, and
// letters with accents. A line may have been added, such as how to opt out, or the end cut off.
func compareTexts(listed, sent string) likeness {
	plainListed, plainSent := plainText(listed), plainText(sent)
	if plainListed == plainSent {
		return same
	}
	more, added := strings.CutPrefix(strings.TrimSpace(listed), strings.TrimSpace(sent))
	cut := len(listed) >= minCut && strings.HasPrefix(plainSent, plainListed)
	if cut || added && strings.HasPrefix(more, "\n") || sameLetters(plainListed, plainSent) {
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

// sameLetters reports whether two texts have the same letters and digits, but for those that are no ASCII and may have become others, or none.
func sameLetters(a, b string) bool {
	a, lettersOfA := plainLetters(a)
	b, lettersOfB := plainLetters(b)
	if len(a) < len(b) {
		a, b = b, a
	}
	const most = 3 // letters that may stand for one, as 1/2 does
	if len(a)-len(b) > most*(lettersOfA+lettersOfB) || len(a) > 2*len(b) {
		return false
	}
	for _, r := range a { // is b what is left of a without some letters?
		if first, size := utf8.DecodeRuneInString(b); size > 0 && first == r {
			b = b[size:]
		}
	}
	return b == ""
}

// plainLetters returns the letters and digits of a text, in lower case, and how many there are that may have become others.
func plainLetters(s string) (letters string, doubtful int) {
	letters = strings.Map(func(r rune) rune {
		switch {
		case r >= utf8.RuneSelf && (unicode.Is(unicode.Latin, r) || unicode.IsMark(r) || unicode.Is(unicode.No, r)):
			doubtful++
			return -1
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, s)
	return letters, doubtful
}
