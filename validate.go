package agentphone

import (
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The checks of parameters and options. They accept whatever the API might accept.

// checkParams checks the parameters of a method.
func checkParams(params any) error {
	if v, ok := params.(interface{ validate() error }); ok {
		if err := v.validate(); err != nil {
			return err
		}
	}
	return checkText(params)
}

// firstOf returns the first error that is not nil.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return &ValidationError{field, "is required"}
	}
	return nil
}

func requiredE164(field, value string) error {
	return firstOf(required(field, value), optionalE164(field, value))
}

func optionalE164(field, value string) error {
	if value != "" && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// checkRecipient returns an error only for a mistyped phone number: the recipient may also be a short code, an email
// address or a group.
func checkRecipient(field, value string) error {
	looksDialled := value != "" && strings.Trim(value, "0123456789+-.() ") == ""
	shortCode := isDigits(value) && (len(value) == 5 || len(value) == 6)
	if looksDialled && !shortCode && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// inRange returns an error unless n is between 0, which stands for the API's default, and maximum. A maximum of 0 is
// none.
func inRange(field string, n, maximum int) error {
	switch {
	case n < 0:
		return &ValidationError{field, "is negative"}
	case maximum > 0 && n > maximum:
		return &ValidationError{field, fmt.Sprintf("is over %d", maximum)}
	}
	return nil
}

// secondsBetween returns an error unless n is in a range, or 0, which stands for the API's default.
func secondsBetween(field string, n, minimum, maximum int) error {
	if n != 0 && (n < minimum || n > maximum) {
		return &ValidationError{field, fmt.Sprintf("is not between %d and %d seconds", minimum, maximum)}
	}
	return nil
}

// atMost returns an error if text has more characters. The API counts characters, not bytes.
func atMost(field, text string, characters int) error {
	if utf8.RuneCountInString(text) > characters {
		return &ValidationError{field, fmt.Sprintf("is over %d characters", characters)}
	}
	return nil
}

func checkPage(limit, maxLimit, offset int) error {
	return firstOf(inRange("limit", limit, maxLimit), inRange("offset", offset, 0))
}

func checkDoPath(path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return &ValidationError{"path", `does not begin with one "/"`}
	}
	if strings.ContainsAny(path, "?#\\") || strings.ContainsFunc(path, isControl) {
		return &ValidationError{"path", "has a query, a fragment, a backslash or a control character"}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if s, err := url.PathUnescape(segment); err != nil || s == "." || s == ".." {
			return &ValidationError{"path", `has a "." or ".." segment or a bad escape`}
		}
	}
	return nil
}

const maxPathID = 1024

// notIDs are the names of operations that stand in a path where those beside them have an id.
var notIDs = []string{"voices", "lookup", "capabilities", "web", "refresh"}

func checkPathID(field, id string) error {
	switch {
	case id == "":
		return &ValidationError{field, "is empty"}
	case id == "." || id == ".." || slices.Contains(notIDs, id):
		return &ValidationError{field, "is not an id"}
	case strings.ContainsAny(id, `/\`): // even escaped: a server may undo that before it looks for the operation
		return &ValidationError{field, "has a slash or a backslash"}
	case len(id) > maxPathID:
		return &ValidationError{field, "is too long for an id"}
	case strings.ContainsFunc(id, isControl):
		return &ValidationError{field, "has a control character"}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// isUnprintable reports whether r is white space, a control character or outside ASCII.
func isUnprintable(r rune) bool { return r <= ' ' || r >= 0x7f }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func checkSubAccount(id string) error {
	if err := checkPathID("sub-account id", id); err != nil {
		return err
	}
	if strings.ContainsFunc(id, isUnprintable) {
		return &ValidationError{"sub-account id", "has white space or a character outside ASCII"} // net/http would trim it, to nothing
	}
	return nil
}

func notNegative[N int | int64 | time.Duration](field string, n N) error {
	if n < 0 {
		return &ValidationError{field, "is negative"}
	}
	return nil
}

// printable returns an error unless value, a key or a secret, is printable ASCII without white space. The error says nothing of
// the value.
func printable(field, value string) error {
	if strings.ContainsFunc(value, isUnprintable) {
		return &ValidationError{field, "has white space, a control character or a character outside ASCII"}
	}
	return nil
}

func checkHeaderValue(field, value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return isControl(r) && r != '\t' }) {
		return &ValidationError{field, "has a control character"}
	}
	return nil
}

// refusedHeaders are those of the connection and of the client, and those that make net/http send a POST again by
// itself.
var refusedHeaders = []string{
	"Authorization", "Idempotency-Key", "X-Idempotency-Key",
	"Accept-Encoding", "Connection", "Content-Length", "Host", "Keep-Alive",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// checkHeader returns the canonical name of a header, or an error if a request may not have it.
func checkHeader(name, value string) (string, error) {
	if !isToken(name) {
		return "", &ValidationError{"header", "has an invalid name"}
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if slices.Contains(refusedHeaders, name) {
		return "", &ValidationError{"header " + name, "cannot be set"}
	}
	if name == subAccountHeader {
		return name, checkSubAccount(value)
	}
	return name, checkHeaderValue("header "+name, value)
}

// isNil reports whether an interface value is nil, or holds a nil pointer or func, which would panic when it is used.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil()
}

// holdsNil reports whether an interface value that may be nil holds a nil pointer or func.
func holdsNil(v any) bool { return v != nil && isNil(v) }

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
