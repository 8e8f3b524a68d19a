package agentphone

import (
	"html"
	"strings"
	"unicode"
)

// What took effect and is not recognized would take effect again. So what the API, or a carrier, may spell in another way than it was
// sent is the same; what is missing, or may have become of it, is similar. findletters.go says what may become of a text.

// isMissing reports whether a list has no value where there was one.
func isMissing(listed string) bool {
	listed = strings.TrimSpace(listed)
	return listed == "" || listed == "None" // as Python prints null
}

// compareAddresses compares an address in a list with one that was sent.
func compareAddresses(listed, sent string) likeness {
	switch {
	case sameAddress(listed, sent):
		return same
	case isMissing(listed) || sameNationalNumber(listed, sent):
		return similar
	}
	return different
}

// sameAddress reports whether two addresses are the same, although one may be a tel: URI, a North American number without its country
// code, or an email address in capitals.
func sameAddress(a, b string) bool { return plainAddress(a) == plainAddress(b) }

func plainAddress(s string) string {
	s = withoutScheme(s)
	if number, err := NormalizeE164(s, "1"); err == nil {
		return strings.TrimPrefix(number.String(), "+")
	}
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "+"))
}

// withoutScheme returns an address without the scheme of a URI.
func withoutScheme(s string) string {
	if _, rest, isURI := strings.Cut(s, ":"); isURI {
		return rest
	}
	return s
}

// sameNationalNumber reports whether a phone number in a list may be one that was sent, without its country code, or area code, or with what
// is dialed before it within a country.
func sameNationalNumber(listed, sent string) bool {
	const fewest = 7 // digits of a number
	listed, _, errListed := dialedDigits(strings.Map(visibleASCII, withoutScheme(listed)))
	sent, _, errSent := dialedDigits(strings.Map(visibleASCII, withoutScheme(sent)))
	if errListed != nil || errSent != nil {
		return false
	}
	n := 0
	for n < min(len(listed), len(sent)) && listed[len(listed)-1-n] == sent[len(sent)-1-n] {
		n++
	}
	before := listed[:len(listed)-n]
	isTenDigits := before == "1" && n == 10 // which are decoded as a North American number
	return n >= fewest && (isTenDigits || isTrunk(before) || n == len(sent))
}

// isTrunk reports whether digits are nothing, or what is dialed before a number within a country: no country code begins with 0, and none is
// 8 or 80.
func isTrunk(digits string) bool {
	return digits == "" || digits[0] == '0' || digits == "8" || digits == "80"
}

// sameOrNone reports whether the value in a list is the one that was sent, or is not there.
func sameOrNone[S ~string](listed, sent S) bool {
	return listed == "" || strings.EqualFold(string(listed), string(sent))
}

// compareTexts compares a text in a list with one that was sent. White space is no difference, nor are the quotation marks and dashes that
// carriers replace most often.
func compareTexts(listed, sent string) likeness {
	listed, sent = unescaped(listed), unescaped(sent)
	switch {
	case withoutSpace(listed) == withoutSpace(sent):
		return same
	case isMissing(listed) || mayBecome(sent, listed):
		return similar
	}
	return different
}

// plainCharacters are what carriers replace so that a text needs fewer messages.
var plainCharacters = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`,
	"\u2010", "-", "\u2013", "-", "\u2014", "-", "\u2026", "...")

func unescaped(s string) string { return plainCharacters.Replace(html.UnescapeString(s)) }

// withoutSpace returns a text without white space and what does not show.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, s)
}
