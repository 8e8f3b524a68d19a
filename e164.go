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
	case len(s) >= 11:
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
// leading +, or 011 or 00 as dialled abroad) keeps that one. Elsewhere than in the
// North American plan ("1", where a number has ten digits) and Italy ("39"), one
// leading 0, the trunk prefix, is dropped.
//
// Letters, extensions and anything else that would have to be guessed are an error,
// a *[ValidationError] that does not hold the number.
func NormalizeE164(s, defaultCountryCode string) (E164, error) {
	invalid := func(reason string) (E164, error) {
		return "", &ValidationError{Field: "phone number", Reason: reason}
	}
	code := strings.TrimPrefix(defaultCountryCode, "+")
	if !isDigits(code) || len(code) > 3 || code[0] == '0' {
		return "", &ValidationError{Field: "default country code", Reason: `not 1 to 3 digits such as "1"`}
	}
	s = strings.TrimSpace(s)
	if len(s) > len("tel:") && strings.EqualFold(s[:len("tel:")], "tel:") {
		s = s[len("tel:"):]
	}
	// +44 (0)20 ...: the 0 is there only for those who dial within the country.
	international := strings.HasPrefix(s, "+")
	if international {
		s = strings.Replace(s, "(0)", "", 1)
	}
	var digits strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && i == 0, unicode.IsSpace(r), unicode.Is(unicode.Pd, r), strings.ContainsRune("().·/\u2212\u200e\u202a\u202c", r):
		default:
			return invalid("has a character that is no part of a phone number")
		}
	}
	d := digits.String()
	northAmerica := code == "1"
	switch rest := ""; {
	case international:
	case northAmerica && strings.HasPrefix(d, "011"):
		d = d[len("011"):]
	case strings.HasPrefix(d, "00"):
		d = d[len("00"):]
	case northAmerica:
		if rest = strings.TrimPrefix(d, "1"); len(rest) != 10 {
			return invalid("a North American number has ten digits")
		}
		d = code + rest
	case code != "39":
		d = code + strings.TrimPrefix(d, "0")
	default:
		d = code + d
	}
	return ParseE164("+" + d)
}
