package apitest

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/agentphone/agentphone-go"
)

// CheckErrorText fails the test unless err is an [agentphone.APIError] or an [agentphone.DecodeError] whose text has at
// most 2000 bytes, no control characters, and not the API key.
func CheckErrorText(t testing.TB, err error) {
	t.Helper()
	var apiErr *agentphone.APIError
	var decodeErr *agentphone.DecodeError
	if !errors.As(err, &apiErr) && !errors.As(err, &decodeErr) {
		t.Fatalf("%T is not an error about a response: %v", err, err)
	}
	if text := err.Error(); len(text) > 2000 || strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, Key) {
		t.Fatalf("the text of the error is too long or unsafe: %q", text)
	}
}
