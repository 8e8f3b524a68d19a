package lenientjson

import (
	"slices"
	"strings"
)

// isPhone reports whether a member of that name is a phone number, or something else that can be called or written to.
func isPhone(name string) bool {
	switch name {
	case "from", "from_", "to", "participant", "identifier", "senderIdentifier":
		return true
	}
	return hasSuffix(name, "Number", "_number")
}

// isProse reports whether a member of that name may hold "None" because somebody said so or wrote it. Ids, addresses and the API's
// own words do not.
func isProse(name string) bool {
	switch name {
	case "id", "url", "email", "summary", "disconnectionReason", "userSentiment":
		return false
	}
	return !isPhone(name) && !hasSuffix(name, "Id", "_id", "Url", "Urls", "_url", "_urls")
}

func hasSuffix(name string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// phone returns the E.164 form of a tel: URI or of the ten digits of a North American number, or else s.
func phone(s string) string {
	number, isURI := s, false
	if len(s) > len(telScheme) && strings.EqualFold(s[:len(telScheme)], telScheme) {
		number, isURI = s[len(telScheme):], true
		number = strings.NewReplacer("-", "", ".", "", "(", "", ")", "", " ", "").Replace(number) // RFC 3966, visual separators
	}
	switch digits := strings.TrimPrefix(number, "+"); {
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return s
	case digits == number && len(digits) == 10 && digits[0] >= '2' && digits[3] >= '2':
		return "+1" + digits
	case isURI:
		return number
	}
	return s
}
