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
)

// The checks of parameters and options. What the API might accept, they let through.

// firstOf returns the first error.
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

// requiredE164 and optionalE164 are for numbers that must be in E.164 form.
func requiredE164(field, value string) error {
	return firstOf(required(field, value), optionalE164(field, value))
}

func optionalE164(field, value string) error {
	if value != "" && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// checkRecipient refuses only what is plainly a mistyped phone number: a message may also
// go to a short code, an email address or a group.
func checkRecipient(field, value string) error {
	looksDialled := value != "" && strings.Trim(value, "0123456789+-.() ") == ""
	shortCode := isDigits(value) && (len(value) == 5 || len(value) == 6)
	if looksDialled && !shortCode && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// inRange checks a list's limit and the like; 0 is the API's default, highest 0 is no bound.
func inRange(field string, n, highest int) error {
	switch {
	case n < 0:
		return &ValidationError{field, "is negative"}
	case highest > 0 && n > highest:
		return &ValidationError{field, fmt.Sprintf("is over %d", highest)}
	}
	return nil
}

func checkPage(limit, highest, offset int) error {
	return firstOf(inRange("limit", limit, highest), inRange("offset", offset, 0))
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

func checkPathID(field, id string) error {
	switch {
	case id == "":
		return &ValidationError{field, "is empty"}
	case id == "." || id == "..":
		return &ValidationError{field, "is not an id"}
	case len(id) > maxPathID:
		return &ValidationError{field, "is too long for an id"}
	case strings.ContainsFunc(id, isControl):
		return &ValidationError{field, "has a control character"}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func checkSubAccount(id string) error {
	if err := checkPathID("sub-account id", id); err != nil {
		return err
	}
	return checkHeaderValue("sub-account id", id)
}

func notNegative[N int | time.Duration](field string, n N) error {
	if n < 0 {
		return &ValidationError{field, "is negative"}
	}
	return nil
}

// checkKey refuses what cannot be a key; it says nothing of the key.
func checkKey(key string) error {
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return &ValidationError{"API key", "has white space, a control character or a character outside ASCII"}
	}
	return nil
}

func checkHeaderValue(field, value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return isControl(r) && r != '\t' }) {
		return &ValidationError{field, "has a control character"}
	}
	return nil
}

// refusedHeaders belong to the connection or to the client, or make net/http send a POST again by itself.
var refusedHeaders = []string{
	"Authorization", "Idempotency-Key", "X-Idempotency-Key",
	"Accept-Encoding", "Connection", "Content-Length", "Host", "Keep-Alive",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// checkHeader returns the canonical name of a request header.
func checkHeader(name, value string) (string, error) {
	if !isToken(name) {
		return "", &ValidationError{"header", "has an invalid name"}
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if slices.Contains(refusedHeaders, name) {
		return "", &ValidationError{"header " + name, "cannot be set"}
	}
	return name, checkHeaderValue("header "+name, value)
}

// isNil reports whether an interface value is nil, or holds a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
