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
	const longestAddress = 1024 // an email address has at most 254 bytes
	switch {
	case len(listed) > longestAddress:
		return similar // and not read: a hostile server would have us take much memory
	case sameAddress(listed, sent):
		return same
	case isMissing(listed) || mayBeNumber(listed, sent):
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

// mayBeNumber reports whether a phone number in a list may be one that was sent, without its country code, or area code, with what is
// dialed before it within a country, with what Mexico and Argentina put between the two, or in a form that cannot be read, such as one
// with asterisks.
func mayBeNumber(listed, sent string) bool {
	const fewest = 7 // digits of a number, unless it is all that follows the country code
	number, hasCode, errSent := addressDigits(sent)
	digits, _, errListed := addressDigits(listed)
	if errSent != nil || errListed != nil {
		isEmail := strings.Contains(withoutScheme(listed), "@") && !strings.Contains(listed, "+")
		return errSent == nil && !isEmail && !strings.HasPrefix(listed, groupPrefix)
	}
	n := 0
	for n < min(len(digits), len(number)) && digits[len(digits)-1-n] == number[len(number)-1-n] {
		n++
	}
	before, code := digits[:len(digits)-n], number[:len(number)-n]
	isTenDigits := before == "1" && n == 10 // which are decoded as a North American number
	return isTrunk(before) && hasCode && isCountryCode(code) ||
		n >= fewest && (isTenDigits || isTrunk(before) || code == "" || isMobile(before, code) || isMobile(code, before))
}

// isMobile reports whether the first digits of a number are a country code and one for a mobile phone.
func isMobile(digits, code string) bool {
	return digits == code+"1" && code == "52" || digits == code+"9" && code == "54"
}

// addressDigits returns the digits of an address that is a phone number, and reports whether a + is before them.
func addressDigits(s string) (string, bool, error) {
	return dialedDigits(strings.Map(visibleASCII, withoutScheme(s)))
}

// lacksAreaCode reports whether a North American number in a list is shown in part.
func lacksAreaCode(listed string) bool {
	digits, _, err := addressDigits(listed)
	return err != nil || len(digits) < 10
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
var plainCharacters = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u02bb", "'", "\u02bc", "'", "\u201c", `"`, "\u201d", `"`,
	"\u2010", "-", "\u2013", "-", "\u2014", "-", "\u2026", "...")

// unescaped returns a text as it is without the escapes of HTML, which some have escaped again, and with plain characters.
func unescaped(s string) string {
	for range 3 {
		s = html.UnescapeString(s)
	}
	return plainCharacters.Replace(s)
}

// withoutSpace returns a text without white space and what does not show.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, s)
}
