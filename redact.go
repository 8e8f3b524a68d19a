package agentphone

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
)

// redact redacts the key in the decoded fields.
func (e *APIError) redact(key string) {
	if key == "" {
		return
	}
	for _, s := range []*string{&e.Message, &e.Code, &e.Type} {
		*s = strings.ReplaceAll(*s, key, redacted)
	}
	for i := range e.Details {
		for _, s := range []*string{&e.Details[i].Field, &e.Details[i].Message, &e.Details[i].Type} {
			*s = strings.ReplaceAll(*s, key, redacted)
		}
	}
}

const redacted = "[REDACTED]"

// withoutKey redacts the key in a body: a server, or a proxy's error page, may quote the request's header.
func withoutKey(body []byte, key string) []byte {
	if key == "" || !bytes.Contains(body, []byte(key)) {
		return body
	}
	return bytes.ReplaceAll(body, []byte(key), []byte(redacted))
}

// cleanCause redacts the key in an error: one of a RoundTripper of the user's own may quote the header too.
func cleanCause(err error, key string) error {
	if err == nil || key == "" || !strings.Contains(err.Error(), key) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), key, redacted))
}

// oneLine makes one short line of a text that the server chose, so that it neither forges lines of a log nor controls a terminal.
func oneLine(s string) string {
	const limit = 500
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
