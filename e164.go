package agentphone

import (
	"strings"
	"unicode"
)

// E164 is a phone number in E.164 form, as the API requires it: + and 7 to 15 digits, the first of which is not 0, such
// as +14155551234. [ParseE164] and [NormalizeE164] return one. The fields of request parameters are strings: pass
// n.String().
type E164 string

// String returns the whole number. For logs see [E164.Redacted].
func (n E164) String() string { return string(n) }

// Redacted returns the number for logs, such as +1415***1234. Of a number with fewer than 11 digits it shows only the
// last two.
func (n E164) Redacted() string {
	s := string(n)
	switch {
	case len(s) >= 12:
		return s[:5] + "***" + s[len(s)-4:]
	case len(s) > 4:
		return "***" + s[len(s)-2:]
	case s == "":
		return ""
	}
	return "***"
}

// ParseE164 returns s as an E164 if it is in E.164 form, without spaces, dashes or parentheses. It does not check
// whether the number exists. The error is a *[ValidationError] and does not contain the number.
func ParseE164(s string) (E164, error) {
	if !isE164(s) {
		return "", &ValidationError{Field: "phone number", Reason: reasonE164}
	}
	return E164(s), nil
}

const reasonE164 = "not in E.164 form (+ and 7 to 15 digits, such as +14155551234)"

func isE164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && isDigits(digits)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// NormalizeE164 converts a phone number as people write or paste it to E.164. Without a country code of its own (after +, 00, or
// 011 if defaultCountryCode is "1") the number gets defaultCountryCode, which is 1 to 3 digits with or without a +:
// with "1", (415) 555-1234 is +14155551234. The prefix that is dialed only within a country is dropped, such as 0 in
// most countries, 8 in Russia and 06 in Hungary; so is (0) after a country code. Invisible characters are ignored, and full-width digits are digits.
//
// It does not guess: letters, extensions and what cannot be a North American number (ten digits, the first and the fourth of which
// are 2 to 9) although its country code is 1 are an error. The error is a *[ValidationError] and does not contain the number.
func NormalizeE164(s, defaultCountryCode string) (E164, error) {
	code := strings.TrimPrefix(defaultCountryCode, "+")
	if !isDigits(code) || len(code) > 3 || code[0] == '0' {
		return "", &ValidationError{Field: "default country code", Reason: `not 1 to 3 digits such as "1"`}
	}
	s = strings.TrimSpace(strings.Map(visibleASCII, s))
	if len(s) > len("tel:") && strings.EqualFold(s[:len("tel:")], "tel:") {
		s = s[len("tel:"):]
	}
	digits, abroad, err := dialedDigits(s)
	if err != nil {
		return "", err
	}
	prefix := ""
	for _, p := range []string{"011", "00"} {
		if !abroad && strings.HasPrefix(digits, p) && (p == "00" || code == "1") {
			prefix, abroad = p, true
		}
	}
	switch digits = digits[len(prefix):]; {
	case !abroad:
		digits = code + withoutTrunk(code, digits)
	case !keepsZero(digits):
		// In +44 (0)20 ... the 0 is dialed only within the country. Elsewhere in the number it is one of its digits.
		before, after, _ := strings.Cut(s, "(0)")
		if first, _, _ := dialedDigits(before); isCountryCode(strings.TrimPrefix(first, prefix)) {
			rest, _, _ := dialedDigits(after)
			digits = first[len(prefix):] + rest
		}
	}
	switch {
	case digits == "" || digits[0] != '1':
	case len(digits) != len("14155551234"):
		return "", &ValidationError{Field: "phone number", Reason: "a North American number has ten digits"}
	case digits[1] < '2' || digits[4] < '2':
		return "", &ValidationError{Field: "phone number", Reason: "the area code and the exchange of a North American number begin with 2 to 9"}
	}
	return ParseE164("+" + digits)
}

// visibleASCII maps the full-width forms of what a phone number consists of to ASCII, and drops characters that do not show, such as
// those for the direction of a text, which address books put around a number.
func visibleASCII(r rune) rune {
	switch {
	case r >= '０' && r <= '９':
		return r - '０' + '0'
	case r == '＋' || r == '（' || r == '）':
		return r - '＋' + '+'
	case unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}

// dialedDigits returns the digits of a number without what people put between them, and reports whether a + is before them.
func dialedDigits(s string) (string, bool, error) {
	var digits strings.Builder
	plus := false
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && !plus && digits.Len() == 0:
			plus = true
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), strings.ContainsRune("().·/\u2212", r):
		default:
			return "", false, &ValidationError{Field: "phone number", Reason: "has a character that is no part of a phone number"}
		}
	}
	return digits.String(), plus, nil
}

// trunkPrefixes are the prefixes dialed within a country, by country code, where they are not 0. Where there is none, a
// leading 0 is part of the number.
var trunkPrefixes = map[string]string{
	"1": "1", "7": "8", "36": "06", "375": "80", "993": "8",
	"39": "", "378": "", "379": "", "225": "", "229": "", "241": "", "242": "",
}

// isCountryCode reports whether digits may be a country code: 1, 7, one of two digits, or one of three.
func isCountryCode(digits string) bool {
	const ofTwo = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"
	switch len(digits) {
	case 1:
		return digits == "1" || digits == "7"
	case 2:
		return strings.Contains(ofTwo, digits)
	case 3:
		return digits[0] != '0' && !isCountryCode(digits[:1]) && !isCountryCode(digits[:2])
	}
	return false
}

// withoutTrunk returns a national number without the trunk prefix of its country.
func withoutTrunk(code, national string) string {
	trunk, ok := trunkPrefixes[code]
	if !ok {
		trunk = "0"
	}
	if code == "7" && len(national) != 11 { // without a trunk prefix; the number itself may begin with 8
		return national
	}
	return strings.TrimPrefix(national, trunk)
}

// keepsZero reports whether a 0 that follows the country code, with which digits begins, is part of the number.
func keepsZero(digits string) bool {
	for n := 1; n <= 3 && n <= len(digits); n++ {
		if trunk, ok := trunkPrefixes[digits[:n]]; ok {
			return trunk == ""
		}
	}
	return false
}
