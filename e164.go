package agentphone

import (
	"strings"
	"unicode"
)

// E164 is a phone number as the API takes it: + and 7 to 15 digits, the first of
// them not 0, such as +14155551234. Make one with [ParseE164] or [NormalizeE164];
// request fields are plain strings, so pass string(n) or n.String().
type E164 string

// String returns the number in full. Use [E164.Redacted] for logs.
func (n E164) String() string { return string(n) }

// Redacted returns the number for logs: +1415***1234. A number too short to stay
// private that way shows its last two digits only.
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

// ParseE164 accepts a number that is in E.164 form already, to the letter: no
// spaces, dashes or brackets. It checks the form, not whether the number exists. The
// error is a *[ValidationError] and does not hold the number.
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

// NormalizeE164 reads a phone number as a person types it: (415) 555-1234 with the
// default country code "1" is +14155551234. A number with its own country code (a
// leading +, or 011 or 00 as dialled abroad) keeps that one. What is dialled within a country only, the trunk
// prefix, is dropped: a leading 0 in most, 8 in Russia, 06 in Hungary, nothing in Italy.
//
// Letters, extensions, a North American number that has not ten digits and anything else that would have
// to be guessed are an error, a *[ValidationError] that does not hold the number.
func NormalizeE164(s, defaultCountryCode string) (E164, error) {
	code := strings.TrimPrefix(defaultCountryCode, "+")
	if !isDigits(code) || len(code) > 3 || code[0] == '0' {
		return "", &ValidationError{Field: "default country code", Reason: `not 1 to 3 digits such as "1"`}
	}
	s = strings.TrimSpace(s)
	if len(s) > len("tel:") && strings.EqualFold(s[:len("tel:")], "tel:") {
		s = s[len("tel:"):]
	}
	digits, err := dialledDigits(s)
	if err != nil {
		return "", err
	}
	prefix, abroad := "", strings.HasPrefix(s, "+")
	for _, p := range []string{"011", "00"} {
		if !abroad && strings.HasPrefix(digits, p) && (p == "00" || code == "1") {
			prefix, abroad = p, true
		}
	}
	switch digits = digits[len(prefix):]; {
	case !abroad:
		digits = code + withoutTrunk(code, digits)
	case !keepsZero(digits):
		// +44 (0)20 ...: the 0 is there only for those who dial within the country.
		digits, _ = dialledDigits(strings.Replace(s, "(0)", "", 1))
		digits = strings.TrimPrefix(digits, prefix)
	}
	if digits != "" && digits[0] == '1' && len(digits) != len("14155551234") {
		return "", &ValidationError{Field: "phone number", Reason: "a North American number has ten digits"}
	}
	return ParseE164("+" + digits)
}

// dialledDigits are the digits of a number, between which may be what people put there.
func dialledDigits(s string) (string, error) {
	var digits strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && i == 0, unicode.IsSpace(r), unicode.Is(unicode.Pd, r), strings.ContainsRune("().·/\u2212\u200e\u202a\u202c", r):
		default:
			return "", &ValidationError{Field: "phone number", Reason: "has a character that is no part of a phone number"}
		}
	}
	return digits.String(), nil
}

// trunkPrefixes are those that are not 0. Where there is none, a leading 0 is part of the number.
var trunkPrefixes = map[string]string{
	"1": "1", "7": "8", "36": "06", "375": "80", "993": "8",
	"39": "", "378": "", "379": "", "225": "", "241": "", "242": "",
}

func withoutTrunk(code, national string) string {
	trunk, ok := trunkPrefixes[code]
	if !ok {
		trunk = "0"
	}
	if code == "7" && len(national) != 11 { // without its trunk prefix it may begin with 8 too
		return national
	}
	return strings.TrimPrefix(national, trunk)
}

// keepsZero: of the digits from the country code on, a 0 behind the code is part of the number.
func keepsZero(digits string) bool {
	for n := 1; n <= 3 && n <= len(digits); n++ {
		if trunk, ok := trunkPrefixes[digits[:n]]; ok {
			return trunk == ""
		}
	}
	return false
}
